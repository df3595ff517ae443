//! Issuers: their keys parsed, their rules made whole.

use std::sync::Arc;

use super::keys;
use super::secret::Secrets;
use crate::config::Config;
use crate::config::entrance::{Entrance, Trusted};
use crate::config::issuer::{self as written, Tenants, Type};
use crate::config::node::{Named, Node};
use crate::credential::issuer::{Identity, Issuer, Realm, Types};
use crate::credential::places::Places;
use crate::credential::remote::RemoteSource;
use crate::credential::source::Source;
use crate::jose::claims::ClaimRules;
use crate::jose::jwk::Key;
use crate::policy::Door;

pub(super) fn compile(config: &Config<'_>, places: &Places, secrets: &Secrets<'_>) -> Option<Vec<Issuer>> {
    check_apart(config);
    // Every issuer is compiled before the first that failed is given up on, so that all errors are found.
    config
        .issuers
        .iter()
        .map(|named| issuer(named, places, config, secrets))
        .collect::<Vec<_>>()
        .into_iter()
        .collect()
}

#[inline(never)]
fn issuer(
    named: &Named<'_, written::Issuer<'_>>,
    places: &Places,
    config: &Config<'_>,
    secrets: &Secrets<'_>,
) -> Option<Issuer> {
    let Named { name, node, entry } = named;
    let written::Issuer {
        issuer,
        audiences,
        keys,
        algorithms,
        sources,
        types,
        expiration,
        required_claims,
        claims,
        leeway,
        max_lifetime,
        confirmation,
        deny_kids,
        identity,
        tenants,
        subject_prefix,
        issues,
    } = entry;
    let audiences = audiences.as_ref().and_then(|audiences| self::audiences(node, *issuer, audiences));
    let keys = keys
        .as_ref()
        .and_then(|sources| keys::compile(node, sources, algorithms.as_deref(), config, secrets, *issues));
    let sources = sources
        .iter()
        .map(|source| Some(Source { place: places.number(&source.place)?, forward: source.forward }));
    let written::Identity { subject, tenant, permissions, scopes, roles, issuer: vouched } = identity;
    let tenants = match tenants {
        None | Some(Tenants::All) => None,
        Some(Tenants::Only(tenants)) => Some(tenants.clone()),
    };
    let keys = keys?;
    Some(Issuer {
        name: Arc::clone(name),
        iss: Some((*issuer)?).filter(|iss| *iss != "*").map(str::to_owned),
        keys: without_denied(node, keys.fixed, &keys.remote, deny_kids),
        remote: keys.remote,
        algorithms: algorithms.clone(),
        deny_kids: deny_kids.clone(),
        sources: sources.collect::<Option<_>>()?,
        types: Types {
            absent: types.contains(&Type::Absent),
            named: types
                .iter()
                .filter_map(|typ| if let Type::Named(typ) = typ { Some(typ.clone()) } else { None })
                .collect(),
        },
        rules: ClaimRules {
            audiences: audiences?,
            expiration: *expiration,
            required: required_claims.clone(),
            accepted: claims.clone(),
            leeway: *leeway,
            max_lifetime: *max_lifetime,
            confirmation: *confirmation,
        },
        identity: Identity {
            subject: subject.clone()?,
            tenant: tenant.clone()?,
            permissions: permissions.clone(),
            scopes: scopes.clone(),
            roles: roles.clone(),
            issuer: vouched.clone(),
        },
        realm: Realm { tenants, subject_prefix: subject_prefix.clone().unwrap_or(Some(String::new()))? },
    })
}

/// Several credentials must be told apart: which issuer judges a token, for whom each may speak, and whose
/// `alice` an `alice` is. Where an entrance is trusted too, its `alice` is the gateway's.
#[inline(never)]
fn check_apart(config: &Config<'_>) {
    let is_trusted = |named: &Named<'_, Entrance<'_>>| matches!(named.entry.trust, Trusted::Headers(_));
    if config.requires_context() {
        return check_alone(config);
    }
    if config.issuers.len() < 2 && !config.entrances.iter().any(is_trusted) {
        return;
    }
    for (position, Named { node, entry, .. }) in config.issuers.iter().enumerate() {
        if entry.issuer == Some("*") && config.issuers.len() > 1 {
            node.below("issuer").error("`*` is for a sole issuer, for it takes the tokens of every other");
        }
        if entry.tenants.is_none() {
            node.below("tenants").error(
                "is missing: beside another issuer or an entrance's `trust`, list the tenants this issuer may \
                 speak for, or write `\"*\"`",
            );
        }
        let others = || config.issuers.iter().take(position);
        if entry.issuer.is_some() && others().any(|other| other.entry.issuer == entry.issuer) {
            node.below("issuer")
                .error("is another one's too, and a token could be judged by either: make them one");
        }
        match &entry.subject_prefix {
            None => node.below("subjectPrefix").error(
                "is missing: beside another issuer or an entrance's `trust`, an issuer has a prefix of its own, \
                 so that subjects differ",
            ),
            Some(None) => {}
            Some(Some(prefix)) => {
                let clashes = |other: &str| other.starts_with(prefix.as_str()) || prefix.starts_with(other);
                let prefixes = others().filter_map(|other| other.entry.subject_prefix.as_ref()?.as_deref());
                if prefixes.into_iter().any(clashes) {
                    node.below("subjectPrefix").error(
                        "begins another one's or is begun by it, so that two subjects could be one: choose another",
                    );
                }
            }
        }
    }
}

/// The deepest nesting of a context: a list in `tctx` in the claims.
const CONTEXT_DEPTH: usize = 3;

/// A context is the only credential of its door, and says whom it is about by itself.
#[inline(never)]
fn check_alone(config: &Config<'_>) {
    if config.limits.json_depth < CONTEXT_DEPTH {
        config
            .node
            .below("limits.jsonDepth")
            .error("is less than a context needs, which is nested 3 deep: raise it");
    }
    let remedy =
        "stands beside `context.require`, and a context is the only credential of its door: remove one";
    // At an outer door it is the context that does not belong there.
    if config.node.value().get("issuers").is_some() && config.door != Some(Door::Outer) {
        config.node.below("issuers").error(remedy);
    }
    for named in &config.entrances {
        if matches!(named.entry.trust, Trusted::Headers(_)) {
            named.node.below("trust").error(remedy);
        }
    }
}

/// The keys that are still believed. None at all is no fault: denying the last one is what an emergency may
/// ask for.
fn without_denied(
    node: &Node<'_>,
    mut keys: Vec<Key>,
    remote: &[Arc<RemoteSource>],
    deny_kids: &[String],
) -> Vec<Key> {
    keys.retain(|key| key.kid().is_none_or(|kid| !deny_kids.iter().any(|denied| denied == kid)));
    if keys.is_empty() && remote.is_empty() {
        node.below("denyKids").warn("denies every key: no token of this issuer is accepted");
    }
    keys
}

/// The accepted audiences; none inside where they are not checked.
#[inline(never)]
fn audiences(node: &Node<'_>, issuer: Option<&str>, audiences: &[&str]) -> Option<Option<Vec<String>>> {
    let node = node.below("audiences");
    match audiences {
        [] => None,
        ["*"] if issuer == Some("*") => node.refuse(
            "`*` with `issuer: \"*\"` would take every token these keys ever signed: name an audience",
        ),
        ["*"] => Some(None),
        several if several.contains(&"*") => {
            node.refuse("`*` stands alone or not at all: remove it or the others")
        }
        several => Some(Some(several.iter().map(|audience| (*audience).to_owned()).collect())),
    }
}
