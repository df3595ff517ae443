//! One header, one meaning: two uses of names that servers take for one are refused.
//!
//! A key in the header of a principal would be the principal, and a value in one spelling beside another
//! value in another spelling is whichever a server reads last.

use super::owned;
use crate::config::issuer::Issues;
use crate::config::node::Node;
use crate::config::{Config, Strip};
use crate::header::{Folded, HeaderName, OwnedHeaders};
use crate::policy::inject::Source;

/// What a header is used for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    GatewayKey,
    Subject,
    Tenant,
    Permissions,
    Injected,
    Credential,
    Context,
}

impl Use {
    const fn describe(self) -> &'static str {
        match self {
            Self::GatewayKey => "carries the gateway key",
            Self::Subject => "carries the trusted subject",
            Self::Tenant => "carries the trusted tenant",
            Self::Permissions => "carries the trusted permissions",
            Self::Injected => "is injected",
            Self::Credential => "carries the callers' own credential",
            Self::Context => "carries the context",
        }
    }

    /// Whether one header of exactly one name may have both uses: several entrances share their headers, and
    /// what is trusted is injected again.
    fn goes_with(self, other: Self) -> bool {
        let is_trusted = |one| matches!(one, Self::Subject | Self::Tenant | Self::Permissions);
        self == other || (is_trusted(self) && other == Self::Injected)
    }
}

/// A use, where it is written, or where the default that makes it would be written.
struct Named<'v> {
    header: HeaderName,
    used: Use,
    node: Node<'v>,
}

#[inline(never)]
pub(super) fn check(config: &Config<'_>) {
    let uses = uses(config);
    for (position, one) in uses.iter().enumerate() {
        let clashes = |other: &&Named<'_>| {
            let same_name = one.header == other.header;
            let same_fold = Folded::new(one.header.as_str()) == Folded::new(other.header.as_str());
            let goes = one.used.goes_with(other.used) || other.used.goes_with(one.used);
            same_fold && !(same_name && goes)
        };
        if let Some(other) = uses.iter().take(position).find(clashes) {
            let (name, does) = (&other.header, other.used.describe());
            one.node.error(format!(
                "is for some servers the same header as `{name}`, which {does}: choose another"
            ));
        }
    }
    for inject in &config.inject {
        let of_principal = inject.source.as_ref().is_some_and(|source| !matches!(source, Source::Text(_)));
        let of_token = matches!(inject.source, Some(Source::Payload | Source::Claim(..)));
        let nothing =
            (of_principal && !config.has_credential_source()) || (of_token && config.issuers.is_empty());
        if nothing {
            inject.node.error("has nothing to take it from: add `issuers`, or remove it");
        }
    }
    let mut stripped = OwnedHeaders::default();
    for strip in &config.strip {
        match strip {
            Strip::Name(name) => stripped.add(name.as_str()),
            Strip::Prefix(prefix) => stripped.add_prefix(prefix.as_str()),
        }
    }
    let built_in = owned::built_in();
    let sources = config
        .issuers
        .iter()
        .flat_map(|named| named.entry.sources.iter().map(|source| (named.entry.issues, source)));
    for (issues, source) in sources {
        let Some(header) = source.place.header() else { continue };
        if built_in.owns(header.as_bytes()) && issues == Issues::Tokens {
            source.node.error(format!(
                "reads `{header}`, which is Vestibule's own and removed from every request: choose another header"
            ));
        }
        if stripped.owns(header.as_bytes()) {
            config.node.below("strip").error(format!(
                "removes `{header}`, of which the issuers' `sources` say what stays: remove it here"
            ));
        }
    }
}

/// Every use, the written ones last, so that the error stands where something can be changed.
#[inline(never)]
fn uses<'v>(config: &Config<'v>) -> Vec<Named<'v>> {
    let mut uses = Vec::new();
    let mut add = |header: &HeaderName, used, node: Node<'v>| {
        uses.push(Named { header: header.clone(), used, node });
    };
    for (header, node) in credentials(config, false) {
        add(&header, Use::Credential, node);
    }
    for injection in owned::injections(config) {
        let node = config.node.below("inject").below(injection.header.as_str());
        add(&injection.header, Use::Injected, node);
    }
    for (header, node) in credentials(config, true) {
        add(&header, Use::Credential, node);
    }
    for named in &config.entrances {
        let Some(Some(trust)) = config.trust_of(&named.entry) else { continue };
        let node = named.node.below("trust");
        add(&trust.subject, Use::Subject, node.below("subject"));
        if let Some(tenant) = &trust.tenant {
            add(tenant, Use::Tenant, node.below("tenant"));
        }
        if let Some(permissions) = &trust.permissions {
            add(permissions, Use::Permissions, node.below("permissions"));
        }
    }
    if let Some((header, node)) = config.context_header() {
        add(header, Use::Context, node);
    }
    if let Some((node, gateway_key)) = &config.gateway_key {
        add(&gateway_key.header, Use::GatewayKey, node.below("header"));
    }
    for named in config.entrances.iter().filter(|named| named.entry.keys.is_some()) {
        if let Some(header) = &named.entry.header {
            add(header, Use::GatewayKey, named.node.below("header"));
        }
    }
    uses
}

/// The headers that carry credentials, by sources that are written or by the default ones. One that is owned
/// whatever is configured has its own error.
fn credentials<'v>(config: &Config<'v>, written: bool) -> Vec<(HeaderName, Node<'v>)> {
    let built_in = owned::built_in();
    let issuers = config.issuers.iter().filter(|named| named.entry.issues == Issues::Tokens);
    let issuers = issuers.filter(|named| named.node.value().get("sources").is_some() == written);
    let sources = issuers.flat_map(|named| &named.entry.sources);
    let headers = sources.filter_map(|source| {
        let header = HeaderName::parse(source.place.header()?)?;
        (!built_in.owns(header.as_bytes())).then(|| (header, source.node.clone()))
    });
    headers.collect()
}
