//! What access logs and later filters read of a decision: `wasm.vestibule.` and a name, in the stream's filter
//! state. No client reaches it.

use super::envoy::{self, HostError};
use crate::decision::Permit;
use crate::denial::Denial;

/// Tells of a request that goes on. One that is not told of must not go on: a filter behind may ask for it.
pub(super) fn permitted(permit: &Permit) -> Result<(), HostError> {
    if let Some(denial) = permit.reported() {
        return denied(denial);
    }
    tell("vestibule.route", permit.route())?;
    tell("vestibule.issuer", permit.issuer())?;
    let principal = permit.principal();
    tell("vestibule.tenant", principal.and_then(|principal| principal.tenant()))?;
    tell("vestibule.subject", principal.map(|principal| principal.subject()))
}

/// Tells of a request that is denied, or would have been.
pub(super) fn denied(denial: &Denial) -> Result<(), HostError> {
    tell("vestibule.code", Some(denial.code().as_str()))?;
    tell("vestibule.route", denial.route())?;
    tell("vestibule.issuer", denial.issuer())
}

fn tell(name: &str, value: Option<&str>) -> Result<(), HostError> {
    value.map_or(Ok(()), |value| envoy::set_property(name, value.as_bytes()))
}
