//! `routes`: as written, every field typed.

use super::access::{self, Access};
use super::context;
use super::node::Node;
use crate::route::EntranceRule;
use crate::route::host::HostPattern;
use crate::route::method;
use crate::route::template::Template;

/// The most routes of a door. A route has up to 100 hosts and as many paths.
pub const MAX: usize = 10_000;

/// One route.
#[derive(Debug)]
pub struct Route<'v> {
    /// `hosts`; none is any.
    pub hosts: Option<Vec<HostPattern>>,
    /// `methods`; none is any.
    pub methods: Option<Vec<&'v str>>,
    /// `paths`, each with where it stands.
    pub paths: Vec<(Node<'v>, Template)>,
    /// `access`.
    pub access: Option<Access<'v>>,
    /// `entrance`, and where it stands.
    pub entrance: Option<(Node<'v>, EntranceRule)>,
    /// `audience`, and where it stands.
    pub audience: Option<(Node<'v>, &'v str)>,
}

#[inline(never)]
pub(crate) fn read<'v>(node: &Node<'v>) -> Option<Route<'v>> {
    let mut fields = node.object()?;
    let hosts =
        fields.optional("hosts").map(|hosts| distinct(hosts.each(|node| Some((node.clone(), host(node)?)))));
    let methods = fields
        .optional("methods")
        .map(|methods| distinct(methods.each(|node| Some((node.clone(), method(node)?)))));
    let paths = fields.required("paths", "name the paths it is for, as in `[/orders/{id}, /static/{*rest}]`");
    let access =
        fields.required("access", "say what it needs: `public`, `authenticated`, `{permissions: [...]}`");
    let entrance = fields.optional("entrance").and_then(|node| {
        let rule = node.choice(&[("required", EntranceRule::Required), ("exempt", EntranceRule::Exempt)])?;
        Some((node, rule))
    });
    let route = Route {
        hosts,
        methods,
        paths: paths.map(|paths| paths.each(|node| Some((node.clone(), path(node)?)))).unwrap_or_default(),
        access: access.and_then(|access| access::read(&access)),
        entrance,
        audience: fields
            .optional("audience")
            .and_then(|node| context::name(&node).map(|audience| (node, audience))),
    };
    fields.finish();
    Some(route)
}

/// The values; one that is there twice is an error.
fn distinct<T: PartialEq>(values: Vec<(Node<'_>, T)>) -> Vec<T> {
    let mut distinct = Vec::new();
    for (node, value) in values {
        if distinct.contains(&value) {
            node.error("is there twice: remove one");
        } else {
            distinct.push(value);
        }
    }
    distinct
}

#[inline(never)]
fn host(node: &Node<'_>) -> Option<HostPattern> {
    let pattern = HostPattern::parse(node.text()?);
    pattern.or_else(|| {
        node.refuse(
            "is not a host as in `api.example.com`, `*.example.com` or `[::1]`: without a port, and for any host \
             leave `hosts` out",
        )
    })
}

#[inline(never)]
fn method<'v>(node: &Node<'v>) -> Option<&'v str> {
    let text = node.text()?;
    if method::is_refused(text.as_bytes()) {
        node.refuse("reaches no route, for no door forwards it: remove it")
    } else if !method::is_method(text.as_bytes()) {
        node.refuse("is not a method: write it in upper case, as in `GET`")
    } else {
        Some(text)
    }
}

#[inline(never)]
fn path(node: &Node<'_>) -> Option<Template> {
    match Template::parse(node.text()?) {
        Ok(template) => Some(template),
        Err(error) => node.refuse(error.to_string()),
    }
}
