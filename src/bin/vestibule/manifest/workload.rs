//! Workloads in a namespace of an inner door whose pods have no sidecar that it could stand in, or one past which some
//! ports lead.

use serde_json::Value;
use vestibule::policy::Door;

use super::findings::Findings;
use super::object::{Object, text};
use super::plugin::Plugin;
use super::stream::{NETWORKING, ROOT_NAMESPACE, Stream};
use super::uncovered::is_http;

/// What serves requests, and where its pods are described. A Job does not serve.
pub(crate) const KINDS: [(&str, &str, &str); 5] = [
    ("apps", "Deployment", "spec.template."),
    ("apps", "StatefulSet", "spec.template."),
    ("apps", "DaemonSet", "spec.template."),
    ("apps", "ReplicaSet", "spec.template."),
    ("", "Pod", ""),
];

const INJECT: &str = "sidecar.istio.io/inject";

const MODE: &str = "istio.io/dataplane-mode";

/// By these annotations requests go past the sidecar, unless they have this value: where the first is empty, none comes
/// to it at all.
const BYPASSES: [(&str, &str); 3] = [
    ("traffic.sidecar.istio.io/includeInboundPorts", "*"),
    ("traffic.sidecar.istio.io/excludeInboundPorts", ""),
    ("traffic.sidecar.istio.io/excludeInterfaces", ""),
];

/// What a pod says of its proxy, in YAML or JSON.
pub(crate) const SETTINGS: &str = "proxy.istio.io/config";

/// What is injected in a sidecar's place.
const TEMPLATES: &str = "inject.istio.io/templates";

const INTERCEPTION: &str = "sidecar.istio.io/interceptionMode";

pub(crate) fn check(plugins: &[Plugin<'_>], stream: &Stream, findings: &mut Findings) {
    let inner = plugins.iter().filter(|plugin| plugin.door == Some(Door::Inner));
    for plugin in inner.filter(|plugin| plugin.target_refs().is_empty()) {
        let namespace = plugin.object.namespace.as_str();
        for object in stream.each("", "Namespace").filter(|object| object.name == namespace) {
            let label = value(object, "metadata.", "labels", "istio-injection");
            if label.is_some_and(|value| value == "disabled") {
                let message = "is disabled, so pods there get no sidecar, and have no door: write enabled";
                findings.warn(object, "metadata.labels.istio-injection", message);
            }
            let is_injected = label.is_some_and(|value| value == "enabled")
                || value(object, "metadata.", "labels", "istio.io/rev").is_some();
            if !is_injected {
                is_ambient(object, "metadata.", findings);
            }
        }
        let here = |object: &&Object| object.namespace == namespace || namespace == ROOT_NAMESPACE;
        for (group, kind, pods) in KINDS {
            stream.each(group, kind).filter(here).for_each(|object| pods_of(object, pods, findings));
        }
        stream.each(NETWORKING, "Sidecar").filter(here).for_each(|sidecar| listeners(sidecar, findings));
    }
}

/// Pods without sidecars, which requests reach by a waypoint or by nothing that has a door.
fn is_ambient(object: &Object, metadata: &str, findings: &mut Findings) {
    if value(object, metadata, "labels", MODE).is_some_and(|mode| mode == "ambient") {
        let message = "is ambient, so these pods have no sidecar, and an inner door by selector or namespace stands nowhere: \
                       have a waypoint, and refer to it under targetRefs of the inner door";
        findings.warn(object, &format!("{metadata}labels.{MODE}"), message);
    }
}

/// What a sidecar listens on, where that is written down.
fn listeners(sidecar: &Object, findings: &mut Findings) {
    for (index, listener) in sidecar.list("/spec/ingress").iter().enumerate() {
        let protocol = text(listener, "/port/protocol");
        // A gateway ends the TLS of HTTPS, and reads requests; a sidecar passes it on as bytes.
        let is_passed_on = protocol.is_some_and(|protocol| protocol.eq_ignore_ascii_case("HTTPS"));
        if is_passed_on || !is_http(protocol) {
            let message = "is not HTTP, of which the door is a filter: requests there pass none. Write HTTP, or have nothing \
                           behind it that a door should guard";
            findings.warn(sidecar, &format!("spec.ingress[{index}].port.protocol"), message);
        }
    }
}

fn pods_of(object: &Object, pods: &str, findings: &mut Findings) {
    let metadata = format!("{pods}metadata.");
    for member in ["labels", "annotations"] {
        if value(object, &metadata, member, INJECT).is_some_and(|value| value == "false" || value == false) {
            let message = "is false, so these pods have no sidecar, and no door: remove it, or have them in another namespace";
            findings.warn(object, &format!("{metadata}{member}.{INJECT}"), message);
        }
    }
    let network = format!("{pods}spec.hostNetwork");
    if object.at(&format!("/{}", network.replace('.', "/"))) == Some(&Value::Bool(true)) {
        findings.warn(object, &network, "is true, and such pods get no sidecar, and have no door: remove it");
    }
    is_ambient(object, &metadata, findings);
    let written =
        |name| value(object, &metadata, "annotations", name).and_then(Value::as_str).unwrap_or_default();
    let is_unled = |settings: &str| {
        let words = |char: char| !char.is_ascii_alphanumeric();
        let mut words = settings.split(words).filter(|word| !word.is_empty());
        words.any(|word| word == "interceptionMode") && words.next() == Some("NONE")
    };
    if is_unled(written(SETTINGS)) {
        let message = "has interceptionMode NONE, so nothing leads requests to the sidecar, and they come to the pods past its \
                       door: remove that";
        findings.warn(object, &format!("{metadata}annotations.{SETTINGS}"), message);
    }
    if written(TEMPLATES).split(',').any(|template| template.trim().starts_with("grpc-")) {
        let message = "is for pods that have no sidecar, or none that requests come by, and no door: remove it, or have them in \
                       another namespace";
        findings.warn(object, &format!("{metadata}annotations.{TEMPLATES}"), message);
    }
    if written(INTERCEPTION) == "NONE" {
        let message = "is NONE, so nothing leads requests to the sidecar, and they come to the pods past its door: remove it";
        findings.warn(object, &format!("{metadata}annotations.{INTERCEPTION}"), message);
    }
    for (name, harmless) in BYPASSES {
        if value(object, &metadata, "annotations", name).is_some_and(|value| value != harmless) {
            let message =
                "leads requests past the sidecar and its door: remove it, or close these ports to everybody";
            findings.warn(object, &format!("{metadata}annotations.{name}"), message);
        }
    }
}

/// A label or an annotation.
pub(crate) fn value<'o>(object: &'o Object, metadata: &str, member: &str, name: &str) -> Option<&'o Value> {
    object.at(&format!("/{}{member}", metadata.replace('.', "/")))?.get(name)
}
