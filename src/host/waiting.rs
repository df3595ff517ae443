//! Requests that wait for keys. Each is decided about once more when keys came, when they did not, or when it
//! has waited long enough; and none is touched that is gone.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::stream;
use crate::policy::Policy;
use crate::time::UnixTime;

/// One of them.
pub(super) struct Waiting {
    /// The host's number for its stream.
    pub(super) stream: u32,
    /// The policy under which it came in.
    pub(super) policy: Rc<Policy>,
    /// The name of the issuer whose keys it waits for.
    pub(super) issuer: Arc<str>,
    /// When it is decided about in any case.
    pub(super) deadline: UnixTime,
}

thread_local! {
    static WAITING: RefCell<Vec<Waiting>> = const { RefCell::new(Vec::new()) };
}

/// Takes a request in; false where as many wait as its policy allows.
pub(super) fn enter(request: Waiting) -> bool {
    WAITING.with_borrow_mut(|waiting| {
        let has_room = waiting.len() < request.policy.paused_requests();
        if has_room {
            waiting.push(request);
        }
        has_room
    })
}

/// The stream is gone.
pub(super) fn leave(stream: u32) {
    WAITING.with_borrow_mut(|waiting| waiting.retain(|request| request.stream != stream));
}

/// Has those decided about that need not wait any longer.
pub(super) fn wake(is_over: impl Fn(&Waiting) -> bool) {
    // They leave before any of them is touched, so that nothing that happens meanwhile finds them here.
    let over: Vec<Waiting> =
        WAITING.with_borrow_mut(|waiting| waiting.extract_if(.., |request| is_over(request)).collect());
    for request in over {
        stream::resume(&request);
    }
}

/// When the first of them has waited long enough.
pub(super) fn earliest_deadline() -> Option<UnixTime> {
    WAITING.with_borrow(|waiting| waiting.iter().map(|request| request.deadline).min())
}
