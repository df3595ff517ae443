//! The clock of this machine.

use std::time::SystemTime;

use crate::Failure;

/// Seconds since the epoch.
pub(crate) fn now() -> Result<u64, Failure> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
    now.map(|now| now.as_secs()).ok_or_else(|| Failure::new("this machine's clock stands before 1970"))
}
