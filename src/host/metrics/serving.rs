//! Which configurations are served: `vestibule_config_info`, 1 by the configuration's fingerprint, the filter's
//! version and where signatures are verified; 0 of those that no longer are.

use super::Gauge;
use crate::host::envoy::HostError;

const NAME: &str = "vestibule_config_info";

/// The filter's version.
pub(in crate::host) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Tells whether a configuration is served.
pub(in crate::host) fn tell(hash: &str, crypto: &str, is_served: bool) -> Result<(), HostError> {
    let labels = [("hash", hash), ("version", VERSION), ("crypto", crypto)];
    Gauge::of(NAME, &labels)?.set(is_served.into())
}
