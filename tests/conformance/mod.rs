//! Signatures that others made, Project Wycheproof's and the examples of the RFCs, and how an engine is
//! judged by them. `tests/conformance.rs` judges the engine in the module natively,
//! `tests/envoy/conformance.rs` the host's.
//!
//! Wycheproof says `valid`, `invalid` or `acceptable`. What is valid must verify and what is invalid must
//! not. What is acceptable must not verify either: all such cases lack the NULL that RFC 8017 appendix B.1
//! demands in the DigestInfo, and the strict reading leaves a signature one spelling. Where an engine
//! differs, `exceptions.json` says so, with a reason per case; it cannot excuse that an invalid signature
//! verifies.
//!
//! Keys that Vestibule refuses by design are counted and passed over. Run with `--nocapture` for the counts.
//! A rule about whole tokens belongs into a vector (`tests/vectors`), not here.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod cases;
pub(crate) mod engine;
pub(crate) mod examples;
pub(crate) mod exceptions;
pub(crate) mod judge;
pub(crate) mod sets;
