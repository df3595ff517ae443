//! The cache of tokens that were proved: `vestibule_token_cache_total`, by result. The policies count, and what
//! they counted is fetched from them now and then: a request pays no call for it.

use super::Counter;
use crate::host::envoy::HostError;
use crate::policy::Policy;

const NAME: &str = "vestibule_token_cache_total";

/// Makes the counters, at 0.
pub(in crate::host) fn define() -> Result<(), HostError> {
    add(0, 0)
}

/// Adds what a policy has counted since it was asked last.
pub(in crate::host) fn collect(policy: &Policy) -> Result<(), HostError> {
    let lookups = policy.take_lookups();
    add(lookups.hits, lookups.misses)
}

fn add(hits: u64, misses: u64) -> Result<(), HostError> {
    Counter::of(NAME, &[("result", "hit")])?.add(hits)?;
    Counter::of(NAME, &[("result", "miss")])?.add(misses)
}
