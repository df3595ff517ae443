//! Whether a gateway's routes can take what the outer door attaches where `to` does not let it go: Envoy copies a
//! request to mirrors, and chooses the route again when the door has changed what routes match on.

use vestibule::attached::Attach;
use vestibule::credential::places::Matched;

use super::findings::Findings;
use super::plugin::Plugin;
use super::route::routes;
use super::stream::{NETWORKING, Stream};

pub(crate) fn check(plugin: &Plugin<'_>, stream: &Stream, findings: &mut Findings) {
    let Some(outline) = &plugin.outline else { return };
    let Some(bounds) = outline.bounds() else { return };
    if bounds.attach() == Attach::Upstream {
        upstream(plugin, stream, findings);
        return;
    }
    let routes = routes(stream);
    let mut destinations = routes.iter().flat_map(|route| &route.destinations);
    let outside = destinations.find(|one| !one.is_admitted(bounds));
    for route in &routes {
        for (path, mirror) in &route.mirrors {
            if mirror.as_ref().is_none_or(|mirror| !mirror.is_admitted(bounds)) {
                let message = "gets the gateway key too, and is not in `to` of the outer door: name its cluster there, or \
                               remove it";
                findings.error(route.object, &format!("{}.{path}", route.path), message);
            }
        }
        let Some(outside) = outside else { continue };
        for (path, what, name) in &route.matchers {
            let matched = if *what == "header" { Matched::Header(name) } else { Matched::Parameter(name) };
            if outline.changes(matched) {
                let message = format!(
                    "the outer door changes the {what} `{name}`, so that the route is chosen again after the gateway \
                     key was attached, and may lead to {}, which is not in `to`: match on another {what}, or lead no \
                     route there",
                    outside.host()
                );
                findings.error(route.object, &format!("{}.{path}", route.path), message);
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
