//! CORS preflights: what a browser asks before it sends a request to another origin (Fetch standard, "CORS-
//! preflight request"). It carries no credential, whatever the request after it will carry.

use super::method::{is_method, is_refused};
use crate::request::Request;

/// What a preflight needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preflight {
    /// What a public request needs, unless the route of the method that it asks about is closed.
    Pass,
    /// What any OPTIONS request needs.
    Check,
}

/// The method that a preflight asks about; none where the request is no preflight.
#[must_use]
pub fn asked_by<'a>(request: &Request<'a>) -> Option<&'a [u8]> {
    request.single(b":method").ok().filter(|method| *method == b"OPTIONS")?;
    request.single(b"origin").ok().filter(|origin| is_origin(origin))?;
    let asked = request.single(b"access-control-request-method").ok()?;
    (is_method(asked) && !is_refused(asked)).then_some(asked)
}

/// Whether this can be one origin (RFC 6454 section 6.2) and no list: Envoy joins the copies of this header
/// with `,`.
fn is_origin(origin: &[u8]) -> bool {
    !origin.is_empty() && origin.iter().all(|byte| byte.is_ascii_graphic() && *byte != b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: (&[u8], &[u8]) = (b":method", b"OPTIONS");
    const ORIGIN: (&[u8], &[u8]) = (b"origin", b"https://app.test");
    const ASKED: &[u8] = b"access-control-request-method";

    #[test]
    fn a_preflight_is_options_with_one_origin_and_one_method_asked_about() {
        assert_eq!(asked_by(&Request::new(vec![METHOD, ORIGIN, (ASKED, b"DELETE")])), Some(&b"DELETE"[..]));
        for other in [
            vec![METHOD, ORIGIN],
            vec![METHOD, (ASKED, b"GET")],
            vec![(b":method", b"GET"), ORIGIN, (ASKED, b"GET")],
            vec![(b":method", b"options"), ORIGIN, (ASKED, b"GET")],
            vec![METHOD, (b"origin", b""), (ASKED, b"GET")],
            vec![METHOD, ORIGIN, ORIGIN, (ASKED, b"GET")],
            vec![METHOD, (b"origin", b"https://app.test,https://app.test"), (ASKED, b"GET")],
            vec![METHOD, (b"origin", b"https://app.test https://app.test"), (ASKED, b"GET")],
            vec![METHOD, ORIGIN, (ASKED, b"GET"), (ASKED, b"GET")],
            vec![METHOD, ORIGIN, (ASKED, b"")],
            vec![METHOD, ORIGIN, (ASKED, b"get")],
            vec![METHOD, ORIGIN, (ASKED, b"GET, PUT")],
            vec![METHOD, ORIGIN, (ASKED, b"TRACE")],
            vec![METHOD, ORIGIN, (ASKED, b"CONNECT")],
        ] {
            assert_eq!(asked_by(&Request::new(other.clone())), None, "{other:?}");
        }
    }
}
