//! Patches of Envoy's configuration that take a door out of its place, or come before it. What else such a patch does,
//! nobody here knows.

use serde_json::Value;
use vestibule::policy::Door;

use super::findings::Findings;
use super::object::{Object, labels_clash, text};
use super::plugin::Plugin;
use super::stream::{NETWORKING, ROOT_NAMESPACE, Stream};

/// The filter of the network that has those of HTTP, the doors among them.
const MANAGER: &str = "envoy.filters.network.http_connection_manager";

/// The filters that limit rates: they belong before a door, which every token costs a signature.
const LIMITERS: [(&str, &str); 2] = [
    ("envoy.filters.http.ratelimit", "envoy.extensions.filters.http.ratelimit.v3.RateLimit"),
    ("envoy.filters.http.local_ratelimit", "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"),
];

pub(crate) fn check(plugins: &[Plugin<'_>], stream: &Stream, findings: &mut Findings) {
    for plugin in plugins {
        for object in near(plugin, stream) {
            for (index, patch) in object.list("/spec/configPatches").iter().enumerate() {
                check_patch(plugin, object, &format!("spec.configPatches[{index}]"), patch, findings);
            }
        }
    }
}

/// The filters that may be for a door's proxies.
pub(crate) fn near<'s>(plugin: &Plugin<'s>, stream: &'s Stream) -> impl Iterator<Item = &'s Object> {
    let (namespace, labels) = (plugin.object.namespace.as_str(), plugin.labels());
    let excludes = move |object: &Object| labels_clash(object.at("/spec/workloadSelector/labels"), labels);
    let filters = stream.each(NETWORKING, "EnvoyFilter");
    filters.filter(move |object| {
        (object.namespace == namespace || object.namespace == ROOT_NAMESPACE) && !excludes(object)
    })
}

fn check_patch(plugin: &Plugin<'_>, object: &Object, path: &str, patch: &Value, findings: &mut Findings) {
    let door = plugin.object.title();
    let operation = text(patch, "/patch/operation").unwrap_or_default();
    let beside = text(patch, "/match/listener/filterChain/filter/subFilter/name");
    let is_beside = beside.is_some_and(|name| names(name, plugin));
    let value = patch.pointer("/patch/value");
    if value.is_some_and(|value| disables(value, plugin)) {
        let message = format!("gives routes another configuration of {door}, or none: remove it");
        findings.error(object, &format!("{path}.patch.value"), message);
    }
    match text(patch, "/applyTo") {
        Some("HTTP_FILTER") if is_beside && matches!(operation, "REMOVE" | "REPLACE" | "MERGE") => {
            let message = format!("takes {door} out of its place, or puts something else there: remove it");
            findings.error(object, &format!("{path}.patch.operation"), message);
        }
        Some("HTTP_FILTER") if is_of(patch, plugin) => {
            let is_first = operation == "INSERT_FIRST"
                || operation == "INSERT_BEFORE" && (is_beside || beside.is_none());
            if is_first && !value.is_some_and(limits) {
                let message = format!(
                    "comes before {door}, and sees headers that clients wrote: write INSERT_BEFORE the router, or INSERT_AFTER \
                     the door"
                );
                findings.warn(object, &format!("{path}.patch.operation"), message);
            }
        }
        Some("NETWORK_FILTER") if is_of(patch, plugin) && matches!(operation, "REMOVE" | "REPLACE") => {
            if text(patch, "/match/listener/filterChain/filter/name") == Some(MANAGER) {
                let message =
                    format!("takes away what {door} stands in, so requests pass no door: remove it");
                findings.error(object, &format!("{path}.patch.operation"), message);
            }
        }
        Some("EXTENSION_CONFIG")
            if value.and_then(|value| text(value, "/name")).is_some_and(|name| names(name, plugin)) =>
        {
            let message = format!("puts something else in the place of {door}: remove it");
            findings.error(object, &format!("{path}.patch.value.name"), message);
        }
        Some(_) | None => {}
    }
}

/// Whether a filter's name, which Istio makes of the plugin's, is this door's.
fn names(name: &str, plugin: &Plugin<'_>) -> bool {
    let own = format!("{}.{}", plugin.object.namespace, plugin.object.name);
    name == own || name.strip_suffix(&own).is_some_and(|before| before.ends_with('/'))
}

/// Whether a filter does nothing but limit rates. Its name is anybody's choice where its type is written.
fn limits(filter: &Value) -> bool {
    let typed = |field: &str| {
        let settings = filter.get("typed_config").or_else(|| filter.get("typedConfig"))?;
        settings.get(field).and_then(Value::as_str)
    };
    // Within a structure without a type of its own it stands beside that one's.
    let kind = { ["type_url", "typeUrl", "@type"] }.into_iter().find_map(typed);
    LIMITERS.into_iter().any(|(name, message)| match kind {
        Some(url) => url.rsplit('/').next() == Some(message),
        None => text(filter, "/name") == Some(name),
    })
}

/// Whether a patch is for listeners on which this door stands.
fn is_of(patch: &Value, plugin: &Plugin<'_>) -> bool {
    match (text(patch, "/match/context"), plugin.door) {
        (None | Some("ANY"), _) => true,
        (Some(context), Some(Door::Outer)) => context == "GATEWAY",
        (Some(context), Some(Door::Inner)) => matches!(context, "SIDECAR_INBOUND" | "WAYPOINT"),
        (Some(_), None) => false,
    }
}

/// Whether something here has a word on the door's filter for some requests alone.
fn disables(value: &Value, plugin: &Plugin<'_>) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(|element| disables(element, plugin)),
        Value::Object(members) => members.iter().any(|(name, member)| {
            let is_of_routes = matches!(name.as_str(), "typed_per_filter_config" | "typedPerFilterConfig");
            let of_filters = member.as_object().filter(|_| is_of_routes).into_iter().flatten();
            { of_filters }.any(|(filter, _)| names(filter, plugin)) || disables(member, plugin)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
