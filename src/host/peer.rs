//! Who the other end of the connection is, as far as Envoy has it proved. What that may do here the policy
//! says.

use super::envoy::{self, HostError};

/// The URI of the certificate that the client presented; none where it presented none, or one without a URI.
///
/// That the certificate was validated is the listener's business, for Envoy takes any that is presented unless
/// it is told whom to trust; `vestibule check` sees to it where it sees the listener.
pub(super) fn proved() -> Result<Option<Vec<u8>>, HostError> {
    let uri = envoy::property(&["connection", "uri_san_peer_certificate"])?.filter(|uri| !uri.is_empty());
    if uri.is_none() || envoy::property(&["connection", "mtls"])?.as_deref() != Some(&[1]) {
        return Ok(None);
    }
    Ok(uri)
}
