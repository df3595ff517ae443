//! What a gateway's routes write into requests, or take off them, behind the outer door: no filter sees it any more.

use serde_json::Value;
use vestibule::compile::handover::Handover;
use vestibule::header::{Folded, HeaderName};

use super::findings::Findings;
use super::object::{list, text};
use super::plugin::Plugin;
use super::route::routes;
use super::stream::Stream;

/// A header that a rule changes, by its path from the rule.
pub(crate) struct HeaderChange<'s> {
    path: String,
    name: &'s str,
    /// Else it is written.
    is_removed: bool,
}

/// What a rule of a `VirtualService` changes, for all of its destinations or for one.
pub(crate) fn of_service(rule: &Value) -> Vec<HeaderChange<'_>> {
    let one = |index: usize, to| (format!("route[{index}]."), to);
    let each = list(rule, "/route").iter().enumerate().map(|(index, to)| one(index, to));
    let all = std::iter::once((String::new(), rule)).chain(each);
    all.flat_map(|(place, value)| {
        let written = ["set", "add"].into_iter().flat_map({
            let place = place.clone();
            move |field| {
                let members = value.pointer(&format!("/headers/request/{field}")).and_then(Value::as_object);
                let place = place.clone();
                members.into_iter().flatten().map(move |(name, _)| HeaderChange {
                    path: format!("{place}headers.request.{field}.{name}"),
                    name,
                    is_removed: false,
                })
            }
        });
        written.chain(removed(value, "/headers/request/remove", format!("{place}headers.request.remove")))
    })
    .collect()
}

/// What a rule of the Gateway API changes, for all of its backends or for one.
pub(crate) fn of_rule(rule: &Value) -> Vec<HeaderChange<'_>> {
    let each = list(rule, "/backendRefs").iter().enumerate();
    let each = each.map(|(index, to)| (format!("backendRefs[{index}]."), to));
    let all = std::iter::once((String::new(), rule)).chain(each);
    let filters = all.flat_map(|(place, value)| {
        let filters = list(value, "/filters").iter().enumerate();
        filters.map(move |(index, filter)| (format!("{place}filters[{index}].requestHeaderModifier"), filter))
    });
    filters
        .flat_map(|(place, filter)| {
            let written = ["set", "add"].into_iter().flat_map({
                let place = place.clone();
                move |field| {
                    let place = place.clone();
                    let entries = list(filter, &format!("/requestHeaderModifier/{field}")).iter().enumerate();
                    entries.filter_map(move |(index, entry)| {
                        let path = format!("{place}.{field}[{index}].name");
                        Some(HeaderChange { path, name: text(entry, "/name")?, is_removed: false })
                    })
                }
            });
            written.chain(removed(filter, "/requestHeaderModifier/remove", format!("{place}.remove")))
        })
        .collect()
}

fn removed<'s>(value: &'s Value, pointer: &str, place: String) -> impl Iterator<Item = HeaderChange<'s>> {
    list(value, pointer).iter().enumerate().filter_map(move |(index, name)| {
        Some(HeaderChange { path: format!("{place}[{index}]"), name: name.as_str()?, is_removed: true })
    })
}

pub(crate) fn check(plugin: &Plugin<'_>, stream: &Stream, findings: &mut Findings) {
    let Some(outline) = &plugin.outline else { return };
    let Handover::Gives(gives) = outline.handover() else { return };
    let key = gives.gateway_key.iter().map(|key| &key.header);
    let attached: Vec<&HeaderName> = key.chain(gives.context.iter().map(|context| &context.header)).collect();
    let vouched = || attached.iter().copied().chain(gives.injected.iter().map(|(header, _)| header));
    // To servers all spellings of a name may be one.
    let is = |header: &HeaderName, name: &str| Folded::new(header.as_str()) == Folded::new(name);
    for route in routes(stream) {
        let gets =
            route.destinations.iter().any(|to| outline.bounds().is_some_and(|bounds| to.is_admitted(bounds)));
        for HeaderChange { path, name, is_removed } in &route.changes {
            let message = if *is_removed {
                if !gets || !attached.iter().any(|header| header.as_str().eq_ignore_ascii_case(name)) {
                    continue;
                }
                format!(
                    "takes off what {} attaches, and inner doors refuse every request without it: remove it",
                    plugin.object.title()
                )
            } else {
                if !vouched().any(|header| is(header, name)) {
                    continue;
                }
                format!(
                    "writes `{name}` behind {}, which vouches for that header: whoever is behind would believe what no door \
                     has verified. Remove it",
                    plugin.object.title()
                )
            };
            findings.error(route.object, &format!("{}.{path}", route.path), message);
        }
    }
}
