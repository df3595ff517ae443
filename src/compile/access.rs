//! Access rules: each requirement with all that gives it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::access::Access;
use crate::access::grants::{Cycle, Grants};
use crate::access::requirements::{Permission, Requirements};
use crate::config::Config;
use crate::config::access::{self as written, Required};
use crate::config::node::Node;
use crate::name::is_name;
use crate::principal::Grant;

/// Compiles access rules. Routes by the thousand require the same few permissions, so each is made once.
pub(super) struct Compiler<'c, 'v> {
    config: &'c Config<'v>,
    grants: &'c Grants,
    permissions: BTreeMap<Grant, Arc<Permission>>,
}

/// `grants`, as a whole.
#[inline(never)]
pub(super) fn grants(config: &Config<'_>) -> Option<Grants> {
    let written = &config.grants;
    let mut implied = BTreeMap::new();
    implied.extend(written.iter().map(|entry| (entry.name.clone(), entry.implied.clone())));
    match Grants::new(implied) {
        Ok(grants) => Some(grants),
        Err(Cycle(names)) => {
            let closed_by = names.first().and_then(|name| written.iter().find(|entry| entry.name == *name));
            let way: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_str())).collect();
            let node = closed_by.map_or(&config.node, |entry| &entry.node);
            node.refuse(format!("implies itself: {}: remove one of these", way.join(" implies ")))
        }
    }
}

impl<'c, 'v> Compiler<'c, 'v> {
    pub(super) fn new(config: &'c Config<'v>, grants: &'c Grants) -> Self {
        Self { config, grants, permissions: BTreeMap::new() }
    }

    #[inline(never)]
    pub(super) fn compile(&mut self, access: &written::Access<'_>) -> Option<Access> {
        Some(match access {
            written::Access::Public => Access::Public,
            written::Access::Optional => Access::Optional,
            written::Access::Authenticated => Access::Authenticated,
            written::Access::Deny => Access::Deny,
            written::Access::Requires(requirements) => {
                Access::Requires(self.requirements(requirements)?.into())
            }
        })
    }

    #[inline(never)]
    fn requirements(&mut self, requirements: &written::Requirements<'_>) -> Option<Requirements> {
        let written::Requirements { permissions, any_permission, scopes, roles, issuers, tenant } =
            requirements;
        let names =
            |required: &Vec<Required<'_>>| required.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        let mut list = |required: &Vec<Required<'_>>| {
            required.iter().map(|one| self.permission(&one.name)).collect::<Vec<_>>()
        };
        let permissions = permissions.as_ref().map(&mut list).unwrap_or_default();
        let any_permission = any_permission.as_ref().map(list);
        let scopes = scopes.as_ref().map(names).unwrap_or_default();
        let issuers = match issuers {
            None => None,
            // Every one is looked up before the first that is unknown is given up on.
            Some(issuers) => {
                let names: Vec<_> = issuers.iter().map(|(node, name)| self.issuer(node, name)).collect();
                Some(names.into_iter().collect::<Option<Vec<_>>>()?)
            }
        };
        Some(Requirements {
            issuers,
            permissions,
            any_permission,
            challenge: challenge(&scopes),
            scopes,
            roles: roles.as_ref().map(names),
            tenant: *tenant,
        })
    }

    fn permission(&mut self, name: &Grant) -> Arc<Permission> {
        let make = || Arc::new(Permission::new(name.clone(), self.grants));
        Arc::clone(self.permissions.entry(name.clone()).or_insert_with(make))
    }

    /// The issuer of this name, whether or not it could be read.
    fn issuer(&self, node: &Node<'_>, name: &str) -> Option<Arc<str>> {
        // A context has the names of the outer door's issuers.
        if self.config.requires_context() && is_name(name) {
            return Some(name.into());
        }
        let issuers = self.config.node.value().get("issuers");
        if issuers.and_then(|issuers| issuers.get(name)).is_none() {
            return node.refuse("is the name of no issuer here: name one of `issuers`");
        }
        Some(name.into())
    }
}

/// The most characters of scopes that an answer names: servers on the way refuse a longer header, and with it
/// the answer.
const MAX_NAMED: usize = 2_048;

/// What a principal that lacks a scope is told: all that are needed (RFC 6750 section 3), unless they are too
/// long. A scope has neither `"` nor `\`, so it stands in a quoted string as it is.
fn challenge(scopes: &[Grant]) -> Option<Arc<str>> {
    let names = scopes.iter().map(Grant::as_str).collect::<Vec<_>>().join(" ");
    (1..=MAX_NAMED).contains(&names.len()).then(|| {
        format!("Bearer realm=\"vestibule\", error=\"insufficient_scope\", scope=\"{names}\"").into()
    })
}
