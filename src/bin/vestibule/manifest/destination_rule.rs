//! Which `DestinationRule`s are a host's for a door's proxies, and what they say of TLS on the way to it.

use serde_json::Value;

use super::object::{Object, has_labels, list, text};
use super::plugin::Plugin;
use super::stream::{NETWORKING, ROOT_NAMESPACE, Stream};

/// Which of a host's clusters, as far as rules tell them apart.
#[derive(Clone, Copy)]
pub(crate) struct Way<'w> {
    /// None where it is not known, and may be any.
    pub(crate) port: Option<&'w str>,
    /// Empty where it is none.
    pub(crate) subset: &'w str,
}

/// The rules by which a door's proxies call a host whose service or entry is of a namespace. Istio looks in the
/// caller's namespace, in the host's, and in the mesh's, and takes those for the longest part of the host. Of several
/// for the same, the oldest counts, and which that is stands in no manifest: here all count.
pub(crate) fn rules_of<'s>(
    stream: &'s Stream,
    host: &str,
    door: &Plugin<'_>,
    owner: &str,
) -> Vec<&'s Object> {
    let caller = door.object.namespace.as_str();
    let fitting = |namespace: &str| -> Vec<(usize, &'s Object)> {
        let rules = stream.each(NETWORKING, "DestinationRule");
        let near = rules.filter(|rule| rule.namespace == namespace && rule.is_seen_from(caller));
        // Pods of which the door does not ask for these labels may be without the rule.
        let own =
            near.filter(|rule| has_labels(door.labels(), rule.at("/spec/workloadSelector/matchLabels")));
        let of_host = own.filter_map(|rule| {
            let pattern = rule.whole_host(rule.text("/spec/host")?);
            is_host_of(&pattern, host).then_some((pattern.len(), rule))
        });
        of_host.collect()
    };
    let fitting = [caller, owner, ROOT_NAMESPACE].into_iter().map(fitting).find(|rules| !rules.is_empty());
    let fitting = fitting.unwrap_or_default();
    let longest = fitting.iter().map(|(length, _)| *length).max();
    fitting.into_iter().filter(|(length, _)| Some(*length) == longest).map(|(_, rule)| rule).collect()
}

/// Every TLS that a rule has for this way, each with its place; one, unless the port is not known.
pub(crate) fn tls_of<'r>(rule: &'r Object, way: Way<'_>) -> Vec<(String, Option<&'r Value>)> {
    let whole = of_policy(rule.at("/spec/trafficPolicy"), "spec.trafficPolicy", way.port);
    let mut subsets = rule.list("/spec/subsets").iter().enumerate();
    let subset = subsets.find(|(_, one)| text(one, "/name").is_some_and(|name| name == way.subset));
    let Some((index, policy)) =
        subset.and_then(|(index, subset)| Some((index, subset.pointer("/trafficPolicy")?)))
    else {
        return whole;
    };
    // What a subset says takes the place of the whole's, and so does what its port leaves out.
    let own = of_policy(Some(policy), &format!("spec.subsets[{index}].trafficPolicy"), way.port);
    let is_said =
        |(place, tls): &(String, Option<&Value>)| tls.is_some() || place.contains("portLevelSettings");
    let said: Vec<_> = own.into_iter().filter(is_said).collect();
    if said.is_empty() { whole } else { said }
}

/// What a policy says for a port: its own settings, which inherit nothing, else the general ones.
fn of_policy<'r>(
    policy: Option<&'r Value>,
    place: &str,
    port: Option<&str>,
) -> Vec<(String, Option<&'r Value>)> {
    let general = (format!("{place}.tls"), policy.and_then(|policy| policy.pointer("/tls")));
    let settings = policy.map(|policy| list(policy, "/portLevelSettings")).unwrap_or_default();
    let each = settings.iter().enumerate().map(|(index, one)| {
        let number = one.pointer("/port/number").and_then(Value::as_u64).map(|number| number.to_string());
        (number, (format!("{place}.portLevelSettings[{index}].tls"), one.pointer("/tls")))
    });
    match port {
        None => std::iter::once(general).chain(each.map(|(_, tls)| tls)).collect(),
        Some(port) => {
            let mut each = each.filter(|(number, _)| number.as_deref() == Some(port)).map(|(_, tls)| tls);
            vec![each.next().unwrap_or(general)]
        }
    }
}

/// Whether a rule's host is this one, or a wildcard of it.
fn is_host_of(pattern: &str, host: &str) -> bool {
    pattern == host || pattern.strip_prefix('*').is_some_and(|suffix| host.ends_with(suffix))
}
