//! The headers that belong to this door: which no client may set, and which are injected.

use crate::config::context::CONTEXT_HEADER;
use crate::config::issuer::Issues;
use crate::config::node::Node;
use crate::config::{Config, GATEWAY_KEY_HEADER, Strip};
use crate::credential::source::Place;
use crate::header::{HeaderName, OwnedHeaders};
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

/// The headers that are owned whatever a configuration says.
pub(super) fn built_in() -> OwnedHeaders {
    let mut owned = OwnedHeaders::default();
    for (name, _) in DEFAULTS {
        owned.add(name);
    }
    owned.add(GATEWAY_KEY_HEADER);
    owned.add(CONTEXT_HEADER);
    REWRITES.iter().for_each(|name| owned.add(name));
    owned
}

#[inline(never)]
pub(super) fn owned_headers(config: &Config<'_>) -> OwnedHeaders {
    let mut owned = built_in();
    for inject in &config.inject {
        owned.add(inject.header.as_str());
    }
    if let Some((_, gateway_key)) = &config.gateway_key {
        owned.add(gateway_key.header.as_str());
    }
    if let Some((header, _)) = config.context_header() {
        owned.add(header.as_str());
    }
    for named in &config.entrances {
        let trust = config.trust_of(&named.entry).flatten();
        let trusted = trust.iter().flat_map(|trust| trust.headers());
        for header in trusted.chain(&named.entry.header) {
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
#[inline(never)]
pub(super) fn injections(config: &Config<'_>) -> Vec<Injection> {
    let configured = |name: &HeaderName| config.inject.iter().any(|inject| inject.header == *name);
    let defaults = DEFAULTS.into_iter().filter(|_| config.has_credential_source());
    let defaults =
        defaults.filter_map(|(name, source)| Some(Injection { header: HeaderName::parse(name)?, source }));
    let written = config.inject.iter().filter_map(|inject| {
        Some(Injection { header: inject.header.clone(), source: inject.source.clone()? })
    });
    defaults.filter(|injection| !configured(&injection.header)).chain(written).collect()
}

impl<'v> Config<'v> {
    /// The header that carries a context, at either door, and where it is named.
    pub(super) fn context_header(&self) -> Option<(&HeaderName, Node<'v>)> {
        let mut required = self.issuers.iter().filter(|named| named.entry.issues == Issues::Contexts);
        match (&self.mint, required.next()) {
            (Some(mint), _) => Some((mint.header.as_ref()?, mint.node.below("header"))),
            (None, Some(named)) => named.entry.sources.first().and_then(|source| match &source.place {
                Place::Header(whole) => Some((&whole.header, source.node.clone())),
                Place::Bearer(_) | Place::Cookie(_) | Place::Query(_) => None,
            }),
            (None, None) => None,
        }
    }
}
