//! Numbers that no other request of this Envoy has, whichever worker it is on.
//!
//! They need not be secret: they name requests. A counter would do in one VM; so it is hashed, with keys that each
//! VM draws for itself.

use std::cell::{Cell, LazyCell};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

thread_local! {
    /// The standard library draws their keys from the host's randomness.
    static HALVES: LazyCell<[RandomState; 2]> = LazyCell::new(|| [RandomState::new(), RandomState::new()]);
    static COUNTER: Cell<u64> = const { Cell::new(0) };
}

/// The next number.
pub(super) fn next() -> u128 {
    let count = COUNTER.replace(COUNTER.get().wrapping_add(1));
    let [high, low] = HALVES.with(|halves| halves.each_ref().map(|half| half.hash_one(count)));
    u128::from(high) << 64 | u128::from(low)
}
