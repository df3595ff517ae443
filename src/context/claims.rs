//! What a context says: on whose behalf the request is made, for whom and for how long, and what request it was
//! (OAuth Transaction Tokens, draft-ietf-oauth-transaction-tokens, "JWT Body Claims").
//!
//! Every value is one that a door checked, or one of the request's own that can stand in it unambiguously. What
//! has no value is absent.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::claim;
use crate::denial::Code;
use crate::principal::{Grant, Principal};
use crate::request::Request;
use crate::time::UnixTime;

/// What a context is minted about.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// On whose behalf the request is made.
    pub principal: &'a Principal,
    /// When the credential ends that proved the principal, without leeway; none where it never does.
    pub expires: Option<UnixTime>,
    /// Whom the context is for, where the request's route says so.
    pub audience: Option<&'a str>,
    /// The request.
    pub request: &'a Request<'a>,
    /// When it is.
    pub now: UnixTime,
}

/// The longest path that a context repeats, in bytes: it is for logs, and every service pays for it.
const MAX_PATH: usize = 1024;
/// The longest method.
const MAX_METHOD: usize = 32;

/// What every context of a door says.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// `iss`.
    pub(super) issuer: Box<str>,
    /// `aud`, where no route says otherwise.
    pub(super) audience: Arc<str>,
    /// `req_wl`: who asked for the context, which is who minted it.
    pub(super) workload: Box<str>,
    /// How long it lives at most.
    pub(super) ttl: Duration,
}

/// The claims, and when they end.
///
/// # Errors
/// [`Code::HostFailed`] where the request cannot be told from others.
#[inline(never)]
pub(super) fn claims(names: &Names, occasion: &Occasion<'_>) -> Result<(Value, UnixTime), Code> {
    let Occasion { principal, expires, audience, request, now } = *occasion;
    // A context ends with its credential at the latest, and what is left of a second is nobody's.
    let latest = now.later_by(names.ttl);
    let end = expires.map_or(latest, |expires| expires.min(latest)).as_secs();
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("iss", (*names.issuer).into());
    put("aud", audience.unwrap_or(&names.audience).into());
    put("iat", now.as_secs().into());
    put("exp", end.into());
    put(claim::TRANSACTION, transaction_id(request)?.into());
    put("sub", principal.subject().into());
    if let Some(scope) = scope(principal) {
        put("scope", scope.into());
    }
    put("req_wl", (*names.workload).into());
    put("tctx", transaction(principal));
    put("rctx", requester(request));
    Ok((Value::Object(claims), UnixTime::from_secs(end)))
}

/// Takes the path out of the claims; false where there is none.
pub(super) fn leave_path_out(claims: &mut Value) -> bool {
    let requester = claims.get_mut("rctx").and_then(Value::as_object_mut);
    requester.is_some_and(|members| members.remove("path").is_some())
}

/// `tctx`: what is true of the whole transaction.
fn transaction(principal: &Principal) -> Value {
    let mut members = Map::new();
    let mut put = |pointer: &str, value: Option<Value>| {
        if let (Some(name), Some(value)) = (pointer.strip_prefix("/tctx/"), value) {
            members.insert(name.to_owned(), value);
        }
    };
    put(claim::TENANT, principal.tenant().map(Value::from));
    put(claim::PERMISSIONS, list(principal.permissions()));
    put(claim::ROLES, list(principal.roles()));
    put(claim::ISSUER, principal.issuer().map(Value::from));
    Value::Object(members)
}

fn list(grants: &[Grant]) -> Option<Value> {
    (!grants.is_empty()).then(|| grants.iter().map(Grant::as_str).collect())
}

/// `scope`: joined with spaces, of which no scope has one (RFC 6749 section 3.3).
fn scope(principal: &Principal) -> Option<String> {
    let scopes: Vec<&str> = principal.scopes().iter().map(Grant::as_str).collect();
    (!scopes.is_empty()).then(|| scopes.join(" "))
}

/// `rctx`: what the request was when it came in.
fn requester(request: &Request<'_>) -> Value {
    let mut members = Map::new();
    if let Some(method) = visible(request.single(b":method").ok(), MAX_METHOD) {
        members.insert("method".to_owned(), method.into());
    }
    // The query may hold what is nobody's business behind the door, credentials among it.
    let path = request.single(b":path").ok().and_then(|path| path.split(|byte| b"?#".contains(byte)).next());
    if let Some(path) = visible(path, MAX_PATH) {
        members.insert("path".to_owned(), path.into());
    }
    if let Some(address) = request.client().and_then(address) {
        members.insert("req_ip".to_owned(), address.to_string().into());
    }
    Value::Object(members)
}

fn visible(value: Option<&[u8]>, most: usize) -> Option<&str> {
    let value = value.filter(|value| value.len() <= most && value.iter().all(u8::is_ascii_graphic))?;
    std::str::from_utf8(value).ok()
}

/// The address alone, of a client that has one; a local socket has a path.
fn address(client: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(client).ok()?;
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

/// `txn`: the request's id where that is one UUID, so that logs and contexts name a request alike; else one of
/// the request's number.
///
/// # Errors
/// [`Code::HostFailed`] where there is neither: what names every request names none.
fn transaction_id(request: &Request<'_>) -> Result<String, Code> {
    if let Ok(id) = request.single(b"x-request-id")
        && let Some(id) = uuid(id)
    {
        return Ok(id.to_owned());
    }
    request.nonce().map(uuid_of).ok_or(Code::HostFailed)
}

/// The text of a UUID (RFC 9562 section 4), of any version and in either case.
fn uuid(id: &[u8]) -> Option<&str> {
    let is_uuid = id.len() == 36
        && id.iter().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if is_uuid { std::str::from_utf8(id).ok() } else { None }
}

/// A UUID of version 4 (RFC 9562 section 5.4), of these bits.
fn uuid_of(nonce: u128) -> String {
    let bits = (nonce & !(0xf << 76) & !(0x3 << 62)) | 0x4 << 76 | 0x2 << 62;
    let [a, b, c, d] =
        [96, 80, 64, 48].map(|shift| bits >> shift & if shift == 96 { 0xffff_ffff } else { 0xffff });
    format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{:012x}", bits & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]
    use serde_json::json;

    use super::*;
    use crate::principal::{Permissions, Subject};
    use crate::tenant::Tenant;

    fn principal() -> Principal {
        let grants =
            |names: &[&str]| names.iter().map(|name| Grant::parse(name.as_bytes()).unwrap()).collect();
        Principal {
            issuer: Some("main".into()),
            subject: Subject::parse(b"alice").unwrap(),
            tenant: Tenant::parse(b"acme"),
            permissions: Permissions::indexed(grants(&["orders:read", "orders:write"])),
            scopes: grants(&["openid", "profile"]),
            roles: grants(&["clerk"]),
        }
    }

    fn names() -> Names {
        Names {
            issuer: "https://gateway.test".into(),
            audience: "mesh.test".into(),
            workload: "spiffe://mesh.test/ns/edge/sa/gateway".into(),
            ttl: Duration::from_secs(60),
        }
    }

    const NOW: u64 = 1_800_000_000_900_000_000;
    const ID: &[u8] = b"0f1E2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

    fn of(principal: &Principal, request: &Request<'_>, expires: Option<u64>) -> Result<Value, Code> {
        let occasion = Occasion {
            principal,
            expires: expires.map(UnixTime::from_nanos),
            audience: None,
            request,
            now: UnixTime::from_nanos(NOW),
        };
        claims(&names(), &occasion).map(|(claims, end)| {
            assert_eq!(claims["exp"], json!(end.as_secs()));
            claims
        })
    }

    fn get(path: &[u8]) -> Request<'_> {
        Request::new(vec![(b":method", b"GET"), (b":path", path), (b"x-request-id", ID)])
    }

    #[test]
    fn a_context_says_who_for_whom_how_long_and_about_which_request() {
        let request = get(b"/orders/7?token=secret").with_client(b"192.0.2.7:50000");
        assert_eq!(
            of(&principal(), &request, None).unwrap(),
            json!({
                "iss": "https://gateway.test",
                "aud": "mesh.test",
                "iat": 1_800_000_000,
                "exp": 1_800_000_060,
                "txn": "0f1E2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
                "sub": "alice",
                "scope": "openid profile",
                "req_wl": "spiffe://mesh.test/ns/edge/sa/gateway",
                "tctx": {
                    "tenant": "acme", "permissions": ["orders:read", "orders:write"], "roles": ["clerk"],
                    "issuer": "main",
                },
                "rctx": { "method": "GET", "path": "/orders/7", "req_ip": "192.0.2.7" },
            })
        );
    }

    #[test]
    fn what_has_no_value_is_absent() {
        let bare = Principal {
            issuer: None,
            tenant: None,
            permissions: Permissions::indexed(Vec::new()),
            scopes: Vec::new(),
            roles: Vec::new(),
            ..principal()
        };
        let claims = of(&bare, &get(b"/"), None).unwrap();
        assert_eq!(claims["tctx"], json!({}));
        assert_eq!(claims["rctx"], json!({ "method": "GET", "path": "/" }));
        assert_eq!(claims.get("scope"), None);
    }

    /// Nanoseconds until the credential ends, and seconds from `iat` to `exp`.
    #[test]
    fn a_context_ends_with_its_credential_and_never_a_fraction_of_a_second_later() {
        for (left, lives) in [
            (61_000_000_000_i64, 60),
            (60_000_000_000, 60),
            (59_999_999_999, 60),
            (59_100_000_000, 60),
            (59_099_999_999, 59),
            (100_000_000, 1),
            (99_999_999, 0),
            (0, 0),
            // Let in by the issuer's leeway alone.
            (-30_000_000_000, -30),
        ] {
            let expires = NOW.checked_add_signed(left).unwrap();
            let claims = of(&principal(), &get(b"/"), Some(expires)).unwrap();
            let (issued, end) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
            assert_eq!((issued, end - issued), (1_800_000_000, lives), "{left}");
            assert!(end.unsigned_abs() * 1_000_000_000 <= expires, "{left}");
        }
    }

    #[test]
    fn a_transaction_has_the_requests_id_where_that_is_one_uuid() {
        let with = |ids: &[&'static [u8]]| {
            let headers = ids.iter().map(|id| (&b"x-request-id"[..], *id)).collect();
            let request = Request::new(headers).with_nonce(0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff);
            transaction_id(&request).unwrap()
        };
        assert_eq!(with(&[ID]).as_bytes(), ID);
        let drawn = "ffffffff-ffff-4fff-bfff-ffffffffffff";
        for other in [
            &[][..],
            &[ID, ID],
            &[b"0f1e2d3c4b5a69788796a5b4c3d2e1f0"],
            &[b"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f"],
            &[b"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f00"],
            &[b"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1fg"],
            &[b"0f1e2d3c-4b5a-6978-8796a-5b4c3d2e1f0"],
            &[b"{f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f}"],
            &[b" f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"],
            &[b""],
        ] {
            assert_eq!(with(other), drawn);
        }
        assert_eq!(uuid_of(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(
            uuid_of(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
            "01234567-89ab-4def-8123-456789abcdef"
        );
    }

    #[test]
    fn a_request_that_nothing_tells_from_others_gets_no_context() {
        let request = Request::new(vec![(b"x-request-id", b"1")]);
        assert_eq!(of(&principal(), &request, None), Err(Code::HostFailed));
    }

    #[test]
    fn a_clients_address_is_told_without_its_port_and_in_one_spelling() {
        let told = |client: &'static [u8]| address(client).map(|address| address.to_string());
        for (client, address) in [
            (&b"192.0.2.7:50000"[..], "192.0.2.7"),
            (b"192.0.2.7", "192.0.2.7"),
            (b"[2001:DB8::7]:443", "2001:db8::7"),
            (b"2001:db8:0:0::7", "2001:db8::7"),
            (b"[::ffff:192.0.2.7]:1", "192.0.2.7"),
        ] {
            assert_eq!(told(client).as_deref(), Some(address));
        }
        for none in [
            &b""[..],
            b"/var/run/socket",
            b"192.0.2.7:",
            b"192.0.2.256",
            b"192.0.2.7:1:2",
            b"\xff",
            b"a.test:1",
        ] {
            assert_eq!(told(none), None, "{}", none.escape_ascii());
        }
    }

    #[test]
    fn a_path_is_told_without_query_and_not_at_all_where_it_is_long_or_no_visible_ascii() {
        let told = |path: &[u8]| {
            let claims = of(&principal(), &get(path), None).unwrap();
            claims["rctx"].get("path").and_then(Value::as_str).map(str::to_owned)
        };
        assert_eq!(told(b"/a?b?c#d").as_deref(), Some("/a"));
        assert_eq!(told(b"/a#b?c").as_deref(), Some("/a"));
        assert_eq!(told(b"/%C3%A9\"").as_deref(), Some("/%C3%A9\""));
        assert_eq!(
            told(&[b"/", "a".repeat(1023).as_bytes(), b"?q"].concat()).map(|path| path.len()),
            Some(1024)
        );
        for path in [&[b"/", "a".repeat(1024).as_bytes()].concat()[..], b"/a b", b"/\xc3\xa9", b"/a\tb"] {
            assert_eq!(told(path), None);
        }
    }
}
