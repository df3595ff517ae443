//! Who the other end of the connection is, as far as Envoy has it proved. What that may do here the policy
//! says.

use super::envoy::{self, HostError};
use crate::request::Request;

/// What the client's certificate says of it.
pub(super) struct Shown {
    uri: Vec<u8>,
    is_resumed: bool,
}

impl Shown {
    /// The URI of the certificate that the client presented; none where it presented none, or one without a URI.
    ///
    /// Envoy says since 1.39 whether it has validated the certificate on this connection. It has not where a
    /// session was resumed, nor where the listener lets any certificate pass, and nothing tells the two apart.
    /// Before 1.39 nothing at all tells: then it is the listener's settings that are relied on, which
    /// `vestibule check` sees to where it sees the listener.
    pub(super) fn read() -> Result<Option<Self>, HostError> {
        let Some(uri) =
            envoy::property("connection\0uri_san_peer_certificate")?.filter(|uri| !uri.is_empty())
        else {
            return Ok(None);
        };
        if envoy::property("connection\0mtls")?.as_deref() != Some(&YES) {
            return Ok(None);
        }
        let is_resumed =
            envoy::property("connection\0peer_certificate_valid")?.is_some_and(|valid| valid != YES);
        Ok(Some(Self { uri, is_resumed }))
    }

    /// The request, by this peer.
    pub(super) fn on<'r>(&'r self, request: Request<'r>) -> Request<'r> {
        if self.is_resumed { request.with_resumed_peer(&self.uri) } else { request.with_peer(&self.uri) }
    }
}

/// A property that is true.
const YES: [u8; 1] = [1];
