//! `make test-kind`: the requests of `istio/requests.json` in a cluster of kind, sent by curl from its pods,
//! with tokens that its Keycloak issues.
//!
//! The cluster is `istio/kind/kind.sh`'s, and what needs it is ignored by `cargo test`. All else runs without
//! one: that a wrong answer is seen is tried with a `kubectl` that answers wrongly.

#![allow(unreachable_pub, reason = "nothing here is reached from outside")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails where it stands"
)]

#[path = "../support/mod.rs"]
mod support;

mod cluster; // fixture: kubectl, and curl in pods
mod echo; // the service behind the doors, as it runs in the pods
mod requests; // istio/requests.json through both doors
mod tokens; // fixture: which client of Keycloak gets which token, and what it must look like
mod wrong; // wrong answers, each of which is seen
