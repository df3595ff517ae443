//! Whether a plugin means the workloads that it is for: an outer door the gateway, an inner one all workloads of
//! a namespace, or a waypoint. `selector` and `targetRefs` say so, and each means what the other never does.

use serde_json::Value;
use vestibule::policy::Door;

use super::findings::Findings;
use super::object::{Object, labels_agree, text};
use super::plugin::Plugin;
use super::stream::{GATEWAY_API, NETWORKING, ROOT_NAMESPACE, Stream};

pub(crate) fn check(plugin: &Plugin<'_>, stream: &Stream, findings: &mut Findings) {
    let (object, targets) = (plugin.object, plugin.target_refs());
    if plugin.labels().is_some() && !targets.is_empty() {
        let message = "stands beside targetRefs, and an API server takes one of them: keep targetRefs for a gateway of the \
                       Gateway API or a waypoint, the selector for any other workload";
        findings.error(object, "spec.selector", message);
        return;
    }
    match plugin.door {
        Some(Door::Outer) => outer(plugin, &targets, stream, findings),
        Some(Door::Inner) => inner(plugin, &targets, stream, findings),
        None => {}
    }
}

fn outer(plugin: &Plugin<'_>, targets: &[(String, &Value)], stream: &Stream, findings: &mut Findings) {
    let object = plugin.object;
    let labels = plugin.labels();
    if labels.is_none() && targets.is_empty() {
        let message = "is missing, so the outer door is for every";
        if object.namespace == ROOT_NAMESPACE {
            let message = format!(
                "{message} workload of the mesh, and each sidecar answers wrong_door to all requests: select the gateway's \
                 pods, in the gateway's namespace"
            );
            findings.error(object, "spec.selector", message);
        } else {
            let message = format!(
                "{message} workload of the namespace, and a sidecar there answers wrong_door to all requests: select the \
                 gateway's pods"
            );
            findings.warn(object, "spec.selector", message);
        }
    }
    for (path, target) in targets {
        target_is_known(plugin, path, target, is_ingress, stream, findings);
    }
    let Some(labels) = labels else { return };
    let ingresses: Vec<&Object> =
        stream.each(NETWORKING, "Gateway").chain(stream.each(GATEWAY_API, "Gateway")).collect();
    let is_selected = |gateway: &&Object| {
        let pods = ["/spec/selector", "/spec/infrastructure/labels"];
        pods.iter().any(|pointer| labels_agree(Some(labels), gateway.at(pointer)))
            || labels.get("gateway.networking.k8s.io/gateway-name").is_some_and(|name| *name == gateway.name)
    };
    let ingresses = ingresses.into_iter().filter(|gateway| is_ingress(gateway));
    let mut others = Vec::new();
    for gateway in ingresses {
        if is_selected(&gateway) {
            return;
        }
        others.push(gateway.title());
    }
    if !others.is_empty() {
        let message = format!(
            "selects the pods of no gateway here ({}), so that gateway has no door and lets everybody through: write the \
             labels of its pods",
            others.join(", ")
        );
        findings.error(object, "spec.selector.matchLabels", message);
    }
}

fn inner(plugin: &Plugin<'_>, targets: &[(String, &Value)], stream: &Stream, findings: &mut Findings) {
    let object = plugin.object;
    for (path, target) in targets {
        target_is_known(plugin, path, target, is_waypoint, stream, findings);
    }
    if plugin.labels().is_none() && targets.is_empty() && object.namespace == ROOT_NAMESPACE {
        findings.warn(
            object,
            "spec.selector",
            "is missing, and this namespace is the mesh's: the inner door is for every workload of the mesh. Put it into \
             the namespace that it is for",
        );
    }
}

/// A sole inner door that is for some workloads only. Of several, each with a selector, nobody here knows whether
/// they are for all.
pub(crate) fn check_selectors(plugins: &[Plugin<'_>], findings: &mut Findings) {
    let inner = || plugins.iter().filter(|plugin| plugin.door == Some(Door::Inner));
    for plugin in inner().filter(|plugin| plugin.labels().is_some()) {
        let namespace = &plugin.object.namespace;
        if inner().filter(|other| other.object.namespace == *namespace).count() == 1 {
            findings.warn(
                plugin.object,
                "spec.selector",
                "leaves every workload without these labels without a door, and no other inner door is here: remove it",
            );
        }
    }
}

/// A waypoint that no inner door refers to: a plugin of its namespace is for pods with sidecars.
pub(crate) fn check_waypoints(plugins: &[Plugin<'_>], stream: &Stream, findings: &mut Findings) {
    let inner = || plugins.iter().filter(|plugin| plugin.door == Some(Door::Inner));
    for waypoint in stream.each(GATEWAY_API, "Gateway").filter(|gateway| is_waypoint(gateway)) {
        let in_namespace = || inner().filter(|plugin| plugin.object.namespace == waypoint.namespace);
        let refers = |plugin: &Plugin<'_>| {
            // A Service's waypoint is not written in the reference.
            plugin.target_refs().iter().any(|(_, target)| {
                text(target, "/kind") != Some("Gateway") || text(target, "/name") == Some(&waypoint.name)
            })
        };
        if in_namespace().next().is_some() && !in_namespace().any(refers) {
            let message = "is a waypoint that no inner door refers to, so requests pass it without one: name it under \
                           targetRefs of the inner door, for no selector and no namespace means a waypoint";
            findings.error(waypoint, "metadata.name", message);
        }
    }
}

/// A reference to a gateway that the stream does not have, or to one of the other kind.
fn target_is_known(
    plugin: &Plugin<'_>,
    path: &str,
    target: &Value,
    is_right: fn(&Object) -> bool,
    stream: &Stream,
    findings: &mut Findings,
) {
    let object = plugin.object;
    if text(target, "/kind") != Some("Gateway") {
        return;
    }
    let name = text(target, "/name").unwrap_or_default();
    let gateways = || stream.each(GATEWAY_API, "Gateway").chain(stream.each(NETWORKING, "Gateway"));
    if gateways().next().is_none() {
        return;
    }
    let is_named = |gateway: &&Object| gateway.namespace == object.namespace && gateway.name == name;
    let found = stream.each(GATEWAY_API, "Gateway").find(is_named);
    match found {
        Some(gateway) if is_right(gateway) => {}
        Some(gateway) if is_waypoint(gateway) => findings.error(
            object,
            path,
            "refers to a waypoint, where an outer door does not belong, and the gateway has none: refer to the gateway",
        ),
        Some(_) => findings.error(
            object,
            path,
            "refers to a gateway for clients, which has no side SERVER, so the services have no door: refer to the \
             waypoint",
        ),
        None => {
            let others: Vec<_> = gateways().map(|gateway| format!("{} of {}", gateway.title(), gateway.group)).collect();
            let message = format!(
                "refers to no Gateway of the Gateway API in namespace {} ({} is here), so the door is nowhere: name one, or \
                 select the pods of a gateway chart by their labels",
                object.namespace,
                others.join(", ")
            );
            findings.error(object, path, message);
        }
    }
}

fn is_waypoint(gateway: &Object) -> bool {
    gateway.text("/spec/gatewayClassName").is_some_and(|class| class.ends_with("waypoint"))
}

fn is_ingress(gateway: &Object) -> bool {
    !is_waypoint(gateway)
}
