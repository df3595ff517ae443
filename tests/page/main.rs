//! `make test-page`: a real Prometheus scrapes real Envoys under mixed traffic, with the files of `monitoring/`,
//! and every panel of the dashboard and every rule gets an answer.
//!
//! What a rule does with an answer is tested by promtool (`make test-alerts`); here, that the series are there
//! that rules and panels ask for, under the names and labels that they ask by.

#![allow(unreachable_pub, reason = "nothing here is reached from outside")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails where it stands"
)]

#[path = "../envoy/mesh.rs"]
#[allow(dead_code, reason = "the page needs its own part of it")]
mod mesh;
#[path = "../support/mod.rs"]
mod support;

mod answers; // every panel, every rule
mod dashboard; // fixture: the panels of monitoring/dashboard.json
mod doors; // fixture: Envoys with doors, good and bad ones
mod pictures; // fixture: the panels, drawn
mod prometheus; // fixture: Prometheus
mod removal; // a door that is taken away
mod traffic; // fixture: what is sent
