//! Entrances: the hashes of their keys, and what each is trusted to say.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::secret::{self, Resolved, Secrets};
use crate::config::Config;
use crate::config::entrance::{self as written, KeyForm, Trusted};
use crate::config::node::Named;
use crate::credential::entrance::{AcceptedKey, Entrance, Trust};
use crate::credential::gateway_key::GatewayKey;
use crate::header::HeaderName;

pub(super) fn compile(config: &Config<'_>, secrets: &Secrets<'_>) -> Option<Vec<Entrance>> {
    let mut seen = Vec::new();
    let compiled: Vec<_> =
        config.entrances.iter().map(|named| entrance(config, named, secrets, &mut seen)).collect();
    compiled.into_iter().collect()
}

fn entrance(
    config: &Config<'_>,
    named: &Named<'_, written::Entrance<'_>>,
    secrets: &Secrets<'_>,
    seen: &mut Vec<[u8; 32]>,
) -> Option<Entrance> {
    let Named { name, node, entry } = named;
    let written::Entrance { keys, header, trust, forward } = entry;
    let trust_node = node.below("trust");
    match trust {
        Trusted::Unwritten if config.issuers.is_empty() && config.entrances.len() > 1 => trust_node
            .error("is missing: with several entrances, say of each which headers it may fill, or `none`"),
        Trusted::Unwritten | Trusted::Unreadable | Trusted::Nothing | Trusted::Headers(_) => {}
    }
    // Every key is compiled before the first that failed is given up on, so that all errors are found.
    let keys: Vec<_> = keys.iter().map(|key| accepted_key(key, secrets, seen)).collect();
    Some(Entrance {
        name: Arc::clone(name),
        header: header.clone()?,
        keys: keys.into_iter().collect::<Option<_>>()?,
        trust: config.trust_of(&entry.trust)?,
        forward: *forward,
    })
}

fn accepted_key(
    named: &Named<'_, written::Key<'_>>,
    secrets: &Secrets<'_>,
    seen: &mut Vec<[u8; 32]>,
) -> Option<AcceptedKey> {
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
    if seen.contains(&sha256) {
        named.node.error("is the same key as another one: one key has one name and one entrance");
    }
    seen.push(sha256);
    Some(AcceptedKey { sha256, not_before: *not_before, not_after: *not_after })
}

impl Config<'_> {
    /// Whether a context is the credential here, be it one that could not be read.
    pub(super) fn requires_context(&self) -> bool {
        self.node.value().pointer("/context/require").is_some()
    }

    /// What an entrance is trusted to say: what is written, or the three default headers where there is no
    /// other credential. None, where what is written could not be read.
    pub(super) fn trust_of(&self, written: &Trusted) -> Option<Option<Trust>> {
        match written {
            Trusted::Unreadable => None,
            Trusted::Headers(trust) => Some(Some(trust.clone())),
            Trusted::Nothing => Some(None),
            Trusted::Unwritten if !self.issuers.is_empty() => Some(None),
            Trusted::Unwritten => Some(Some(Trust {
                subject: HeaderName::parse("x-user-id")?,
                tenant: HeaderName::parse("x-tenant-id"),
                permissions: HeaderName::parse("x-user-permissions"),
            })),
        }
    }

    /// Whether anything here can prove a principal. What could not be read counts: it has its error already.
    pub(super) fn has_credential_source(&self) -> bool {
        let document = self.node.value();
        let trusts = |named: &Named<'_, written::Entrance<'_>>| {
            !matches!(self.trust_of(&named.entry.trust), Some(None))
        };
        let unread_entrances = document.get("entrances").is_some() && self.entrances.is_empty();
        document.get("issuers").is_some()
            || self.requires_context()
            || unread_entrances
            || self.entrances.iter().any(trusts)
    }
}
