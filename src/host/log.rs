//! Envoy's log: what is told there is a record of the core's, at a level that Envoy's `wasm` logger keeps or
//! drops.

use std::cell::RefCell;

use super::envoy::{self, HostError, Level};
use crate::denial::{Code, Denial};
use crate::policy::Policy;
use crate::record::{Denied, Kind, Quota, Record};
use crate::request::Request;
use crate::time::UnixTime;

thread_local! {
    static QUOTA: RefCell<Quota> = RefCell::default();
}

/// The bound where there is no policy to give one, and that on failures.
const UNCONFIGURED_LINES: usize = 60;

/// Tells a record.
#[inline(never)]
pub(super) fn tell(level: Level, record: &Record<'_>) {
    if envoy::logs(level)
        && let Some(line) = record.line()
    {
        envoy::log(level, &line);
    }
}

/// Tells of a denial, as far as the bound on such lines allows.
#[inline(never)]
pub(super) fn denial(denial: &Denial, policy: Option<&Policy>, request: &Request<'_>, is_reported: bool) {
    let level = level_of(denial.code());
    if !envoy::logs(level) {
        return;
    }
    let now = match envoy::now() {
        Ok(now) => now,
        Err(error) => return failure(error),
    };
    let most = policy.map_or(UNCONFIGURED_LINES, Policy::denial_lines);
    if let Some(left_out) = QUOTA.with_borrow_mut(|quota| quota.ask(Kind::Denial(denial.code()), most, now)) {
        tell(level, &Record::Denial(Denied::of(denial, policy, request, is_reported, left_out)));
    }
}

/// Tells how many denials and failures were not told of.
pub(super) fn settle(now: UnixTime) {
    for (kind, count) in QUOTA.with_borrow_mut(|quota| quota.settle(now)) {
        match kind {
            Kind::Denial(code) => {
                tell(level_of(code), &Record::DenialsLeftOut { code: code.as_str(), count });
            }
            Kind::Failure(call) => tell(Level::Error, &Record::FailuresLeftOut { call, count }),
        }
    }
}

fn level_of(code: Code) -> Level {
    if code.is_fault() { Level::Warn } else { Level::Info }
}

/// Tells of a call that the host did not carry out, as far as the bound on such lines allows.
#[cold]
#[inline(never)]
pub(super) fn failure(HostError { call, status }: HostError) {
    // Without a clock there is no minute, and each is told of.
    let left_out = match envoy::now() {
        Ok(now) => QUOTA.with_borrow_mut(|quota| quota.ask(Kind::Failure(call), UNCONFIGURED_LINES, now)),
        Err(_) => Some(0),
    };
    if let Some(left_out) = left_out {
        tell(Level::Error, &Record::CallFailed { call, status, left_out });
    }
}

/// Tells of it where no request is at hand that could be denied for it.
pub(super) fn report(outcome: Result<(), HostError>) {
    if let Err(error) = outcome {
        failure(error);
    }
}
