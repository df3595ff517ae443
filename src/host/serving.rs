//! The configurations that are served in this VM, and what is told of them all every few seconds: gauges hold
//! what was written last, by any worker, so each worker writes its own again and again.
//!
//! Envoy tries each configuration in a VM that it throws away before it could tick. Nothing is told of one before
//! the first tick, so such a trial is not taken for a configuration that came and went.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::envoy::HostError;
use super::metrics::{self, tokens};
use super::{keys, log};
use crate::credential::remote::RemoteSource;
use crate::policy::Policy;
use crate::time::UnixTime;

/// From one time that everything is told to the next.
const BEAT: Duration = Duration::from_secs(5);

/// A configuration that a plugin serves: for as long as this lives.
pub(super) struct Serving(Rc<Served>);

struct Served {
    policy: Rc<Policy>,
    hash: String,
    crypto: &'static str,
    /// Whether anybody was told of it.
    is_told: Cell<bool>,
}

thread_local! {
    static SERVED: RefCell<Vec<Weak<Served>>> = const { RefCell::new(Vec::new()) };
    /// When everything is told next; none where that is overdue.
    static NEXT: Cell<Option<UnixTime>> = const { Cell::new(None) };
}

impl Serving {
    pub(super) fn new(policy: &Rc<Policy>, hash: String, crypto: &'static str) -> Self {
        let served = Served { policy: Rc::clone(policy), hash, crypto, is_told: Cell::new(false) };
        let served = Rc::new(served);
        SERVED.with_borrow_mut(|all| all.push(Rc::downgrade(&served)));
        NEXT.set(None);
        Self(served)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        log::report(tokens::collect(&self.0.policy));
        if self.0.is_told.get() {
            log::report(metrics::serving::tell(&self.0.hash, self.0.crypto, false));
            log::report(metrics::keys::forget(&self.0.policy));
            // What others serve alike is told at once again.
            NEXT.set(None);
        }
    }
}

/// When there is something to tell.
pub(super) fn due() -> UnixTime {
    NEXT.get().unwrap_or(UnixTime::from_secs(0))
}

/// Tells everything, if it is time.
pub(super) fn tick(now: UnixTime) {
    // A clock that was set back must not silence anybody.
    if NEXT.get().is_some_and(|next| now < next && next <= now.later_by(BEAT)) {
        return;
    }
    NEXT.set(Some(now.later_by(BEAT)));
    for served in all() {
        log::report(tell(&served, now));
    }
    log::settle(now);
}

/// The configured names of the issuers that believe the keys of a source.
pub(super) fn issuers_of(source: &RemoteSource) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for served in all() {
        let believes = |sources: &[std::sync::Arc<RemoteSource>]| sources.iter().any(|one| **one == *source);
        let issuers = served.policy.fetching_issuers().filter(|(_, sources)| believes(sources));
        names.extend(issuers.map(|(name, _)| name.to_string()));
    }
    names.sort_unstable();
    names.dedup();
    names
}

#[inline(never)]
fn tell(served: &Served, now: UnixTime) -> Result<(), HostError> {
    served.is_told.set(true);
    metrics::serving::tell(&served.hash, served.crypto, true)?;
    keys::with(|keys| metrics::keys::tell_ages(&served.policy, &keys.ring, now))?;
    tokens::collect(&served.policy)
}

fn all() -> Vec<Rc<Served>> {
    SERVED.with_borrow_mut(|all| {
        all.retain(|served| served.strong_count() > 0);
        all.iter().filter_map(Weak::upgrade).collect()
    })
}
