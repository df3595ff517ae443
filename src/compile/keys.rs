//! An issuer's keys: parsed, united, and no more of a kind than a token is tried with.

use super::secret::{self, Resolved, Secrets};
use crate::config::Limits;
use crate::config::keys::{self as written, KeySource};
use crate::config::node::Node;
use crate::jose::algorithm::Algorithm;
use crate::jose::jwk::{self, Key, KeySet};
use crate::jose::key::VerifyingKey;

/// The keys of all sources. A source that gives none is an error; a key that cannot be used beside others
/// that can is not.
pub(super) fn compile(
    node: &Node<'_>,
    sources: &[KeySource<'_>],
    algorithms: Option<&[Algorithm]>,
    limits: Limits,
    secrets: &Secrets<'_>,
) -> Option<Vec<Key>> {
    let read: Vec<Option<Vec<Key>>> =
        sources.iter().map(|source| source_keys(source, algorithms, secrets)).collect();
    let keys: Vec<Key> = read.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    for algorithm in algorithms.into_iter().flatten() {
        if !keys.iter().any(|key| key.algorithms().contains(algorithm)) {
            node.below("algorithms")
                .error(format!("{algorithm} goes with none of the keys: remove it, or add a key for it"));
        }
    }
    check_tries(&node.below("keys"), &keys, limits);
    Some(keys)
}

/// Keys that one token could be tried with are no more than the tries: the last of them would never be used.
fn check_tries(node: &Node<'_>, keys: &[Key], limits: Limits) {
    for (key, algorithm) in
        keys.iter().flat_map(|key| key.algorithms().iter().map(move |algorithm| (key, algorithm)))
    {
        let alike = keys
            .iter()
            .filter(|other| other.kid() == key.kid() && other.algorithms().contains(algorithm))
            .count();
        let of = if key.kid().is_some() { "of one `kid`" } else { "without `kid`" };
        if alike > limits.signature_tries {
            node.error(format!(
                "has {alike} {algorithm} keys {of}, and a token is tried with {} (`limits.signatureTries`): \
                 give each a `kid` of its own",
                limits.signature_tries
            ));
        } else if alike > limits.module_signature_tries {
            node.warn(format!(
                "has {alike} {algorithm} keys {of}: where Envoy cannot verify, a token is tried with {} only \
                 (`limits.moduleSignatureTries`)",
                limits.module_signature_tries
            ));
        }
    }
}

fn source_keys(
    source: &KeySource<'_>,
    algorithms: Option<&[Algorithm]>,
    secrets: &Secrets<'_>,
) -> Option<Vec<Key>> {
    match source {
        KeySource::Jwks(node) => {
            let set = written::jwks(node)?;
            if let Some(position) = jwk::private_key(&set) {
                return node.refuse(format!(
                    "keys[{position}] holds a private or symmetric key: give the public part only, \
                     and replace this key, for it has left its place"
                ));
            }
            let set = match KeySet::parse(&set, algorithms) {
                Ok(set) => set,
                Err(reason) => return node.refuse(reason.into()),
            };
            if set.keys.is_empty() {
                let reasons: Vec<String> = set
                    .unusable
                    .iter()
                    .map(|(position, reason)| format!("keys[{position}]: {reason}"))
                    .collect();
                return node.refuse(format!(
                    "has no usable key ({})",
                    if reasons.is_empty() { "it is empty".into() } else { reasons.join("; ") }
                ));
            }
            for (position, reason) in &set.unusable {
                node.warn(format!("keys[{position}] is left out: {reason}"));
            }
            Some(set.keys)
        }
        KeySource::Secret(secret) => match secret::resolve(secret, secrets)? {
            Resolved::Unchecked => None,
            Resolved::Value(value) => {
                let key = VerifyingKey::hmac(&value).and_then(|key| Key::new(key, None, None, algorithms));
                key.map_or_else(|reason| secret.node.refuse(reason.into()), |key| Some(vec![key]))
            }
        },
        KeySource::Pem { pem, kid, alg } => {
            let key = VerifyingKey::from_pem(pem.text()?).and_then(|public| {
                Key::new(public, kid.map(str::to_owned), alg.map(Algorithm::as_str), algorithms)
            });
            match key {
                Ok(key) => Some(vec![key]),
                Err(reason) => pem.refuse(format!("is not a usable key: {reason}")),
            }
        }
    }
}
