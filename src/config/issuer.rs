//! `issuers`: as written, every field typed.

use std::time::Duration;

use super::keys::{self, KeySource};
use super::node::Node;
use super::source::{self, Source};
use crate::jose::algorithm::Algorithm;
use crate::jose::claims::{AcceptedClaim, ClaimRef, Confirmation, Expiration};
use crate::tenant::Tenant;

/// The most that clocks may differ.
const MAX_LEEWAY: Duration = Duration::from_secs(300);
/// The longest bound on a lifetime, a year and a day: a longer one bounds nothing.
const MAX_LIFETIME: Duration = Duration::from_secs(366 * 86_400);

/// One issuer.
#[derive(Debug)]
pub struct Issuer<'v> {
    /// `issuer`: the exact `iss`, or `*`.
    pub issuer: Option<&'v str>,
    /// `audiences`; `*` alone is the explicit way not to check.
    pub audiences: Option<Vec<&'v str>>,
    /// `keys`.
    pub keys: Option<Vec<KeySource<'v>>>,
    /// `algorithms`; none where the keys decide.
    pub algorithms: Option<Vec<Algorithm>>,
    /// `sources`, or the default.
    pub sources: Vec<Source<'v>>,
    /// `types`.
    pub types: Vec<Type>,
    /// `expiration`.
    pub expiration: Expiration,
    /// `requiredClaims`.
    pub required_claims: Vec<ClaimRef>,
    /// `claims`: claim → accepted values.
    pub claims: Vec<AcceptedClaim>,
    /// `leeway`.
    pub leeway: Duration,
    /// `maxLifetime`.
    pub max_lifetime: Option<Duration>,
    /// `confirmation`.
    pub confirmation: Confirmation,
    /// `denyKids`.
    pub deny_kids: Vec<String>,
    /// `identity`, merged over its defaults.
    pub identity: Identity,
    /// `tenants`; none where it is not written.
    pub tenants: Option<Tenants>,
    /// `subjectPrefix`; none where it is not written.
    pub subject_prefix: Option<Option<String>>,
    /// What it issues.
    pub issues: Issues,
}

/// What an issuer issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issues {
    /// Tokens of users, by `issuers`.
    Tokens,
    /// Contexts, by `context.require`.
    Contexts,
}

/// `tenants`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tenants {
    /// `*`: the issuer may speak for every tenant.
    All,
    /// It may speak for these.
    Only(Vec<Tenant>),
}

/// An accepted `typ`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// None at all.
    Absent,
    /// This one, in the form of [`crate::jose::header::media_type`].
    Named(String),
}

/// `identity`.
#[derive(Debug)]
pub struct Identity {
    /// `subject`.
    pub subject: Option<ClaimRef>,
    /// `tenant`.
    pub tenant: Option<ClaimRef>,
    /// `permissions`.
    pub permissions: Vec<ClaimRef>,
    /// `scopes`.
    pub scopes: Vec<ClaimRef>,
    /// `roles`.
    pub roles: Vec<ClaimRef>,
    /// Which issuer vouched first; no token of a user says that of itself.
    pub issuer: Option<ClaimRef>,
}

#[inline(never)]
pub(crate) fn read<'v>(node: &Node<'v>) -> Option<Issuer<'v>> {
    let mut fields = node.object()?;
    let issuer = fields.required("issuer", "write the exact `iss` of its tokens");
    let audiences = fields
        .required("audiences", "list the `aud` values that are meant for you, or `[\"*\"]` not to check");
    let key_sources = fields.required(
        "keys",
        "give its public keys, as in `[{remote: {url: ...}}]`, `[{jwks: ...}]` or `[{pem: ...}]`",
    );
    let leeway = fields.optional("leeway").and_then(|leeway| leeway.duration(Duration::ZERO..=MAX_LEEWAY));
    let read = Issuer {
        issuer: issuer.and_then(|issuer| issuer.text()),
        audiences: audiences.map(|list| list.each(Node::text)),
        keys: key_sources.map(|list| list.each(keys::read)),
        algorithms: fields.optional("algorithms").map(|list| list.each(keys::algorithm)),
        sources: fields
            .optional("sources")
            .map_or_else(|| source::default(&node.below("sources")), |sources| source::read(&sources)),
        types: fields.optional("types").map_or_else(default_types, |list| list.each(accepted_type)),
        expiration: fields
            .optional("expiration")
            .and_then(|node| {
                node.choice(&[("required", Expiration::Required), ("optional", Expiration::Optional)])
            })
            .unwrap_or(Expiration::Required),
        required_claims: fields
            .optional("requiredClaims")
            .map_or_else(|| claims(&["sub"]), |list| list.each(claim)),
        claims: fields.optional("claims").map(|claims| accepted_claims(&claims)).unwrap_or_default(),
        leeway: leeway.unwrap_or(Duration::from_secs(60)),
        max_lifetime: fields
            .optional("maxLifetime")
            .and_then(|node| node.duration(Duration::ZERO..=MAX_LIFETIME)),
        confirmation: fields
            .optional("confirmation")
            .and_then(|node| {
                node.choice(&[("refuse", Confirmation::Refuse), ("ignore", Confirmation::Ignore)])
            })
            .unwrap_or(Confirmation::Refuse),
        deny_kids: fields
            .optional("denyKids")
            .map(|list| list.each(|kid| kid.text().map(str::to_owned)))
            .unwrap_or_default(),
        identity: identity(fields.optional("identity").as_ref()),
        tenants: fields.optional("tenants").map(|node| tenants(&node)),
        subject_prefix: fields.optional("subjectPrefix").map(|node| subject_prefix(&node)),
        issues: Issues::Tokens,
    };
    fields.finish();
    Some(read)
}

#[inline(never)]
fn tenants(node: &Node<'_>) -> Tenants {
    if node.value().is_string() {
        // What is wrong is no wider policy: with its error, nothing compiles.
        return node.choice(&[("*", Tenants::All)]).unwrap_or(Tenants::Only(Vec::new()));
    }
    Tenants::Only(node.each(|tenant| {
        let parsed = Tenant::parse(tenant.text()?.as_bytes());
        parsed.or_else(|| {
            tenant.refuse(
                "is not a tenant: 1 to 64 letters, digits, `.`, `_`, `-`, with a letter or digit at each end \
                 and no `..`; for all tenants write `tenants: \"*\"`",
            )
        })
    }))
}

fn subject_prefix(node: &Node<'_>) -> Option<String> {
    let text = node.text()?;
    if text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(text.to_owned());
    }
    node.refuse("must be at most 64 visible ASCII characters")
}

fn default_types() -> Vec<Type> {
    vec![Type::Absent, Type::Named("jwt".into()), Type::Named("at+jwt".into())]
}

#[inline(never)]
fn accepted_type(node: &Node<'_>) -> Option<Type> {
    let text = node.text()?;
    match crate::jose::header::media_type(text) {
        _ if text == "absent" => Some(Type::Absent),
        typ if typ == "txntoken+jwt" => node.refuse("a context is never an access token: remove it"),
        typ => Some(Type::Named(typ)),
    }
}

#[inline(never)]
fn accepted_claims(node: &Node<'_>) -> Vec<AcceptedClaim> {
    let members = node.members().into_iter();
    let read = |(name, node): (&str, Node<'_>)| {
        let values = node.each(|value| value.text().map(str::to_owned));
        Some(AcceptedClaim { claim: claim_named(&node, name)?, values })
    };
    members.filter_map(read).collect()
}

pub(crate) fn claim(node: &Node<'_>) -> Option<ClaimRef> {
    claim_named(node, node.text()?)
}

fn claim_named(node: &Node<'_>, text: &str) -> Option<ClaimRef> {
    let claim = ClaimRef::parse(text);
    if claim.is_none() {
        node.error("is neither a claim's name nor a JSON Pointer (RFC 6901): after `~` stands 0 or 1");
    }
    claim
}

pub(crate) fn claims(names: &[&str]) -> Vec<ClaimRef> {
    names.iter().filter_map(|name| ClaimRef::parse(name)).collect()
}

#[inline(never)]
fn identity(node: Option<&Node<'_>>) -> Identity {
    let mut fields = node.and_then(Node::object);
    let mut field = |name| fields.as_mut().and_then(|fields| fields.optional(name));
    let identity = Identity {
        subject: field("subject").map_or_else(|| ClaimRef::parse("sub"), |node| claim(&node)),
        tenant: field("tenant").map_or_else(|| ClaimRef::parse("tenant_id"), |node| claim(&node)),
        permissions: field("permissions").map_or_else(|| claims(&["permissions"]), |list| list.each(claim)),
        scopes: field("scopes").map_or_else(|| claims(&["scope"]), |list| list.each(claim)),
        roles: field("roles").map_or_else(|| claims(&["roles"]), |list| list.each(claim)),
        issuer: None,
    };
    if let Some(fields) = fields {
        fields.finish();
    }
    identity
}
