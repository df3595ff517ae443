//! The routes that gateways follow, whatever kind they are of: where each leads, what it copies requests to, and what
//! it matches on.

use serde_json::Value;

use super::destination::Destination;
use super::header_change::{self, HeaderChange};
use super::object::{Object, list, text};
use super::stream::{GATEWAY_API, NETWORKING, Stream};

/// One rule of an object with routes.
pub(crate) struct Route<'s> {
    pub(crate) object: &'s Object,
    /// Where it stands there.
    pub(crate) path: String,
    pub(crate) destinations: Vec<Destination>,
    /// What requests are copied to, each by its path from the rule; none where it names nobody.
    pub(crate) mirrors: Vec<(String, Option<Destination>)>,
    /// The headers and query parameters that it matches on, each by its path from the rule, and its kind.
    pub(crate) matchers: Vec<(String, &'static str, &'s str)>,
    /// What it changes of requests' headers.
    pub(crate) changes: Vec<HeaderChange<'s>>,
}

/// Every route of the stream that a gateway follows, and not sidecars alone.
pub(crate) fn routes(stream: &Stream) -> Vec<Route<'_>> {
    let services = stream.each(NETWORKING, "VirtualService").filter(|service| is_gateways(service));
    let services = services.flat_map(|service| {
        service.list("/spec/http").iter().enumerate().map(|(index, rule)| of_service(service, index, rule))
    });
    let others = stream.each(GATEWAY_API, "HTTPRoute").chain(stream.each(GATEWAY_API, "GRPCRoute"));
    let others = others.filter(|object| has_gateway_for_parent(object)).flat_map(|object| {
        object.list("/spec/rules").iter().enumerate().map(|(index, rule)| of_rule(object, index, rule))
    });
    services.chain(others).collect()
}

/// A `VirtualService` without hosts is one to which another delegates, and who follows that, follows it.
fn is_gateways(service: &Object) -> bool {
    service.list("/spec/hosts").is_empty()
        || service.list("/spec/gateways").iter().any(|gateway| *gateway != "mesh")
}

fn has_gateway_for_parent(object: &Object) -> bool {
    object
        .list("/spec/parentRefs")
        .iter()
        .any(|parent| matches!(text(parent, "/kind"), None | Some("Gateway")))
}

fn of_service<'s>(object: &'s Object, index: usize, rule: &'s Value) -> Route<'s> {
    let path = format!("spec.http[{index}]");
    let by = format!("{} ({path})", object.title());
    let destination = |to: &Value| Destination::of_service(to, object, &by);
    let destinations = list(rule, "/route").iter().filter_map(|to| destination(to.pointer("/destination")?));
    let many = list(rule, "/mirrors").iter().enumerate();
    let many = many.filter_map(|(index, one)| {
        Some((format!("mirrors[{index}].destination"), destination(one.pointer("/destination")?)))
    });
    let one = rule.pointer("/mirror").map(|one| ("mirror".to_owned(), destination(one)));
    let kinds = [("headers", "header"), ("withoutHeaders", "header"), ("queryParams", "query parameter")];
    let matchers = list(rule, "/match").iter().enumerate().flat_map(|(index, entry)| {
        kinds.into_iter().flat_map(move |(field, what)| {
            let members = entry.get(field).and_then(Value::as_object).into_iter().flatten();
            members.map(move |(name, _)| (format!("match[{index}].{field}.{name}"), what, name.as_str()))
        })
    });
    Route {
        object,
        path,
        destinations: destinations.collect(),
        mirrors: many.chain(one).collect(),
        matchers: matchers.collect(),
        changes: header_change::of_service(rule),
    }
}

fn of_rule<'s>(object: &'s Object, index: usize, rule: &'s Value) -> Route<'s> {
    let path = format!("spec.rules[{index}]");
    let by = format!("{} ({path})", object.title());
    let destination = |to: &Value| Destination::of_reference(to, object, &by);
    let backends = || list(rule, "/backendRefs").iter().enumerate();
    let destinations = backends().filter_map(|(_, to)| destination(to)).collect();
    let own = list(rule, "/filters").iter().enumerate();
    let own = own.map(|(index, filter)| (format!("filters[{index}]"), filter));
    let of_backends = backends().flat_map(|(backend, to)| {
        let filters = list(to, "/filters").iter().enumerate();
        filters.map(move |(index, filter)| (format!("backendRefs[{backend}].filters[{index}]"), filter))
    });
    let mirrors = own.chain(of_backends).filter_map(|(path, filter)| {
        let to = filter.pointer("/requestMirror/backendRef")?;
        Some((format!("{path}.requestMirror.backendRef"), destination(to)))
    });
    let kinds = [("headers", "header"), ("queryParams", "query parameter")];
    let matchers = list(rule, "/matches").iter().enumerate().flat_map(|(index, entry)| {
        kinds.into_iter().flat_map(move |(field, what)| {
            let named = entry.get(field).and_then(Value::as_array).into_iter().flatten().enumerate();
            named.filter_map(move |(at, one)| {
                Some((format!("matches[{index}].{field}[{at}].name"), what, text(one, "/name")?))
            })
        })
    });
    Route {
        object,
        path,
        destinations,
        mirrors: mirrors.collect(),
        matchers: matchers.collect(),
        changes: header_change::of_rule(rule),
    }
}
