//! An issuer's `keys`: as written, every field typed.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;

use super::node::Node;
use super::secret::{self, Secret};
use crate::credential::remote::Url;
use crate::jose::algorithm::Algorithm;

/// Where keys come from.
#[derive(Debug)]
pub enum KeySource<'v> {
    /// `jwks`: a JWK Set as an object or as its text.
    Jwks(Node<'v>),
    /// `pem`: one public key.
    Pem {
        /// `pem`.
        pem: Node<'v>,
        /// `kid`.
        kid: Option<&'v str>,
        /// `alg`.
        alg: Option<Algorithm>,
    },
    /// `secret`: an HMAC secret.
    Secret(Secret<'v>),
    /// `remote`: a JWK Set at a URL.
    Remote(Remote<'v>),
}

/// `remote`.
#[derive(Debug)]
pub struct Remote<'v> {
    /// `url`.
    pub url: Option<Url>,
    /// `cluster`; none where it follows from the URL.
    pub cluster: Option<&'v str>,
    /// `refresh`.
    pub refresh: Duration,
    /// `timeout`.
    pub timeout: Duration,
    /// `maxStale`.
    pub max_stale: Duration,
    /// Where it stands.
    pub node: Node<'v>,
}

/// How often keys may be fetched: no issuer is asked every moment, and no key outlives its withdrawal by more
/// than a day.
const REFRESH: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);
/// How long an answer may take.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);
/// How long keys may serve while their issuer cannot be reached, a week at most.
const MAX_STALE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 86_400);

#[inline(never)]
pub(crate) fn read<'v>(node: &Node<'v>) -> Option<KeySource<'v>> {
    let mut fields = node.object()?;
    let jwks = fields.optional("jwks").map(KeySource::Jwks);
    let secret = fields.optional("secret").map(|node| secret::read(&node));
    let remote = fields.optional("remote").map(|node| remote(&node));
    let (pem, kid, alg) = (fields.optional("pem"), fields.optional("kid"), fields.optional("alg"));
    if pem.is_none() {
        for node in [&kid, &alg].into_iter().flatten() {
            node.error("goes with `pem` only: a JWK has its own, and a secret has none");
        }
    }
    // A field that could not be read has its error; the source is kept for the errors that it may have
    // besides.
    let (kid, alg) = (kid.and_then(|kid| kid.text()), alg.and_then(|alg| algorithm(&alg)));
    let pem = pem.map(|pem| KeySource::Pem { pem, kid, alg });
    let kinds =
        ["jwks", "pem", "secret", "remote"].iter().filter(|kind| node.value().get(kind).is_some()).count();
    let source = match kinds {
        0 => node.refuse("has no keys: give `jwks`, `pem`, `secret` or `remote`"),
        1 => jwks
            .or(pem)
            .or(secret.flatten().map(KeySource::Secret))
            .or(remote.flatten().map(KeySource::Remote)),
        _ => node.refuse("has keys of several kinds: make each a source of its own"),
    };
    fields.finish();
    source
}

#[inline(never)]
fn remote<'v>(node: &Node<'v>) -> Option<Remote<'v>> {
    let mut fields = node.object()?;
    let url = fields.required("url", "write where the JWK Set is published, as in `https://HOST/PATH`");
    let cluster = fields.optional("cluster").and_then(|node| {
        let text = node.text()?;
        let good = text.len() <= 256 && text.bytes().all(|byte| byte.is_ascii_graphic());
        if good {
            Some(text)
        } else {
            node.refuse("is not the name of a cluster: at most 256 visible ASCII characters")
        }
    });
    let mut time = |name, range, default| {
        fields.optional(name).and_then(|node| node.duration(range)).unwrap_or(Duration::from_secs(default))
    };
    let (refresh, timeout) = (time("refresh", REFRESH, 600), time("timeout", TIMEOUT, 5));
    let max_stale = time("maxStale", MAX_STALE, 86_400);
    fields.finish();
    Some(Remote {
        url: url.and_then(|url| self::url(&url)),
        cluster,
        refresh,
        timeout,
        max_stale,
        node: node.clone(),
    })
}

fn url(node: &Node<'_>) -> Option<Url> {
    let text = node.text()?;
    Url::parse(text).or_else(|| {
        node.refuse(
            "is not a URL that can be fetched: `http` or `https`, a host, perhaps a port, a path and a query; \
             no user, no fragment",
        )
    })
}

pub(crate) fn algorithm(node: &Node<'_>) -> Option<Algorithm> {
    let mut choices = Algorithm::ALL.map(|algorithm| (algorithm.as_str(), algorithm)).to_vec();
    choices.push(("Ed25519", Algorithm::EdDsa));
    node.choice(&choices)
}

/// A JWK Set that may stand as an object or as its text.
pub(crate) fn jwks(node: &Node<'_>) -> Option<Value> {
    match node.value() {
        set @ Value::Object(_) => Some(set.clone()),
        Value::String(text) => match crate::json::parse(text.as_bytes(), super::BOUNDS) {
            Ok(set) => Some(set),
            Err(crate::json::Error::Syntax(message)) => node.refuse(format!("is {message}")),
            Err(crate::json::Error::Duplicates(paths)) => {
                node.refuse(format!("has {} twice: remove one", paths.join(", ")))
            }
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            node.refuse("must be a JWK Set, as an object or as its text")
        }
    }
}
