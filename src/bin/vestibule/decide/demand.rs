//! What a route requires of a caller, and what of the caller gives it.

use vestibule::access::grants::Grants;
use vestibule::access::requirements::{Holding, Permission, Requirement, Requirements};
use vestibule::policy::trace::{Kind, Origin};
use vestibule::principal::{Grant, Principal};

/// One requirement.
pub(crate) struct Demand {
    /// `issuer`, `permission`, `scope` or `role`.
    pub(crate) kind: &'static str,
    /// Any of these.
    pub(crate) names: Vec<String>,
    pub(crate) is_met: bool,
    /// What meets it, where something does.
    pub(crate) by: Option<Met>,
}

/// What meets a requirement.
pub(crate) struct Met {
    /// The claim or header that it was read from; none for the issuer itself.
    pub(crate) from: Option<String>,
    /// From what the caller holds to what gives what is required, each implying the next.
    pub(crate) way: Vec<String>,
}

/// Every requirement, in the order in which they are checked.
pub(crate) fn each(
    requirements: &Requirements,
    principal: &Principal,
    origins: &[Origin],
    grants: &Grants,
) -> Vec<Demand> {
    let of = |requirement: Requirement<'_>| {
        let texts = |names: &[Grant]| names.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>();
        let (kind, names, by) = match requirement {
            Requirement::Issuers(issuers) => {
                let names: Vec<String> = issuers.iter().map(|issuer| issuer.to_string()).collect();
                let by = principal.issuer().filter(|issuer| names.iter().any(|name| name == issuer));
                ("issuer", names, by.map(|issuer| Met { from: None, way: vec![issuer.to_owned()] }))
            }
            Requirement::Permission(permission) => {
                let names = vec![permission.name().as_str().to_owned()];
                ("permission", names, held(permission, principal, origins, grants))
            }
            Requirement::AnyPermission(any) => {
                let names = any.iter().map(|permission| permission.name().as_str().to_owned()).collect();
                (
                    "permission",
                    names,
                    any.iter().find_map(|permission| held(permission, principal, origins, grants)),
                )
            }
            Requirement::Scope(scope) => {
                let by = principal.scopes().iter().find(|held| *held == scope);
                (
                    "scope",
                    texts(std::slice::from_ref(scope)),
                    by.map(|name| met(Kind::Scope, name, origins, Vec::new())),
                )
            }
            Requirement::Roles(roles) => {
                let by = principal.roles().iter().find(|held| roles.contains(held));
                ("role", texts(roles), by.map(|name| met(Kind::Role, name, origins, Vec::new())))
            }
        };
        Demand { kind, names, is_met: requirement.is_met(principal), by }
    };
    requirements.each().map(of).collect()
}

fn held(permission: &Permission, principal: &Principal, origins: &[Origin], grants: &Grants) -> Option<Met> {
    let (kind, name) = match permission.held_by(principal)? {
        Holding::Permission(name) => (Kind::Permission, name),
        Holding::Role(name) => (Kind::Role, name),
    };
    let mut way = grants.way(name, permission.name()).unwrap_or_default();
    // What ends in `*` covers what is required.
    if way.last() != Some(permission.name()) {
        way.push(permission.name().clone());
    }
    Some(met(kind, name, origins, way))
}

fn met(kind: Kind, name: &Grant, origins: &[Origin], way: Vec<Grant>) -> Met {
    let origin = origins.iter().find(|origin| origin.kind == kind && origin.name == *name);
    let way = if way.is_empty() { vec![name.clone()] } else { way };
    Met {
        from: origin.map(|origin| origin.from.clone()),
        way: way.iter().map(|name| name.as_str().to_owned()).collect(),
    }
}
