//! `context`: as written, every field typed. The outer door mints one, the inner one requires it.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::gateway_key::{attach, clusters};
use super::issuer::{Identity, Issuer, Issues, Type, claims};
use super::keys::{self, KeySource};
use super::node::{Named, Node};
use super::ownable;
use super::secret::{self, Secret};
use super::source::Source;
use crate::attached::Attach;
use crate::cluster::ClusterPattern;
use crate::context::{NAME, TYPE, claim};
use crate::credential::source::{Forward, Place};
use crate::credential::whole_header::WholeHeader;
use crate::header::HeaderName;
use crate::jose::claims::{ClaimRef, Confirmation, Expiration};
use crate::path::CanonicalPath;

/// `context`.
#[derive(Debug, Default)]
pub struct Context<'v> {
    /// `mint`.
    pub mint: Option<Mint<'v>>,
    /// `require`.
    pub require: Option<Require<'v>>,
}

/// `context.mint`.
#[derive(Debug)]
pub struct Mint<'v> {
    /// `header`, or its default.
    pub header: Option<HeaderName>,
    /// `issuer`.
    pub issuer: Option<&'v str>,
    /// `audience`.
    pub audience: Option<&'v str>,
    /// `workload`.
    pub workload: Option<&'v str>,
    /// `ttl`.
    pub ttl: Duration,
    /// `key`.
    pub key: Option<Secret<'v>>,
    /// `announce`: public JWKs, each with where it stands.
    pub announce: Vec<Node<'v>>,
    /// `publish`, and where it stands.
    pub publish: Option<(Node<'v>, &'v str)>,
    /// `to`; none where it is not written.
    pub to: Option<Vec<ClusterPattern>>,
    /// `attach`; none where it is not written.
    pub attach: Option<Attach>,
    /// Where it stands.
    pub node: Node<'v>,
}

/// `context.require`.
#[derive(Debug)]
pub struct Require<'v> {
    /// `header`, or its default.
    pub header: Option<HeaderName>,
    /// `issuer`.
    pub issuer: Option<&'v str>,
    /// `audience`.
    pub audience: Option<&'v str>,
    /// `keys`.
    pub keys: Option<Vec<KeySource<'v>>>,
    /// `leeway`.
    pub leeway: Duration,
    /// `denyKids`.
    pub deny_kids: Vec<String>,
    /// Where it stands.
    pub node: Node<'v>,
}

/// The header that carries a context where none is configured (OAuth Transaction Tokens,
/// draft-ietf-oauth-transaction-tokens section 6.2).
pub const CONTEXT_HEADER: &str = "txn-token";

/// How long a context may live: it is for one request and what that request causes.
const TTL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(300);
/// How far the clocks of one mesh may be apart.
const LEEWAY: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(300);

pub(crate) fn read<'v>(node: &Node<'v>) -> Option<Context<'v>> {
    let mut fields = node.object()?;
    let context = Context {
        mint: fields.optional("mint").and_then(|node| mint(&node)),
        require: fields.optional("require").and_then(|node| require(&node)),
    };
    fields.finish();
    Some(context)
}

#[inline(never)]
fn mint<'v>(node: &Node<'v>) -> Option<Mint<'v>> {
    let mut fields = node.object()?;
    let issuer = fields.required("issuer", "write the `iss` of the contexts, which inner doors compare");
    let audience =
        fields.required("audience", "write the `aud` of the contexts, most often the mesh's trust domain");
    let workload = fields.required("workload", "say who mints, as in `spiffe://…/sa/gateway` (`req_wl`)");
    let key = fields.required("key", "name the environment variable that holds it: `key: {env: NAME}`");
    let mint = Mint {
        header: header(fields.optional("header")),
        issuer: issuer.and_then(|node| name(&node)),
        audience: audience.and_then(|node| name(&node)),
        workload: workload.and_then(|node| name(&node)),
        ttl: fields.optional("ttl").and_then(|node| node.duration(TTL)).unwrap_or(Duration::from_secs(60)),
        key: key.and_then(|key| secret::read(&key)),
        announce: fields
            .optional("announce")
            .map(|list| list.each(|jwk| jwk.object().map(|_| jwk.clone())))
            .unwrap_or_default(),
        publish: fields.optional("publish").and_then(|node| path(&node).map(|path| (node, path))),
        to: fields.optional("to").map(|to| clusters(&to)),
        attach: fields.optional("attach").and_then(|node| attach(&node)),
        node: node.clone(),
    };
    fields.finish();
    Some(mint)
}

#[inline(never)]
fn require<'v>(node: &Node<'v>) -> Option<Require<'v>> {
    let mut fields = node.object()?;
    let issuer = fields.required("issuer", "write the `issuer` of the outer door's `context.mint`");
    let audience = fields.required("audience", "write the `audience` of the outer door's `context.mint`");
    let sources = fields.required(
        "keys",
        "give the outer door's public keys, as in `[{remote: {url: ...}}]`, `[{jwks: ...}]` or `[{pem: ...}]`",
    );
    let require = Require {
        header: header(fields.optional("header")),
        issuer: issuer.and_then(|node| name(&node)),
        audience: audience.and_then(|node| name(&node)),
        keys: sources.map(|list| list.each(public)),
        leeway: fields
            .optional("leeway")
            .and_then(|node| node.duration(LEEWAY))
            .unwrap_or(Duration::from_secs(5)),
        deny_kids: fields
            .optional("denyKids")
            .map(|list| list.each(|kid| kid.text().map(str::to_owned)))
            .unwrap_or_default(),
        node: node.clone(),
    };
    fields.finish();
    Some(require)
}

fn public<'v>(node: &Node<'v>) -> Option<KeySource<'v>> {
    match keys::read(node)? {
        KeySource::Secret(secret) => secret.node.refuse(
            "is shared, so whoever checks a context could mint one: give the outer door's public keys",
        ),
        source @ (KeySource::Jwks(_) | KeySource::Pem { .. } | KeySource::Remote(_)) => Some(source),
    }
}

impl<'v> Require<'v> {
    /// Who mints is an issuer, of one kind of token, which stands in one place and says whom it is about in
    /// one way.
    #[inline(never)]
    pub(crate) fn into_issuer(self) -> Named<'v, Issuer<'v>> {
        let Self { header, issuer, audience, keys, leeway, deny_kids, node } = self;
        let place = header.map(|header| Place::Header(WholeHeader { header }));
        let source =
            place.map(|place| Source { place, forward: Forward::Verified, node: node.below("header") });
        let entry = Issuer {
            issuer,
            audiences: audience.map(|audience| vec![audience]),
            keys,
            algorithms: None,
            sources: source.into_iter().collect(),
            types: vec![Type::Named(TYPE.into())],
            expiration: Expiration::Required,
            required_claims: claims(&["iat", claim::TRANSACTION]),
            claims: Vec::new(),
            leeway,
            // No outer door mints a longer one.
            max_lifetime: Some(*TTL.end()),
            confirmation: Confirmation::Refuse,
            deny_kids,
            identity: Identity {
                subject: ClaimRef::parse("sub"),
                tenant: ClaimRef::parse(claim::TENANT),
                permissions: claims(&[claim::PERMISSIONS]),
                scopes: claims(&["scope"]),
                roles: claims(&[claim::ROLES]),
                issuer: ClaimRef::parse(claim::ISSUER),
            },
            tenants: None,
            subject_prefix: None,
            issues: Issues::Contexts,
        };
        Named { name: Arc::from(NAME), node, entry }
    }
}

fn header(node: Option<Node<'_>>) -> Option<HeaderName> {
    let Some(node) = node else { return HeaderName::parse(CONTEXT_HEADER) };
    match ownable(&node)? {
        cookie if cookie.as_str() == "cookie" => {
            node.refuse("carries cookies, which are joined with others: choose another header")
        }
        header => Some(header),
    }
}

/// A name that stands in a context: what an inner door compares to the letter.
pub(crate) fn name<'v>(node: &Node<'v>) -> Option<&'v str> {
    let text = node.text()?;
    if text == "*" {
        return node.refuse("is not `*`: a context is for somebody, and from somebody");
    }
    if text.len() <= 256 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(text);
    }
    node.refuse("must be 1 to 256 visible ASCII characters")
}

/// A path that is its own canonical form, so that it is found by comparing.
fn path<'v>(node: &Node<'v>) -> Option<&'v str> {
    let text = node.text()?;
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"%{}?#;\\*\"".contains(&byte));
    let is_canonical =
        CanonicalPath::parse(text.as_bytes()).is_ok() && text.len() > 1 && !text.ends_with('/');
    if text.starts_with('/') && is_plain && is_canonical {
        return Some(text);
    }
    node.refuse("is not a path as in `/.well-known/jwks.json`: no query, no `{}`, no `%`, no `/` at its end")
}
