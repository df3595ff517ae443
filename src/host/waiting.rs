//! Requests that wait for keys. Each is looked at again when keys came, when they did not, and when it has
//! waited long enough; none is touched that is gone.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::guard::Guard;
use super::log;
use super::metrics::paused;
use crate::policy::Policy;
use crate::time::UnixTime;

/// The most that are looked at in one call of the host, which serves nobody else meanwhile: a signature may
/// cost milliseconds.
const BATCH: usize = 32;

/// One of them.
pub(super) struct Waiting {
    /// What decides about it.
    pub(super) guard: Guard,
    /// The policy under which it came in.
    pub(super) policy: Rc<Policy>,
    /// The name of the issuer whose keys it waits for.
    pub(super) issuer: Arc<str>,
    /// After this time it waits no more.
    pub(super) deadline: UnixTime,
}

thread_local! {
    /// In the order in which they came, each with the time at which it is looked at.
    static WAITING: RefCell<Vec<(UnixTime, Waiting)>> = const { RefCell::new(Vec::new()) };
}

/// Takes a request in; false where as many wait as its policy allows.
pub(super) fn enter(request: Waiting) -> bool {
    let has_room = WAITING.with_borrow_mut(|waiting| {
        let has_room = waiting.len() < request.policy.paused_requests();
        if has_room {
            waiting.push((request.deadline, request));
        }
        has_room
    });
    tell();
    has_room
}

/// Tells how many there are.
fn tell() {
    log::report(paused::tell(WAITING.with_borrow(Vec::len)));
}

/// Takes a request back in that has waited already.
pub(super) fn enter_again(request: Waiting) {
    WAITING.with_borrow_mut(|waiting| waiting.push((request.deadline, request)));
    tell();
}

/// The stream is gone.
pub(super) fn leave(stream: u32) {
    WAITING.with_borrow_mut(|waiting| waiting.retain(|(_, request)| request.guard.stream() != stream));
    tell();
}

/// Something happened that these have waited for: they are looked at as soon as there is time.
pub(super) fn touch(is_concerned: impl Fn(&Waiting) -> bool) {
    WAITING.with_borrow_mut(|waiting| {
        let concerned = waiting.iter_mut().filter(|(_, request)| is_concerned(request));
        concerned.for_each(|(time, _)| *time = UnixTime::from_secs(0));
    });
}

/// The first of those whose time has come. They are no longer here, so that nothing that happens to them
/// finds them twice.
pub(super) fn take_due(now: UnixTime) -> Vec<Waiting> {
    // A clock that was set back must not make anybody wait longer.
    let is_due =
        |time: UnixTime, request: &Waiting| time <= now || time > now.later_by(request.policy.pause());
    let due = WAITING.with_borrow_mut(|waiting| {
        let due = waiting.extract_if(.., |(time, request)| is_due(*time, request));
        due.take(BATCH).map(|(_, request)| request).collect()
    });
    tell();
    due
}

/// When the next of them is to be looked at.
pub(super) fn due() -> Option<UnixTime> {
    WAITING.with_borrow(|waiting| waiting.iter().map(|(time, _)| *time).min())
}
