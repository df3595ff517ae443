//! The gateway keys of an entrance: which are accepted, until when, and in which header.
//!
//! The key is known to whatever the gateway sends it to: it proves the way a request took, not who sent it.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use crate::credential::gateway_key::GatewayKey;
use crate::header::HeaderName;
use crate::request::{Copies, Request};
use crate::time::UnixTime;

/// The keys that open an entrance, any of them.
#[derive(Clone, Debug)]
pub struct Keys {
    pub(crate) header: HeaderName,
    pub(crate) accepted: Vec<AcceptedKey>,
    /// Whether the key stays on the request.
    pub(crate) forward: bool,
}

/// A gateway key that is accepted, by its hash: an inner door need not know the key.
#[derive(Clone, Debug)]
pub struct AcceptedKey {
    /// Its name, which no other key of the door has.
    pub(crate) name: Arc<str>,
    pub(crate) sha256: [u8; 32],
    /// From this second on.
    pub(crate) not_before: Option<UnixTime>,
    /// Up to, and without, this second.
    pub(crate) not_after: Option<UnixTime>,
}

impl AcceptedKey {
    fn is_current(&self, now: UnixTime) -> bool {
        self.not_before.is_none_or(|start| start <= now) && self.not_after.is_none_or(|end| now < end)
    }
}

/// What a request presents as a key.
#[derive(Clone, Copy)]
pub(super) enum Presented {
    /// Nothing.
    Nothing,
    /// What is no key: several copies, or what could be none.
    Unusable,
    /// What may be one, by its SHA-256.
    Key([u8; 32]),
}

impl Presented {
    /// What stands in this header.
    ///
    /// What could be no key is none, even where somebody listed the hash of an empty text.
    pub(super) fn of(request: &Request<'_>, header: &HeaderName) -> Self {
        match request.single(header.as_bytes()) {
            Err(Copies::None) => Self::Nothing,
            Err(Copies::Several) => Self::Unusable,
            Ok(key) if GatewayKey::check(key).is_err() => Self::Unusable,
            Ok(key) => Self::Key(Sha256::digest(key).into()),
        }
    }
}

impl Keys {
    /// The header in which the key is read.
    #[must_use]
    pub fn header(&self) -> &HeaderName {
        &self.header
    }

    /// The configured names of the keys.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.accepted.iter().map(|key| &key.name)
    }

    /// Whether the key is one of the accepted ones, current now, and its position. Every candidate is
    /// compared, in constant time, so that the time tells neither how far a guess came nor which key it
    /// resembles.
    pub(super) fn compare(&self, presented: &Presented, now: UnixTime) -> (Choice, u32) {
        let Presented::Key(hash) = presented else { return (Choice::from(0), 0) };
        (0..).zip(&self.accepted).fold((Choice::from(0), 0), |(accepted, found), (position, candidate)| {
            let current = Choice::from(u8::from(candidate.is_current(now)));
            let is_it = hash.ct_eq(&candidate.sha256) & current;
            (accepted | is_it, u32::conditional_select(&found, &position, is_it))
        })
    }

    /// The name of the key at this position.
    pub(super) fn name_at(&self, position: u32) -> Option<&Arc<str>> {
        self.accepted.get(usize::try_from(position).ok()?).map(|key| &key.name)
    }
}
