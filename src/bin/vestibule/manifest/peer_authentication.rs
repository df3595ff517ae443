//! Whether connections to the workloads behind an inner door have a peer at all: plaintext has none.

use std::collections::BTreeSet;

use serde_json::Value;
use vestibule::policy::Door;

use super::findings::Findings;
use super::object::{Object, text};
use super::plugin::Plugin;
use super::stream::{ROOT_NAMESPACE, SECURITY, Stream};

pub(crate) fn check(plugins: &[Plugin<'_>], stream: &Stream, findings: &mut Findings) {
    let inner = plugins.iter().filter(|plugin| plugin.door == Some(Door::Inner));
    let mut told = BTreeSet::new();
    for plugin in inner {
        let namespace = plugin.object.namespace.as_str();
        let of = |namespace: &'static str| {
            stream.each(SECURITY, "PeerAuthentication").filter(move |one| one.namespace == namespace)
        };
        let here: Vec<&Object> =
            stream.each(SECURITY, "PeerAuthentication").filter(|one| one.namespace == namespace).collect();
        let whole = |one: &&Object| one.at("/spec/selector").is_none();
        // The namespace's own goes before the mesh's. Of several the oldest counts, and which that is stands in no
        // manifest: here the laxest does.
        let own = here.iter().copied().filter(whole).filter(|one| mode(one).is_some()).max_by_key(laxness);
        let meshs = || of(ROOT_NAMESPACE).filter(whole).filter(|one| mode(one).is_some()).max_by_key(laxness);
        let ruling = own.or_else(meshs);
        match ruling {
            Some(one) if mode(one) == Some("STRICT") => {}
            Some(one) => {
                if told.insert(one.title()) {
                    findings.warn(
                        one,
                        "spec.mtls.mode",
                        "is not STRICT, so requests come to an inner door without a peer, and \
                        other bytes from anybody: write STRICT",
                    );
                }
            }
            None => {
                let message = format!(
                    "{namespace} has no PeerAuthentication, nor has the mesh, so plaintext is let in: add one with mode STRICT"
                );
                findings.warn(plugin.object, "metadata.namespace", message);
            }
        }
        for one in here.iter().filter(|one| !whole(one) || one.at("/spec/portLevelMtls").is_some()) {
            exceptions(one, &mut told, findings);
        }
    }
}

/// Workloads and ports that are let out.
fn exceptions(one: &Object, told: &mut BTreeSet<String>, findings: &mut Findings) {
    let remedy =
        "so these have requests without a peer, and other bytes from anybody: write STRICT, or remove it";
    let is_lax = |mode: Option<&str>| matches!(mode, Some("PERMISSIVE" | "DISABLE"));
    if one.at("/spec/selector").is_some() && is_lax(mode(one)) && told.insert(one.title()) {
        findings.warn(one, "spec.mtls.mode", format!("is not STRICT for the selected workloads, {remedy}"));
    }
    let ports = one.at("/spec/portLevelMtls").and_then(Value::as_object).into_iter().flatten();
    for (port, settings) in ports {
        let path = format!("spec.portLevelMtls.{port}.mode");
        if is_lax(text(settings, "/mode")) && told.insert(format!("{} {path}", one.title())) {
            findings.warn(one, &path, format!("is not STRICT, {remedy}"));
        }
    }
}

fn laxness(one: &&Object) -> bool {
    mode(one) != Some("STRICT")
}

/// The mode that an object sets; none where it leaves that to a wider one.
fn mode(one: &Object) -> Option<&str> {
    one.text("/spec/mtls/mode").filter(|mode| *mode != "UNSET")
}
