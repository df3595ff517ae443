//! Whether the proxy of an inner door tells it the peers that its entrances name: Istio's sidecars resume TLS
//! sessions, and a waypoint's connections have no certificate of the caller.

use serde_json::Value;
use vestibule::policy::Door;

use super::findings::Findings;
use super::object::text;
use super::plugin::Plugin;

pub(crate) fn check(plugin: &Plugin<'_>, findings: &mut Findings) {
    if plugin.door != Some(Door::Inner) {
        return;
    }
    let entrances = plugin.at("/pluginConfig/entrances").and_then(Value::as_object).into_iter().flatten();
    let path = |name: &str, field: &str| format!("{}: entrances.{name}.{field}", plugin.path("pluginConfig"));
    for (name, entrance) in entrances.filter(|(_, entrance)| entrance.get("peers").is_some()) {
        if !plugin.target_refs().is_empty() {
            findings.error(
                plugin.object,
                &path(name, "peers"),
                "let nobody in at a waypoint, where connections have no certificate of the caller: remove the entrance, \
                 require a context, and say by an AuthorizationPolicy who may call",
            );
        } else if text(entrance, "/resumed") != Some("admit") {
            findings.error(
                plugin.object,
                &path(name, "resumed"),
                "is not `admit`, and Istio's sidecars resume TLS sessions, on which Envoy validates no certificate: a \
                 caller would be let in once and refused when it comes again, and before Envoy 1.39 always. Write \
                 `resumed: admit`",
            );
        }
    }
}
