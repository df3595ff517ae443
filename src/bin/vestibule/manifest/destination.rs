//! Whether what an outer door attaches goes where the stream's routes lead, and nowhere out of the mesh.

use serde_json::Value;
use vestibule::attached::Bounds;
use vestibule::policy::Door;

use super::destination_rule::{Way, rules_of, tls_of};
use super::findings::Findings;
use super::object::{Object, service_host, text};
use super::plugin::Plugin;
use super::route::routes;
use super::stream::{NETWORKING, ROOT_NAMESPACE, Stream};

/// Where something leads: a cluster by its parts.
pub(crate) struct Destination {
    host: String,
    /// None where it is not written.
    port: Option<u64>,
    subset: String,
    /// Where it is out of the mesh.
    is_external: bool,
    /// Whether a gateway's route leads there.
    is_routed: bool,
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
    let is_before = |inner: &Plugin<'_>, destination: &Destination| {
        let namespace = &inner.object.namespace;
        inner.door == Some(Door::Inner) && (namespace == ROOT_NAMESPACE || destination.is_in(namespace))
    };
    let has_inner = |destination: &Destination| plugins.iter().any(|inner| is_before(inner, destination));
    for destination in inside().filter(|one| one.is_routed && has_inner(one) && !one.is_admitted(bounds)) {
        let message = format!(
            "does not fit {}, to which {} leads and before which an inner door stands: it would refuse every request. Add a \
             pattern for it",
            destination.host, destination.by
        );
        findings.error(plugin.object, &path, message);
    }
    for destination in inside().filter(|one| one.is_routed && !has_inner(one) && one.is_admitted(bounds)) {
        let message = format!(
            "fits {}, to which {} leads and before which no inner door stands here: nobody asks there for what the door \
             attaches, and whoever is there can come in with it elsewhere. Leave it out, or give it an inner door",
            destination.host, destination.by
        );
        findings.warn(plugin.object, &path, message);
    }
    for destination in inside().filter(|one| has_inner(one) && one.is_admitted(bounds)) {
        let sidecars = plugins.iter().filter(|inner| inner.target_refs().is_empty());
        if { sidecars }.any(|inner| is_before(inner, destination)) {
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
    /// That of a `VirtualService`'s rule, called `by`; none where it names no host.
    pub(crate) fn of_service(to: &Value, service: &Object, by: &str) -> Option<Self> {
        Some(Self {
            host: service.whole_host(text(to, "/host")?),
            port: to.pointer("/port/number").and_then(Value::as_u64),
            subset: text(to, "/subset").unwrap_or_default().to_owned(),
            is_external: false,
            is_routed: true,
            by: by.to_owned(),
        })
    }

    /// That of a rule of the Gateway API, called `by`; none where it is no Service.
    pub(crate) fn of_reference(to: &Value, route: &Object, by: &str) -> Option<Self> {
        let name = text(to, "/name").filter(|_| matches!(text(to, "/kind"), None | Some("Service")))?;
        Some(Self {
            host: service_host(name, text(to, "/namespace").unwrap_or(&route.namespace)),
            port: to.pointer("/port").and_then(Value::as_u64),
            subset: String::new(),
            is_external: false,
            is_routed: true,
            by: by.to_owned(),
        })
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> Option<u64> {
        self.port
    }

    /// Whether it is a service of this namespace.
    pub(crate) fn is_in(&self, namespace: &str) -> bool {
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
    let rules = rules_of(stream, host, outer, owner);
    if rules.is_empty() {
        let message = format!(
            "lets what the door attaches go to {host}, which has no DestinationRule here, so a pod without a sidecar gets it \
             in plaintext: add one with tls mode ISTIO_MUTUAL, and without a workloadSelector"
        );
        findings.warn(outer.object, path, message);
    }
    let port = destination.port.map(|port| port.to_string());
    let way = Way { port: port.as_deref(), subset: &destination.subset };
    for rule in rules {
        for (place, settings) in tls_of(rule, way) {
            is_mutual(rule, &place, settings, host, findings);
        }
    }
}

/// Whether a pod of this host has to show its certificate, by these settings of a rule.
fn is_mutual(rule: &Object, place: &str, settings: Option<&Value>, host: &str, findings: &mut Findings) {
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
    for route in routes(stream) {
        all.extend(route.destinations);
        all.extend(route.mirrors.into_iter().filter_map(|(_, mirror)| mirror));
    }
    for object in stream.each("", "Service") {
        let target = object.text("/spec/externalName").unwrap_or_default();
        let is_alias = object.text("/spec/type") == Some("ExternalName");
        all.push(Destination {
            host: object.whole_host(&object.name),
            port: None,
            subset: String::new(),
            is_external: is_alias && !target.ends_with(".svc.cluster.local"),
            is_routed: false,
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
                    is_routed: false,
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
