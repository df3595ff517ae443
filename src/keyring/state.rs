//! One source of remote keys over time: what it holds, and when it is asked again. The table of its
//! transitions stands in [`crate::keyring`].

use std::time::Duration;

use super::answer::Failure;
use crate::jose::jwk::Key;
use crate::time::UnixTime;

/// The wait after a failure while there are no usable keys: requests are being refused.
const QUICK: Duration = Duration::from_secs(1);
/// The wait where the host did not send the request, which costs nobody anything.
const NOT_SENT: Duration = Duration::from_millis(250);
/// The longest wait after a failure.
const SLOWEST: Duration = Duration::from_secs(60);
/// How long keys count as new, so that an unknown `kid` is nobody's and no reason to ask again.
const NEW: Duration = Duration::from_secs(30);
/// What an answer may be late by until nobody waits for it: the host's own timeout comes first where it
/// comes.
const GRACE: Duration = Duration::from_secs(1);

/// The times of a source, as its configuration gives them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) refresh: Duration,
    pub(super) timeout: Duration,
    pub(super) max_stale: Duration,
}

/// One fetch among all of a VM; a later one has a larger number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FetchId(pub(super) u64);

#[derive(Debug)]
pub(super) struct State {
    times: Times,
    /// When it began.
    since: UnixTime,
    held: Option<Held>,
    phase: Phase,
    /// Fetches that were sent and failed since the last that did not.
    failures: u32,
    /// Why the last fetch failed, if it did.
    failure: Option<Failure>,
}

#[derive(Debug)]
struct Held {
    keys: Vec<Key>,
    fetched: UnixTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The next fetch is due at this time.
    Idle(UnixTime),
    /// This fetch is under way; after this time nobody waits for it.
    Fetching(FetchId, UnixTime),
}

/// What a request may expect that finds no key of its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Newer keys may come in time.
    Wait,
    /// The keys are new, and the token's is not among them.
    Unknown,
    /// There are no keys, or newer ones could not be had, and none will be soon.
    Unavailable,
}

impl State {
    /// A source that was never asked: it is due at once.
    pub(super) fn new(times: Times, now: UnixTime) -> Self {
        Self { times, since: now, held: None, phase: Phase::Idle(now), failures: 0, failure: None }
    }

    /// The last good keys, and the time at which they are too old to serve.
    pub(super) fn keys(&self, now: UnixTime) -> Option<(&[Key], UnixTime)> {
        let held = self.held.as_ref()?;
        let end = held.fetched.later_by(self.times.max_stale);
        (now < end).then_some((&held.keys, end))
    }

    /// How old the last good keys are, usable or not; where none ever came, how long they have been missing.
    pub(super) fn age(&self, now: UnixTime) -> Duration {
        now.since(self.held.as_ref().map_or(self.since, |held| held.fetched))
    }

    /// When something is to be done next.
    pub(super) fn due(&self) -> UnixTime {
        match self.phase {
            Phase::Idle(next) => next,
            Phase::Fetching(_, end) => end,
        }
    }

    pub(super) fn is_fetching(&self, id: FetchId) -> bool {
        matches!(self.phase, Phase::Fetching(current, _) if current == id)
    }

    /// Whether a fetch is under way that nobody waits for any more.
    pub(super) fn is_overdue(&self, now: UnixTime) -> bool {
        matches!(self.phase, Phase::Fetching(_, end) if end <= now)
    }

    /// Begins a fetch if one is due.
    pub(super) fn begin(&mut self, id: FetchId, now: UnixTime) -> bool {
        let is_due = matches!(self.phase, Phase::Idle(next) if next <= now);
        if is_due {
            self.phase = Phase::Fetching(id, now.later_by(self.times.timeout).later_by(GRACE));
        }
        is_due
    }

    /// Whether an operator has been told of this failure by its being the last.
    pub(super) fn is_known(&self, failure: &Failure) -> bool {
        self.failure.as_ref() == Some(failure)
    }

    /// Whether the last fetch failed.
    pub(super) fn is_failing(&self) -> bool {
        self.failure.is_some()
    }

    /// Takes the keys of the fetch under way; whether they differ from those before.
    pub(super) fn succeed(&mut self, keys: Vec<Key>, now: UnixTime, jitter: Jitter) -> bool {
        let changed = self.held.as_ref().is_none_or(|held| held.keys != keys);
        self.held = Some(Held { keys, fetched: now });
        (self.failures, self.failure) = (0, None);
        self.phase = Phase::Idle(now.later_by(jitter.shorten(self.times.refresh)));
        changed
    }

    /// The fetch under way brought nothing.
    pub(super) fn fail(&mut self, failure: Failure, now: UnixTime, jitter: Jitter) {
        let wait = match (&failure, self.keys(now)) {
            (Failure::NotSent, _) => NOT_SENT,
            (_, None) => self.backoff().min(QUICK),
            // Not past the end of the keys, after which every request is refused.
            (_, Some((_, end))) => self.backoff().min(end.since(now).max(QUICK)),
        };
        self.failure = Some(failure);
        self.phase = Phase::Idle(now.later_by(jitter.shorten(wait)));
    }

    /// The fetch under way is nobody's any more.
    pub(super) fn abandon(&mut self, now: UnixTime) {
        self.phase = Phase::Idle(now);
    }

    /// Whether it is being asked, or could not be until now.
    pub(super) fn is_pending(&self) -> bool {
        let was_asked =
            self.held.is_some() || self.failure.as_ref().is_some_and(|it| *it != Failure::NotSent);
        matches!(self.phase, Phase::Fetching(..)) || !was_asked
    }

    /// The wait after one more failure, twice as long as after the one before.
    fn backoff(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        QUICK.saturating_mul(1 << self.failures.saturating_sub(1).min(6)).min(SLOWEST)
    }

    /// What a request may expect that needs other keys than these within `patience`.
    pub(super) fn outlook(&self, now: UnixTime, patience: Duration) -> Outlook {
        let in_time = match self.phase {
            Phase::Fetching(..) => true,
            Phase::Idle(next) => next <= now.later_by(patience),
        };
        match &self.held {
            Some(held) if self.keys(now).is_some() => {
                if now < held.fetched.later_by(NEW) {
                    Outlook::Unknown
                } else if in_time || !self.is_failing() {
                    Outlook::Wait
                } else {
                    Outlook::Unavailable
                }
            }
            None | Some(_) if in_time => Outlook::Wait,
            None | Some(_) => Outlook::Unavailable,
        }
    }

    /// A request waits for other keys than these: they are fetched at once, unless they are new or the last
    /// fetch failed, after which the backoff stands.
    pub(super) fn want(&mut self, now: UnixTime) {
        let may_be_old = self.held.as_ref().is_some_and(|held| held.fetched.later_by(NEW) <= now);
        if let Phase::Idle(next) = self.phase
            && may_be_old
            && !self.is_failing()
        {
            self.phase = Phase::Idle(next.min(now));
        }
    }

    /// Heeds a clock that was set back: nothing lies farther ahead than it would if it began now.
    /// Whether the keys end sooner by it than was said before.
    pub(super) fn heed(&mut self, now: UnixTime) -> bool {
        self.since = self.since.min(now);
        let end_sooner = self.held.as_mut().is_some_and(|held| {
            let is_ahead = now < held.fetched;
            held.fetched = held.fetched.min(now);
            is_ahead
        });
        self.phase = match self.phase {
            Phase::Idle(next) => {
                let longest = if self.is_failing() { SLOWEST } else { self.times.refresh };
                Phase::Idle(next.min(now.later_by(longest)))
            }
            Phase::Fetching(id, end) => {
                Phase::Fetching(id, end.min(now.later_by(self.times.timeout).later_by(GRACE)))
            }
        };
        end_sooner
    }
}

/// A random part by which a wait is shortened, so that the proxies of a mesh do not ask all at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jitter(pub(super) u64);

impl Jitter {
    /// The wait less up to an eighth of it.
    fn shorten(self, wait: Duration) -> Duration {
        let share = u32::try_from(self.0 % 1024).unwrap_or(0);
        wait.saturating_sub(wait.saturating_mul(share) / 8192)
    }
}
