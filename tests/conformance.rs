//! The engine in the module against signatures that others made: Project Wycheproof's and the examples of the
//! RFCs.
//!
//! Wycheproof says `valid`, `invalid` or `acceptable`. What is valid must verify and what is invalid must
//! not. What is acceptable must not verify either: all such cases lack the NULL that RFC 8017 appendix B.1
//! demands in the DigestInfo, and the strict reading leaves a signature one spelling. Where the engine
//! differs, `conformance/exceptions.json` says so, with a reason per case; it cannot excuse that an invalid
//! signature verifies.
//!
//! Keys that Vestibule refuses by design are counted and passed over. Run with `--nocapture` for the counts.
//! A rule about whole tokens belongs into a vector (`tests/vectors`), not here.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails where it stands"
)]

#[path = "conformance/cases.rs"]
mod cases;
#[path = "conformance/exceptions.rs"]
mod exceptions;
#[path = "conformance/rfc.rs"]
mod rfc;
#[path = "conformance/wycheproof_sets.rs"]
mod wycheproof_sets;
