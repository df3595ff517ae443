//! Whether the routes around an outer door can take what it attaches where `to` does not let it go.
//!
//! A filter in a listener decides by the cluster of the route that Envoy chose first. Envoy chooses again when the
//! filter has changed headers, and it copies a request to mirrors; no filter there sees either, so the routes must
//! not depend on it. Where the door attaches upstream, both are harmless. In either way the attempts of a request
//! share its headers, so that one to another cluster takes along what was attached.

use serde_json::Value;
use vestibule::attached::{Attach, Bounds};
use vestibule::compile::Outline;
use vestibule::credential::places::Matched;

use crate::bootstrap::{self, Filter, member};
use crate::document::Fault;

/// The faults of the routes, by paths from the bootstrap's root; none where the filter attaches nothing, or
/// stands in a cluster.
pub(crate) fn check(
    filter: &Filter<'_>,
    filters: &[Filter<'_>],
    document: &Value,
    outline: &Outline,
) -> Vec<Fault> {
    let Some(bounds) = outline.bounds().filter(|_| filter.cluster.is_none()) else { return Vec::new() };
    let written = |field: &str| filter.configuration.as_ref().and_then(|written| written.pointer(field));
    let field = if written("/gatewayKey").is_some() { "gatewayKey.to" } else { "context.mint.to" };
    if written(&format!("/{}", field.replace('.', "/"))).is_none() {
        let message = "is missing: the default fits the names of Istio's clusters; name this Envoy's";
        return vec![Fault::new(field, message).inside(&filter.path)];
    }
    let mut routes = Routes::default();
    if let Some((path, manager)) = &filter.manager {
        routes.collect(manager, path);
    }
    let is_inside = |cluster: &str| bounds.admit(Some(cluster.as_bytes()));
    for (index, cluster) in bootstrap::clusters(document).enumerate() {
        // A cluster may have policies of its own, for whatever route leads there.
        if cluster.get("name").and_then(Value::as_str).is_some_and(is_inside) {
            routes.collect(cluster, &format!("static_resources.clusters[{index}]"));
        }
    }
    let is_filtered = |name: &str| {
        let is_there =
            |one: &Filter<'_>| one.cluster.and_then(|cluster| cluster.get("name")?.as_str()) == Some(name);
        bounds.attach() == Attach::Upstream && filters.iter().any(is_there)
    };
    let outside = routes.clusters.iter().find(|cluster| !cluster.is_some_and(is_inside));
    let unclean = routes
        .clusters
        .iter()
        .find(|cluster| !cluster.is_some_and(|name| is_inside(name) || is_filtered(name)));
    let mut faults: Vec<Fault> = match unclean {
        Some(cluster) => routes.refreshes.iter().map(|path| taken_along(path, *cluster, field)).collect(),
        None => Vec::new(),
    };
    if bounds.attach() == Attach::Route {
        faults.extend(routes.mirrored(bounds, field));
        faults.extend(outside.into_iter().flat_map(|cluster| routes.chosen_again(*cluster, field, outline)));
    }
    faults
}

/// The name of a cluster, if the bootstrap has one.
fn named(cluster: Option<&str>) -> &str {
    cluster.unwrap_or("a cluster that is not named here")
}

fn taken_along(path: &str, cluster: Option<&str>, field: &str) -> Fault {
    let cluster = named(cluster);
    Fault::new(
        path,
        format!(
            "a retry takes along what is attached, also to {cluster}, which is not in {field}: remove it, or lead no \
             route there"
        ),
    )
}

/// What a connection manager's routes match on, and where they lead; a cluster is none where the request
/// names it.
#[derive(Default)]
struct Routes<'d> {
    clusters: Vec<Option<&'d str>>,
    mirrors: Vec<(String, Option<&'d str>)>,
    matchers: Vec<(String, Matched<'d>)>,
    /// Where it is said that a retry may go to another cluster.
    refreshes: Vec<String>,
}

/// What a matcher of this kind matches on, by its name.
type Kind<'d> = fn(&'d str) -> Matched<'d>;

impl<'d> Routes<'d> {
    /// The mirrors outside.
    fn mirrored(&self, bounds: &Bounds, field: &str) -> Vec<Fault> {
        let outside =
            self.mirrors.iter().filter(|(_, mirror)| !bounds.admit(mirror.map(|name| name.as_bytes())));
        let message = format!("a mirror gets the gateway key too: name its cluster in {field}, or remove it");
        outside.map(|(path, _)| Fault::new(path, &message)).collect()
    }

    /// The matchers after whose change a request may go to this cluster, which is outside.
    fn chosen_again(&self, cluster: Option<&str>, field: &str, outline: &Outline) -> Vec<Fault> {
        let changed = self.matchers.iter().filter(|(_, matched)| outline.changes(*matched));
        let fault = |(path, matched): &(String, Matched<'_>)| {
            let (what, name) = match matched {
                Matched::Header(name) => ("header", name),
                Matched::Cookie(name) => ("cookie", name),
                Matched::Parameter(name) => ("query parameter", name),
            };
            let cluster = named(cluster);
            Fault::new(
                path,
                format!(
                    "the door changes the {what} `{name}`, so that the route is chosen again after the gateway key was \
                     attached, and may lead to {cluster}, which is not in {field}: match on another {what}, or let the \
                     door attach upstream"
                ),
            )
        };
        changed.map(fault).collect()
    }

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
                        // A header that names the cluster, or whose value chooses among weighted ones.
                        "cluster_header" | "clusterHeader" => self.chooser(member, &path),
                        "weighted_clusters" | "weightedClusters" => {
                            if let Some(name) = bootstrap::member(member, "header_name") {
                                self.chooser(name, &format!("{path}.header_name"));
                            }
                        }
                        "request_mirror_policies" | "requestMirrorPolicies" => self.mirrors(member, &path),
                        "refresh_cluster_on_retry" | "refreshClusterOnRetry" if member != false => {
                            self.refreshes.push(path.clone());
                        }
                        _ => {}
                    }
                    self.collect(member, &path);
                }
            }
            _ => {}
        }
    }

    fn chooser(&mut self, header: &'d Value, path: &str) {
        self.matchers.extend(header.as_str().map(|name| (path.to_owned(), Matched::Header(name))));
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
