//! Whether the routes around an outer door can take its gateway key where `to` does not let it go.
//!
//! The filter decides by the cluster of the route that Envoy chose first. Envoy chooses again when the filter
//! has changed headers, and it copies a request to mirrors; no filter sees either, so the routes must not
//! depend on it.

use serde_json::Value;
use vestibule::cluster::ClusterPattern;
use vestibule::compile::Outline;
use vestibule::credential::places::Matched;

use crate::bootstrap::{Filter, member};
use crate::document::Fault;

/// The faults of the routes, by paths from the bootstrap's root; none where the filter attaches no key.
pub(crate) fn check(filter: &Filter<'_>, configuration: &Value, outline: &Outline) -> Vec<Fault> {
    let Some(gateway_key) = configuration.get("gatewayKey") else { return Vec::new() };
    let Some(to) = gateway_key.get("to").and_then(Value::as_array) else {
        let message = "is missing: the default fits the names of Istio's clusters; name this Envoy's";
        return vec![Fault::new("gatewayKey.to", message).inside(&filter.path)];
    };
    let patterns: Vec<_> = to.iter().filter_map(|text| ClusterPattern::parse(text.as_str()?)).collect();
    let inside = |cluster: &str| patterns.iter().any(|pattern| pattern.matches(cluster.as_bytes()));
    let mut routes = Routes::default();
    if let Some((path, manager)) = &filter.manager {
        routes.collect(manager, path);
    }
    let is_outside = |cluster: &&Option<&str>| !cluster.is_some_and(inside);
    let outside = routes.clusters.iter().find(is_outside);
    let mut faults = Vec::new();
    for (path, mirror) in &routes.mirrors {
        if !mirror.is_some_and(inside) {
            let message =
                "a mirror gets the gateway key too: name its cluster in gatewayKey.to, or remove it";
            faults.push(Fault::new(path, message));
        }
    }
    for (path, matched) in routes.matchers {
        if let (true, Some(cluster)) = (outline.changes(matched), outside) {
            let cluster = cluster.unwrap_or("a cluster that is not named here");
            let (what, name) = match matched {
                Matched::Header(name) => ("header", name),
                Matched::Cookie(name) => ("cookie", name),
                Matched::Parameter(name) => ("query parameter", name),
            };
            faults.push(Fault::new(
                path,
                format!(
                    "the door changes the {what} `{name}`, so that the route is chosen again after the gateway key \
                     was attached, and may lead to {cluster}, which is not in gatewayKey.to: match on another {what}"
                ),
            ));
        }
    }
    faults
}

/// What a connection manager's routes match on, and where they lead; a cluster is none where the request
/// names it.
#[derive(Default)]
struct Routes<'d> {
    clusters: Vec<Option<&'d str>>,
    mirrors: Vec<(String, Option<&'d str>)>,
    matchers: Vec<(String, Matched<'d>)>,
}

/// What a matcher of this kind matches on, by its name.
type Kind<'d> = fn(&'d str) -> Matched<'d>;

impl<'d> Routes<'d> {
    fn collect(&mut self, value: &'d Value, path: &str) {
        match value {
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.collect(element, &format!("{path}[{index}]"));
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    let path = format!("{path}.{name}");
                    match name.as_str() {
                        "route" if member.is_object() => self.route(member),
                        "match" => self.matcher(member, &path),
                        "request_mirror_policies" | "requestMirrorPolicies" => self.mirrors(member, &path),
                        _ => {}
                    }
                    self.collect(member, &path);
                }
            }
            _ => {}
        }
    }

    fn route(&mut self, route: &'d Value) {
        let weighted = member(route, "weighted_clusters").and_then(|weighted| weighted.get("clusters"));
        match weighted.and_then(Value::as_array) {
            Some(clusters) => self
                .clusters
                .extend(clusters.iter().map(|cluster| cluster.get("name").and_then(Value::as_str))),
            None => self.clusters.push(route.get("cluster").and_then(Value::as_str)),
        }
    }

    fn matcher(&mut self, matcher: &'d Value, path: &str) {
        let kinds: [(_, Kind<'d>); 3] = [
            ("headers", Matched::Header),
            ("query_parameters", Matched::Parameter),
            ("cookies", Matched::Cookie),
        ];
        for (kind, matched) in kinds {
            let entries = member(matcher, kind).and_then(Value::as_array).into_iter().flatten().enumerate();
            self.matchers.extend(entries.filter_map(|(index, entry)| {
                Some((format!("{path}.{kind}[{index}]"), matched(entry.get("name")?.as_str()?)))
            }));
        }
    }

    fn mirrors(&mut self, policies: &'d Value, path: &str) {
        let policies = policies.as_array().into_iter().flatten().enumerate();
        self.mirrors.extend(policies.map(|(index, policy)| {
            (format!("{path}[{index}]"), policy.get("cluster").and_then(Value::as_str))
        }));
    }
}
