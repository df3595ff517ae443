//! Envoy's statistics of this filter, each by the number that the host gave it.
//!
//! The host knows no labels. They stand before the name as `label=.=value;.;`, which an Envoy whose
//! `stats_tags` know the pattern turns into labels, and which every other one shows as they are. A value
//! comes from the configuration or from a closed list, never from a request, and no name in a configuration
//! has a `_`: so `_none` is nothing, and `_other` all those together that are past a bound.

pub(super) mod decisions;
pub(super) mod gateway_key;
pub(super) mod keys;
pub(super) mod paused;
pub(super) mod serving;
pub(super) mod tokens;

use std::cell::RefCell;
use std::collections::HashMap;

use super::envoy::{self, HostError, MetricKind};

/// The most names of one VM besides those of decisions and gateway keys: configurations come and go, and Envoy
/// keeps what was ever named.
const MOST: usize = 2_000;

/// Where there is nothing to name.
const NONE: &str = "_none";
/// Those past a bound.
const OTHER: &str = "_other";

thread_local! {
    /// The host's numbers, each asked for once: Envoy gives a name that it knows a new number each time and
    /// remembers them all (envoy: source/extensions/common/wasm/context.cc, `Context::defineMetric`), so asking
    /// again would grow without end.
    static NUMBERS: RefCell<HashMap<String, u32>> = RefCell::default();
}

/// A number that only grows. All VMs of an Envoy add to one of a name.
#[derive(Clone, Copy)]
struct Counter(u32);

impl Counter {
    /// The counter of this name, which the caller keeps.
    fn define(name: &str) -> Result<Self, HostError> {
        envoy::define_metric(MetricKind::Counter, name).map(Self)
    }

    /// The counter of this name with these labels, of a few.
    fn of(name: &str, labels: &[(&str, &str)]) -> Result<Self, HostError> {
        number(MetricKind::Counter, name, labels).map(Self)
    }

    fn add(self, count: u64) -> Result<(), HostError> {
        match i64::try_from(count) {
            // The host refuses to add nothing.
            Ok(0) => Ok(()),
            Ok(count) => envoy::increment(self.0, count),
            Err(_) => envoy::increment(self.0, i64::MAX),
        }
    }
}

/// A number that goes up and down. All VMs of an Envoy have one of a name.
#[derive(Clone, Copy)]
struct Gauge(u32);

impl Gauge {
    /// The gauge of this name with these labels, of a few.
    fn of(name: &str, labels: &[(&str, &str)]) -> Result<Self, HostError> {
        number(MetricKind::Gauge, name, labels).map(Self)
    }

    fn set(self, value: u64) -> Result<(), HostError> {
        envoy::record(self.0, value)
    }

    /// Adds this VM's part, or takes it away.
    fn shift(self, difference: i64) -> Result<(), HostError> {
        if difference == 0 { Ok(()) } else { envoy::increment(self.0, difference) }
    }
}

#[inline(never)]
fn number(kind: MetricKind, name: &str, labels: &[(&str, &str)]) -> Result<u32, HostError> {
    NUMBERS.with_borrow_mut(|numbers| {
        let mut full = named(name, labels.iter().copied());
        if !numbers.contains_key(&full) && numbers.len() >= MOST {
            full = named(name, labels.iter().map(|(label, _)| (*label, OTHER)));
        }
        if let Some(number) = numbers.get(&full) {
            return Ok(*number);
        }
        let number = envoy::define_metric(kind, &full)?;
        numbers.insert(full, number);
        Ok(number)
    })
}

/// The name with its labels before it.
fn named<'l>(name: &str, labels: impl Iterator<Item = (&'l str, &'l str)>) -> String {
    let mut full = String::new();
    for (label, value) in labels {
        full.extend([label, "=.=", value, ";.;"]);
    }
    full + name
}
