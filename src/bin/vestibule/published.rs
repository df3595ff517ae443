//! The keys that issuers publish, given in place of fetches.

use std::fmt;

use serde_json::Value;
use vestibule::json;
use vestibule::keyring::{Action, Answer, Keyring};
use vestibule::policy::Policy;
use vestibule::time::UnixTime;

/// What an issuer publishes: its name in the configuration, and the text of a JWK set.
pub(crate) type Published = (String, Vec<u8>);

/// Why an issuer cannot have published this.
#[derive(Debug)]
pub(crate) struct Unpublished {
    /// Its name.
    pub(crate) issuer: String,
    pub(crate) reason: Reason,
}

#[derive(Debug)]
pub(crate) enum Reason {
    /// Nobody would fetch it.
    NotRemote,
    /// This issuer publishes another set, from the same source.
    Differs(String),
    /// No door takes keys from it, for this reason.
    NoKeys(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRemote => f.write_str("is no issuer with `remote` keys in the configuration"),
            Self::Differs(other) => write!(f, "differs from what `{other}` publishes at the same URL"),
            Self::NoKeys(reason) => write!(f, "brings no keys: {reason}"),
        }
    }
}

/// Has each source answer with what its issuer publishes, as by a good fetch just now. A source of an issuer
/// that publishes nothing here is not heard of.
pub(crate) fn publish(
    policy: &Policy,
    ring: &mut Keyring,
    published: &[Published],
    now: UnixTime,
) -> Result<(), Unpublished> {
    let refused = |issuer: &str, reason| Unpublished { issuer: issuer.to_owned(), reason };
    for (issuer, _) in published {
        if policy.remote_sources_of(issuer).next().is_none() {
            return Err(refused(issuer, Reason::NotRemote));
        }
    }
    policy.remote_sources().for_each(|source| ring.watch(source, now));
    for action in ring.poll(now) {
        let Action::Fetch(fetch) = action else { continue };
        let is_asked = |issuer: &str| policy.remote_sources_of(issuer).any(|source| *source == fetch.source);
        let mut sets = published.iter().filter(|(issuer, _)| is_asked(issuer));
        let Some((issuer, set)) = sets.next() else { continue };
        if let Some((other, _)) = sets.find(|(_, other)| !is_same(set, other)) {
            return Err(refused(issuer, Reason::Differs(other.clone())));
        }
        let answer = Answer::Response { status: b"200", body: Some(set) };
        let settled = ring.answer(fetch.id, answer, now);
        if let Some(Err(reason)) = settled.map(|settled| settled.outcome) {
            return Err(refused(issuer, Reason::NoKeys(reason.to_string())));
        }
    }
    Ok(())
}

fn is_same(set: &[u8], other: &[u8]) -> bool {
    let bounds = json::Bounds { depth: 16, duplicates: 1 };
    let parse = |text: &[u8]| json::parse(text, bounds).ok();
    set == other || parse(set).is_some_and(|set: Value| Some(set) == parse(other))
}
