//! Workloads in a namespace of an inner door whose pods have no sidecar that it could stand in, or one past which some
//! ports lead.

use serde_json::Value;
use vestibule::policy::Door;

use super::findings::Findings;
use super::object::Object;
use super::plugin::Plugin;
use super::stream::{ROOT_NAMESPACE, Stream};

/// What serves requests, and where its pods are described. A Job does not serve.
const KINDS: [(&str, &str, &str); 5] = [
    ("apps", "Deployment", "spec.template."),
    ("apps", "StatefulSet", "spec.template."),
    ("apps", "DaemonSet", "spec.template."),
    ("apps", "ReplicaSet", "spec.template."),
    ("", "Pod", ""),
];

const INJECT: &str = "sidecar.istio.io/inject";

/// By these annotations ports go past the sidecar; all of them come to it where the first is `*`.
const PORTS: [&str; 2] =
    ["traffic.sidecar.istio.io/includeInboundPorts", "traffic.sidecar.istio.io/excludeInboundPorts"];

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
        }
        for (group, kind, pods) in KINDS {
            let here = |object: &&Object| object.namespace == namespace || namespace == ROOT_NAMESPACE;
            stream.each(group, kind).filter(here).for_each(|object| pods_of(object, pods, findings));
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
    for name in PORTS {
        let ports = value(object, &metadata, "annotations", name);
        if ports.is_some_and(|ports| ports != "*" && ports != "") {
            let message =
                "leads requests past the sidecar and its door: remove it, or close these ports to everybody";
            findings.warn(object, &format!("{metadata}annotations.{name}"), message);
        }
    }
}

/// A label or an annotation.
fn value<'o>(object: &'o Object, metadata: &str, member: &str, name: &str) -> Option<&'o Value> {
    object.at(&format!("/{}{member}", metadata.replace('.', "/")))?.get(name)
}
