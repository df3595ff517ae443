//! `entrances`: as written, every field typed.

use super::node::{Named, Node};
use super::secret::{self, Secret};
use super::time::timestamp;
use super::{GATEWAY_KEY_HEADER, ownable};
use crate::credential::entrance::Trust;
use crate::header::HeaderName;
use crate::spiffe::SpiffeId;
use crate::time::UnixTime;

/// One entrance.
#[derive(Debug)]
pub struct Entrance<'v> {
    /// `keys`; none where it is not written, and what could be read of it where it is.
    pub keys: Option<Vec<Named<'v, Key<'v>>>>,
    /// `peers`, each with where it stands; the same.
    pub peers: Option<Vec<(Node<'v>, SpiffeId)>>,
    /// `resumed`: whether a peer is believed who was not validated on this connection.
    pub resumed: bool,
    /// `header`.
    pub header: Option<HeaderName>,
    /// `trust`.
    pub trust: Trusted,
    /// `forward`: whether the key stays on the request.
    pub forward: bool,
}

/// What an entrance is trusted to say.
#[derive(Clone, Debug)]
pub enum Trusted {
    /// Nothing is written: the default is to be taken.
    Unwritten,
    /// What is written could not be read, and there is an error about it.
    Unreadable,
    /// `none`.
    Nothing,
    /// These headers.
    Headers(Trust),
}

/// One accepted gateway key.
#[derive(Debug)]
pub struct Key<'v> {
    /// `sha256`, or the fields of a Secret.
    pub form: Option<KeyForm<'v>>,
    /// `notBefore`.
    pub not_before: Option<UnixTime>,
    /// `notAfter`.
    pub not_after: Option<UnixTime>,
}

/// How the key is known.
#[derive(Debug)]
pub enum KeyForm<'v> {
    /// By its hash.
    Sha256([u8; 32]),
    /// By itself.
    Secret(Secret<'v>),
}

#[inline(never)]
pub(crate) fn read<'v>(node: &Node<'v>) -> Option<Entrance<'v>> {
    let mut fields = node.object()?;
    let is_written = |name: &str| node.value().get(name).is_some();
    let (keys, peers) = (fields.optional("keys"), fields.optional("peers"));
    let header = fields.optional("header").map(|header| ownable(&header));
    let entrance = Entrance {
        keys: is_written("keys").then(|| keys.map(|keys| keys.named(key)).unwrap_or_default()),
        peers: is_written("peers").then(|| peers.map(|peers| peers.each(peer)).unwrap_or_default()),
        resumed: fields
            .optional("resumed")
            .and_then(|node| node.choice(&[("refuse", false), ("admit", true)]))
            .unwrap_or(false),
        header: header.unwrap_or_else(|| HeaderName::parse(GATEWAY_KEY_HEADER)),
        trust: fields.optional("trust").map_or(Trusted::Unwritten, |node| trusted(&node)),
        forward: fields.optional("forward").and_then(|forward| forward.boolean()).unwrap_or(false),
    };
    fields.finish();
    if entrance.keys.is_none() && entrance.peers.is_none() {
        node.error(
            "lets nobody in: name the gateway keys that open it (`keys`), the workloads that may call \
             (`peers`), or both, where both must hold",
        );
    }
    if entrance.keys.is_none() {
        for name in ["header", "forward"].into_iter().filter(|name| is_written(name)) {
            node.below(name).error("is about a key, and this entrance has no `keys`: remove it");
        }
    }
    if entrance.peers.is_none() && is_written("resumed") {
        node.below("resumed").error("is about a peer, and this entrance has no `peers`: remove it");
    }
    Some(entrance)
}

fn peer<'v>(node: &Node<'v>) -> Option<(Node<'v>, SpiffeId)> {
    match SpiffeId::parse(node.text()?) {
        Ok(id) => Some((node.clone(), id)),
        Err(reason) => node.refuse(reason),
    }
}

#[inline(never)]
fn key<'v>(node: &Node<'v>) -> Option<Key<'v>> {
    if node.value().is_string() {
        return node.refuse(
            "is text: write `{sha256: ...}`, which `vestibule hash` makes, or `{env: NAME}`; and if this was the key, make \
             a new one",
        );
    }
    let mut fields = node.object()?;
    let (sha256, env) = (fields.optional("sha256"), fields.optional("env"));
    let form = match (&sha256, &env) {
        (Some(hash), None) => hash
            .text()
            .and_then(|text| {
                let bytes = hex(text).and_then(|bytes| bytes.try_into().ok());
                bytes.or_else(|| {
                    hash.refuse(
                        "is not a SHA-256 in hexadecimal, 64 digits: `vestibule hash` makes it from the key",
                    )
                })
            })
            .map(KeyForm::Sha256),
        (None, Some(env)) => secret::of_fields(node, env, &mut fields).map(KeyForm::Secret),
        (Some(_), Some(_)) => node.refuse(
            "has both `sha256` and `env`: keep one (the hash, so that this door need not know the key)",
        ),
        (None, None) => {
            node.below("sha256")
                .error("is missing: give the key's hash (`vestibule hash` makes it), or `env`");
            None
        }
    };
    let key = Key {
        form,
        not_before: fields.optional("notBefore").and_then(|node| timestamp(&node)),
        not_after: fields.optional("notAfter").and_then(|node| timestamp(&node)),
    };
    fields.finish();
    if let (Some(start), Some(end)) = (key.not_before, key.not_after)
        && start >= end
    {
        node.below("notAfter")
            .error("is not after `notBefore`, so the key would never be accepted: correct one of them");
    }
    Some(key)
}

fn trusted(node: &Node<'_>) -> Trusted {
    if node.value().is_string() {
        return node.choice(&[("none", Trusted::Nothing)]).unwrap_or(Trusted::Unreadable);
    }
    trust(node).map_or(Trusted::Unreadable, Trusted::Headers)
}

#[inline(never)]
fn trust(node: &Node<'_>) -> Option<Trust> {
    let mut fields = node.object()?;
    let subject = fields
        .required("subject", "name the header that carries the caller's id: without it nobody is proved");
    let (tenant, permissions) = (fields.optional("tenant"), fields.optional("permissions"));
    let trust = (
        subject.and_then(|node| ownable(&node)),
        tenant.map(|node| ownable(&node)),
        permissions.map(|node| ownable(&node)),
    );
    fields.finish();
    let (subject, tenant, permissions) = trust;
    Some(Trust { subject: subject?, tenant: tenant.flatten(), permissions: permissions.flatten() })
}

pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}
