//! Whether the mesh around a door has the way by which its issuers' keys are fetched, and whether that way knows
//! the issuer from anybody else who answers: a `ServiceEntry` makes the cluster, a `DestinationRule` its TLS.

use serde_json::Value;
use vestibule::credential::remote::RemoteSource;

use super::destination_rule::{Way, rules_of, tls_of};
use super::findings::Findings;
use super::object::{Object, list, text};
use super::plugin::Plugin;
use super::stream::{NETWORKING, Stream};

pub(crate) fn check(plugin: &Plugin<'_>, stream: &Stream, findings: &mut Findings) {
    let Some(outline) = &plugin.outline else { return };
    for (path, source) in outline.remote_sources() {
        let path = format!("{}: {path}.cluster", plugin.path("pluginConfig"));
        let Some(cluster) = Cluster::of(source) else {
            let message = format!(
                "is `{}`, no name that Istio gives a cluster: write outbound|PORT||HOST, or leave it out",
                source.cluster()
            );
            findings.warn(plugin.object, &path, message);
            continue;
        };
        // A service of the mesh needs neither.
        if !cluster.host.ends_with(".svc.cluster.local") {
            way(plugin, &path, &cluster, stream, findings);
        }
    }
}

/// A cluster that Istio names.
struct Cluster<'s> {
    name: &'s str,
    port: &'s str,
    subset: &'s str,
    host: &'s str,
    is_https: bool,
}

impl<'s> Cluster<'s> {
    fn of(source: &'s RemoteSource) -> Option<Self> {
        let name = source.cluster();
        let mut parts = name.split('|');
        match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("outbound"), Some(port), Some(subset), Some(host), None) => {
                Some(Self { name, port, subset, host, is_https: source.url().scheme() == "https" })
            }
            _ => None,
        }
    }

    fn is_port(&self, port: &Value) -> bool {
        port.pointer("/number").and_then(Value::as_u64).is_some_and(|number| number.to_string() == self.port)
    }
}

fn way(plugin: &Plugin<'_>, path: &str, cluster: &Cluster<'_>, stream: &Stream, findings: &mut Findings) {
    let (door, name, host) = (plugin.object, cluster.name, cluster.host);
    let has_host = |entry: &&Object| entry.list("/spec/hosts").iter().any(|one| *one == host);
    let entries: Vec<&Object> = stream.each(NETWORKING, "ServiceEntry").filter(has_host).collect();
    let seen: Vec<&Object> =
        entries.iter().copied().filter(|entry| entry.is_seen_from(&door.namespace)).collect();
    let Some(first) = seen.first() else {
        let message = match entries.first() {
            Some(entry) => format!(
                "is `{name}`, whose {} is not exported to namespace {}, so keys can never be fetched: add the namespace to \
                 its exportTo",
                entry.title(),
                door.namespace
            ),
            None => format!(
                "is `{name}`, and no ServiceEntry here has the host {host}, so keys can never be fetched: add one with port \
                 {}, or name another cluster",
                cluster.port
            ),
        };
        findings.error(door, path, message);
        return;
    };
    let with_port =
        seen.iter().find(|entry| entry.list("/spec/ports").iter().any(|port| cluster.is_port(port)));
    let Some(entry) = with_port else {
        let message = format!(
            "has not port {}, of which {} makes `{name}` to fetch keys from: add it, or correct the url",
            cluster.port,
            door.title()
        );
        findings.error(first, "spec.ports", message);
        return;
    };
    if matches!(entry.text("/spec/resolution"), None | Some("NONE")) {
        let message = "is NONE, which sends a request to the address that it came for, and a fetch of keys came for none: \
                       write DNS";
        findings.error(entry, "spec.resolution", message);
    }
    let has_addresses =
        !entry.list("/spec/endpoints").is_empty() || entry.at("/spec/workloadSelector").is_some();
    if entry.text("/spec/resolution") == Some("STATIC") && !has_addresses {
        let message = "is STATIC, and no endpoint is written, so keys can never be fetched: write DNS, or add endpoints";
        findings.error(entry, "spec.resolution", message);
    }
    if cluster.is_https {
        tls(plugin, path, cluster, entry, stream, findings);
    }
}

/// Whether whoever answers is the issuer.
fn tls(
    plugin: &Plugin<'_>,
    path: &str,
    cluster: &Cluster<'_>,
    entry: &Object,
    stream: &Stream,
    findings: &mut Findings,
) {
    let (name, host) = (cluster.name, cluster.host);
    let rules = rules_of(stream, host, plugin, &entry.namespace);
    if rules.is_empty() {
        let message = format!(
            "is `{name}`, which has no TLS for want of a DestinationRule for {host}, and the url is https: whoever can change \
             the answer could sign as the issuer. Add one in namespace {} with tls mode SIMPLE, sni and subjectAltNames, and \
             without a workloadSelector",
            plugin.object.namespace
        );
        findings.error(plugin.object, path, message);
    }
    let way = Way { port: Some(cluster.port), subset: cluster.subset };
    for rule in rules {
        for (place, settings) in tls_of(rule, way) {
            settings_of(rule, &place, settings, cluster, findings);
        }
    }
}

/// Whether TLS by these settings of a rule knows the issuer.
fn settings_of(
    rule: &Object,
    place: &str,
    settings: Option<&Value>,
    cluster: &Cluster<'_>,
    findings: &mut Findings,
) {
    let (name, host) = (cluster.name, cluster.host);
    let mode = settings.and_then(|settings| text(settings, "/mode"));
    let field = |name: &str| format!("{place}.{name}");
    let path_of_mode = field("mode");
    match mode {
        Some("SIMPLE" | "MUTUAL") => {}
        Some("ISTIO_MUTUAL") => {
            let message = format!(
                "is ISTIO_MUTUAL, by which only workloads of the mesh are known, so no keys come from {host}: write SIMPLE"
            );
            findings.error(rule, &path_of_mode, message);
            return;
        }
        Some(_) | None => {
            let message = format!(
                "is not SIMPLE, so `{name}` has no TLS, and the url is https: whoever can change the answer could sign as the \
                 issuer. Write SIMPLE"
            );
            findings.error(rule, &path_of_mode, message);
            return;
        }
    }
    let Some(settings) = settings else { return };
    if settings.pointer("/insecureSkipVerify") == Some(&Value::Bool(true)) {
        let message = "believes any certificate, so whoever can answer can sign as the issuer: remove it";
        findings.error(rule, &field("insecureSkipVerify"), message);
    }
    let names = list(settings, "/subjectAltNames");
    if names.is_empty() {
        let message = format!(
            "is missing, so the certificate of any host is believed, and whoever has one could sign as the issuer: write \
             `[{host}]`"
        );
        findings.error(rule, &field("subjectAltNames"), message);
    } else if !names.iter().any(|one| *one == host) {
        let message = format!(
            "has not {host}, from which keys are fetched: add it, unless its certificate has another name"
        );
        findings.warn(rule, &field("subjectAltNames"), message);
    }
    match text(settings, "/sni").filter(|sni| !sni.is_empty()) {
        None => {
            let message = format!(
                "is missing, so a server of several names shows any of its certificates: write {host}"
            );
            findings.error(rule, &field("sni"), message);
        }
        Some(sni) if sni != host => {
            let message = format!(
                "is not {host}, from which keys are fetched: correct it, unless the server is asked for so"
            );
            findings.warn(rule, &field("sni"), message);
        }
        Some(_) => {}
    }
}
