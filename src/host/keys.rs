//! The keys of this VM: the engines, settled once, and the remote keys, which every plugin of the VM shares
//! and which outlive a plugin's configuration. It makes the fetches that the keyring asks for, and has the
//! requests looked at that wait for them.
//!
//! Calls about time and callouts are the host's for the plugin in whose context they are made; so a function
//! here that makes some gets the plugin's number, and comes back to it from the streams that it touched.

use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use super::crypto::Host;
use super::envoy::{self, HostError, Level, Map};
use super::{guard, log, metrics, serving, waiting};
use crate::credential::remote::RemoteSource;
use crate::keyring::{Action, Answer, Fetch, FetchId, Keys, MAX_BODY, Settled};
use crate::policy::Policy;
use crate::record::Record;
use crate::time::UnixTime;

/// A callout under way.
struct Call {
    /// The plugin that made it: the host forgets it when that goes.
    plugin: u32,
    /// The host's number for it.
    number: u32,
    fetch: FetchId,
}

thread_local! {
    static KEYS: RefCell<Keys> = RefCell::new(settle());
    static CALLS: RefCell<Vec<Call>> = const { RefCell::new(Vec::new()) };
    /// The plugins of this VM.
    static PLUGINS: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
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
    let algorithms = keys.engines.backends().iter();
    let algorithms =
        algorithms.map(|(algorithm, by)| (algorithm.as_str().into(), by.as_str().into())).collect();
    log::tell(Level::Info, &Record::Crypto { algorithms: &serde_json::Value::Object(algorithms) });
    keys
}

/// Has the sources of a plugin's policy fetched, from the next tick on.
///
/// Not at once: Envoy tries each configuration in a VM that it throws away before it could tick, and nobody
/// would read the answer.
pub(super) fn watch(plugin: u32, policy: &Policy, now: UnixTime) {
    PLUGINS.with_borrow_mut(|plugins| {
        if !plugins.contains(&plugin) {
            plugins.push(plugin);
        }
    });
    KEYS.with_borrow_mut(|keys| policy.remote_sources().for_each(|source| keys.ring.watch(source, now)));
    schedule(now);
}

/// Whether any of these sources is being asked, or could not be until now.
pub(super) fn any_pending<'s>(mut sources: impl Iterator<Item = &'s Arc<RemoteSource>>) -> bool {
    KEYS.with_borrow(|keys| sources.any(|source| keys.ring.is_pending(source)))
}

/// A plugin is gone, and with it its timer and the answers to its callouts: another fetches in its place.
pub(super) fn forget(plugin: u32, now: UnixTime) -> Result<(), HostError> {
    let lost: Vec<Call> =
        CALLS.with_borrow_mut(|calls| calls.extract_if(.., |call| call.plugin == plugin).collect());
    // A plugin whose configuration was refused has none, and nobody has settled the engines for it.
    if !lost.is_empty() {
        KEYS.with_borrow_mut(|keys| lost.iter().for_each(|call| keys.ring.abandon(call.fetch, now)));
    }
    // The host keeps the timer of each plugin for as long as the VM lives, and would let it run on.
    envoy::tick_after(None)?;
    let heir = PLUGINS.with_borrow_mut(|plugins| {
        plugins.retain(|known| *known != plugin);
        plugins.last().copied()
    });
    if let Some(heir) = heir {
        envoy::enter(heir)?;
        schedule(now);
    }
    Ok(())
}

/// A request waits for other keys of these sources than there are.
pub(super) fn want<'s>(sources: impl Iterator<Item = &'s Arc<RemoteSource>>, now: UnixTime) {
    KEYS.with_borrow_mut(|keys| sources.for_each(|source| keys.ring.want(source, now)));
    schedule(now);
}

/// Does what is due: fetches, and requests that are to be looked at.
pub(super) fn tick(plugin: u32, now: UnixTime) {
    poll(plugin, now);
    resume(plugin, now);
}

/// The host has an answer for one of a plugin's callouts, or knows that there will be none.
pub(super) fn answered(plugin: u32, number: u32, headers: usize, body_size: usize, now: UnixTime) {
    let call = CALLS.with_borrow_mut(|calls| {
        let position = calls.iter().position(|call| call.number == number)?;
        Some(calls.swap_remove(position))
    });
    let Some(call) = call else { return };
    let read = read_answer(headers, body_size).unwrap_or_else(|error| {
        log::failure(error);
        None
    });
    let answer = match &read {
        Some((status, body)) => Answer::Response { status, body: body.as_deref() },
        None => Answer::Reset,
    };
    settled(KEYS.with_borrow_mut(|keys| keys.ring.answer(call.fetch, answer, now)));
    resume(plugin, now);
}

/// Status and body of the answer; none where it is a reset, which comes without headers. A body that is too
/// long is left where it is.
type Read = Option<(Vec<u8>, Option<Vec<u8>>)>;

fn read_answer(headers: usize, body_size: usize) -> Result<Read, HostError> {
    if headers == 0 {
        return Ok(None);
    }
    let status = envoy::value(Map::CalloutResponseHeaders, b":status")?.unwrap_or_default();
    let body = if body_size > MAX_BODY { None } else { Some(envoy::callout_body(body_size)?) };
    Ok(Some((status, body)))
}

/// Makes the fetches that are due, in the context of this plugin.
fn poll(plugin: u32, now: UnixTime) {
    for action in KEYS.with_borrow_mut(|keys| keys.ring.poll(now)) {
        match action {
            Action::Fetch(fetch) => send(plugin, &fetch, now),
            Action::Settled(end) => settled(Some(end)),
        }
    }
}

fn send(plugin: u32, fetch: &Fetch, now: UnixTime) {
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
        Some(number) => CALLS.with_borrow_mut(|calls| {
            // What the ring has given up on will not be missed when its answer never comes.
            KEYS.with_borrow(|keys| calls.retain(|call| keys.ring.is_under_way(call.fetch)));
            calls.push(Call { plugin, number, fetch: fetch.id });
        }),
        None => settled(KEYS.with_borrow_mut(|keys| keys.ring.not_sent(fetch.id, now))),
    }
}

/// A fetch has ended, if it has: the requests that wait for its source are to be looked at.
fn settled(end: Option<Settled>) {
    let Some(end) = end else { return };
    let level = match (&end.outcome, end.is_news) {
        (_, false) => Level::Debug,
        (Ok(_), true) => Level::Info,
        (Err(_), true) => Level::Warn,
    };
    tell(&end, level);
    waiting::touch(|request| {
        request.policy.remote_sources_of(&request.issuer).any(|source| **source == *end.source)
    });
}

/// Tells of a fetch that has ended, and counts it.
fn tell(end: &Settled, level: Level) {
    let issuers = serving::issuers_of(&end.source);
    let result = end.result();
    for issuer in &issuers {
        log::report(metrics::keys::count(issuer, result));
    }
    if !envoy::logs(level) {
        return;
    }
    let (keys, reason) = match &end.outcome {
        Ok(arrived) => (Some(arrived.keys), None),
        Err(failure) => (None, Some(failure.to_string())),
    };
    let record = Record::Keys {
        issuers: &issuers,
        url: &end.source.url().to_string(),
        result,
        keys,
        reason: reason.as_deref(),
    };
    log::tell(level, &record);
}

/// Has the requests looked at whose time has come, as many as one call of the host may take, and comes back
/// to the plugin.
fn resume(plugin: u32, now: UnixTime) {
    let due = waiting::take_due(now);
    if !due.is_empty() {
        due.into_iter().for_each(guard::resume);
        if let Err(error) = envoy::enter(plugin) {
            return log::failure(error);
        }
    }
    schedule(now);
}

/// Has the host call again when there is something to do.
fn schedule(now: UnixTime) {
    let due = KEYS.with_borrow(|keys| keys.ring.due());
    let next = [due, waiting::due(), Some(serving::due())].into_iter().flatten().min();
    log::report(envoy::tick_after(next.map(|next| next.since(now))));
}
