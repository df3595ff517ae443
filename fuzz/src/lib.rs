//! What a fuzzer's bytes are tried on, and what must hold whatever they are.
//!
//! Each target is a module with one function. `targets/` hands it to libFuzzer (`make fuzz`);
//! `tests/corpus.rs` of the main package, which includes this very file, hands it every file of `corpus/`
//! (`make test`). So a target knows no fuzzer: it takes bytes, refuses none, and panics where something does
//! not hold. Bytes that mean nothing to Vestibule prove only that it says so.

#![allow(dead_code, unreachable_pub, missing_docs, reason = "a library here, a module of a test there")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a property that does not hold is a panic"
)]

pub mod claims;
pub mod compact;
pub mod config;
pub mod decide;
pub mod header;
pub mod jwks;
pub mod route;

mod access;
mod credentials;
mod door;
mod holding;
mod invariants;
mod nearest;
mod token;

/// What is done with a fuzzer's bytes.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its corpus.
pub const TARGETS: [(&str, Target); 7] = [
    ("claims", claims::run),
    ("compact", compact::run),
    ("config", config::run),
    ("decide", decide::run),
    ("header", header::run),
    ("jwks", jwks::run),
    ("route", route::run),
];
