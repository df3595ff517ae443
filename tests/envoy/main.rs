//! What only a real Envoy shows. Each file is about one promise; a new one gets its line here.
//!
//! Needs the module and an Envoy: `make test` provides both.

#![allow(unreachable_pub, reason = "nothing here is reached from outside")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails where it stands"
)]

#[path = "../support/command.rs"]
mod command;
#[path = "../conformance/mod.rs"]
mod conformance;
#[path = "../support/mod.rs"]
mod support;

mod abilities; // fixture: what differs between versions of Envoy
mod both; // fixture: doors in Envoy, and the same ones natively
mod bounds; // the key, where Envoy routes again, retries, mirrors, redirects
mod configuration; // a faulty one does not start
mod context; // from one Envoy to the next
mod corpora; // what fuzzing found, before the module itself
mod denial_log; // what the log tells of a denial
mod denials; // what a refused client, and an operator, sees
mod doors; // the two doors together
mod engines; // the engines themselves, judged by signatures that others made
mod entrance_matrix; // key x peer x context, every combination
mod files; // envoy/*.yaml as they stand
mod filter_state; // what access logs and filters behind read
mod forgery; // no client's value in an owned header
mod gateway_key; // where the key goes, and where not
mod grpc; // what a refused gRPC client gets
mod host_module; // the module that leaves signatures to Envoy
mod hostile_bytes; // no bytes stop a worker
mod lax_server; // fixture: how the laxest server reads a path
mod mesh; // fixture: a guarded service
mod metrics; // what is counted
mod mtls; // what Envoy tells of a peer
mod paths; // no path that can be read as a closed one
mod peers; // who comes in by a certificate
mod probe; // fixture: the engines, to be asked, and what Envoy tells a filter
mod publish; // the keys of contexts, for whoever asks
mod redirects; // what of a request follows a redirect
mod remote_door; // fixture: a door whose issuer publishes its keys
mod remote_keys; // requests wait for an issuer's keys
mod remote_outage; // no answer but a good one brings keys
mod remote_reconfiguration; // keys outlive a configuration
mod remote_rotation; // an issuer changes its keys under load
mod remote_waiting; // what befalls a request that waits
mod report; // denials that are only reported
mod rotation; // keys between the doors that change under load
mod round_trip; // what another library signs, before both engines
mod scrape; // every metric, as Prometheus reads it
mod secrecy; // no secret in the filter's log lines
mod sources; // where credentials stand
mod third_hop; // a service calls another with its context
mod trailers; // no trailer that would not pass as a header
mod upgrades; // WebSockets and tunnels
mod vectors; // tests/vectors/*.json through Envoy
mod vm_calls; // what the log tells of the filter and its host
mod wrong_door; // a door at the wrong place answers nobody
