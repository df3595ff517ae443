//! Who the other end of the connection is, as far as Envoy has it proved. What that may do here the policy
//! says.

use super::envoy::{self, HostError};
use crate::request::Request;

/// What the client's certificate says of it.
pub(super) struct Shown {
    uri: Vec<u8>,
    /// Whether Envoy says that it has validated the certificate on this connection.
    is_validated: bool,
}

impl Shown {
    /// The URI of the certificate that the client presented; none where it presented none, or one without a URI.
    ///
    /// Envoy says since 1.39 whether it has validated the certificate on this connection. It has not where a
    /// session was resumed, nor where the listener lets any certificate pass, and nothing tells the two apart.
    /// Before 1.39 it says nothing, and what nobody says is not so: who relies on the listener there says so.
    pub(super) fn read() -> Result<Option<Self>, HostError> {
        let Some(uri) =
            envoy::property("connection\0uri_san_peer_certificate")?.filter(|uri| !uri.is_empty())
        else {
            return Ok(None);
        };
        let is = |property| Ok(envoy::property(property)?.as_deref() == Some(&YES));
        // What was validated was presented: each property costs Envoy microseconds.
        let is_validated = is("connection\0peer_certificate_valid")?;
        let is_presented = is_validated || is("connection\0mtls")?;
        Ok(is_presented.then_some(Self { uri, is_validated }))
    }

    /// The request, by this peer.
    pub(super) fn on<'r>(&'r self, request: Request<'r>) -> Request<'r> {
        if self.is_validated {
            request.with_peer(&self.uri)
        } else {
            request.with_unvalidated_peer(&self.uri)
        }
    }
}

/// A property that is true.
const YES: [u8; 1] = [1];
