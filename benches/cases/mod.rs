//! What is measured natively: cases by name, each made ready once and then run as often as a measurement likes.
//!
//! The same cases are timed (`benches/times.rs`) and counted instruction by instruction
//! (`benches/instructions.rs`). Tokens are signed with HS256, so that Vestibule's own work is not lost beside the
//! signature's.

use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::algorithms::{HS256Key, MACLike as _};
use serde_json::{Map, Value, json};
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::denial::Code;
use vestibule::jose::compact::{Compact, Decoded, Size};
use vestibule::keyring::Keys;
use vestibule::path::CanonicalPath;
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::time::UnixTime;

const NOW: u64 = 1_800_000_000;
const SECRET: &str = "a-secret-that-stands-in-this-file-and-guards-nothing";
const GATEWAY_KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";

/// A kind of measurement, and what is measured in that way.
pub(crate) const NAMES: [&str; 19] = [
    "parse, 0.5 KB",
    "parse, 8 KB",
    "path, plain",
    "path, escaped",
    "warm, 0.5 KB",
    "warm, 2 KB",
    "warm, 8 KB",
    "warm, a permission required",
    "warm, forged headers",
    "warm, 10,000 routes",
    "warm, 100 issuers",
    "cold, 0.5 KB",
    "cold, 2 KB",
    "cold, 8 KB",
    "cold, many claims",
    "cold, 100 issuers",
    "public",
    "no token",
    "gateway key",
];

/// Something to be measured.
pub(crate) struct Case(Box<dyn Fn()>);

impl Case {
    /// Does it once.
    pub(crate) fn run(&self) {
        (self.0)();
    }

    /// The case of this name.
    ///
    /// # Panics
    /// Where there is none, or where something else comes out of it than is to be measured.
    pub(crate) fn named(name: &str) -> Self {
        let (what, of) = name.split_once(", ").unwrap_or((name, ""));
        match (what, of) {
            ("parse", of) => parse(&token(&Map::new(), of)),
            ("path", "plain") => path("/v1/orders/7/items/11?page=2"),
            ("path", "escaped") => path("/v1/orders/caf%C3%A9/items/a%20b?page=2"),
            ("warm", "a permission required") => warm(&json!({ "routes": routes(1) }), "0.5 KB", &[]),
            ("warm", "forged headers") => warm(
                &json!({}),
                "0.5 KB",
                &[("x_user_id", "root"), ("x-tenant-id", "other"), ("x.user.permissions", "*")],
            ),
            ("warm", "10,000 routes") => warm(&json!({ "routes": routes(10_000) }), "0.5 KB", &[]),
            ("warm", "100 issuers") => warm(&json!({ "issuers": issuers(100) }), "0.5 KB", &[]),
            ("warm", of) => warm(&json!({}), of, &[]),
            ("cold", "many claims") => cold(&many_claims(), "many claims"),
            ("cold", "100 issuers") => cold(&json!({ "issuers": issuers(100) }), "0.5 KB"),
            ("cold", of) => cold(&json!({}), of),
            ("public", _) => decision(&outer(&json!({ "default": "public" })), &[], None),
            ("no token", _) => decision(&outer(&json!({})), &[], Some(Code::CredentialMissing)),
            ("gateway key", _) => gateway_key(),
            _ => panic!("there is no case {name:?}"),
        }
    }
}

fn parse(token: &str) -> Case {
    let token = token.to_owned();
    let size = Size { bytes: 16_384, depth: 8 };
    let read = move || {
        Decoded::of(black_box(token.as_bytes()), size)
            .map(|decoded| black_box(Compact::read(&decoded)).is_ok())
    };
    assert_eq!(read(), Ok(true));
    Case(Box::new(move || assert!(read().is_ok())))
}

fn path(target: &str) -> Case {
    let target = target.to_owned();
    assert!(CanonicalPath::parse(target.as_bytes()).is_ok());
    Case(Box::new(move || drop(black_box(CanonicalPath::parse(black_box(target.as_bytes()))))))
}

/// A token that was seen before.
fn warm(changes: &Value, size: &str, more: &[(&str, &str)]) -> Case {
    let bearer = format!("Bearer {}", token(&Map::new(), size));
    decision(&outer(changes), &[&[("authorization", bearer.as_str())], more].concat(), None)
}

/// A token that is new each time.
fn cold(changes: &Value, of: &str) -> Case {
    let (claims, size) = match of {
        "many claims" => (
            json!({
                "aud": ["https://other.test", "https://api.test"], "scope": "orders:read orders:write profile email",
                "realm_access": { "roles": ["clerk", "auditor", "approver"] }, "nbf": NOW - 60, "azp": "shop", "sid": "7",
            }),
            "0.5 KB",
        ),
        size => (json!({}), size),
    };
    let bearer = format!("Bearer {}", token(claims.as_object().expect("an object"), size));
    let mut config = outer(changes);
    config["limits"]["tokenCacheBytes"] = json!(0);
    decision(&config, &[("authorization", &bearer)], None)
}

fn gateway_key() -> Case {
    let config =
        json!({ "door": "inner", "entrances": { "gateway": { "keys": { "current": { "env": "KEY" } } } } });
    let trusted =
        [("x-user-id", "alice"), ("x-tenant-id", "acme"), ("x-user-permissions", "orders:read,orders:write")];
    decision(&config, &[&[("x-gateway-key", GATEWAY_KEY)], &trusted[..]].concat(), None)
}

/// A whole decision, that lets the request pass, or denies it with this code.
fn decision(config: &Value, headers: &[(&str, &str)], denied: Option<Code>) -> Case {
    let secrets = |name: &str| Some(if name == "KEY" { GATEWAY_KEY } else { SECRET }.to_owned());
    let now = UnixTime::from_secs(NOW);
    let policy: Policy = match compile::compile(config, &Secrets::From(&secrets), now) {
        Ok(compiled) => compiled.value,
        Err(errors) => panic!("{errors}"),
    };
    let keys = Keys::in_module();
    // As curl's requests arrive through Envoy.
    let always = [
        (":authority", "api.example.com"),
        (":path", "/v1/service-0/orders/7"),
        (":method", "GET"),
        (":scheme", "https"),
        ("user-agent", "curl/8.14.1"),
        ("accept", "*/*"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "7f1b0f6c-6c0f-4d39-bb1f-2f9c2dc7d3bb"),
    ];
    let headers: Vec<(Vec<u8>, Vec<u8>)> =
        always.iter().chain(headers).map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let decide = move || {
        let headers = headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
        policy::decide(&policy, &keys, black_box(&Request::new(headers)), now)
    };
    match decide() {
        Decision::Permit(_) => assert_eq!(denied, None),
        Decision::Denial(denial) => assert_eq!(denied, Some(denial.code())),
        other => panic!("{other:?}"),
    }
    Case(Box::new(move || drop(black_box(decide()))))
}

/// An outer door with one issuer, or with these changes.
fn outer(changes: &Value) -> Value {
    let mut config = json!({ "door": "outer", "issuers": issuers(1) });
    let changes = changes.as_object().expect("an object").clone();
    config.as_object_mut().expect("an object").extend(changes);
    config
}

/// Issuers whose names are alike; the last one's tokens are measured.
fn issuers(count: usize) -> Value {
    let issuer = |number: usize| {
        let mut issuer = json!({
            "issuer": format!("https://issuer-{:03}.test", count - 1 - number), "audiences": ["https://api.test"],
            "keys": [{ "secret": { "env": "SECRET" } }],
        });
        if count > 1 {
            issuer["tenants"] = json!("*");
            issuer["subjectPrefix"] = json!(format!("i{number:03}:"));
        }
        (format!("i{number}"), issuer)
    };
    (0..count).map(issuer).collect::<Map<_, _>>().into()
}

fn many_claims() -> Value {
    let mut issuers = issuers(1);
    let more = json!({
        "identity": { "roles": ["/realm_access/roles"] }, "claims": { "azp": ["shop", "back-office"] },
        "requiredClaims": ["sub", "azp", "sid"], "maxLifetime": "1h", "audiences": ["https://api.test", "https://x.test"],
    });
    issuers["i0"].as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    json!({ "issuers": issuers, "inject": { "x-roles": "roles", "x-session": { "claim": "sid", "as": "text" } } })
}

fn routes(count: usize) -> Value {
    let route = |number: usize| {
        let access = json!({ "permissions": ["orders:read"] });
        let paths = [format!("/v1/service-{number}/orders/{{id}}")];
        (format!("r{number}"), json!({ "methods": ["GET"], "paths": paths, "access": access }))
    };
    (0..count).map(route).collect::<Map<_, _>>().into()
}

/// A token of about this size.
fn token(more: &Map<String, Value>, size: &str) -> String {
    let padding = match size {
        "0.5 KB" => 60,
        "2 KB" => 1_200,
        "8 KB" => 5_700,
        _ => panic!("there are no tokens of {size:?}"),
    };
    let mut payload = json!({
        "iss": "https://issuer-000.test", "aud": "https://api.test", "sub": "alice", "tenant_id": "acme",
        "permissions": ["orders:read", "orders:write"], "iat": NOW - 10, "exp": NOW + 300, "pad": "x".repeat(padding),
    });
    payload.as_object_mut().expect("an object").extend(more.clone());
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#),
        URL_SAFE_NO_PAD.encode(payload.to_string())
    );
    let tag = HS256Key::from_bytes(SECRET.as_bytes()).authentication_tag(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
}
