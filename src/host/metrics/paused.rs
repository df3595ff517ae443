//! Requests that wait for keys: `vestibule_paused_requests`, of all workers together.

use std::cell::Cell;

use super::Gauge;
use crate::host::envoy::HostError;

const NAME: &str = "vestibule_paused_requests";

thread_local! {
    /// This VM's part, as it was told last.
    static TOLD: Cell<usize> = const { Cell::new(0) };
}

/// Makes the gauge.
pub(in crate::host) fn define() -> Result<(), HostError> {
    Gauge::of(NAME, &[])?.shift(0)
}

/// Tells that so many wait in this VM.
pub(in crate::host) fn tell(waiting: usize) -> Result<(), HostError> {
    let signed = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let difference = signed(waiting).saturating_sub(signed(TOLD.replace(waiting)));
    if difference == 0 { Ok(()) } else { Gauge::of(NAME, &[])?.shift(difference) }
}
