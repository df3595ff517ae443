//! What has no outer door: a gateway, some of its pods, or a port that is not HTTP's. Whoever comes that way is asked
//! for nothing.

use serde_json::Value;
use vestibule::policy::Door;

use super::findings::Findings;
use super::gateway::{GATEWAY_NAME, ingresses, is_meant, pods};
use super::object::{Object, text};
use super::plugin::Plugin;
use super::stream::Stream;

pub(crate) fn check(plugins: &[Plugin<'_>], stream: &Stream, findings: &mut Findings) {
    for gateway in ingresses(stream) {
        let outer = plugins.iter().filter(|plugin| plugin.door == Some(Door::Outer));
        let doors: Vec<_> = outer.filter(|plugin| is_meant(plugin, gateway)).collect();
        match doors.as_slice() {
            [] if is_for_other_clusters(gateway) => {}
            [] => findings.warn(
                gateway,
                "metadata.name",
                "is a gateway for which no outer door is here, so it lets everybody through: have an outer door select its \
                 pods, or refer to it",
            ),
            // Of several, each with labels, nobody here knows whether they are for all.
            [door] => some_pods(door, gateway, findings),
            _ => {}
        }
        if !doors.is_empty() {
            ports(gateway, findings);
        }
    }
}

/// Whether a gateway is what the mesh's own proxies of other clusters come by: it passes mTLS on to the sidecar that
/// their names mean, and ends none.
fn is_for_other_clusters(gateway: &Object) -> bool {
    let servers = gateway.list("/spec/servers");
    !servers.is_empty() && servers.iter().all(|server| text(server, "/tls/mode") == Some("AUTO_PASSTHROUGH"))
}

/// A label more than the gateway's pods need have.
fn some_pods(door: &Plugin<'_>, gateway: &Object, findings: &mut Findings) {
    let known = pods(gateway);
    for (name, value) in door.labels().and_then(Value::as_object).into_iter().flatten() {
        if name != GATEWAY_NAME && known.and_then(|known| known.get(name)) != Some(value) {
            let message = format!(
                "is not asked for by {}, so pods of it that have not this label have no door: leave it out",
                gateway.title()
            );
            findings.warn(door.object, &format!("spec.selector.matchLabels.{name}"), message);
        }
    }
}

/// Listeners on which Envoy reads no requests.
fn ports(gateway: &Object, findings: &mut Findings) {
    let message = "is not HTTP, of which the door is a filter: whoever comes in there passes none. Remove it, or have nothing \
                   behind it that a door should guard";
    for (index, server) in gateway.list("/spec/servers").iter().enumerate() {
        let is_passed_on = matches!(text(server, "/tls/mode"), Some("PASSTHROUGH" | "AUTO_PASSTHROUGH"));
        if is_passed_on || !is_http(text(server, "/port/protocol")) {
            let field = if is_passed_on { "tls.mode" } else { "port.protocol" };
            findings.warn(gateway, &format!("spec.servers[{index}].{field}"), message);
        }
    }
    for (index, listener) in gateway.list("/spec/listeners").iter().enumerate() {
        if !is_http(text(listener, "/protocol")) {
            findings.warn(gateway, &format!("spec.listeners[{index}].protocol"), message);
        }
    }
}

/// Whether Envoy reads requests on a port of this protocol.
pub(crate) fn is_http(protocol: Option<&str>) -> bool {
    let known = ["HTTP", "HTTPS", "HTTP2", "GRPC", "GRPC-WEB"];
    protocol.is_some_and(|protocol| known.iter().any(|one| one.eq_ignore_ascii_case(protocol)))
}
