//! The image of a module, as Istio's agent pulls it: how one is made, and what keeps one from being pulled.
//!
//! Nothing here speaks to a registry or knows the time. The same module and the same `Cargo.lock` give the same
//! bytes on every machine: JSON with sorted members, a tar archive without owner and date, gzip by the one
//! implementation that this package's own `Cargo.lock` pins.

pub mod build;
pub mod check;
pub mod fault;
pub mod layout;
pub mod linked;
pub mod media;
pub mod sbom;

pub use fault::Fault;
