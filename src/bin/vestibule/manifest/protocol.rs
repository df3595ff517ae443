//! Whether the services to which gateways lead requests are said to speak HTTP: what is not, a sidecar passes on as
//! bytes, past its door.

use serde_json::Value;
use vestibule::policy::Door;

use super::findings::Findings;
use super::object::{Object, labels_clash, text};
use super::plugin::Plugin;
use super::route::routes;
use super::stream::{ROOT_NAMESPACE, Stream};

/// What Istio knows and does not take for HTTP, nor find out by itself.
const OTHERS: [&str; 7] = ["tcp", "tls", "https", "udp", "mongo", "mysql", "redis"];

pub(crate) fn check(plugins: &[Plugin<'_>], stream: &Stream, findings: &mut Findings) {
    let routes = routes(stream);
    for to in routes.iter().flat_map(|route| &route.destinations) {
        let inner = plugins.iter().filter(|plugin| plugin.door == Some(Door::Inner));
        let near = inner
            .filter(|door| door.object.namespace == ROOT_NAMESPACE || to.is_in(&door.object.namespace))
            .collect::<Vec<_>>();
        let is_it = |service: &&Object| service.whole_host(&service.name) == to.host();
        for service in stream.each("", "Service").filter(is_it) {
            let selected = service.at("/spec/selector");
            if near.iter().all(|door| labels_clash(door.labels(), selected)) {
                continue;
            }
            let ports = service.list("/spec/ports");
            // Istio takes the only one, else the one that the gateway listens on, which nobody here knows.
            if to.port().is_none() && ports.len() > 1 {
                continue;
            }
            for (index, port) in ports.iter().enumerate() {
                let number = port.pointer("/port").and_then(Value::as_u64);
                if to.port().is_some_and(|port| number != Some(port)) {
                    continue;
                }
                let Some((field, protocol)) = protocol_of(port) else { continue };
                if OTHERS.iter().any(|other| other.eq_ignore_ascii_case(protocol)) {
                    let is_encrypted = ["tls", "https"].iter().any(|one| one.eq_ignore_ascii_case(protocol));
                    let remedy = match is_encrypted {
                        true => "Leave TLS to the sidecars, and write `appProtocol: http`",
                        false => "Write `appProtocol: http`",
                    };
                    let message = format!(
                        "says {protocol}, and a gateway leads requests there: their proxy passes them on as bytes, past the \
                         inner door. {remedy}"
                    );
                    findings.error(service, &format!("spec.ports[{index}].{field}"), message);
                }
            }
        }
    }
}

/// What a port's protocol is, and which field says so.
fn protocol_of(port: &Value) -> Option<(&'static str, &str)> {
    if let Some(protocol) = text(port, "/appProtocol") {
        return Some(("appProtocol", if protocol == "kubernetes.io/wss" { "https" } else { protocol }));
    }
    Some(("name", text(port, "/name")?.split('-').next()?))
}
