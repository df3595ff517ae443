//! The keys of this VM: the engines, settled once, and the remote keys, which every plugin of the VM shares and
//! which outlive a plugin's configuration. It makes the fetches that the keyring asks for.

use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use super::crypto::Host;
use super::envoy::{self, HostError, Level, Map};
use super::waiting;
use crate::credential::remote::RemoteSource;
use crate::jose::signature::Backend;
use crate::keyring::{Action, Answer, Fetch, FetchId, Keys, MAX_BODY, Settled};
use crate::policy::Policy;
use crate::time::UnixTime;

thread_local! {
    static KEYS: RefCell<Keys> = RefCell::new(settle());
    /// The callouts under way, by the host's number.
    static CALLS: RefCell<Vec<(u32, FetchId)>> = const { RefCell::new(Vec::new()) };
}

/// Runs with the keys as they are now.
///
/// Nothing that runs here may come back to this file: a VM does one thing at a time, and the core, which gets
/// the keys, calls no host but for signatures.
pub(super) fn with<T>(run: impl FnOnce(&Keys) -> T) -> T {
    KEYS.with_borrow(run)
}

/// The host's abilities do not change, so they are asked about once in a VM.
fn settle() -> Keys {
    // The standard library's random state is all that is needed to tell two VMs apart.
    let keys = Keys::settle(Some(Box::new(Host)), RandomState::new().hash_one(0));
    let served = keys.engines.backends().iter().map(|(algorithm, backend)| match backend {
        Backend::Host => format!("{algorithm} by the host"),
        Backend::Module => format!("{algorithm} in the module"),
        Backend::Nobody => format!("{algorithm} by nobody"),
    });
    let served = served.collect::<Vec<_>>().join(", ");
    envoy::log(Level::Info, &format!("vestibule: signatures verified: {served}"));
    keys
}

/// Has the sources of a policy fetched, now and from now on.
pub(super) fn watch(policy: &Policy, now: UnixTime) {
    KEYS.with_borrow_mut(|keys| policy.remote_sources().for_each(|source| keys.ring.watch(source, now)));
    tick(now);
}

/// A request waits for other keys of these sources than there are.
pub(super) fn want<'s>(sources: impl Iterator<Item = &'s Arc<RemoteSource>>, now: UnixTime) {
    KEYS.with_borrow_mut(|keys| sources.for_each(|source| keys.ring.want(source, now)));
    schedule(now);
}

/// Does what is due: fetches, and requests that have waited long enough.
pub(super) fn tick(now: UnixTime) {
    for action in KEYS.with_borrow_mut(|keys| keys.ring.poll(now)) {
        match action {
            Action::Fetch(fetch) => send(&fetch, now),
            Action::Settled(settled) => settle_waiting(&settled),
        }
    }
    waiting::wake(|request| request.deadline <= now);
    schedule(now);
}

/// The host has an answer for one of its callouts, or knows that there will be none.
pub(super) fn answered(call: u32, headers: usize, body_size: usize) -> Result<(), HostError> {
    let found = CALLS.with_borrow_mut(|calls| {
        let position = calls.iter().position(|(number, _)| *number == call)?;
        Some(calls.swap_remove(position).1)
    });
    let Some(fetch) = found else { return Ok(()) };
    let now = envoy::now()?;
    let (status, body);
    // A reset comes without headers.
    let answer = if headers == 0 {
        Answer::Reset
    } else {
        status = envoy::value(Map::CalloutResponseHeaders, b":status")?.unwrap_or_default();
        body = if body_size > MAX_BODY { None } else { Some(envoy::callout_body(body_size)?) };
        Answer::Response { status: &status, body: body.as_deref() }
    };
    if let Some(settled) = KEYS.with_borrow_mut(|keys| keys.ring.answer(fetch, answer, now)) {
        settle_waiting(&settled);
    }
    schedule(now);
    Ok(())
}

fn send(fetch: &Fetch, now: UnixTime) {
    let url = fetch.source.url();
    let headers = [
        (":method", "GET"),
        (":scheme", url.scheme()),
        (":authority", url.authority()),
        (":path", url.target()),
        ("accept", "application/jwk-set+json, application/json"),
        ("user-agent", concat!("vestibule/", env!("CARGO_PKG_VERSION"))),
    ];
    match envoy::call_out(fetch.source.cluster(), &headers, fetch.source.timeout()) {
        Some(call) => CALLS.with_borrow_mut(|calls| {
            // Answers that never came, such as those to a plugin that is gone, must not pile up.
            let most = 1000;
            if calls.len() >= most {
                calls.remove(0);
            }
            calls.push((call, fetch.id));
        }),
        None => {
            if let Some(settled) = KEYS.with_borrow_mut(|keys| keys.ring.not_sent(fetch.id, now)) {
                settle_waiting(&settled);
            }
        }
    }
}

fn settle_waiting(settled: &Settled) {
    let level = match (&settled.outcome, settled.is_news) {
        (_, false) => Level::Debug,
        (Ok(_), true) => Level::Info,
        (Err(_), true) => Level::Warn,
    };
    if envoy::logs(level) {
        envoy::log(level, &format!("vestibule: keys: {settled}"));
    }
    waiting::wake(|request| {
        request.policy.remote_sources_of(&request.issuer).any(|source| **source == *settled.source)
    });
}

/// Has the host call again when there is something to do.
fn schedule(now: UnixTime) {
    let due = KEYS.with_borrow(|keys| keys.ring.due());
    let next = [due, waiting::earliest_deadline()].into_iter().flatten().min();
    if let Err(error) = envoy::tick_after(next.map(|next| next.since(now))) {
        envoy::log(Level::Error, &format!("vestibule: {error}"));
    }
}
