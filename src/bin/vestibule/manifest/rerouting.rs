//! Whether a gateway's routes can take what the outer door attaches where `to` does not let it go: Envoy copies a
//! request to mirrors, and chooses the route again when the door has changed what routes match on.

use serde_json::Value;
use vestibule::attached::{Attach, Bounds};
use vestibule::credential::places::Matched;

use super::destination::{Destination, destination};
use super::findings::Findings;
use super::object::{Object, list};
use super::plugin::Plugin;
use super::stream::{NETWORKING, Stream};

pub(crate) fn check(plugin: &Plugin<'_>, stream: &Stream, findings: &mut Findings) {
    let Some(outline) = &plugin.outline else { return };
    let Some(bounds) = outline.bounds() else { return };
    if bounds.attach() == Attach::Upstream {
        upstream(plugin, stream, findings);
        return;
    }
    let services: Vec<&Object> = stream.each(NETWORKING, "VirtualService").filter(is_gateways).collect();
    let outside: Vec<Destination> = services.iter().flat_map(|service| outside(service, bounds)).collect();
    for service in services {
        for (index, route) in service.list("/spec/http").iter().enumerate() {
            for (path, mirror) in mirrors(route) {
                let goes_out =
                    destination(mirror, service, index).is_none_or(|mirror| !mirror.is_admitted(bounds));
                if goes_out {
                    let message = "gets the gateway key too, and is not in `to` of the outer door: name its cluster there, or \
                                   remove it";
                    findings.error(service, &format!("spec.http[{index}].{path}"), message);
                }
            }
            let Some(first) = outside.first() else { continue };
            for (path, what, name) in matchers(route) {
                let matched = if what == "header" { Matched::Header(name) } else { Matched::Parameter(name) };
                if outline.changes(matched) {
                    let message = format!(
                        "the outer door changes the {what} `{name}`, so that the route is chosen again after the gateway \
                         key was attached, and may lead to {}, which is not in `to`: match on another {what}, or lead no \
                         route there",
                        first.host()
                    );
                    findings.error(service, &format!("spec.http[{index}].{path}"), message);
                }
            }
        }
    }
}

/// What is attached upstream takes the filter in clusters too, which no plugin puts there.
fn upstream(plugin: &Plugin<'_>, stream: &Stream, findings: &mut Findings) {
    if stream.each(NETWORKING, "EnvoyFilter").next().is_none() {
        let field =
            if plugin.at("/pluginConfig/gatewayKey").is_some() { "gatewayKey" } else { "context.mint" };
        findings.error(
            plugin.object,
            &format!("{}: {field}.attach", plugin.path("pluginConfig")),
            "is upstream, which takes the filter in each cluster too, and a plugin stands in listeners only, so nothing is \
             ever attached: remove it, or put the filter into the clusters by an EnvoyFilter",
        );
    }
}

/// Whether a gateway follows these routes, and not sidecars alone.
fn is_gateways(service: &&Object) -> bool {
    service.list("/spec/gateways").iter().any(|gateway| *gateway != "mesh")
}

/// Where a service's routes lead that is not in the bounds.
fn outside(service: &Object, bounds: &Bounds) -> Vec<Destination> {
    let routes = service.list("/spec/http").iter().enumerate();
    let all = routes.flat_map(|(index, route)| {
        list(route, "/route")
            .iter()
            .filter_map(move |to| destination(to.pointer("/destination")?, service, index))
    });
    all.filter(|one| !one.is_admitted(bounds)).collect()
}

fn mirrors(route: &Value) -> Vec<(String, &Value)> {
    let many = list(route, "/mirrors").iter().enumerate();
    let many = many.filter_map(|(index, one)| {
        Some((format!("mirrors[{index}].destination"), one.pointer("/destination")?))
    });
    many.chain(route.pointer("/mirror").map(|one| ("mirror".to_owned(), one))).collect()
}

/// What a route matches on that a door may change, each with its path and kind.
fn matchers(route: &Value) -> Vec<(String, &'static str, &str)> {
    let kinds = [("headers", "header"), ("withoutHeaders", "header"), ("queryParams", "query parameter")];
    let entries = list(route, "/match").iter().enumerate();
    let all = entries.flat_map(|(index, entry)| {
        kinds.into_iter().flat_map(move |(field, what)| {
            let members =
                entry.pointer(&format!("/{field}")).and_then(Value::as_object).into_iter().flatten();
            members.map(move |(name, _)| (format!("match[{index}].{field}.{name}"), what, name.as_str()))
        })
    });
    all.collect()
}
