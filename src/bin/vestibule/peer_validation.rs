//! Whether the listener around an inner door knows the peers that its entrances name from anybody else who shows
//! a certificate. What comes by SDS is not seen here.

use serde_json::Value;

use crate::bootstrap::{Filter, find, has, member};
use crate::document::Fault;

/// The fault of the filter chain's TLS, by its path from the bootstrap's root; none where no entrance names a
/// peer.
pub(crate) fn check(filter: &Filter<'_>, configuration: &Value) -> Option<Fault> {
    let entrances = configuration.get("entrances").and_then(Value::as_object)?;
    if !entrances.values().any(|entrance| entrance.get("peers").is_some()) {
        return None;
    }
    let refuses_resumed = entrances.values().any(|entrance| {
        entrance.get("peers").is_some() && entrance.get("resumed").is_none_or(|it| it != "admit")
    });
    let (path, chain) = filter.chain.as_ref()?;
    let resumes = || refuses_resumed.then(|| resumption(chain)).flatten();
    Some(Fault::new(format!("{path}.transport_socket"), complaint(chain).or_else(resumes)?))
}

/// What is wrong where sessions are resumed that the door would refuse.
fn resumption(chain: &Value) -> Option<&'static str> {
    let is_off = |name| find(chain, name).any(|value| *value == true);
    let both =
        is_off("disable_stateless_session_resumption") && is_off("disable_stateful_session_resumption");
    (!both).then_some(
        "resumes TLS sessions, on which Envoy validates no certificate, so that `peers` would let a \
         caller in once and refuse it when it comes again: set disable_stateless_session_resumption and \
         disable_stateful_session_resumption, or write `resumed: admit` beside `peers`",
    )
}

fn complaint(chain: &Value) -> Option<&'static str> {
    let Some(socket) = member(chain, "transport_socket") else {
        return Some(
            "is missing, and an entrance here names `peers`: without TLS a connection has none, so they let nobody \
             in. Give it a DownstreamTlsContext with a validation_context, or remove `peers`",
        );
    };
    // Other sockets have a context of TLS inside.
    let contexts: Vec<&Value> = find(socket, "common_tls_context").collect();
    if contexts.is_empty() {
        return Some(
            "is no TLS, and an entrance here names `peers`: give it a DownstreamTlsContext with a \
             validation_context, or remove `peers`",
        );
    }
    let verifies = |value: &Value| *value == "VERIFY_TRUST_CHAIN" || *value == 0;
    if !find(socket, "trust_chain_verification").all(verifies) {
        return Some(
            "lets pass any certificate (`trust_chain_verification`), so that whoever makes one is whichever of \
             the `peers` it likes: remove that, or write VERIFY_TRUST_CHAIN",
        );
    }
    let is_told = |context: &&Value| {
        has(context, &["trusted_ca", "system_root_certs", "ca_certificate_provider_instance"])
            || find(context, "validation_context_sds_secret_config").next().is_some()
            || find(context, "custom_validator_config").any(|validator| has(validator, &["trust_domains"]))
    };
    (!contexts.iter().all(is_told)).then_some(
        "has no authority to validate certificates by, so Envoy does not ask for one, and `peers` let nobody in: \
         give its validation_context a trusted_ca",
    )
}
