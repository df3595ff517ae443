//! Whether a plugin means the workloads that it is for: an outer door the gateway, an inner one all workloads of
//! a namespace, or a waypoint. `selector` and `targetRefs` say so, and each means what the other never does.

use serde_json::Value;
use vestibule::compile::handover::Handover;
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
    is_where_the_gateway_is(plugin, findings);
    for (path, target) in targets {
        if matches!(text(target, "/kind"), Some("Service" | "ServiceEntry")) {
            let message = "refers to what stands behind a waypoint, where an outer door does not belong, and the gateway has \
                           none: refer to the gateway";
            findings.error(object, path, message);
        }
        target_is_known(plugin, path, target, |gateway| !is_waypoint(gateway), stream, findings);
    }
    if labels.is_none() {
        return;
    }
    let gateways = || ingresses(stream);
    if gateways().next().is_some() && !gateways().any(|gateway| is_meant(plugin, gateway)) {
        let others: Vec<_> = gateways().map(Object::title).collect();
        let message = format!(
            "selects the pods of no gateway here ({}), so that gateway has no door and lets everybody through: write the \
             labels of its pods",
            others.join(", ")
        );
        findings.error(object, "spec.selector.matchLabels", message);
    }
}

/// A plugin is for pods of its own namespace, and the contexts say which the gateway's is.
fn is_where_the_gateway_is(plugin: &Plugin<'_>, findings: &mut Findings) {
    let object = plugin.object;
    let Some(Handover::Gives(gives)) = plugin.outline.as_ref().map(|outline| outline.handover()) else {
        return;
    };
    let workload = gives.context.as_ref().and_then(|context| context.workload.strip_prefix("spiffe://"));
    let mut parts = workload.unwrap_or_default().split('/').skip(1);
    let (Some("ns"), Some(namespace)) = (parts.next(), parts.next()) else { return };
    match object.namespace.as_str() {
        "" => {
            let message =
                format!("is missing, so the door goes wherever whoever applies it is: write {namespace}");
            findings.warn(object, "metadata.namespace", message);
        }
        ROOT_NAMESPACE => {}
        own if own == namespace => {}
        _ => {
            let message = format!(
                "is not {namespace}, of which the gateway is by the name that mints contexts, and a plugin is for pods of its \
                 own namespace: that gateway has no door, and lets everybody through. Write {namespace}, or correct \
                 `context.mint.workload`"
            );
            findings.error(object, "metadata.namespace", message);
        }
    }
}

/// The gateways that clients may come by: neither waypoints nor what services leave the mesh by.
pub(crate) fn ingresses(stream: &Stream) -> impl Iterator<Item = &Object> {
    let gateways = stream.each(NETWORKING, "Gateway").chain(stream.each(GATEWAY_API, "Gateway"));
    gateways.filter(|gateway| is_ingress(gateway))
}

/// Whether a plugin is for pods of this gateway, as far as the two say.
pub(crate) fn is_meant(plugin: &Plugin<'_>, gateway: &Object) -> bool {
    let namespace = plugin.object.namespace.as_str();
    let is_api = gateway.group == GATEWAY_API;
    // Pods of Istio's own Gateway may be in any namespace.
    if is_api && namespace != gateway.namespace && namespace != ROOT_NAMESPACE {
        return false;
    }
    let targets = plugin.target_refs();
    if !targets.is_empty() {
        return is_api
            && targets.iter().any(|(_, target)| match text(target, "/kind") {
                Some("Gateway") => text(target, "/name") == Some(&gateway.name),
                Some("GatewayClass") => text(target, "/name") == gateway.text("/spec/gatewayClassName"),
                Some(_) | None => false,
            });
    }
    let Some(labels) = plugin.labels() else { return true };
    labels_agree(Some(labels), pods(gateway))
        || is_api && labels.get(GATEWAY_NAME).is_some_and(|name| *name == gateway.name)
}

/// The label that Istio gives pods of a Gateway of the Gateway API.
pub(crate) const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// The labels by which a gateway knows its pods, or that it gives them.
pub(crate) fn pods(gateway: &Object) -> Option<&Value> {
    gateway.at(if gateway.group == GATEWAY_API { "/spec/infrastructure/labels" } else { "/spec/selector" })
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
    for plugin in inner() {
        let namespace = &plugin.object.namespace;
        if inner().filter(|other| other.object.namespace == *namespace).count() > 1 {
            continue;
        }
        let targets = plugin.target_refs();
        let is_service = |(_, target): &(String, &Value)| !is_gateways_kind(target);
        if plugin.labels().is_some() {
            findings.warn(
                plugin.object,
                "spec.selector",
                "leaves every workload without these labels without a door, and no other inner door is here: remove it",
            );
        } else if !targets.is_empty() && targets.iter().all(is_service) {
            findings.warn(
                plugin.object,
                "spec.targetRefs",
                "leaves every other service of the waypoint without a door, and no other inner door is here: refer to the \
                 waypoint",
            );
        }
    }
}

fn is_gateways_kind(target: &Value) -> bool {
    matches!(text(target, "/kind"), Some("Gateway" | "GatewayClass"))
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
    let group = match text(target, "/kind") {
        Some("Gateway" | "GatewayClass") => GATEWAY_API,
        Some("Service") => "",
        Some("ServiceEntry") => NETWORKING,
        Some(_) | None => {
            let message =
                "is no kind that Istio attaches plugins to: write Gateway, or Service for its waypoint";
            findings.error(object, &format!("{path}.kind"), message);
            return;
        }
    };
    let written = text(target, "/group").unwrap_or_default();
    if written != group && !(group.is_empty() && written == "core") {
        let message = format!("is not `{group}`, so Istio refuses the reference: write it");
        findings.error(object, &format!("{path}.group"), message);
    }
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
    let labels = pods(gateway).and_then(Value::as_object).into_iter().flatten();
    let is_egress = { labels }.any(|(_, value)| value.as_str().is_some_and(|value| value.contains("egress")));
    let servers = gateway.list("/spec/servers");
    let is_mutual = |server: &Value| text(server, "/tls/mode") == Some("ISTIO_MUTUAL");
    let is_for_the_mesh = !servers.is_empty() && servers.iter().all(is_mutual);
    !is_waypoint(gateway) && !is_egress && !is_for_the_mesh
}
