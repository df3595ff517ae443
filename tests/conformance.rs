//! The engine in the module, natively, against signatures that others made.
//!
//! `conformance/mod.rs` says how it is judged. `tests/envoy/conformance.rs` judges the host's engine, and
//! this one once more, by the same signatures.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails where it stands"
)]

#[path = "conformance/mod.rs"]
mod conformance;
#[path = "conformance/rfc.rs"]
mod rfc;
#[path = "conformance/wycheproof_sets.rs"]
mod wycheproof_sets;
