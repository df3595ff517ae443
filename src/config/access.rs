//! `default` and a route's `access`: as written, every field typed.

use serde_json::Value;

use super::node::Node;
use crate::principal::Grant;
use crate::tenant::TenantRule;

/// What a request needs.
#[derive(Debug)]
pub enum Access<'v> {
    /// `public`.
    Public,
    /// `optional`.
    Optional,
    /// `authenticated`.
    Authenticated,
    /// `deny`.
    Deny,
    /// An object of requirements.
    Requires(Requirements<'v>),
}

/// What a principal must have; each list is none where it is not written.
#[derive(Debug)]
pub struct Requirements<'v> {
    /// `permissions`: all of these.
    pub permissions: Option<Vec<Required<'v>>>,
    /// `anyPermission`: any of these.
    pub any_permission: Option<Vec<Required<'v>>>,
    /// `scopes`: all of these.
    pub scopes: Option<Vec<Required<'v>>>,
    /// `roles`: any of these.
    pub roles: Option<Vec<Required<'v>>>,
    /// `issuers`: any of these, by their names here.
    pub issuers: Option<Vec<(Node<'v>, &'v str)>>,
    /// `tenant`: `optional`, whatever the door's own rule is.
    pub tenant: Option<TenantRule>,
}

/// A permission, scope or role, and where it is required.
#[derive(Debug)]
pub struct Required<'v> {
    /// Its name.
    pub name: Grant,
    /// Where it stands.
    pub node: Node<'v>,
}

#[inline(never)]
pub(crate) fn read<'v>(node: &Node<'v>) -> Option<Access<'v>> {
    match node.value() {
        Value::Object(_) => requirements(node).map(Access::Requires),
        Value::String(text) => match text.as_str() {
            "public" => Some(Access::Public),
            "optional" => Some(Access::Optional),
            "authenticated" => Some(Access::Authenticated),
            "deny" => Some(Access::Deny),
            _ => refuse(node),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => refuse(node),
    }
}

fn refuse<'v>(node: &Node<'v>) -> Option<Access<'v>> {
    node.refuse(
        "must be `public`, `optional`, `authenticated`, `deny`, or an object with any of `permissions`, \
         `anyPermission`, `scopes`, `roles`, `issuers` and `tenant`",
    )
}

#[inline(never)]
fn requirements<'v>(node: &Node<'v>) -> Option<Requirements<'v>> {
    let mut fields = node.object()?;
    let mut list = |name| fields.optional(name).map(|list| list.each(required));
    let requirements = Requirements {
        permissions: list("permissions"),
        any_permission: list("anyPermission"),
        scopes: list("scopes"),
        roles: list("roles"),
        issuers: fields
            .optional("issuers")
            .map(|issuers| issuers.each(|issuer| Some((issuer.clone(), issuer.text()?)))),
        tenant: fields.optional("tenant").and_then(|tenant| {
            let optional = tenant.value().as_str() == Some("optional");
            if !optional {
                tenant.error("must be `optional`, or not be there: the door's own `tenant` requires one");
            }
            optional.then_some(TenantRule::Optional)
        }),
    };
    fields.finish();
    Some(requirements)
}

fn required<'v>(node: &Node<'v>) -> Option<Required<'v>> {
    let name = grant(node)?;
    if name.as_str().contains('*') {
        return node.refuse("names one exactly: `*` is for what is granted, at its end");
    }
    Some(Required { name, node: node.clone() })
}

/// A permission, scope or role.
pub(crate) fn grant(node: &Node<'_>) -> Option<Grant> {
    let name = Grant::parse(node.text()?.as_bytes());
    if name.is_none() {
        node.error(
            "cannot be the name of a permission, scope or role: 1 to 128 visible ASCII characters without `\"`, \
             `,` and `\\`",
        );
    }
    name
}
