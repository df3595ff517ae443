//! What a configuration may not say. Each case is one fault and the path under which it must be reported.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

use serde_json::{Value, json};

use super::{Secrets, check, compile, parse_document};
use crate::config::error::ConfigErrors;

const PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcfkTBm69XjpRPhaDxaNULIExNap7\n\
    XXwEOlQF5EqvMcVqSgplPWj23XJ7b1fjxWVHIT1agyLq26lA1uw8JmASDA==\n\
    -----END PUBLIC KEY-----\n";
const KEY: &str = "0123456789abcdef0123456789abcdef";

fn outer() -> Value {
    json!({
        "door": "outer",
        "issuers": { "main": { "issuer": "https://i", "audiences": ["a"], "keys": [{ "pem": PEM }] } },
        "gatewayKey": { "key": { "env": "KEY" }, "to": ["inner"] },
    })
}

fn inner() -> Value {
    json!({ "door": "inner", "entrances": { "gateway": { "keys": { "first": { "env": "KEY" } } } } })
}

fn environment(name: &str) -> Option<String> {
    match name {
        "KEY" => Some(KEY.into()),
        "SHORT" => Some("short".into()),
        "SPACED" => Some(format!("{KEY}\n")),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn errors(document: &Value) -> Vec<String> {
    match compile(document, &Secrets::From(&environment)) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

/// The document with one place changed; a JSON Pointer names it, and null takes it away.
fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent =
        document.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}")).as_object_mut().unwrap();
    match value {
        Value::Null => parent.remove(name),
        value => parent.insert(name.into(), value),
    };
    document
}

/// The change makes exactly one error, at this path.
fn refused(document: Value, pointer: &str, value: Value, path: &str) {
    let errors = errors(&with(document, pointer, value.clone()));
    assert_eq!(errors.len(), 1, "{pointer} = {value}: {errors:?}");
    assert!(errors[0].starts_with(&format!("{path}: ")), "{pointer} = {value}: {errors:?}");
}

#[test]
fn the_configurations_that_the_others_are_changed_from_compile() {
    assert_eq!((errors(&outer()), errors(&inner())), (vec![], vec![]));
}

#[test]
fn an_emptied_field_is_an_error_and_never_a_wider_policy() {
    for (pointer, path) in [
        ("/issuers", "issuers"),
        ("/issuers/main/audiences", "issuers.main.audiences"),
        ("/issuers/main/keys", "issuers.main.keys"),
        ("/issuers/main/algorithms", "issuers.main.algorithms"),
        ("/issuers/main/types", "issuers.main.types"),
        ("/issuers/main/requiredClaims", "issuers.main.requiredClaims"),
        ("/issuers/main/identity", "issuers.main.identity"),
        ("/issuers/main/claims", "issuers.main.claims"),
        ("/issuers/main/denyKids", "issuers.main.denyKids"),
        ("/issuers/main/maxLifetime", "issuers.main.maxLifetime"),
        ("/issuers/main/confirmation", "issuers.main.confirmation"),
        ("/strip", "strip"),
        ("/inject", "inject"),
        ("/default", "default"),
        ("/limits", "limits"),
        ("/gatewayKey/to", "gatewayKey.to"),
    ] {
        for empty in [json!([]), json!({}), json!("")] {
            refused(outer(), pointer, empty, path);
        }
    }
    let null = with(outer(), "/strip", json!([null]));
    assert_eq!(errors(&null), ["strip[0]: is null: remove it or fill it"]);
}

#[test]
fn what_this_version_does_not_know_is_refused_by_name() {
    for field in ["routes", "context", "grants", "preflight", "report", "apiKeys", "Door", "gateway_key"] {
        refused(outer(), &format!("/{field}"), json!("x"), field);
    }
    refused(outer(), "/issuers/main/jwksUri", json!("x"), "issuers.main.jwksUri");
    refused(inner(), "/entrances/gateway/peers", json!(["spiffe://a"]), "entrances.gateway.peers");
}

#[test]
fn what_belongs_to_one_door_is_refused_at_the_other() {
    let entrances = inner()["entrances"].clone();
    refused(outer(), "/entrances", entrances, "entrances");
    refused(inner(), "/gatewayKey", json!({ "key": { "env": "KEY" } }), "gatewayKey");
    assert_eq!(errors(&json!({ "door": "inner", "default": "public" })).len(), 1);
}

#[test]
fn a_default_must_be_written_where_nothing_can_prove_a_principal() {
    refused(outer(), "/issuers", Value::Null, "default");
    refused(inner(), "/entrances/gateway/trust", json!("none"), "default");
}

#[test]
fn one_header_has_one_meaning() {
    let subject = "entrances.gateway.trust.subject";
    for (document, pointer, value, path) in [
        (inner(), "/entrances/gateway/header", json!("x-user-id"), "entrances.gateway.header"),
        (inner(), "/entrances/gateway/header", json!("X_User.Permissions"), "entrances.gateway.header"),
        (outer(), "/gatewayKey/header", json!("x-user-id"), "gatewayKey.header"),
        (outer(), "/gatewayKey/header", json!("x_user_id"), "gatewayKey.header"),
        (outer(), "/gatewayKey/header", json!("Authorization"), "gatewayKey.header"),
        (outer(), "/inject", json!({ "authorization": { "value": "x" } }), "inject.authorization"),
        (outer(), "/inject", json!({ "x_user_id": "subject" }), "inject.x_user_id"),
        (inner(), "/entrances/gateway/trust", json!({ "subject": "x_user_id" }), subject),
    ] {
        refused(document, pointer, value, path);
    }
    let twice = json!({ "x-a": { "value": "1" }, "x.a": { "value": "2" } });
    assert_eq!(errors(&with(outer(), "/inject", twice)).len(), 1);
    let trust = json!({ "subject": "x-caller", "tenant": "x-caller" });
    refused(inner(), "/entrances/gateway/trust", trust, "entrances.gateway.trust.tenant");
}

#[test]
fn several_entrances_say_each_what_they_are_trusted_with() {
    let sha256 = "0".repeat(64);
    let scraper = json!({ "header": "x-scrape-key", "keys": { "k": { "sha256": sha256 } } });
    let two = with(inner(), "/entrances/scraper", scraper);
    let paths: Vec<String> =
        errors(&two).iter().map(|error| error.split(": ").next().unwrap().into()).collect();
    assert_eq!(paths, ["entrances.gateway.trust", "entrances.scraper.trust"]);
    let two = with(two, "/entrances/scraper/trust", json!("none"));
    let two = with(two, "/entrances/gateway/trust", json!({ "subject": "x-user-id" }));
    assert_eq!(errors(&two), [""; 0]);
}

/// Two issuers that are told apart.
fn two_issuers() -> Value {
    let issuer = |iss: &str, prefix: &str| {
        json!({ "issuer": iss, "audiences": ["a"], "keys": [{ "pem": PEM }], "tenants": ["acme"],
                "subjectPrefix": prefix })
    };
    json!({ "door": "outer", "issuers": { "a": issuer("https://a", "a|"), "b": issuer("https://b", "b|") } })
}

#[test]
fn several_issuers_are_told_apart() {
    assert_eq!(errors(&two_issuers()), [""; 0]);
    refused(two_issuers(), "/issuers/b/tenants", Value::Null, "issuers.b.tenants");
    refused(two_issuers(), "/issuers/b/subjectPrefix", Value::Null, "issuers.b.subjectPrefix");
    refused(two_issuers(), "/issuers/b/issuer", json!("https://a"), "issuers.b.issuer");
    refused(two_issuers(), "/issuers/b/issuer", json!("*"), "issuers.b.issuer");
    for prefix in ["a|", "a|x", "a"] {
        refused(two_issuers(), "/issuers/b/subjectPrefix", json!(prefix), "issuers.b.subjectPrefix");
    }
    for (tenants, path) in [
        (json!("acme"), "issuers.b.tenants"),
        (json!(["acme", "*"]), "issuers.b.tenants[1]"),
        (json!(["a..b"]), "issuers.b.tenants[0]"),
    ] {
        refused(two_issuers(), "/issuers/b/tenants", tenants, path);
    }
    refused(two_issuers(), "/issuers/b/subjectPrefix", json!("a b"), "issuers.b.subjectPrefix");
}

#[test]
fn a_claim_is_injected_in_a_form_that_is_named() {
    let inject = |what: Value| with(outer(), "/inject", json!({ "x-c": what }));
    for good in
        [json!("payload"), json!({ "claim": "c", "as": "list" }), json!({ "claim": "/a/b", "as": "json" })]
    {
        assert_eq!(errors(&inject(good)), [""; 0]);
    }
    for (bad, path) in [
        (json!({ "claim": "c" }), "inject.x-c.as"),
        (json!({ "claim": "c", "as": "yaml" }), "inject.x-c.as"),
        (json!({ "claim": "/a~", "as": "text" }), "inject.x-c.claim"),
        (json!({ "claim": "c", "as": "text", "value": "x" }), "inject.x-c.value"),
        (json!({ "as": "text" }), "inject.x-c.as"),
    ] {
        assert!(errors(&inject(bad.clone())).iter().any(|error| error.starts_with(path)), "{bad}");
    }
    for of_token in [json!("payload"), json!({ "claim": "c", "as": "text" })] {
        refused(inner(), "/inject", json!({ "x-c": of_token }), "inject.x-c");
    }
}

#[test]
fn an_hmac_secret_is_as_long_as_the_hash_and_named_by_its_variable() {
    let keys = |secret: Value| with(outer(), "/issuers/main/keys", json!([{ "secret": secret }]));
    assert_eq!(errors(&keys(json!({ "env": "KEY" }))), [""; 0]);
    let path = "issuers.main.keys[0].secret";
    refused(outer(), "/issuers/main/keys", json!([{ "secret": { "env": "SHORT" } }]), path);
    refused(outer(), "/issuers/main/keys", json!([{ "secret": KEY }]), path);
    refused(keys(json!({ "env": "KEY" })), "/issuers/main/algorithms", json!(["HS512"]), path);
    let both = json!([{ "secret": { "env": "KEY" }, "pem": PEM }]);
    refused(outer(), "/issuers/main/keys", both, "issuers.main.keys[0]");
    assert!(check(&keys(json!({ "env": "ABSENT" })), &Secrets::Unchecked).is_ok());
}

#[test]
fn stripping_the_credential_is_left_to_the_source() {
    for strip in ["authorization", "auth*"] {
        refused(outer(), "/strip", json!([strip]), "strip");
    }
}

#[test]
fn what_carries_the_message_cannot_be_stripped_or_injected() {
    for strip in ["host", "x-envoy-peer", "x-forwarded-for", "x-f*", "ho*", "*", "x-*-y", ":path", "a b"] {
        refused(outer(), "/strip", json!([strip]), "strip[0]");
    }
    refused(outer(), "/inject", json!({ "X-Forwarded-For": { "value": "x" } }), "inject.X-Forwarded-For");
}

#[test]
fn a_secret_is_named_and_never_shown() {
    for (value, path) in [
        (json!("the-secret-itself"), "gatewayKey.key"),
        (json!({ "env": "ABSENT" }), "gatewayKey.key.env"),
        (json!({ "env": "EMPTY" }), "gatewayKey.key.env"),
        (json!({ "env": "SPACED" }), "gatewayKey.key.env"),
        (json!({ "env": "SHORT" }), "gatewayKey.key"),
        (json!({ "env": "KEY", "encoding": "base64" }), "gatewayKey.key"),
        (json!({ "env": "not-a-name" }), "gatewayKey.key.env"),
    ] {
        refused(outer(), "/gatewayKey/key", value.clone(), path);
        let said = errors(&with(outer(), "/gatewayKey/key", value)).join("\n");
        for secret in ["the-secret-itself", KEY, "ABSENT", "not-a-name"] {
            assert!(!said.contains(secret), "{said}");
        }
    }
}

#[test]
fn every_audience_of_every_issuer_is_never_accepted() {
    let any = with(outer(), "/issuers/main/issuer", json!("*"));
    refused(any, "/issuers/main/audiences", json!(["*"]), "issuers.main.audiences");
    refused(outer(), "/issuers/main/audiences", json!(["*", "a"]), "issuers.main.audiences");
}

#[test]
fn what_a_claim_must_be_is_a_list_of_strings() {
    for (claims, path) in [
        (json!({ "amr": [] }), "issuers.main.claims.amr"),
        (json!({ "amr": "mfa" }), "issuers.main.claims.amr"),
        (json!({ "amr": ["mfa", 1] }), "issuers.main.claims.amr[1]"),
        (json!({ "/a~": ["mfa"] }), "issuers.main.claims./a~"),
    ] {
        refused(outer(), "/issuers/main/claims", claims, path);
    }
    for bad in ["1y", "8785h", "366d"] {
        refused(outer(), "/issuers/main/maxLifetime", json!(bad), "issuers.main.maxLifetime");
    }
}

#[test]
fn every_key_may_be_denied_and_that_is_a_warning() {
    let keys = json!([{ "pem": PEM, "kid": "old" }]);
    let document = with(with(outer(), "/issuers/main/keys", keys), "/issuers/main/denyKids", json!(["old"]));
    let compiled = compile(&document, &Secrets::From(&environment)).unwrap();
    assert_eq!(compiled.warnings.iter().map(|w| w.path()).collect::<Vec<_>>(), ["issuers.main.denyKids"]);
}

#[test]
fn a_private_key_is_refused_wherever_it_stands() {
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA" });
    let path = "issuers.main.keys[0]";
    let jwks = json!([{ "jwks": { "keys": [jwk] } }]);
    refused(outer(), "/issuers/main/keys", jwks, &format!("{path}.jwks"));
    let pem = PEM.replace("PUBLIC", "PRIVATE");
    refused(outer(), "/issuers/main/keys", json!([{ "pem": pem }]), &format!("{path}.pem"));
}

#[test]
fn more_keys_than_a_token_is_tried_with_are_refused() {
    let keys = |count: usize| Value::Array(vec![json!({ "pem": PEM }); count]);
    refused(outer(), "/issuers/main/keys", keys(5), "issuers.main.keys");
    let four = with(outer(), "/issuers/main/keys", keys(4));
    let compiled = compile(&four, &Secrets::From(&environment)).unwrap();
    assert_eq!(compiled.warnings.len(), 1, "{:?}", compiled.warnings);
}

#[test]
fn a_key_that_is_left_out_is_a_warning() {
    let mut set = json!({ "keys": [{ "kty": "EC", "crv": "P-521", "kid": "next" }] });
    let path = "issuers.main.keys[0].jwks";
    refused(outer(), "/issuers/main/keys", json!([{ "jwks": set }]), path);
    let good = json!({
        "kty": "EC", "crv": "P-256",
        "x": "cfkTBm69XjpRPhaDxaNULIExNap7XXwEOlQF5EqvMcU",
        "y": "akoKZT1o9t1ye29X48VlRyE9WoMi6tupQNbsPCZgEgw",
    });
    set["keys"].as_array_mut().unwrap().push(good);
    let document = with(outer(), "/issuers/main/keys", json!([{ "jwks": set }]));
    let warnings = compile(&document, &Secrets::From(&environment)).unwrap().warnings;
    assert_eq!(warnings.iter().map(|warning| warning.path()).collect::<Vec<_>>(), [path]);
}

#[test]
fn a_time_is_rfc_3339_to_the_second() {
    let path = "entrances.gateway.keys.first.notAfter";
    for bad in [
        "20300101T000000Z",
        "2030-01-01 00:00:00Z",
        "2030-01-01T00:00:00.5Z",
        "2030-13-01T00:00:00Z",
        "2030-01-01T00:00:00",
        "2030-01-01T00:00:00-05[America/New_York]",
        "1969-01-01T00:00:00Z",
        "soon",
    ] {
        refused(inner(), "/entrances/gateway/keys/first/notAfter", json!(bad), path);
    }
    let good = with(inner(), "/entrances/gateway/keys/first/notAfter", json!("2030-01-01T00:00:00+01:00"));
    assert_eq!(errors(&good), [""; 0]);
    refused(good, "/entrances/gateway/keys/first/notBefore", json!("2030-01-01T00:00:00Z"), path);
}

#[test]
fn a_check_without_secrets_finds_every_other_fault() {
    let sha256 = "0".repeat(64);
    let keys = json!({ "a": { "env": "ABSENT" }, "b": { "sha256": sha256 }, "c": { "sha256": sha256 } });
    let document = with(inner(), "/entrances/gateway/keys", keys);
    let found = check(&document, &Secrets::Unchecked).unwrap_err();
    assert_eq!(found.iter().map(|error| error.path()).collect::<Vec<_>>(), ["entrances.gateway.keys.c"]);
    assert!(check(&inner(), &Secrets::Unchecked).is_ok());
}

#[test]
fn faults_of_every_kind_come_together() {
    let document = json!({
        "door": "outer", "tenants": 1,
        "issuers": { "main": { "issuer": "i", "audiences": [], "leeway": "1d", "keys": [{ "pem": "x" }] } },
        "gatewayKey": { "key": { "env": "ABSENT" }, "to": ["*"] },
    });
    let found = compile(&document, &Secrets::From(&environment)).unwrap_err();
    let mut paths: Vec<&str> = found.iter().map(|error| error.path()).collect();
    paths.sort_unstable();
    let expected = [
        "gatewayKey.key.env",
        "gatewayKey.to[0]",
        "issuers.main.audiences",
        "issuers.main.keys[0].pem",
        "issuers.main.leeway",
        "tenants",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn errors_are_bounded_however_many_there_are() {
    let fields: String = (0..5000).map(|field| format!(",\"unknown{field}\":1")).collect();
    let document =
        parse_document(format!("{{\"door\":\"outer\",\"default\":\"public\"{fields}}}").as_bytes());
    let found: ConfigErrors = compile(&document.unwrap(), &Secrets::Unchecked).unwrap_err();
    assert_eq!(found.iter().count(), 101);
    assert!(found.to_string().ends_with("4900 more errors, which are not shown"));
}

#[test]
fn numbers_may_have_become_doubles_on_the_way() {
    let limits = |value| with(outer(), "/limits", json!({ "tokenBytes": value }));
    assert_eq!(errors(&limits(json!(4096.0))), [""; 0]);
    for bad in [json!(4096.5), json!(-1), json!(1e300), json!("4096"), json!(255), json!(65537)] {
        let path = "limits.tokenBytes";
        assert!(errors(&limits(bad.clone()))[0].starts_with(path), "{bad}");
    }
}
