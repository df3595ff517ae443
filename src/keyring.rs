//! Remote keys: when each source is asked, what its answers are worth, and what a request may expect
//! meanwhile.
//!
//! It does nothing itself: times and answers come in, fetches to be made go out, and the host makes them. So
//! a day of an issuer's life is a test of a few microseconds.
//!
//! A source holds keys or none, and is idle until a time or fetching. Keys are *usable* until `maxStale` has
//! passed since the fetch that brought them.
//!
//! | state | event | what happens | then |
//! | --- | --- | --- | --- |
//! | not known | a policy names it | | idle, due at once |
//! | idle | its time comes | a fetch | fetching |
//! | fetching | an answer with usable keys | they replace those before; requests are looked at again | idle until `refresh` has passed |
//! | fetching | any other answer, a reset, `timeout` and a second | the keys stay; requests are looked at again | idle for 1 s where no keys are usable, else for 1, 2, 4 … 60 s, but not past their end |
//! | fetching | the host did not send it | the keys stay; requests are looked at again | idle for 250 ms |
//! | fetching | the host dropped it | nothing: requests wait on | idle, due at once |
//! | fetching | an answer to an earlier fetch | nothing: it is late | fetching |
//! | idle | an answer | nothing: it is late | idle |
//! | no usable keys, fetching or due in time | a token | the request waits | the same |
//! | no usable keys, not due in time | a token | `keys_unavailable` | idle |
//! | usable keys under 30 s old | a token of an unknown `kid` | `key_unknown` | the same |
//! | older keys, fetching or due in time | a token of an unknown `kid` | the request waits | the same |
//! | older keys, idle, the last fetch succeeded | a token of an unknown `kid` | the request waits | idle, due at once |
//! | older keys, idle, the last fetch failed | a token of an unknown `kid` | `keys_unavailable` | idle |
//! | any | `maxStale` passes | the keys are no longer usable | the same |
//! | any | the clock is set back | what lies ahead comes no later than if it began now; proofs by the keys are forgotten | the same |
//! | any | no policy names it for a minute | the keys are forgotten | not known |
//!
//! Every wait is shortened by a random part of up to an eighth. "In time" is within `limits.pause`.

mod answer;
mod state;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Weak};
use std::time::Duration;

pub use answer::{Answer, Failure, MAX_BODY};
pub use state::{FetchId, Outlook};

use crate::credential::remote::RemoteSource;
use crate::jose::jwk::Key;
use crate::jose::signature::{Engine, Engines};
use crate::time::UnixTime;
use state::{Jitter, State, Times};

/// How long a source is kept that no policy names: a new policy may follow an old one.
const KEPT: Duration = Duration::from_secs(60);

/// What a decision needs to check a signature: the engines, and the keys that were fetched.
#[derive(Debug)]
pub struct Keys {
    /// Who does the arithmetic.
    pub engines: Engines,
    /// The remote keys.
    pub ring: Keyring,
}

impl Keys {
    /// These engines, and no remote keys yet. `seed` should be random: it spreads the fetches of many
    /// proxies.
    #[must_use]
    pub fn new(engines: Engines, seed: u64) -> Self {
        Self { engines, ring: Keyring::new(seed) }
    }

    /// The engine that a host offers, where it gives the known answers, and the module's own.
    #[must_use]
    pub fn settle(host: Option<Box<dyn Engine>>, seed: u64) -> Self {
        Self::new(Engines::settle(host), seed)
    }

    /// Verification inside the module only.
    #[must_use]
    pub fn in_module() -> Self {
        Self::new(Engines::in_module(), 0)
    }
}

/// The remote keys of a VM.
#[derive(Debug)]
pub struct Keyring {
    entries: Vec<Entry>,
    generation: u64,
    last_fetch: FetchId,
    random: u64,
}

#[derive(Debug)]
struct Entry {
    source: Arc<RemoteSource>,
    /// The sources, equal to this one, of the policies that name it.
    watchers: Vec<Weak<RemoteSource>>,
    /// When it was last named by a policy.
    named: UnixTime,
    state: State,
}

/// A fetch to be made.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// To be given back with the answer.
    pub id: FetchId,
    /// Where to.
    pub source: Arc<RemoteSource>,
}

/// How a fetch ended. The requests that wait for its source can be decided about.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Where from.
    pub source: Arc<RemoteSource>,
    /// How many usable keys it brought, and whether they differ from those before; or why none.
    pub outcome: Result<Arrived, Failure>,
    /// Whether an operator has not been told so yet: other keys, the first after a failure, or another
    /// failure than the one before.
    pub is_news: bool,
}

/// What a fetch brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Usable keys, at least one.
    pub keys: usize,
    /// Whether they differ from those before.
    pub changed: bool,
}

/// What time brings.
#[derive(Clone, Debug)]
pub enum Action {
    /// A fetch is due.
    Fetch(Fetch),
    /// A fetch ended, for nobody waits for it any longer.
    Settled(Settled),
}

impl Keyring {
    /// No sources yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        // A state of zero would stay zero.
        Self { entries: Vec::new(), generation: 0, last_fetch: FetchId(0), random: seed | 1 }
    }

    /// A policy names a source. Keys of an equal one are kept.
    pub fn watch(&mut self, source: &Arc<RemoteSource>, now: UnixTime) {
        let watcher = Arc::downgrade(source);
        match self.entries.iter_mut().find(|entry| *entry.source == **source) {
            Some(entry) => {
                entry.watchers.push(watcher);
                entry.named = now;
            }
            None => {
                let RemoteSource { refresh, timeout, max_stale, .. } = **source;
                self.entries.push(Entry {
                    // A copy of its own, so that it does not count among those that policies hold.
                    source: Arc::new(RemoteSource::clone(source)),
                    watchers: vec![watcher],
                    named: now,
                    state: State::new(Times { refresh, timeout, max_stale }, now),
                });
            }
        }
    }

    /// What is to be done at this time: fetches to be made, and fetches that nobody waits for any more.
    pub fn poll(&mut self, now: UnixTime) -> Vec<Action> {
        self.forget(now);
        let mut actions = Vec::new();
        for position in 0..self.entries.len() {
            let jitter = self.jitter();
            let id = FetchId(self.last_fetch.0.saturating_add(1));
            let Some(entry) = self.entries.get_mut(position) else { continue };
            if entry.state.heed(now) {
                // What was proved by these keys was said to hold for longer than they do.
                self.generation = self.generation.wrapping_add(1);
            }
            if entry.state.is_overdue(now) {
                actions.push(Action::Settled(entry.settle(Err(Failure::TimedOut), now, jitter)));
            }
            if !entry.watchers.is_empty() && entry.state.begin(id, now) {
                self.last_fetch = id;
                actions.push(Action::Fetch(Fetch { id, source: Arc::clone(&entry.source) }));
            }
        }
        actions
    }

    /// Takes an answer; none where it is late.
    pub fn answer(&mut self, id: FetchId, answer: Answer<'_>, now: UnixTime) -> Option<Settled> {
        let jitter = self.jitter();
        let entry = self.fetching(id)?;
        let keys = answer::judge(answer, entry.source.algorithms.as_deref());
        let settled = entry.settle(keys, now, jitter);
        if settled.outcome.as_ref().is_ok_and(|arrived| arrived.changed) {
            self.generation = self.generation.wrapping_add(1);
        }
        Some(settled)
    }

    /// The host did not send a fetch.
    pub fn not_sent(&mut self, id: FetchId, now: UnixTime) -> Option<Settled> {
        let jitter = self.jitter();
        Some(self.fetching(id)?.settle(Err(Failure::NotSent), now, jitter))
    }

    /// The host dropped a fetch, for a reason that is not the issuer's: it is due again at once, and requests
    /// wait on.
    pub fn abandon(&mut self, id: FetchId, now: UnixTime) {
        if let Some(entry) = self.fetching(id) {
            entry.state.abandon(now);
        }
    }

    /// Whether a source is being asked, or could not be until now.
    #[must_use]
    pub fn is_pending(&self, source: &RemoteSource) -> bool {
        self.state(source).is_some_and(State::is_pending)
    }

    /// A request waits for other keys of this source than there are.
    pub fn want(&mut self, source: &RemoteSource, now: UnixTime) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| *entry.source == *source) {
            entry.state.want(now);
        }
    }

    /// The usable keys of a source, and the time at which they are too old to serve.
    #[must_use]
    pub fn keys(&self, source: &RemoteSource, now: UnixTime) -> Option<(&[Key], UnixTime)> {
        self.state(source)?.keys(now)
    }

    /// How old the last good keys of a source are, usable or not; where none ever came, how long they have been
    /// missing. None of a source that no policy names.
    #[must_use]
    pub fn age(&self, source: &RemoteSource, now: UnixTime) -> Option<Duration> {
        Some(self.state(source)?.age(now))
    }

    /// What a request may expect within `patience` that needs other keys of this source.
    #[must_use]
    pub fn outlook(&self, source: &RemoteSource, now: UnixTime, patience: Duration) -> Outlook {
        self.state(source).map_or(Outlook::Unavailable, |state| state.outlook(now, patience))
    }

    /// Whether a fetch has neither ended nor been given up.
    #[must_use]
    pub fn is_under_way(&self, id: FetchId) -> bool {
        self.entries.iter().any(|entry| entry.state.is_fetching(id))
    }

    /// Whether the last fetch of a source failed.
    #[must_use]
    pub fn is_failing(&self, source: &RemoteSource) -> bool {
        self.state(source).is_none_or(State::is_failing)
    }

    /// Changes with every change of any key and of how long it serves, so that what was proved by earlier
    /// keys can be told.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// When [`Self::poll`] will have something to do; none where there are no sources.
    #[must_use]
    pub fn due(&self) -> Option<UnixTime> {
        let due = |entry: &Entry| match entry.watchers.is_empty() {
            true => entry.named.later_by(KEPT),
            false => entry.state.due(),
        };
        self.entries.iter().map(due).min()
    }

    fn state(&self, source: &RemoteSource) -> Option<&State> {
        self.entries.iter().find(|entry| *entry.source == *source).map(|entry| &entry.state)
    }

    fn fetching(&mut self, id: FetchId) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.state.is_fetching(id))
    }

    fn forget(&mut self, now: UnixTime) {
        for entry in &mut self.entries {
            entry.watchers.retain(|watcher| watcher.strong_count() > 0);
            if !entry.watchers.is_empty() {
                entry.named = now;
            }
            entry.named = entry.named.min(now);
        }
        let before = self.entries.len();
        self.entries.retain(|entry| now.since(entry.named) < KEPT);
        if self.entries.len() < before {
            self.generation = self.generation.wrapping_add(1);
        }
    }

    /// A random number: xorshift64 (Marsaglia 2003), which nobody needs to be unable to guess.
    fn jitter(&mut self) -> Jitter {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        Jitter(self.random >> 32)
    }
}

impl Entry {
    fn settle(&mut self, fetched: Result<Vec<Key>, Failure>, now: UnixTime, jitter: Jitter) -> Settled {
        let source = Arc::clone(&self.source);
        match fetched {
            Ok(keys) => {
                let (count, was_failing) = (keys.len(), self.state.is_failing());
                let changed = self.state.succeed(keys, now, jitter);
                let arrived = Arrived { keys: count, changed };
                Settled { source, outcome: Ok(arrived), is_news: changed || was_failing }
            }
            Err(failure) => {
                let is_news = !self.state.is_known(&failure);
                self.state.fail(failure.clone(), now, jitter);
                Settled { source, outcome: Err(failure), is_news }
            }
        }
    }
}

impl Settled {
    /// Every word that [`Self::result`] can be.
    pub const RESULTS: [&'static str; 10] = [
        CHANGED,
        UNCHANGED,
        "not_sent",
        "timed_out",
        "reset",
        "status",
        "too_large",
        "not_json",
        "not_a_set",
        "no_usable_key",
    ];

    /// How it ended, in a word of a closed list, for logs and counters.
    #[must_use]
    pub fn result(&self) -> &'static str {
        match &self.outcome {
            Ok(Arrived { changed: true, .. }) => CHANGED,
            Ok(Arrived { changed: false, .. }) => UNCHANGED,
            Err(failure) => failure.as_str(),
        }
    }
}

/// The fetch brought other keys than there were.
const CHANGED: &str = "changed";
/// The fetch brought the keys that there were.
const UNCHANGED: &str = "unchanged";
