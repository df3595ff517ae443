//! Entrances: the hashes of their keys, and what each is trusted to say.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::secret::{self, Resolved, Secrets};
use crate::config::Config;
use crate::config::entrance::{self as written, KeyForm};
use crate::config::node::Named;
use crate::credential::entrance::{AcceptedKey, Entrance, Trust};
use crate::credential::gateway_key::GatewayKey;

pub(super) fn compile(config: &Config<'_>, secrets: &Secrets<'_>) -> Option<Vec<Entrance>> {
    let compiled: Vec<_> = config.entrances.iter().map(|named| entrance(config, named, secrets)).collect();
    let mut seen: Vec<[u8; 32]> = Vec::new();
    for (named, key) in config.entrances.iter().zip(&compiled).flat_map(|(named, entrance)| {
        entrance.iter().flat_map(|entrance| &entrance.keys).map(move |key| (named, key))
    }) {
        if seen.contains(&key.sha256) {
            named
                .node
                .below("keys")
                .below(&key.name)
                .error("is the same key as another one: one key has one name and one entrance");
        }
        seen.push(key.sha256);
    }
    compiled.into_iter().collect()
}

fn entrance(
    config: &Config<'_>,
    named: &Named<'_, written::Entrance<'_>>,
    secrets: &Secrets<'_>,
) -> Option<Entrance> {
    let Named { node, entry, .. } = named;
    let written::Entrance { keys, header, trust, forward } = entry;
    if trust.is_some() && !config.issuers.is_empty() {
        node.below("trust").error(
            "is a second credential beside `issuers`, which this version does not tell apart: \
             keep one of them",
        );
    }
    let keys: Vec<_> = keys.iter().map(|key| accepted_key(key, secrets)).collect();
    Some(Entrance {
        header: header.clone()?,
        keys: keys.into_iter().collect::<Option<_>>()?,
        trust: config.trust_of(trust.as_ref())?,
        forward: *forward,
    })
}

fn accepted_key(named: &Named<'_, written::Key<'_>>, secrets: &Secrets<'_>) -> Option<AcceptedKey> {
    let written::Key { form, not_before, not_after } = &named.entry;
    let sha256 = match form.as_ref()? {
        KeyForm::Sha256(hash) => *hash,
        KeyForm::Secret(secret) => match secret::resolve(secret, secrets)? {
            Resolved::Unchecked => return None,
            Resolved::Value(value) => match GatewayKey::new(&value) {
                Ok(key) => Sha256::digest(key.as_bytes()).into(),
                Err(reason) => return secret.node.refuse(reason.into()),
            },
        },
    };
    Some(AcceptedKey {
        name: Arc::clone(&named.name),
        sha256,
        not_before: *not_before,
        not_after: *not_after,
    })
}

impl Config<'_> {
    /// What an entrance is trusted to say: what is written, or the three default headers where there is no
    /// other credential. None, where the written trust could not be read.
    pub(super) fn trust_of(&self, written: Option<&Option<Trust>>) -> Option<Option<Trust>> {
        use crate::header::HeaderName;
        match written {
            Some(written) => written.clone().map(Some),
            None if !self.issuers.is_empty() => Some(None),
            None => Some(Some(Trust {
                subject: HeaderName::parse("x-user-id")?,
                tenant: HeaderName::parse("x-tenant-id"),
                permissions: HeaderName::parse("x-user-permissions"),
            })),
        }
    }

    /// Whether anything here can prove a principal.
    pub(super) fn has_credential_source(&self) -> bool {
        let document = self.node.value();
        document.get("issuers").is_some() || document.get("entrances").is_some()
    }
}
