//! Whether the values of doors' secrets stand in manifests beside the doors: as a container's variable, among what Istio
//! gives proxies for theirs, or in a `ConfigMap`, where whoever reads those has them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::findings::Findings;
use super::object::{Object, document_in, list, text};
use super::plugin::Plugin;
use super::stream::{NETWORKING, ROOT_NAMESPACE, Stream};
use super::workload::{KINDS, SETTINGS, value};

const REMEDY: &str =
    "holds a secret in the manifest, where whoever reads it has it: give it by a Secret, and make a new one";

pub(crate) fn check(plugins: &[Plugin<'_>], stream: &Stream, findings: &mut Findings) {
    let outlines = plugins.iter().filter_map(|plugin| plugin.outline.as_ref());
    let secrets: BTreeSet<&str> =
        outlines.flat_map(|outline| outline.secrets()).map(|(_, name)| name.as_str()).collect();
    for (group, kind, pods) in KINDS {
        for object in stream.each(group, kind) {
            for containers in ["containers", "initContainers"] {
                variables(object, &format!("{pods}spec.{containers}"), &secrets, findings);
            }
            let metadata = format!("{pods}metadata.");
            let settings = value(object, &metadata, "annotations", SETTINGS).and_then(Value::as_str);
            let settings = settings.and_then(document_in).unwrap_or_default();
            let path = format!("{metadata}annotations.{SETTINGS}: proxyMetadata");
            members(object, &path, settings.get("proxyMetadata"), &secrets, findings);
        }
    }
    for object in stream.each(NETWORKING, "ProxyConfig") {
        let written = object.at("/spec/environmentVariables");
        members(object, "spec.environmentVariables", written, &secrets, findings);
    }
    for object in stream.each("", "ConfigMap") {
        let mesh = object.text("/data/mesh").filter(|_| object.namespace == ROOT_NAMESPACE);
        let mesh = mesh.and_then(document_in).unwrap_or_default();
        let written = mesh.pointer("/defaultConfig/proxyMetadata");
        members(object, "data.mesh: defaultConfig.proxyMetadata", written, &secrets, findings);
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
            if is_secret && text(variable, "/value").is_some_and(is_value) {
                findings.error(object, &format!("{path}[{index}].env[{place}].value"), REMEDY);
            }
        }
    }
}

/// The variables that Istio gives proxies, each under its name.
fn members(
    object: &Object,
    path: &str,
    written: Option<&Value>,
    secrets: &BTreeSet<&str>,
    findings: &mut Findings,
) {
    for (name, value) in written.and_then(Value::as_object).into_iter().flatten() {
        if secrets.contains(name.as_str()) && !value.is_null() && value.as_str().is_none_or(is_value) {
            findings.error(object, &format!("{path}.{name}"), REMEDY);
        }
    }
}

/// Whether a variable's value is one, and no reference to another variable.
fn is_value(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || "-._".contains(char))
    };
    let referred = text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'));
    !text.is_empty() && !referred.is_some_and(is_name)
}
