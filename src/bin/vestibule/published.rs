//! The keys that issuers publish, from files in place of fetches.

use serde_json::Value;
use vestibule::json;
use vestibule::keyring::{Action, Answer, Keyring, MAX_BODY};
use vestibule::policy::Policy;
use vestibule::time::UnixTime;

use crate::Failure;

/// What an issuer publishes: its name in the configuration, and the text of a JWK set.
pub(crate) type Published = (String, Vec<u8>);

/// Has each source answer with what its issuer publishes, as by a good fetch just now. A source of an issuer
/// that publishes nothing here was never asked.
pub(crate) fn publish(
    policy: &Policy,
    ring: &mut Keyring,
    published: &[Published],
    now: UnixTime,
) -> Result<(), Failure> {
    for (issuer, _) in published {
        if policy.remote_sources_of(issuer).next().is_none() {
            return Err(failure(issuer, "is no issuer with `remote` keys in the configuration"));
        }
    }
    policy.remote_sources().for_each(|source| ring.watch(source, now));
    for action in ring.poll(now) {
        let Action::Fetch(fetch) = action else { continue };
        let is_asked = |issuer: &str| policy.remote_sources_of(issuer).any(|source| *source == fetch.source);
        let mut sets = published.iter().filter(|(issuer, _)| is_asked(issuer));
        let Some((issuer, set)) = sets.next() else { continue };
        if let Some((other, _)) = sets.find(|(_, other)| !is_same(set, other)) {
            let message = format!("is not what `{other}` publishes, and both have the same source");
            return Err(failure(issuer, &message));
        }
        let answer = Answer::Response { status: b"200", body: Some(set) };
        let settled = ring.answer(fetch.id, answer, now);
        if let Some(Err(reason)) = settled.map(|settled| settled.outcome) {
            return Err(failure(issuer, &format!("brings no keys: {reason}")));
        }
    }
    Ok(())
}

/// The largest file that is read; of a longer one no door takes keys.
pub(crate) const MOST: u64 = MAX_BODY as u64;

fn is_same(set: &[u8], other: &[u8]) -> bool {
    let bounds = json::Bounds { depth: 16, duplicates: 1 };
    let parse = |text: &[u8]| json::parse(text, bounds).ok();
    set == other || parse(set).is_some_and(|set: Value| Some(set) == parse(other))
}

fn failure(issuer: &str, message: &str) -> Failure {
    Failure(format!("--keys {issuer}: {message}"))
}
