//! A user's access token never passes as a context, nor a context as an access token: whatever types, issuers,
//! audiences, places and keys are configured, and though both are signed with the same key, say the same and
//! are for the same.
//!
//! What tells them apart is the type alone (`typ`, RFC 8725 section 3.11), so it is the type alone that differs
//! here between what must pass and what must not. `PROPTEST_CASES` sets how many cases there are.

#![allow(unreachable_pub, reason = "nothing here is reached from outside")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails where it stands"
)]

#[path = "support/mod.rs"]
mod support;

use std::cell::Cell;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use support::{keys, token};
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::denial::Code;
use vestibule::jose::header::media_type;
use vestibule::keyring::Keys;
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::time::UnixTime;

const NOW: u64 = 1_800_000_000;

/// Types that somebody might take for one another.
const TYPES: [&str; 14] = [
    "absent",
    "JWT",
    "at+jwt",
    "AT+JWT",
    "application/at+jwt",
    "txntoken+jwt",
    "TxnToken+JWT",
    "application/txntoken+jwt",
    "APPLICATION/TXNTOKEN+JWT",
    "txntoken",
    "txn-token",
    "txntoken+jwt ",
    "x/txntoken+jwt",
    "txntoken+jwt;a=b",
];
const NAMES: [&str; 3] = ["https://gateway.example.com", "https://issuer.example.com", "mesh"];

thread_local! {
    static KEYS: Keys = Keys::in_module();
}

fn cases() -> u32 {
    let given = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_some() { given.cases } else { 1_000 }
}

/// An issuer of users' tokens, by any settings, those that are refused among them.
fn issuers() -> impl Strategy<Value = Value> {
    let types = subsequence(TYPES.to_vec(), 1..=4);
    let issuer = select([&NAMES[..], &["*"]].concat());
    let audiences = prop_oneof![subsequence(NAMES.to_vec(), 1..=2), Just(vec!["*"])];
    let header = select(vec!["authorization", "txn-token", "x-context", "x-token"]);
    (issuer, audiences, proptest::option::of(types), header, any::<[bool; 4]>()).prop_map(
        |(issuer, audiences, types, header, [optional, ignore, claims, identity])| {
            let mut settings = json!({
                "issuer": issuer, "audiences": audiences,
                "keys": [{ "jwks": keys::jwks(&["ec-256"]) }], "sources": [{ "header": header }],
            });
            let mut set = |name: &str, value: Value| {
                settings.as_object_mut().expect("an object").insert(name.into(), value);
            };
            if let Some(types) = types {
                set("types", json!(types));
            }
            if optional {
                set("expiration", json!("optional"));
            }
            if ignore {
                set("confirmation", json!("ignore"));
            }
            if claims {
                set("requiredClaims", json!(["txn", "req_wl"]));
            }
            if identity {
                set("identity", json!({ "tenant": "/tctx/tenant", "permissions": ["/tctx/permissions"] }));
            }
            settings
        },
    )
}

/// What `context.require` may say.
fn requirements() -> impl Strategy<Value = Value> {
    let header = select(vec!["txn-token", "x-context"]);
    (header, select(NAMES.to_vec()), select(NAMES.to_vec()), 0..300_u32).prop_map(
        |(header, issuer, audience, leeway)| {
            json!({
                "header": header, "issuer": issuer, "audience": audience, "leeway": format!("{leeway}s"),
                "keys": [{ "jwks": keys::jwks(&["ec-256"]) }],
            })
        },
    )
}

/// A token that says all that either kind could be asked for.
fn signed(typ: &str, issuer: &str, audience: &str) -> String {
    let mut header = json!({ "alg": "ES256", "kid": "ec-256" });
    if typ != "absent" {
        header["typ"] = json!(typ);
    }
    let payload = json!({
        "iss": issuer, "aud": audience, "sub": "alice", "tenant_id": "acme", "scope": "read",
        "iat": NOW, "exp": NOW + 60, "txn": "0b5f2a54-6a0c-4e7d-8d93-4f0a5e1e2c11", "req_wl": "gateway",
        "tctx": { "tenant": "acme", "permissions": ["blog:read"], "roles": ["author"], "issuer": "main" },
    });
    token::mint(&json!({ "key": "ec-256", "header": header, "payload": payload }), NOW)
}

fn policy(document: &Value) -> Option<Policy> {
    let compiled = compile::compile(document, &Secrets::From(&|_| None), UnixTime::from_secs(NOW));
    compiled.ok().map(|compiled| compiled.value)
}

/// Why it is refused; nothing where it passes.
fn refusal(policy: &Policy, header: &str, token: &str) -> Option<Code> {
    let headers: [(&[u8], &[u8]); 3] =
        [(b":method", b"GET"), (b":path", b"/"), (header.as_bytes(), token.as_bytes())];
    let request = Request::new(headers.to_vec());
    match KEYS.with(|keys| policy::decide(policy, keys, &request, UnixTime::from_secs(NOW))) {
        Decision::Permit(_) => None,
        Decision::Denial(denial) => Some(denial.code()),
        other => panic!("neither permitted nor denied: {other:?}"),
    }
}

fn text<'v>(settings: &'v Value, pointer: &str) -> &'v str {
    settings.pointer(pointer).and_then(Value::as_str).expect("a text")
}

fn is_context(typ: &str) -> bool {
    media_type(typ) == "txntoken+jwt"
}

/// Runs one property over many cases, and tells how many tokens passed.
fn count<S: Strategy>(strategy: S, run: impl Fn(S::Value, &Cell<u32>)) -> u32 {
    let passed = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig {
        cases: cases(),
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&strategy, |value| {
        run(value, &passed);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    passed.get()
}

#[test]
fn no_context_passes_where_a_users_token_is_asked_for() {
    let strategy = (issuers(), select(TYPES.to_vec()), select(vec!["outer", "inner"]));
    let passed = count(strategy, |(settings, typ, door), passed| {
        let Some(policy) = policy(&json!({ "door": door, "issuers": { "main": settings } })) else { return };
        let issuer = text(&settings, "/issuer").replace('*', "mesh");
        let audience = text(&settings, "/audiences/0").replace('*', "mesh");
        let header = text(&settings, "/sources/0/header");
        let refusal = refusal(&policy, header, &signed(typ, &issuer, &audience));
        if is_context(typ) {
            assert_eq!(refusal, Some(Code::TypeNotAllowed), "{typ} by {settings}");
        } else if refusal.is_none() {
            passed.set(passed.get() + 1);
        }
    });
    // The same tokens pass by another type, so it was the type that kept the contexts out.
    assert!(passed > cases() / 100, "only {passed} users' tokens passed");
}

#[test]
fn no_users_token_passes_where_a_context_is_asked_for() {
    let strategy = (requirements(), select(TYPES.to_vec()));
    let passed = count(strategy, |(settings, typ), passed| {
        let policy = policy(&json!({ "door": "inner", "context": { "require": settings } }));
        let policy = policy.unwrap_or_else(|| panic!("refused: {settings}"));
        let token = signed(typ, text(&settings, "/issuer"), text(&settings, "/audience"));
        let refusal = refusal(&policy, text(&settings, "/header"), &token);
        let expected = (!is_context(typ)).then_some(Code::ContextInvalid);
        assert_eq!(refusal, expected, "{typ} by {settings}");
        passed.set(passed.get() + u32::from(refusal.is_none()));
    });
    assert!(passed > cases() / 10, "only {passed} contexts passed");
}

#[test]
fn no_issuer_of_users_tokens_may_accept_the_type_of_a_context() {
    for typ in TYPES.into_iter().filter(|typ| is_context(typ)) {
        let settings = json!({
            "issuer": "https://issuer.example.com", "audiences": ["mesh"], "types": ["JWT", typ],
            "keys": [{ "jwks": keys::jwks(&["ec-256"]) }],
        });
        assert!(policy(&json!({ "door": "outer", "issuers": { "main": settings } })).is_none(), "{typ}");
    }
}
