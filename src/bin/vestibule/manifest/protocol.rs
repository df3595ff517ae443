//! Whether the services to which gateways lead requests are said to speak HTTP: what is not, a sidecar passes on as
//! bytes, past its door.

use serde_json::Value;
use vestibule::policy::Door;

use super::findings::Findings;
use super::object::text;
use super::plugin::Plugin;
use super::route::routes;
use super::stream::{ROOT_NAMESPACE, Stream};

/// What Istio knows and does not take for HTTP, nor find out by itself.
const OTHERS: [&str; 7] = ["tcp", "tls", "https", "udp", "mongo", "mysql", "redis"];

pub(crate) fn check(plugins: &[Plugin<'_>], stream: &Stream, findings: &mut Findings) {
    let routes = routes(stream);
    for to in routes.iter().flat_map(|route| &route.destinations) {
        let mut inner = plugins.iter().filter(|plugin| plugin.door == Some(Door::Inner));
        if !inner.any(|door| door.object.namespace == ROOT_NAMESPACE || to.is_in(&door.object.namespace)) {
            continue;
        }
        let is_it = |service: &&super::object::Object| service.whole_host(&service.name) == to.host();
        for service in stream.each("", "Service").filter(is_it) {
            for (index, port) in service.list("/spec/ports").iter().enumerate() {
                let number = port.pointer("/port").and_then(Value::as_u64);
                if to.port().is_some_and(|port| number != Some(port)) {
                    continue;
                }
                let Some((field, protocol)) = protocol_of(port) else { continue };
                if OTHERS.iter().any(|other| other.eq_ignore_ascii_case(protocol)) {
                    let message = format!(
                        "says {protocol}, and a gateway leads requests there: their proxy passes them on as bytes, past the \
                         inner door. Write `appProtocol: http`"
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
