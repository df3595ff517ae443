//! A reply that a door gives itself: ready to be sent, whatever it says.

use std::borrow::Cow;

use crate::request::Request;

/// A local reply.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status. Envoy turns it into 200 for a gRPC request.
    pub status: u16,
    /// gRPC status, for a gRPC request.
    pub grpc_status: i32,
    /// Names and values.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body; Envoy makes it the `grpc-message` of a gRPC request.
    pub body: Vec<u8>,
    /// For `%RESPONSE_CODE_DETAILS%`.
    pub detail: &'static str,
}

/// Whether Envoy takes the request for gRPC: `application/grpc`, alone or with a `+format` or parameters.
pub(crate) fn is_grpc(request: &Request<'_>) -> bool {
    request
        .values(b"content-type")
        .next()
        .and_then(|value| value.strip_prefix(b"application/grpc"))
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}
