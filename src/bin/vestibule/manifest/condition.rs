//! What policies of authorization believe of headers: one that no door writes or removes, a client writes.

use serde_json::Value;
use vestibule::compile::handover::Handover;
use vestibule::header::untouchable;
use vestibule::policy::Door;

use super::authorization::{action, policies};
use super::findings::Findings;
use super::object::{Object, list, text};
use super::plugin::Plugin;
use super::stream::{ROOT_NAMESPACE, Stream};

/// The headers that a gateway's Envoy writes or takes off whatever a client brings. Most other `x-forwarded-` and
/// `x-envoy-` it lets pass.
const ENVOYS: [&str; 3] = ["x-forwarded-proto", "x-forwarded-client-cert", "x-envoy-external-address"];

pub(crate) fn check(plugins: &[Plugin<'_>], stream: &Stream, findings: &mut Findings) {
    let is_near = |policy: &&Object| {
        policy.namespace == ROOT_NAMESPACE
            || plugins.iter().any(|plugin| plugin.object.namespace == policy.namespace)
    };
    for policy in policies(stream).filter(is_near) {
        for (path, header, condition) in headers(policy) {
            is_no_key(plugins, policy, &path, &header, findings);
            // What a policy denies for want of a header, or by one, is no door.
            if action(policy) == "ALLOW" && !list(condition, "/values").is_empty() {
                is_no_clients(plugins, policy, &path, &header, findings);
            }
        }
    }
}

/// Each condition of a policy on a header, with its path and the header's name.
fn headers(policy: &Object) -> Vec<(String, String, &Value)> {
    let rules = policy.list("/spec/rules").iter().enumerate();
    let conditions = rules.flat_map(|(rule, value)| {
        let each = list(value, "/when").iter().enumerate();
        each.map(move |(index, condition)| (format!("spec.rules[{rule}].when[{index}].key"), condition))
    });
    conditions
        .filter_map(|(path, condition)| {
            let name = text(condition, "/key")?.strip_prefix("request.headers[")?.strip_suffix(']')?;
            Some((path, name.to_ascii_lowercase(), condition))
        })
        .collect()
}

/// To compare the gateway key, a policy has to hold it.
fn is_no_key(plugins: &[Plugin<'_>], policy: &Object, path: &str, header: &str, findings: &mut Findings) {
    let carries = |plugin: &Plugin<'_>| match plugin.outline.as_ref().map(|outline| outline.handover()) {
        Some(Handover::Gives(gives)) => gives.gateway_key.iter().any(|key| key.header.as_str() == header),
        Some(Handover::Asks(asks)) => asks
            .entrances
            .iter()
            .any(|entrance| entrance.header.as_ref().is_some_and(|name| name.as_str() == header)),
        None => false,
    };
    if plugins.iter().any(carries) {
        let message = format!(
            "asks for `{header}`, so the gateway key stands in the manifest, where whoever reads it has it: remove it, for an \
             inner door knows the key by its hash, and if it was the key, make a new one"
        );
        findings.error(policy, path, message);
    }
}

/// Whether a header that opens something is one that the outer doors take off clients.
fn is_no_clients(plugins: &[Plugin<'_>], policy: &Object, path: &str, header: &str, findings: &mut Findings) {
    if header.starts_with(':') || ENVOYS.contains(&header) {
        return;
    }
    let outer = plugins.iter().filter(|plugin| plugin.door == Some(Door::Outer));
    for door in outer {
        let Some(outline) = &door.outline else { continue };
        // Of a header with credentials, what is none may stay.
        if !outline.owns(header) {
            let is_refused = untouchable(header, false).is_some() || outline.carries_credentials(header);
            let remedy = if is_refused { "" } else { "add it to `inject` or `strip` there, or " };
            let message = format!(
                "believes `{header}`, which {} neither writes nor always removes, so a client could write it: \
                 {remedy}remove the condition",
                door.object.title()
            );
            findings.warn(policy, path, message);
        }
    }
}
