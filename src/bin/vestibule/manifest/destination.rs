//! Whether what an outer door attaches goes where the stream's routes lead, and nowhere out of the mesh.

use serde_json::Value;
use vestibule::attached::Bounds;
use vestibule::policy::Door;

use super::destination_rule::{rule_of, tls_of};
use super::findings::Findings;
use super::object::{Object, list, text};
use super::plugin::Plugin;
use super::stream::{GATEWAY_API, NETWORKING, Stream};

/// Where something leads: a cluster by its parts.
pub(crate) struct Destination {
    host: String,
    /// None where it is not written.
    port: Option<u64>,
    subset: String,
    /// Where it is out of the mesh.
    is_external: bool,
    /// What leads there, and where in it.
    by: String,
}

pub(crate) fn check(plugin: &Plugin<'_>, plugins: &[Plugin<'_>], stream: &Stream, findings: &mut Findings) {
    let Some(bounds) = plugin.outline.as_ref().and_then(|outline| outline.bounds()) else { return };
    let field =
        if plugin.at("/pluginConfig/gatewayKey").is_some() { "gatewayKey.to" } else { "context.mint.to" };
    let path = format!("{}: {field}", plugin.path("pluginConfig"));
    let destinations = destinations(stream);
    for destination in destinations.iter().filter(|one| one.is_external && one.is_admitted(bounds)) {
        let message = format!(
            "fits {} of {}, which is out of the mesh: whoever is there would have what opens the inner doors. Name the \
             mesh's own clusters",
            destination.host, destination.by
        );
        findings.error(plugin.object, &path, message);
    }
    let inside = || destinations.iter().filter(|one| !one.is_external);
    if inside().next().is_none() {
        return;
    }
    let behind = |destination: &Destination| {
        plugins
            .iter()
            .any(|inner| inner.door == Some(Door::Inner) && destination.is_in(&inner.object.namespace))
    };
    for destination in inside().filter(|one| behind(one) && !one.is_admitted(bounds)) {
        let message = format!(
            "does not fit {}, to which {} leads and before which an inner door stands: it would refuse every request. Add a \
             pattern for it",
            destination.host, destination.by
        );
        findings.error(plugin.object, &path, message);
    }
    for destination in inside().filter(|one| behind(one) && one.is_admitted(bounds)) {
        let sidecars =
            plugins.iter().filter(|inner| inner.door == Some(Door::Inner) && inner.target_refs().is_empty());
        if { sidecars }.any(|inner| destination.is_in(&inner.object.namespace)) {
            is_encrypted(plugin, &path, destination, stream, findings);
        }
    }
    let pointer = format!("/pluginConfig/{}", field.replace('.', "/"));
    for (index, pattern) in plugin.list(&pointer).iter().filter_map(Value::as_str).enumerate() {
        if !destinations.iter().any(|one| one.fits(pattern)) {
            let message = "fits no Service, no ServiceEntry and no route here: correct it, or remove it";
            findings.warn(plugin.object, &format!("{path}[{index}]"), message);
        }
    }
}

impl Destination {
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is a service of this namespace.
    fn is_in(&self, namespace: &str) -> bool {
        self.host.ends_with(&format!(".{namespace}.svc.cluster.local"))
    }

    pub(crate) fn is_admitted(&self, bounds: &Bounds) -> bool {
        match self.port {
            Some(port) => bounds.admit(Some(self.cluster(&port.to_string()).as_bytes())),
            // Any port will do.
            None => {
                ["80", "443", "8080"].iter().any(|port| bounds.admit(Some(self.cluster(port).as_bytes())))
            }
        }
    }

    fn fits(&self, pattern: &str) -> bool {
        let Some(parsed) = vestibule::cluster::ClusterPattern::parse(pattern) else { return true };
        let port = self.port.map(|port| port.to_string());
        let port = port.as_deref().or_else(|| pattern.split('|').nth(1)).unwrap_or_default();
        parsed.matches(self.cluster(port).as_bytes())
    }

    fn cluster(&self, port: &str) -> String {
        format!("outbound|{port}|{}|{}", self.subset, self.host)
    }
}

/// Whether the key goes there by mTLS whatever pods are there.
fn is_encrypted(
    outer: &Plugin<'_>,
    path: &str,
    destination: &Destination,
    stream: &Stream,
    findings: &mut Findings,
) {
    let host = &destination.host;
    let owner = host.split('.').nth(1).unwrap_or_default();
    let Some(rule) = rule_of(stream, host, &outer.object.namespace, owner) else {
        let message = format!(
            "lets what the door attaches go to {host}, which has no DestinationRule here, so a pod without a sidecar gets it in plaintext: add one with \
             tls mode ISTIO_MUTUAL"
        );
        findings.warn(outer.object, path, message);
        return;
    };
    let port = destination.port.map(|port| port.to_string());
    let (place, settings) = tls_of(rule, port.as_deref());
    match settings.and_then(|settings| text(settings, "/mode")) {
        Some("ISTIO_MUTUAL" | "MUTUAL") => {}
        None => {
            let message = format!(
                "is missing, so a pod of {host} without a sidecar gets the gateway key in plaintext: write ISTIO_MUTUAL"
            );
            findings.warn(rule, &format!("{place}.mode"), message);
        }
        Some(_) => {
            let message = format!(
                "is without the gateway's certificate, so inner doors of {host} know no peer, or anybody on the way has the gateway key: write ISTIO_MUTUAL"
            );
            findings.error(rule, &format!("{place}.mode"), message);
        }
    }
}

/// Where the stream's routes lead, its services and what it enters from outside.
fn destinations(stream: &Stream) -> Vec<Destination> {
    let mut all = Vec::new();
    for object in stream.each(NETWORKING, "VirtualService") {
        for (index, route) in object.list("/spec/http").iter().enumerate() {
            for to in list(route, "/route") {
                all.extend(to.pointer("/destination").and_then(|to| destination(to, object, index)));
            }
        }
    }
    for object in stream.each(GATEWAY_API, "HTTPRoute").chain(stream.each(GATEWAY_API, "GRPCRoute")) {
        for (index, rule) in object.list("/spec/rules").iter().enumerate() {
            for to in list(rule, "/backendRefs") {
                let Some(name) =
                    text(to, "/name").filter(|_| matches!(text(to, "/kind"), None | Some("Service")))
                else {
                    continue;
                };
                let namespace = text(to, "/namespace").unwrap_or(&object.namespace);
                all.push(Destination {
                    host: whole_host(name, namespace),
                    port: to.pointer("/port").and_then(Value::as_u64),
                    subset: String::new(),
                    is_external: false,
                    by: format!("{} (spec.rules[{index}])", object.title()),
                });
            }
        }
    }
    for object in stream.each("", "Service") {
        all.push(Destination {
            host: whole_host(&object.name, &object.namespace),
            port: None,
            subset: String::new(),
            is_external: false,
            by: object.title(),
        });
    }
    for object in stream.each(NETWORKING, "ServiceEntry") {
        let is_external = object.text("/spec/location") != Some("MESH_INTERNAL");
        for host in object.list("/spec/hosts").iter().filter_map(Value::as_str) {
            for port in object.list("/spec/ports") {
                all.push(Destination {
                    host: host.to_owned(),
                    port: port.pointer("/number").and_then(Value::as_u64),
                    subset: String::new(),
                    is_external,
                    by: object.title(),
                });
            }
        }
    }
    // A route to what is entered from outside leads out.
    let external: Vec<String> =
        all.iter().filter(|one| one.is_external).map(|one| one.host.clone()).collect();
    for one in &mut all {
        one.is_external |= external.contains(&one.host);
    }
    all
}

/// A destination of a `VirtualService`'s route; none where it names no host.
pub(crate) fn destination(to: &Value, service: &Object, route: usize) -> Option<Destination> {
    Some(Destination {
        host: whole_host(text(to, "/host")?, &service.namespace),
        port: to.pointer("/port/number").and_then(Value::as_u64),
        subset: text(to, "/subset").unwrap_or_default().to_owned(),
        is_external: false,
        by: format!("{} (spec.http[{route}])", service.title()),
    })
}

/// A host as Istio names clusters: a name without dots is a service of the namespace.
fn whole_host(host: &str, namespace: &str) -> String {
    match host.contains('.') {
        true => host.to_owned(),
        false => format!("{host}.{namespace}.svc.cluster.local"),
    }
}
