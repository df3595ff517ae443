//! An issuer's `keys`: as written, every field typed.

use serde_json::Value;

use super::node::Node;
use super::secret::{self, Secret};
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
}

pub(crate) fn read<'v>(node: &Node<'v>) -> Option<KeySource<'v>> {
    let mut fields = node.object()?;
    let jwks = fields.optional("jwks").map(KeySource::Jwks);
    let secret = fields.optional("secret").map(|node| secret::read(&node));
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
    let kinds = ["jwks", "pem", "secret"].iter().filter(|kind| node.value().get(kind).is_some()).count();
    let source = match kinds {
        0 => node.refuse("has no keys: give `jwks`, `pem` or `secret`".into()),
        1 => jwks.or(pem).or(secret.flatten().map(KeySource::Secret)),
        _ => node.refuse("has keys of several kinds: make each a source of its own".into()),
    };
    fields.finish();
    source
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
            node.refuse("must be a JWK Set, as an object or as its text".into())
        }
    }
}
