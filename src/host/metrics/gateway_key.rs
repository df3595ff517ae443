//! How often each gateway key let a request in: `vestibule_gateway_key_total`, by the key's name. A key is
//! there from the start, so that one that nobody uses any more, and that may go, is seen to stay as it is.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::{Counter, OTHER};
use crate::host::envoy::HostError;
use crate::host::log;

/// The most keys in one VM that are told apart, for names come and go with configurations. The others have a
/// counter together.
const MOST: usize = 1_000;

const NAME: &str = "vestibule_gateway_key_total";

thread_local! {
    static COUNTERS: RefCell<HashMap<Arc<str>, Counter>> = RefCell::default();
}

/// Makes the counters of these keys.
pub(in crate::host) fn define<'n>(names: impl Iterator<Item = &'n Arc<str>>) {
    for name in names {
        log::report(counter(name).map(drop));
    }
}

/// Counts a request that came in by this key. What cannot be counted is told, and changes no decision.
pub(in crate::host) fn count(name: &str) {
    let counter = match COUNTERS.with_borrow(|counters| counters.get(name).copied()) {
        Some(counter) => Ok(counter),
        None => counter(&name.into()),
    };
    log::report(counter.and_then(|counter| counter.add(1)));
}

fn counter(name: &Arc<str>) -> Result<Counter, HostError> {
    COUNTERS.with_borrow_mut(|counters| {
        let others = || OTHER.into();
        let name =
            if counters.contains_key(name) || counters.len() < MOST { Arc::clone(name) } else { others() };
        if let Some(counter) = counters.get(&name) {
            return Ok(*counter);
        }
        let counter = Counter::define(&super::named(NAME, [("name", &*name)].into_iter()))?;
        counters.insert(name, counter);
        Ok(counter)
    })
}
