//! The keys that are fetched: `vestibule_keys_fetch_total`, `vestibule_keys_age_seconds` and
//! `vestibule_keys_refresh_seconds`, by issuer.

use std::time::Duration;

use super::{Counter, Gauge};
use crate::credential::remote::RemoteSource;
use crate::host::envoy::HostError;
use crate::keyring::{Keyring, Settled};
use crate::policy::Policy;
use crate::time::UnixTime;

const FETCHES: &str = "vestibule_keys_fetch_total";
const AGE: &str = "vestibule_keys_age_seconds";
const REFRESH: &str = "vestibule_keys_refresh_seconds";

/// Makes the counters of a policy's issuers, at 0.
pub(in crate::host) fn define(policy: &Policy) -> Result<(), HostError> {
    for (issuer, _) in policy.fetching_issuers() {
        for result in Settled::RESULTS {
            Counter::of(FETCHES, &[("issuer", issuer), ("result", result)])?;
        }
    }
    Ok(())
}

/// Counts a fetch for an issuer whose keys it was to bring.
pub(in crate::host) fn count(issuer: &str, result: &str) -> Result<(), HostError> {
    Counter::of(FETCHES, &[("issuer", issuer), ("result", result)])?.add(1)
}

/// Tells how old the keys of a policy's issuers are: the oldest set of each.
pub(in crate::host) fn tell_ages(policy: &Policy, ring: &Keyring, now: UnixTime) -> Result<(), HostError> {
    for (issuer, sources) in policy.fetching_issuers() {
        let oldest = sources.iter().filter_map(|source| ring.age(source, now)).max();
        tell(issuer, AGE, oldest)?;
        tell(issuer, REFRESH, sources.iter().map(|source| RemoteSource::refresh(source)).max())?;
    }
    Ok(())
}

/// Tells of a policy's issuers that nobody asks them any more, so that nobody is woken by their age.
pub(in crate::host) fn forget(policy: &Policy) -> Result<(), HostError> {
    for (issuer, _) in policy.fetching_issuers() {
        tell(issuer, AGE, None)?;
        tell(issuer, REFRESH, None)?;
    }
    Ok(())
}

fn tell(issuer: &str, name: &str, time: Option<Duration>) -> Result<(), HostError> {
    Gauge::of(name, &[("issuer", issuer)])?.set(time.map_or(0, |time| time.as_secs()))
}
