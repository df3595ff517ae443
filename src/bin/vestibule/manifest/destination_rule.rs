//! Which `DestinationRule` is a host's, and what it says of TLS on a port.

use serde_json::Value;

use super::object::Object;
use super::stream::{NETWORKING, ROOT_NAMESPACE, Stream};

/// The rule by which a proxy of one namespace calls a host whose service or entry is another's. Istio looks in
/// the caller's namespace, in the host's, and in the mesh's, and takes the rule for the longest part of the
/// host.
pub(crate) fn rule_of<'s>(stream: &'s Stream, host: &str, caller: &str, owner: &str) -> Option<&'s Object> {
    [caller, owner, ROOT_NAMESPACE].into_iter().find_map(|namespace| {
        let rules = stream.each(NETWORKING, "DestinationRule");
        let near = rules.filter(|rule| rule.namespace == namespace && rule.is_seen_from(caller));
        let fitting = near.filter_map(|rule| {
            let pattern = rule.text("/spec/host")?;
            is_host_of(pattern, host).then_some((pattern.len(), rule))
        });
        fitting.max_by_key(|(length, _)| *length).map(|(_, rule)| rule)
    })
}

/// The rule's TLS for this port, which takes the place of the general one, and where it stands.
pub(crate) fn tls_of<'r>(rule: &'r Object, port: Option<&str>) -> (String, Option<&'r Value>) {
    let mut ports = rule.list("/spec/trafficPolicy/portLevelSettings").iter().enumerate();
    let is_its = |one: &Value| {
        let number = one.pointer("/port/number").and_then(Value::as_u64).map(|number| number.to_string());
        number.is_some() && number.as_deref() == port
    };
    match ports.find(|(_, one)| is_its(one)) {
        Some((index, one)) => {
            (format!("spec.trafficPolicy.portLevelSettings[{index}].tls"), one.pointer("/tls"))
        }
        None => ("spec.trafficPolicy.tls".to_owned(), rule.at("/spec/trafficPolicy/tls")),
    }
}

/// Whether a rule's host is this one, or a wildcard of it.
fn is_host_of(pattern: &str, host: &str) -> bool {
    pattern == host || pattern.strip_prefix('*').is_some_and(|suffix| host.ends_with(suffix))
}
