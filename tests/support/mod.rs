//! What the tests and the demo share: keys, tokens, a real Envoy, an upstream that remembers, a client that
//! sends what it is told.
//!
//! Included by `#[path]`, not a crate: it must never be reachable from `src/`.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test binary and the demo use their own part"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails where it stands"
)]

// The reader of scenarios is the command's: there is one.
#[path = "../../src/bin/vestibule/document.rs"]
mod document;
#[path = "../../src/bin/vestibule/published.rs"]
mod published;
#[path = "../../src/bin/vestibule/scenario/mod.rs"]
pub mod scenario;

pub mod bootstrap;
pub mod certificates;
pub mod envoy;
pub mod http;
pub mod jwks_server;
pub mod keys;
pub mod live;
pub mod live_filters;
pub mod process;
pub mod secrets;
pub mod table;
pub mod thread;
pub mod token;
pub mod upstream;
pub mod vector;
pub mod version;
