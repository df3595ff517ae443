//! Requirements that nobody can meet, as far as a configuration tells. It may be meant, so it is a warning.

use std::collections::BTreeMap;

use crate::access::grants::Grants;
use crate::config::Config;
use crate::config::access::{Access, Required, Requirements};
use crate::config::issuer::Issues;
use crate::config::node::{Named, Node};
use crate::principal::Grant;
use crate::route::EntranceRule;

/// Warns of each requirement that no principal can meet.
pub(super) fn warn(config: &Config<'_>, grants: &Grants) {
    let mut checker = Checker { config, grants, implied: BTreeMap::new() };
    if let Some(default) = &config.default {
        checker.check(default, EntranceRule::Required, &config.node.below("default"));
    }
    for Named { node, entry, .. } in &config.routes {
        if let Some(access) = &entry.access {
            let entrance = entry.entrance.as_ref().map_or(EntranceRule::Required, |(_, rule)| *rule);
            checker.check(access, entrance, &node.below("access"));
        }
    }
}

struct Checker<'c, 'v> {
    config: &'c Config<'v>,
    grants: &'c Grants,
    /// Whether something implies a permission; routes by the thousand require the same few.
    implied: BTreeMap<Grant, bool>,
}

/// Who can prove the principals of a rule.
#[derive(Clone, Copy)]
struct Provers {
    /// An entrance; whether it also says what they may do.
    trust: Option<bool>,
    issuers: bool,
    /// An issuer of which it is written where its tokens hold permissions.
    writes_permissions: bool,
}

impl Checker<'_, '_> {
    fn check(&mut self, access: &Access<'_>, entrance: EntranceRule, node: &Node<'_>) {
        let requirements = match access {
            Access::Public | Access::Optional | Access::Deny => return,
            Access::Authenticated => None,
            Access::Requires(requirements) => Some(requirements),
        };
        let provers = self.provers(requirements, entrance);
        if provers.trust.is_none() && !provers.issuers {
            return node.warn("is met by nobody, for nothing here proves a principal to it: add `context.require`, `issuers` or a \
                 `trust`, or say `public`");
        }
        let Some(requirements) = requirements else { return };
        for required in requirements.permissions.iter().flatten() {
            self.check_permission(required, provers);
        }
        let any: Vec<_> = requirements.any_permission.iter().flatten().collect();
        if !any.iter().any(|required| self.fault(&required.name, provers).is_none()) {
            any.iter().for_each(|required| self.check_permission(required, provers));
        }
        let others = [&requirements.scopes, &requirements.roles];
        for required in others.into_iter().flatten().flatten().filter(|_| !provers.issuers) {
            required
                .node
                .warn("is had by nobody, for an entrance's `trust` carries neither scopes nor roles");
        }
    }

    fn provers(&self, requirements: Option<&Requirements<'_>>, entrance: EntranceRule) -> Provers {
        let named = requirements.and_then(|requirements| requirements.issuers.as_ref());
        let is_named = |name: &str| named.is_none_or(|named| named.iter().any(|(_, one)| *one == name));
        let mut provers = Provers { trust: None, issuers: false, writes_permissions: false };
        for issuer in self.config.issuers.iter() {
            // A context has the permissions, and the name of the issuer, that the outer door knew.
            let is_context = issuer.entry.issues == Issues::Contexts;
            if !is_context && !is_named(&issuer.name) {
                continue;
            }
            provers.issuers = true;
            let identity = issuer.node.value().get("identity");
            provers.writes_permissions |=
                is_context || identity.is_some_and(|identity| identity.get("permissions").is_some());
        }
        // Whom an entrance proves has no issuer.
        if named.is_none() && entrance == EntranceRule::Required {
            let trusts = self.config.entrances.iter();
            let trusts = trusts.filter_map(|entrance| self.config.trust_of(&entrance.entry).flatten());
            provers.trust = trusts.map(|trust| trust.permissions.is_some()).max();
        }
        provers
    }

    fn check_permission(&mut self, required: &Required<'_>, provers: Provers) {
        if let Some(fault) = self.fault(&required.name, provers) {
            required.node.warn(fault);
        }
    }

    /// Why nobody has this permission.
    fn fault(&mut self, permission: &Grant, provers: Provers) -> Option<&'static str> {
        if provers.trust == Some(true) || provers.writes_permissions {
            return None;
        }
        let mut implied = || {
            let known = self.implied.entry(permission.clone());
            *known.or_insert_with(|| !self.grants.implying(permission).is_empty())
        };
        if !provers.issuers {
            Some("is had by nobody, for no entrance's `trust` names a header of permissions")
        } else if self.config.grants.is_empty() || implied() {
            None
        } else {
            Some(
                "is given by nothing in `grants`, and of no issuer is it written where its tokens hold \
                 permissions: correct the name, add it to `grants`, or write `identity.permissions`",
            )
        }
    }
}
