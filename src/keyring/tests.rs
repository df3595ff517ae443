//! The life of an issuer, simulated: every row of the table in [`crate::keyring`], and the days that make an
//! operator call.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

mod days;
mod rows;

use super::*;
use crate::credential::remote::Url;
use serde_json::{Value, json};

/// P-256 keys of nobody, made with OpenSSL; the private parts are gone.
const POINTS: [(&str, &str); 3] = [
    ("g6pIxAuUOuH52gZgXCxcvkYvXgzWEsFZC4mzjOIsaZ0", "O3pyT9_fmQoQvpqwc7_TExW9qutKAWIY4BEUL0HdkgE"),
    ("eNHL4GrT6tEGZ4Jq-d0Afg8wRIkGMUBpr4Wk9ZJU9Fw", "hIysjOlBQNKLnVJ5cpzlZt_jbLGZGwQ1_roDXv7ekzk"),
    ("PDvRxiuiqUmdqDg1TIenlx1NAxMRYdjsF2lkDSjacNM", "vFsIaOrvckMjIHcf4jRZLWlYZujgVYG7pCpeZUnpeKA"),
];

/// How long requests wait in these tests.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) fn source(name: &str) -> Arc<RemoteSource> {
    Arc::new(RemoteSource {
        url: Url::parse(&format!("https://{name}.example/keys")).unwrap(),
        cluster: name.into(),
        refresh: Duration::from_secs(600),
        timeout: Duration::from_secs(5),
        max_stale: Duration::from_secs(86_400),
        algorithms: None,
    })
}

/// Milliseconds after a date of no importance.
pub(super) fn at(milliseconds: u64) -> UnixTime {
    UnixTime::from_secs(1_800_000_000).later_by(Duration::from_millis(milliseconds))
}

/// A JWK Set of these keys, `a` to `c`.
pub(super) fn set(kids: &str) -> Vec<u8> {
    let keys: Vec<Value> = kids
        .chars()
        .map(|kid| {
            let (x, y) = POINTS.get(usize::from(u8::try_from(kid).unwrap() - b'a')).unwrap();
            json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": x, "y": y})
        })
        .collect();
    json!({"keys": keys}).to_string().into_bytes()
}

pub(super) fn ok(body: &[u8]) -> Answer<'_> {
    Answer::Response { status: b"200", body: Some(body) }
}

/// A ring with one source, and what its policy holds of it.
pub(super) struct Ring {
    pub(super) ring: Keyring,
    pub(super) source: Arc<RemoteSource>,
}

impl Ring {
    pub(super) fn new(now: UnixTime) -> Self {
        let (mut ring, source) = (Keyring::new(7), source("issuer"));
        ring.watch(&source, now);
        Self { ring, source }
    }

    /// One that got these keys at this time.
    pub(super) fn holding(kids: &str, now: UnixTime) -> Self {
        let mut ring = Self::new(now);
        let fetch = ring.fetch(now);
        ring.ring.answer(fetch, ok(&set(kids)), now).unwrap();
        ring
    }

    /// The fetches that are due.
    pub(super) fn due(&mut self, now: UnixTime) -> Vec<FetchId> {
        let fetch = |action| match action {
            Action::Fetch(fetch) => Some(fetch.id),
            Action::Settled(_) => None,
        };
        self.ring.poll(now).into_iter().filter_map(fetch).collect()
    }

    /// The one that is due.
    pub(super) fn fetch(&mut self, now: UnixTime) -> FetchId {
        match *self.due(now) {
            [fetch] => fetch,
            ref others => panic!("{others:?}"),
        }
    }

    /// The usable keys.
    pub(super) fn kids(&self, now: UnixTime) -> String {
        let keys = self.ring.keys(&self.source, now).map_or(&[][..], |(keys, _)| keys);
        keys.iter().map(|key| key.kid().unwrap()).collect()
    }

    pub(super) fn outlook(&self, now: UnixTime) -> Outlook {
        self.ring.outlook(&self.source, now, PAUSE)
    }

    /// The times of the fetches up to `end`, each answered at once by what the issuer says at its time. Time
    /// passes as it does in a host: from one thing that is due to the next.
    pub(super) fn live(
        &mut self,
        start: UnixTime,
        end: UnixTime,
        mut issuer: impl FnMut(UnixTime) -> Reply,
    ) -> Vec<UnixTime> {
        let (mut now, mut fetches) = (start, Vec::new());
        while now <= end {
            for id in self.due(now) {
                fetches.push(now);
                match issuer(now) {
                    Reply::Keys(kids) => drop(self.ring.answer(id, ok(&set(kids)), now)),
                    Reply::Down => drop(self.ring.answer(id, Answer::Reset, now)),
                    Reply::NotSent => drop(self.ring.not_sent(id, now)),
                    Reply::Silent => {}
                }
            }
            now = self.ring.due().unwrap().max(now.later_by(Duration::from_millis(1)));
        }
        fetches
    }
}

/// What a simulated issuer does.
pub(super) enum Reply {
    Keys(&'static str),
    Down,
    NotSent,
    Silent,
}
