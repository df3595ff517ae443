//! Whether a request can be read in one way only, before anybody asks what it needs.

use super::Policy;
use crate::denial::Code;
use crate::request::Request;
use crate::route::method;

/// The method and the path: what every other check takes for granted.
pub(super) fn check_method(request: &Request<'_>) -> Result<(), Code> {
    let single = |name: &[u8]| {
        request.single(name).ok().filter(|value| !value.is_empty()).ok_or(Code::HeaderMalformed)
    };
    let method = single(b":method")?;
    if method::is_refused(method) {
        return Err(Code::MethodRefused);
    }
    single(b":path").map(drop)
}

/// A request target is a path (RFC 9112 section 3.2.1), or the `*` of OPTIONS (section 3.2.4). Of anything else
/// nothing might be left when a credential is taken out of its query.
pub(super) fn check_target(request: &Request<'_>) -> Result<(), Code> {
    let is = |name: &[u8], value: &[u8]| request.single(name) == Ok(value);
    let is_path = request.single(b":path").is_ok_and(|path| path.starts_with(b"/"));
    if is_path || (is(b":path", b"*") && is(b":method", b"OPTIONS")) {
        Ok(())
    } else {
        Err(Code::HeaderMalformed)
    }
}

/// What `connection` names is for the next hop only, and that hop removes it (RFC 9110 section 7.6.1). Envoy
/// forwards the header on an upgrade, so a client could have a trusted header removed behind the door.
pub(super) fn check_connection(policy: &Policy, request: &Request<'_>) -> Result<(), Code> {
    let mut named = request.values(b"connection").flat_map(|value| value.split(|byte| *byte == b','));
    if named.any(|name| policy.guards(name.trim_ascii())) { Err(Code::HeaderMalformed) } else { Ok(()) }
}
