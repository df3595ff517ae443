//! Whether the values of doors' secrets stand in manifests beside the doors: as a container's variable, or in a
//! `ConfigMap`, where whoever reads those has them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::findings::Findings;
use super::object::{Object, list, text};
use super::plugin::Plugin;
use super::stream::Stream;

/// What runs proxies, and where its containers are described.
const KINDS: [(&str, &str, &str); 4] = [
    ("apps", "Deployment", "spec.template.spec"),
    ("apps", "StatefulSet", "spec.template.spec"),
    ("apps", "DaemonSet", "spec.template.spec"),
    ("", "Pod", "spec"),
];

const REMEDY: &str =
    "holds a secret in the manifest, where whoever reads it has it: give it by a Secret, and make a new one";

pub(crate) fn check(plugins: &[Plugin<'_>], stream: &Stream, findings: &mut Findings) {
    let outlines = plugins.iter().filter_map(|plugin| plugin.outline.as_ref());
    let secrets: BTreeSet<&str> =
        outlines.flat_map(|outline| outline.secrets()).map(|(_, name)| name.as_str()).collect();
    for (group, kind, pods) in KINDS {
        for object in stream.each(group, kind) {
            for containers in ["containers", "initContainers"] {
                variables(object, &format!("{pods}.{containers}"), &secrets, findings);
            }
        }
    }
    for object in stream.each("", "ConfigMap") {
        for member in ["data", "binaryData"] {
            let values = object.value.get(member).and_then(Value::as_object).into_iter().flatten();
            for (name, _) in values.filter(|(name, _)| secrets.contains(name.as_str())) {
                findings.error(object, &format!("{member}.{name}"), REMEDY);
            }
        }
    }
}

fn variables(object: &Object, path: &str, secrets: &BTreeSet<&str>, findings: &mut Findings) {
    for (index, container) in object.list(&format!("/{}", path.replace('.', "/"))).iter().enumerate() {
        for (place, variable) in list(container, "/env").iter().enumerate() {
            let is_secret = text(variable, "/name").is_some_and(|name| secrets.contains(name));
            if is_secret && text(variable, "/value").is_some_and(|value| !value.is_empty()) {
                findings.error(object, &format!("{path}[{index}].env[{place}].value"), REMEDY);
            }
        }
    }
}
