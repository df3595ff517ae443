//! Vestibule guards both doors of an Envoy or Istio mesh.
//!
//! ```text
//! configuration bytes ── config ──> Config ── compile ──> Policy      once; every error at once, with its path
//! host calls ── host ──> Request                                      one immutable snapshot per request
//! decide(&Policy, &Keys, &Request, now) ──> Decision                  pure: no I/O, no clock, no globals
//! Decision = Permit(mutations) | Denial | AwaitKeys(issuer) | Publish(keys) ── host ──> Envoy
//! ```
//!
//! A request is believed step by step, and each step is a type that only the step before can make:
//! [`jose::compact::Compact`] (split, sized, strictly decoded) → [`jose::signature::Verified`] (signature) →
//! [`principal::Principal`] (claims checked) → [`decision::Permit`].
//!
//! Imports point one way: request, response, path, principal, denial, mutation, admission, cluster, attached,
//! context, name, octets, spiffe, fingerprint ← publication, decision ← jose, tenant, access ← route ← credential ← keyring, policy ← record,
//! compile (which also reads config) ← host. Only `host`, which exists on WASI alone, knows that there is an Envoy.
//!
//! `#[inline(never)]` stands over stages that are entered at one place only, of which a compiler would make one
//! function. Envoy compiles the module when it loads it, and keeps the memory that the largest functions took.

// Where there is no `libtest` to run them, the tests of every module are `wasm_bindgen_test`s.
#[cfg(all(test, target_family = "wasm", target_os = "unknown"))]
#[macro_use(test)]
extern crate test_in_wasm;

pub mod access;
pub mod admission;
pub mod attached;
pub mod cluster;
pub mod compile;
pub mod config;
pub mod context;
pub mod credential;
pub mod decision;
pub mod denial;
pub mod fingerprint;
pub mod header;
pub mod jose;
pub mod json;
pub mod keyring;
pub mod mutation;
pub mod name;
pub mod octets;
pub mod path;
pub mod place;
pub mod policy;
pub mod principal;
pub mod publication;
pub mod record;
pub mod request;
pub mod response;
pub mod route;
pub mod spiffe;
pub mod tenant;
pub mod time;

#[cfg(all(target_os = "wasi", feature = "plugin"))]
mod host;
