//! Entrances: their keys and peers, and what each is trusted to say.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::secret::{self, Resolved, Secrets};
use crate::config::Config;
use crate::config::entrance::{self as written, KeyForm, Trusted};
use crate::config::node::{Named, Node};
use crate::credential::entrance::key::{AcceptedKey, Keys};
use crate::credential::entrance::peer::{Peer, Peers};
use crate::credential::entrance::{Demand, Entrance, Trust};
use crate::credential::gateway_key::GatewayKey;
use crate::header::HeaderName;
use crate::spiffe::SpiffeId;

/// The most keys of all entrances together, for each is compared with every request's.
const MAX_KEYS: usize = 100;
/// The most peers of all entrances together, for the same reason.
const MAX_PEERS: usize = 1_000;

#[inline(never)]
pub(super) fn compile(config: &Config<'_>, secrets: &Secrets<'_>) -> Option<Vec<Entrance>> {
    check_trust(config);
    check_shared_peers(config);
    let mut known = Known::default();
    let compiled: Vec<_> =
        config.entrances.iter().map(|named| entrance(config, named, secrets, &mut known)).collect();
    known.check_counts(config);
    let mut entrances: Vec<Entrance> = Vec::new();
    for entrance in compiled {
        let entrance = entrance?;
        let place = entrances.partition_point(|other| other.precedence() < entrance.precedence());
        entrances.insert(place, entrance);
    }
    Some(entrances)
}

/// What the keys and peers of the entrances before this one are.
#[derive(Default)]
struct Known {
    names: Vec<Arc<str>>,
    hashes: Vec<[u8; 32]>,
    peers: usize,
}

impl Known {
    fn check_counts(&self, config: &Config<'_>) {
        for (what, count, most) in [("keys", self.names.len(), MAX_KEYS), ("peers", self.peers, MAX_PEERS)] {
            if count > most {
                config
                    .node
                    .below("entrances")
                    .error(format!("have {count} {what} together, and at most {most} are accepted"));
            }
        }
    }
}

#[inline(never)]
fn entrance(
    config: &Config<'_>,
    named: &Named<'_, written::Entrance<'_>>,
    secrets: &Secrets<'_>,
    known: &mut Known,
) -> Option<Entrance> {
    let Named { name, node: _, entry } = named;
    let written::Entrance { keys, peers, resumed, header, trust: _, forward } = entry;
    // Every key is compiled before the first that failed is given up on, so that all errors are found.
    let keys = keys.as_ref().map(|keys| {
        let accepted: Vec<_> = keys.iter().map(|key| accepted_key(key, secrets, known)).collect();
        let accepted = accepted.into_iter().collect::<Option<_>>()?;
        Some(Keys { header: header.clone()?, accepted, forward: *forward })
    });
    let peers = peers.as_ref().map(|peers| listed(peers, *resumed, known));
    let demand = match (keys, peers) {
        (Some(keys), Some(peers)) => Demand::Both(keys?, peers),
        (Some(keys), None) => Demand::Key(keys?),
        (None, Some(peers)) => Demand::Peer(peers),
        // It has its error already.
        (None, None) => return None,
    };
    Some(Entrance { name: Arc::clone(name), demand, trust: config.trust_of(entry)? })
}

#[inline(never)]
fn accepted_key(
    named: &Named<'_, written::Key<'_>>,
    secrets: &Secrets<'_>,
    known: &mut Known,
) -> Option<AcceptedKey> {
    let Named { name, node, entry } = named;
    if known.names.contains(name) {
        node.error("has the name of another entrance's key, and keys are counted by name: rename one");
    }
    known.names.push(Arc::clone(name));
    let written::Key { form, not_before, not_after } = entry;
    let sha256 = match form.as_ref()? {
        KeyForm::Sha256(hash) => *hash,
        KeyForm::Secret(secret) => match secret::resolve(secret, secrets)? {
            Resolved::Unchecked => return None,
            Resolved::Value(value) => match GatewayKey::new(&value) {
                Ok(key) => Sha256::digest(key.as_bytes()).into(),
                Err(reason) => return secret.node.refuse(reason),
            },
        },
    };
    if known.hashes.contains(&sha256) {
        node.error("is the same key as another one: one key has one name and one entrance");
    }
    known.hashes.push(sha256);
    Some(AcceptedKey { name: Arc::clone(name), sha256, not_before: *not_before, not_after: *not_after })
}

fn listed(peers: &[(Node<'_>, SpiffeId)], admits_resumed: bool, known: &mut Known) -> Peers {
    known.peers += peers.len();
    for (position, (node, id)) in peers.iter().enumerate() {
        if peers.iter().take(position).any(|(_, earlier)| earlier == id) {
            node.error("is listed here already: remove one");
        }
    }
    Peers { listed: peers.iter().map(|(_, id)| Peer::new(id.clone())).collect(), admits_resumed }
}

/// Of a sole entrance with keys it goes without saying that it is the gateway's. Of several it does not, nor
/// where another one is trusted.
#[inline(never)]
fn check_trust(config: &Config<'_>) {
    let has_a_say = |named: &&Named<'_, written::Entrance<'_>>| {
        named.entry.keys.is_some() || matches!(named.entry.trust, Trusted::Headers(_))
    };
    if config.entrances.iter().filter(has_a_say).count() < 2 || !config.issuers.is_empty() {
        return;
    }
    for Named { node, entry, .. } in &config.entrances {
        if entry.keys.is_some() && matches!(entry.trust, Trusted::Unwritten) {
            node.below("trust").error(
                "is missing: beside another entrance that has `keys` or is trusted, say of each which headers it \
                 may fill, or `none`",
            );
        }
    }
}

/// Of two entrances that let in the same peer and demand no more, nothing in a request says which is meant. So
/// they must believe it in the same things.
#[inline(never)]
fn check_shared_peers(config: &Config<'_>) {
    let mut trusted: BTreeMap<&SpiffeId, Option<Trust>> = BTreeMap::new();
    for Named { entry, .. } in &config.entrances {
        let (None, Some(peers), Some(trust)) = (&entry.keys, &entry.peers, config.trust_of(entry)) else {
            continue;
        };
        for (node, id) in peers {
            if *trusted.entry(id).or_insert_with(|| trust.clone()) != trust {
                node.error(
                    "is let in by another entrance too, which has another `trust`: give both the same, or list the \
                     peer in one of them",
                );
            }
        }
    }
}

impl Config<'_> {
    /// Whether a context is the credential here, be it one that could not be read.
    pub(super) fn requires_context(&self) -> bool {
        self.node.value().pointer("/context/require").is_some()
    }

    /// What an entrance is trusted to say: what is written, or the three default headers where it has keys and
    /// there is no other credential. None, where what is written could not be read.
    pub(super) fn trust_of(&self, entrance: &written::Entrance<'_>) -> Option<Option<Trust>> {
        match &entrance.trust {
            Trusted::Unreadable => None,
            Trusted::Headers(trust) => Some(Some(trust.clone())),
            Trusted::Nothing => Some(None),
            Trusted::Unwritten if !self.issuers.is_empty() || entrance.keys.is_none() => Some(None),
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
        let trusts =
            |named: &Named<'_, written::Entrance<'_>>| !matches!(self.trust_of(&named.entry), Some(None));
        let unread_entrances = document.get("entrances").is_some() && self.entrances.is_empty();
        document.get("issuers").is_some()
            || self.requires_context()
            || unread_entrances
            || self.entrances.iter().any(trusts)
    }
}
