//! Gives `#[test]` another meaning: that of `#[wasm_bindgen_test]`.
//!
//! A crate of its own, for only what another crate exports can stand in for a name of Rust's prelude
//! everywhere at once (`#[macro_use]`). So the core's tests are written once, natively and for
//! wasm32-unknown-unknown, and none can be left out by forgetting to say so.

pub use wasm_bindgen_test::wasm_bindgen_test as test;
