//! The headers that belong to this door: which no client may set, and which are injected.

use crate::config::{Config, GATEWAY_KEY_HEADER, Strip};
use crate::header::{Folded, HeaderName, OwnedHeaders};
use crate::policy::Door;
use crate::policy::inject::{Injection, Source};

/// What is injected wherever there is a credential, and owned everywhere.
const DEFAULTS: [(&str, Source); 3] = [
    ("x-user-id", Source::Subject),
    ("x-tenant-id", Source::Tenant),
    ("x-user-permissions", Source::Permissions),
];

/// Headers by which clients ask frameworks to route or to act otherwise than the request line says.
const REWRITES: [&str; 5] =
    ["x-original-url", "x-rewrite-url", "x-http-method-override", "x-http-method", "x-method-override"];

pub(super) fn owned_headers(config: &Config<'_>) -> OwnedHeaders {
    let mut owned = OwnedHeaders::default();
    for (name, _) in DEFAULTS {
        owned.add(name);
    }
    owned.add(GATEWAY_KEY_HEADER);
    if config.door != Some(Door::Inner) {
        REWRITES.iter().for_each(|name| owned.add(name));
    }
    for header in gateway_headers(config).chain(config.inject.iter().map(|inject| &inject.header)) {
        owned.add(header.as_str());
    }
    for named in &config.entrances {
        for header in named.entry.trust.iter().flatten().flat_map(|trust| trust.headers()) {
            owned.add(header.as_str());
        }
    }
    for strip in &config.strip {
        match strip {
            Strip::Name(name) => owned.add(name.as_str()),
            Strip::Prefix(prefix) => owned.add_prefix(prefix.as_str()),
        }
    }
    owned
}

/// The defaults, where there is a principal to take them from, with what is configured over and beside them.
pub(super) fn injections(config: &Config<'_>) -> Vec<Injection> {
    check(config);
    let configured = |name: &HeaderName| config.inject.iter().any(|inject| inject.header == *name);
    let defaults = DEFAULTS.into_iter().filter(|_| config.has_credential_source());
    let defaults =
        defaults.filter_map(|(name, source)| Some(Injection { header: HeaderName::parse(name)?, source }));
    let written = config.inject.iter().filter_map(|inject| {
        Some(Injection { header: inject.header.clone(), source: inject.source.clone()? })
    });
    defaults.filter(|injection| !configured(&injection.header)).chain(written).collect()
}

fn check(config: &Config<'_>) {
    for (position, inject) in config.inject.iter().enumerate() {
        let folded = Folded::new(inject.header.as_str());
        let same = |other: &str| Folded::new(other) == folded && other != inject.header.as_str();
        let earlier =
            config.inject.iter().take(position).find(|other| Folded::new(other.header.as_str()) == folded);
        let default = DEFAULTS.iter().map(|(name, _)| *name).find(|name| same(name));
        if let Some(other) = earlier.map(|other| other.header.as_str()).or(default) {
            inject.node.error(format!(
                "is `{other}` in another spelling, and servers take them for one header: keep one"
            ));
        }
        if gateway_headers(config).any(|header| Folded::new(header.as_str()) == folded) {
            inject.node.error("carries the gateway key: inject into another header");
        }
        if inject.header.as_str() == "authorization" && !config.issuers.is_empty() {
            inject.node.error("carries the callers' own credential: inject into another header");
        }
        if inject.source.as_ref().is_some_and(|source| !matches!(source, Source::Text(_)))
            && !config.has_credential_source()
        {
            inject.node.error("has nothing to take it from: add `issuers`, or remove it");
        }
    }
    let trusted: Vec<_> = config
        .entrances
        .iter()
        .filter_map(|named| named.entry.trust.as_ref()?.as_ref().map(|trust| (&named.node, trust)))
        .collect();
    for (node, trust) in trusted {
        let headers: Vec<Folded> = trust.headers().map(|header| Folded::new(header.as_str())).collect();
        let distinct = headers
            .iter()
            .enumerate()
            .all(|(at, header)| !headers.iter().take(at).any(|earlier| earlier == header));
        let is_key = gateway_headers(config).any(|key| headers.contains(&Folded::new(key.as_str())));
        if !distinct || is_key {
            node.below("trust").error("names one header for two things: give each its own");
        }
    }
}

/// The headers in which gateway keys travel.
fn gateway_headers<'c>(config: &'c Config<'_>) -> impl Iterator<Item = &'c HeaderName> {
    let attached = config.gateway_key.iter().map(|(_, gateway_key)| &gateway_key.header);
    attached.chain(config.entrances.iter().filter_map(|named| named.entry.header.as_ref()))
}
