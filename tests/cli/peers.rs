//! `vestibule check` of what stands around an inner door that names peers.

use serde_json::{Value, json};

use super::Run;
use super::bootstrap::{bootstrap, pointer};
use super::check::{INNER, check};

const TLS: &str = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
const CHAIN: &str = "static_resources.listeners[0].filter_chains[0]";

/// What is said of an inner door with peers in a filter chain with this transport socket.
fn check_peers(socket: &Value) -> Run {
    let configuration = json!({
        "door": "inner", "default": "public", "entrances": { "mesh": { "peers": ["spiffe://mesh.test/ns/a/sa/b"] } },
    });
    let mut document = bootstrap(&configuration.to_string(), &json!({}));
    if !socket.is_null() {
        document.pointer_mut(&pointer(CHAIN)).unwrap()["transport_socket"] = socket.clone();
    }
    check(&document.to_string())
}

/// A listener's TLS with this in its `common_tls_context`.
fn tls(common: &Value) -> Value {
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": TLS, "require_client_certificate": true, "common_tls_context": common,
            "disable_stateless_session_resumption": true, "disable_stateful_session_resumption": true,
        },
    })
}

#[test]
fn the_peers_of_an_inner_door_stand_behind_tls_that_validates_certificates() {
    let ca = json!({ "filename": "ca.pem" });
    let validated = |context: Value| tls(&json!({ "validation_context": context }));
    let sds = json!({ "name": "ROOTCA", "sds_config": { "ads": {} } });
    let mut optional = validated(json!({ "trusted_ca": ca }));
    optional["typed_config"]["require_client_certificate"] = json!(false);
    for good in [
        validated(json!({ "trusted_ca": ca })),
        validated(json!({ "trusted_ca": ca, "trust_chain_verification": "VERIFY_TRUST_CHAIN" })),
        validated(json!({ "system_root_certs": {} })),
        optional,
        tls(&json!({ "validation_context_sds_secret_config": sds })),
        tls(&json!({ "combined_validation_context": {
            "default_validation_context": { "match_typed_subject_alt_names": [] }, "validation_context_sds_secret_config": sds,
        } })),
        tls(&json!({ "combinedValidationContext": { "validationContextSdsSecretConfig": sds } })),
        validated(json!({ "custom_validator_config": {
            "name": "envoy.tls.cert_validator.spiffe",
            "typed_config": { "trust_domains": [{ "name": "mesh.test", "trust_bundle": ca }] },
        } })),
    ] {
        let out = check_peers(&good).succeeded();
        assert!(out.ends_with("ok (inner door)\n"), "{good}: {out}");
    }
    for (bad, message) in [
        (Value::Null, "is missing"),
        (json!({ "name": "envoy.transport_sockets.raw_buffer" }), "is no TLS"),
        (tls(&json!({})), "has no authority"),
        (validated(json!({})), "has no authority"),
        (validated(json!({ "verify_certificate_spki": ["x"] })), "has no authority"),
        (validated(json!({ "match_typed_subject_alt_names": [{ "san_type": "URI" }] })), "has no authority"),
        (
            validated(json!({ "trusted_ca": ca, "trust_chain_verification": "ACCEPT_UNTRUSTED" })),
            "lets pass any",
        ),
        (validated(json!({ "trustedCa": ca, "trustChainVerification": 1 })), "lets pass any"),
        (
            tls(&json!({ "combined_validation_context": {
                "default_validation_context": { "trust_chain_verification": "ACCEPT_UNTRUSTED" },
                "validation_context_sds_secret_config": sds,
            } })),
            "lets pass any",
        ),
    ] {
        check_peers(&bad).failed(3, &format!("standard input: {CHAIN}.transport_socket: {message}"));
    }
    // A door that names no peer may do without.
    check(&bootstrap(INNER, &json!({})).to_string()).succeeded();
}

#[test]
fn sessions_are_not_resumed_where_the_door_would_refuse_them() {
    let good = tls(&json!({ "validation_context": { "trusted_ca": { "filename": "ca.pem" } } }));
    for name in ["disable_stateless_session_resumption", "disable_stateful_session_resumption"] {
        for change in [json!(false), json!(null)] {
            let mut socket = good.clone();
            socket["typed_config"][name] = change;
            let message = format!("standard input: {CHAIN}.transport_socket: resumes TLS sessions");
            check_peers(&socket).failed(3, &message);
        }
    }
    let configuration = json!({
        "door": "inner", "default": "public",
        "entrances": { "mesh": { "peers": ["spiffe://mesh.test/ns/a/sa/b"], "resumed": "admit" } },
    });
    let mut document = bootstrap(&configuration.to_string(), &json!({}));
    let mut resumed = good;
    resumed["typed_config"]["disable_stateless_session_resumption"] = json!(false);
    document.pointer_mut(&pointer(CHAIN)).unwrap()["transport_socket"] = resumed;
    check(&document.to_string()).succeeded();
}

#[test]
fn every_filter_chain_with_such_a_door_is_looked_at() {
    let configuration = json!({
        "door": "inner", "default": "public", "entrances": { "mesh": { "peers": ["spiffe://mesh.test/ns/a/sa/b"] } },
    });
    let mut document = bootstrap(&configuration.to_string(), &json!({}));
    let listener = document.pointer_mut("/static_resources/listeners/0").unwrap();
    let plain = listener["filter_chains"][0].clone();
    let mut validated = plain.clone();
    validated["transport_socket"] =
        tls(&json!({ "validation_context": { "trusted_ca": { "filename": "ca.pem" } } }));
    listener["filter_chains"] = json!([validated, plain]);
    listener["default_filter_chain"] = plain;
    let run = check(&document.to_string());
    for path in ["filter_chains[1]", "default_filter_chain"] {
        let line = format!("static_resources.listeners[0].{path}.transport_socket: is missing");
        assert!(run.err.contains(&line), "{}", run.err);
    }
    assert!(run.err.ends_with("2 errors\n"), "{}", run.err);
}
