//! What an outer door publishes: the public key by which it signs contexts, and those that are announced.
//!
//! A key is announced before it signs, so that inner doors know it by then, and for a while after it has
//! signed. So that each step of a rotation is one change, the key that signs may be announced as well.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::config::Config;
use crate::config::context::Mint;
use crate::config::node::Node;
use crate::jose::algorithm::{Algorithm, Family};
use crate::jose::jwk::{self, Key};
use crate::jose::key::VerifyingKey;
use crate::jose::module::Module;
use crate::jose::signing::SigningKey;
use crate::jose::thumbprint::{named_jwk, thumbprint};
use crate::path::CanonicalPath;
use crate::publication::Publication;
use crate::route::Target;
use crate::route::method::Methods;
use crate::route::rule::Rule;
use crate::route::template::{Segment, Template};

/// The most keys that are announced: the next and the one before of a few gateways.
const MAX_ANNOUNCED: usize = 10;

/// What is published; none inside where nothing is. `key` signs the contexts, where its value is known.
#[inline(never)]
pub(super) fn compile(config: &Config<'_>, key: Option<&SigningKey>) -> Option<Option<Arc<Publication>>> {
    let Some(mint) = &config.mint else { return Some(None) };
    let announced = announced(mint, config.module);
    let fields = mint.node.value();
    if fields.get("publish").is_none() {
        if fields.get("announce").is_some() {
            mint.node.below("announce").error(
                "goes with `publish`, for keys are announced where they are published: add it, or remove this",
            );
        }
        return Some(None);
    }
    let (_, path) = mint.publish.as_ref()?;
    check_routes(config, path);
    let own = key?;
    let mut keys = vec![named_jwk(own.public(), own.algorithm())?];
    keys.extend(announced?.into_iter().filter(|key| key.kid != own.kid()).map(|key| key.jwk));
    Some(Some(Arc::new(Publication::new(path, &json!({ "keys": keys }).to_string()))))
}

/// A key that is announced.
struct Announced {
    kid: String,
    jwk: Value,
}

/// The announced keys, each once.
fn announced(mint: &Mint<'_>, module: Module) -> Option<Vec<Announced>> {
    let node = mint.node.below("announce");
    if mint.announce.len() > MAX_ANNOUNCED {
        return node.refuse(format!(
            "has {} keys, and at most {MAX_ANNOUNCED} are accepted: remove those by which nothing is signed any more",
            mint.announce.len()
        ));
    }
    // Every key is read before the first that failed is given up on, so that all errors are found.
    let read: Vec<_> = mint.announce.iter().map(|node| (node, announced_key(node, module))).collect();
    let mut keys: Vec<Announced> = Vec::new();
    for (node, key) in read {
        let key = key?;
        if keys.iter().any(|other| other.kid == key.kid) {
            node.warn("is announced already, and published once: remove one");
        } else {
            keys.push(key);
        }
    }
    Some(keys)
}

#[inline(never)]
fn announced_key(node: &Node<'_>, module: Module) -> Option<Announced> {
    let jwk = node.value();
    if jwk::is_private(jwk) {
        return node.refuse(
            "holds a private or symmetric key: give the public part only, as `vestibule jwk` prints it, and replace \
             this key, for it has left its place",
        );
    }
    if jwk.get("keys").is_some() {
        return node.refuse("is a JWK Set: give the key that is in it");
    }
    let key = match Key::from_jwk(jwk, None).and_then(|key| key.served_by(module)) {
        Ok(key) => key,
        Err(reason) => return node.refuse(format!("is not a usable key: {reason}")),
    };
    let public = key.material();
    let Some(algorithm) = signs_by(public) else {
        return node.refuse(
            "is a key by which no context is signed: announce P-256, RSA or Ed25519 keys, or remove it",
        );
    };
    if !key.algorithms().contains(&algorithm) {
        return node.below("alg").refuse(format!(
            "is not {algorithm}, by which such a key signs contexts: correct it, or leave it out"
        ));
    }
    let kid = thumbprint(public)?;
    if key.kid().is_some_and(|written| written != kid) {
        return node.below("kid").refuse(format!(
            "is not the key's thumbprint (RFC 7638), by which a context names the key that signed it: write `{kid}`, \
             or leave it out"
        ));
    }
    Some(Announced { kid, jwk: named_jwk(public, algorithm)? })
}

/// What a key of its kind signs contexts by; none where it signs none.
fn signs_by(key: &VerifyingKey) -> Option<Algorithm> {
    match key.family() {
        Family::Rsa => Some(Algorithm::Rs256),
        Family::P256 => Some(Algorithm::Es256),
        Family::Ed25519 => Some(Algorithm::EdDsa),
        Family::P384 | Family::P521 | Family::Hmac => None,
    }
}

/// What is published is answered before a route is looked for. A route that names just this path would be dead,
/// which nobody means; one that names its folder may have been meant for it.
#[inline(never)]
fn check_routes(config: &Config<'_>, path: &str) {
    let Ok(canonical) = CanonicalPath::parse(path.as_bytes()) else { return };
    for named in &config.routes {
        let methods = named.entry.methods.as_ref().map_or(Methods::Any, |methods| Methods::named(methods));
        for (node, template) in &named.entry.paths {
            let rule = Rule {
                name: "".into(),
                hosts: None,
                methods: methods.clone(),
                paths: vec![template.clone()],
            };
            let takes = |method: &[u8]| {
                rule.nearness(&Target { host: None, path: canonical.clone(), method }).is_ok()
            };
            if !takes(b"GET") && !takes(b"HEAD") {
                continue;
            }
            let says = "GET and HEAD of it are answered by `context.mint.publish`, on every host, before any \
                        route is looked for";
            match Naming::of(template) {
                Naming::Path => node.error(format!(
                    "is a path that is published: {says}. Publish at another, or give this route other `methods`"
                )),
                Naming::Folder => node.warn(format!(
                    "matches `{path}`, which is published: {says}. Publish at another path if this one is the service's"
                )),
                Naming::Anything => {}
            }
        }
    }
}

/// What a template says of a path that it matches.
enum Naming {
    /// All of it.
    Path,
    /// All but some parts.
    Folder,
    /// Nothing but how many parts it has at least.
    Anything,
}

impl Naming {
    fn of(template: &Template) -> Self {
        let is_literal = |segment: &Segment| matches!(segment, Segment::Literal(_));
        let Template { segments, has_rest } = template;
        if !has_rest && segments.iter().all(is_literal) {
            Self::Path
        } else if !has_rest || segments.iter().any(is_literal) {
            Self::Folder
        } else {
            Self::Anything
        }
    }
}
