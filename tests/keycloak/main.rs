//! `make test-keycloak`: a real Keycloak issues tokens by its own flows, and a real Envoy guards a service
//! with the configuration of `docs/keycloak.md`, word for word.
//!
//! The realm is `docs/keycloak/realm.json`, with passwords and with clients that are set up wrongly
//! (`realm.rs`).

#![allow(unreachable_pub, reason = "nothing here is reached from outside")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails where it stands"
)]

#[path = "../support/mod.rs"]
mod support;

mod access; // tokens of both flows pass, and open what they may
mod door; // fixture: the documented door, and a service behind it
mod key_provider; // fixture: a key, as administrators see it
mod kind; // the realms of istio/kind and the tokens of istio/requests.json
#[path = "../kind/tokens.rs"]
mod kind_tokens; // fixture: which client gets which token, and what it must look like
mod outage; // Keycloak stops, and starts
mod realm; // fixture: the documented realm, and what else the tests need in it
mod refusals; // what Keycloak signs and is no credential here
mod rotation; // Keycloak changes its keys under load
mod server; // fixture: Keycloak
