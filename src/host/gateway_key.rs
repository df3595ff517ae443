//! How often each gateway key let a request in: `vestibule_gateway_key_total`, by the key's name. A key is
//! there from the start, so that one that nobody uses any more, and that may go, is seen to stay as it is.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::envoy::{self, HostError, Level};

/// The most keys in one VM that are told apart, for names come and go with configurations. The others have a
/// counter together.
const MOST: usize = 1_000;

/// No name in a configuration has a `_`.
const OTHERS: &str = "_other";

thread_local! {
    /// The host's number of each, which is asked for once (see `metrics`).
    static COUNTERS: RefCell<HashMap<Arc<str>, u32>> = RefCell::default();
}

/// Makes the counters of these keys.
pub(super) fn define<'n>(names: impl Iterator<Item = &'n Arc<str>>) {
    for name in names {
        report(counter(name).map(drop));
    }
}

/// Counts a request that came in by this key. What cannot be counted is told, and changes no decision.
pub(super) fn count(name: &str) {
    let counter = match COUNTERS.with_borrow(|counters| counters.get(name).copied()) {
        Some(counter) => Ok(counter),
        None => counter(&name.into()),
    };
    report(counter.and_then(envoy::increment));
}

fn counter(name: &Arc<str>) -> Result<u32, HostError> {
    COUNTERS.with_borrow_mut(|counters| {
        let others = || OTHERS.into();
        let name =
            if counters.contains_key(name) || counters.len() < MOST { Arc::clone(name) } else { others() };
        if let Some(counter) = counters.get(&name) {
            return Ok(*counter);
        }
        let counter = envoy::define_counter(&format!("name=.={name};.;vestibule_gateway_key_total"))?;
        counters.insert(name, counter);
        Ok(counter)
    })
}

fn report(outcome: Result<(), HostError>) {
    if let Err(error) = outcome {
        envoy::log(Level::Error, &format!("vestibule: {error}"));
    }
}
