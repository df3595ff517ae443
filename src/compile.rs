//! From the document to the policy: what one field means beside another, the keys, and the secrets of the
//! environment.
//!
//! Nothing can fail after it. All errors come together, for whoever mends a configuration wants to mend it
//! once; a part that is broken is left out of the checks that need it, and no policy comes of it.

mod access;
mod collision;
mod context;
mod engines;
mod entrance;
mod example;
pub mod handover;
mod issuer;
mod keys;
mod owned;
mod plausible;
mod publish;
mod reach;
mod route;
mod secret;
mod source;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::access::Access;
use crate::access::grants::Grants;
use crate::attached::{Attach, Bounds};
use crate::config::entrance::KeyForm;
use crate::config::error::{ConfigError, ConfigErrors, ErrorList};
use crate::config::keys::KeySource;
use crate::config::node::Node;
use crate::config::secret::Secret;
use crate::config::{self, Config};
use crate::context::mint::Mint;
use crate::credential::gateway_key::{Attachment, GatewayKey};
use crate::credential::places::{Matched, Places};
use crate::credential::proof_cache::ProofCache;
use crate::credential::remote::RemoteSource;
use crate::header::OwnedHeaders;
use crate::jose::compact::Size;
use crate::jose::module::Module;
use crate::jose::signature::Tries;
use crate::json;
use crate::policy::{Door, Limits, Policy};
use crate::route::Routes;
use crate::route::rule::Rule;
use crate::time::UnixTime;
pub use context::settle_signing;
pub use engines::{check_engines, crypto};
use handover::Handover;
use secret::Resolved;
pub use secret::Secrets;

/// Parses the text of a configuration.
///
/// # Errors
/// Where it is no JSON, or where it has members twice.
#[inline(never)]
pub fn parse_document(text: &[u8]) -> Result<Value, ConfigErrors> {
    json::parse(text, config::BOUNDS).map_err(|error| match error {
        json::Error::Syntax(message) => ConfigError::new("", format!("is {message}")).into(),
        json::Error::Duplicates(paths) => {
            paths.into_iter().map(|path| ConfigError::new(path, "is there twice: remove one")).collect()
        }
    })
}

/// Compiles a configuration that is to be used from `now` on.
///
/// # Errors
/// Everything that is wrong with it.
pub fn compile(
    document: &Value,
    secrets: &Secrets<'_>,
    now: UnixTime,
) -> Result<Compiled<Policy>, ConfigErrors> {
    compile_for(Module::BUILT, document, secrets, now)
}

/// Compiles a configuration for this module.
///
/// # Errors
/// Everything that is wrong with it, and what this module cannot do.
pub fn compile_for(
    module: Module,
    document: &Value,
    secrets: &Secrets<'_>,
    now: UnixTime,
) -> Result<Compiled<Policy>, ConfigErrors> {
    run(document, module, |config| policy(config, secrets, now))
}

/// Checks a configuration without making a policy of it, so that the secrets' values may be unknown.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(
    document: &Value,
    secrets: &Secrets<'_>,
    now: UnixTime,
) -> Result<Compiled<Outline>, ConfigErrors> {
    check_for(Module::BUILT, document, secrets, now)
}

/// Checks a configuration for this module.
///
/// # Errors
/// As [`compile_for`].
pub fn check_for(
    module: Module,
    document: &Value,
    secrets: &Secrets<'_>,
    now: UnixTime,
) -> Result<Compiled<Outline>, ConfigErrors> {
    run(document, module, |config| {
        let policy = policy(config, secrets, now);
        // What is broken is mended first; and what reads it again would tell of it again.
        if config.node.document_has_errors() {
            return None;
        }
        let grants = access::grants(config)?;
        advise(config, &grants);
        Some(Outline {
            door: config.door?,
            owned: owned::owned_headers(config),
            places: source::places(config),
            remote: remote_sources(config),
            rules: config.routes.iter().map(route::rule).collect(),
            grants,
            bounds: bounds(config),
            secrets: named_secrets(config),
            handover: handover::of(config, policy.as_ref())?,
        })
    })
}

/// What a configuration says that does not depend on secrets.
#[derive(Clone, Debug)]
pub struct Outline {
    door: Door,
    owned: OwnedHeaders,
    places: Places,
    remote: Vec<(String, RemoteSource)>,
    rules: Vec<Rule>,
    grants: Grants,
    bounds: Option<Bounds>,
    secrets: Vec<(String, String)>,
    handover: Handover,
}

impl Outline {
    /// Which door it is for.
    #[must_use]
    pub fn door(&self) -> Door {
        self.door
    }

    /// Where the issuers publish their keys, each with the path of its `remote`.
    #[must_use]
    pub fn remote_sources(&self) -> &[(String, RemoteSource)] {
        &self.remote
    }

    /// The routes, as they are written.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What roles and permissions imply.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// How far goes what the door attaches; none where it attaches nothing.
    #[must_use]
    pub fn bounds(&self) -> Option<&Bounds> {
        self.bounds.as_ref()
    }

    /// The variables that hold its secrets, each with the path of what names it.
    #[must_use]
    pub fn secrets(&self) -> &[(String, String)] {
        &self.secrets
    }

    /// What passes between it and doors of the other kind.
    #[must_use]
    pub fn handover(&self) -> &Handover {
        &self.handover
    }

    /// Whether the door may set or remove what a route matches on.
    #[must_use]
    pub fn changes(&self, matched: Matched<'_>) -> bool {
        let is_owned = matches!(matched, Matched::Header(name) if self.owned.owns(name.as_bytes()));
        is_owned || self.places.changes(matched)
    }

    /// Whether the door takes this header off every request, in any spelling, whatever it then writes there.
    #[must_use]
    pub fn owns(&self, header: &str) -> bool {
        self.owned.owns(header.as_bytes())
    }

    /// Whether callers' credentials come in this header, so that the issuers' sources say what of it stays.
    #[must_use]
    pub fn carries_credentials(&self, header: &str) -> bool {
        self.places.guards(header.as_bytes())
    }
}

fn remote_sources(config: &Config<'_>) -> Vec<(String, RemoteSource)> {
    let sources = config.issuers.iter().flat_map(|named| named.entry.keys.iter().flatten());
    let remote = sources.filter_map(|source| match source {
        KeySource::Remote(written) => Some((written.node.path().to_owned(), keys::described(written, None)?)),
        KeySource::Jwks(_) | KeySource::Pem { .. } | KeySource::Secret(_) => None,
    });
    remote.collect()
}

fn named_secrets(config: &Config<'_>) -> Vec<(String, String)> {
    let sources = config.issuers.iter().flat_map(|named| named.entry.keys.iter().flatten());
    let shared = sources.filter_map(|source| match source {
        KeySource::Secret(secret) => Some(secret),
        KeySource::Jwks(_) | KeySource::Pem { .. } | KeySource::Remote(_) => None,
    });
    let keys = config.entrances.iter().flat_map(|named| named.entry.keys.iter().flatten());
    let accepted = keys.filter_map(|named| match &named.entry.form {
        Some(KeyForm::Secret(secret)) => Some(secret),
        Some(KeyForm::Sha256(_)) | None => None,
    });
    let attached = config.gateway_key.as_ref().and_then(|(_, key)| key.key.as_ref());
    let signs = config.mint.as_ref().and_then(|mint| mint.key.as_ref());
    let named = |secret: &Secret<'_>| (secret.node.below("env").path().to_owned(), secret.env.to_owned());
    attached.into_iter().chain(signs).chain(shared).chain(accepted).map(named).collect()
}

/// What came of a configuration, and what its author should know about it although it can be used.
#[derive(Clone, Debug)]
pub struct Compiled<T> {
    /// What came of it.
    pub value: T,
    /// For the operator: what is legal and yet probably not meant, such as a key that cannot be used.
    pub warnings: Vec<ConfigError>,
}

fn run<T>(
    document: &Value,
    module: Module,
    make: impl FnOnce(&Config<'_>) -> Option<T>,
) -> Result<Compiled<T>, ConfigErrors> {
    if json::depth(document) > config::BOUNDS.depth {
        return Err(ConfigError::new("", "is nested too deeply").into());
    }
    let errors = ErrorList::default();
    let value = config::read(&Node::root(document, &errors), module).and_then(|config| make(&config));
    let warnings = errors.warnings();
    errors.finish(value).map(|value| Compiled { value, warnings })
}

#[inline(never)]
fn policy(config: &Config<'_>, secrets: &Secrets<'_>, now: UnixTime) -> Option<Policy> {
    check_doors(config);
    source::check(config);
    collision::check(config);
    let places = source::places(config);
    let issuers = issuer::compile(config, &places, secrets);
    let entrances = entrance::compile(config, secrets);
    let grants = access::grants(config);
    let routes = routes(config, grants.as_ref().unwrap_or(&Grants::default()));
    check_report(config, now);
    let attachment = match &config.gateway_key {
        None => Some(None),
        Some((_, gateway_key)) => attachment(gateway_key, secrets).map(Some),
    };
    let mint = context::mint(config, secrets);
    let publication = publish::compile(config, mint.as_ref().and_then(Option::as_ref).map(Mint::key));
    // Every part was looked at before the first that failed is given up on, so that all errors are found.
    Some(Policy {
        door: config.door?,
        routes: grants.and(routes)?,
        tenant: config.tenant,
        issuers: issuers?.into(),
        places,
        entrances: entrances?,
        requires_context: config.requires_context(),
        publication: publication?,
        owned: owned::owned_headers(config),
        injections: owned::injections(config),
        attachment: attachment?,
        mint: mint?,
        bounds: bounds(config).map(Arc::new),
        limits: limits(config.limits),
        proofs: ProofCache::new(config.limits.token_cache_bytes),
        report: config.report.as_ref().and_then(|report| report.until.as_ref()).map(|(_, until)| *until),
    })
}

fn routes(config: &Config<'_>, grants: &Grants) -> Option<Routes> {
    let mut compiler = access::Compiler::new(config, grants);
    let default = default(config, &mut compiler);
    route::compile(config, default, &mut compiler)
}

/// Tells of what is legal and probably not meant. It is for whoever writes a configuration, so it is looked
/// for when one is checked, and not whenever one is loaded.
fn advise(config: &Config<'_>, grants: &Grants) {
    plausible::warn(config, grants);
    if let Some(routes) = routes(config, grants) {
        reach::warn(config, &routes);
    }
}

/// What belongs to which door.
fn check_doors(config: &Config<'_>) {
    match config.door {
        Some(Door::Outer) if !config.entrances.is_empty() => {
            config
                .node
                .below("entrances")
                .error("belongs to an inner door: remove it, or make this one `door: inner`");
        }
        Some(Door::Outer) => context::check_outer(config),
        None => {}
        Some(Door::Inner) => {
            if let Some(mint) = &config.mint {
                mint.node.error("is an outer door's: an inner one has `context.require`");
            }
            if let Some((node, _)) = &config.gateway_key {
                node.error("is attached by an outer door: at an inner one, name it under `entrances`");
            }
            let document = config.node.value();
            let proves = document.get("issuers").is_some() || config.requires_context();
            if document.get("entrances").is_none() && !proves {
                config.node.below("entrances").error(
                    "is missing: an inner door needs `entrances`, `context.require` or `issuers`, or it would guard \
                     nothing",
                );
            }
        }
    }
}

/// `default`; where it is not written, `authenticated`, if there is a credential to authenticate by.
fn default(config: &Config<'_>, compiler: &mut access::Compiler<'_, '_>) -> Option<Access> {
    if config.node.value().get("default").is_some() {
        return compiler.compile(config.default.as_ref()?);
    }
    if config.has_credential_source() {
        return Some(Access::Authenticated);
    }
    config.node.below("default").refuse(
        "is missing: without a credential source (`issuers`, `context.require`, or an entrance's `trust`) say `public`, \
         `optional`, `authenticated` or `deny`",
    )
}

/// How far ahead reporting may end: it is for a while, and a door that stays open is none.
const LONGEST_REPORT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

fn check_report(config: &Config<'_>, now: UnixTime) {
    let Some((node, until)) = config.report.as_ref().and_then(|report| report.until.as_ref()) else { return };
    if *until > now.later_by(LONGEST_REPORT) {
        node.error("is more than 30 days ahead: name an earlier time");
    } else if *until <= now {
        node.warn("has passed, and denials are carried out: remove `report`");
    } else {
        node.warn("lies ahead: until then no request is denied, whatever it is");
    }
}

/// Where what the door attaches may go: the key and the context go the same way.
fn bounds(config: &Config<'_>) -> Option<Bounds> {
    match (&config.gateway_key, &config.mint) {
        (Some((_, key)), _) => Some(Bounds { to: key.to.clone(), attach: key.attach }),
        (None, Some(mint)) => Some(Bounds {
            to: mint.to.clone().unwrap_or_else(config::gateway_key::mesh),
            attach: mint.attach.unwrap_or(Attach::Route),
        }),
        (None, None) => None,
    }
}

fn attachment(
    gateway_key: &config::gateway_key::GatewayKey<'_>,
    secrets: &Secrets<'_>,
) -> Option<Attachment> {
    let secret = gateway_key.key.as_ref()?;
    match secret::resolve(secret, secrets)? {
        Resolved::Unchecked => None,
        Resolved::Value(value) => match GatewayKey::new(&value) {
            Ok(key) => Some(Attachment { header: gateway_key.header.clone(), key }),
            Err(reason) => secret.node.refuse(reason),
        },
    }
}

fn limits(limits: config::Limits) -> Limits {
    let config::Limits {
        token_bytes,
        json_depth,
        signature_tries,
        module_signature_tries,
        injected_bytes,
        pause,
        paused_requests,
        token_cache_bytes: _,
        denial_lines,
    } = limits;
    Limits {
        token: Size { bytes: token_bytes, depth: json_depth },
        tries: Tries { all: signature_tries, module: module_signature_tries },
        injected_bytes,
        denial_lines,
        pause,
        paused_requests,
    }
}
