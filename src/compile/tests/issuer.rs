//! What `issuers` may not say.

use serde_json::{Value, json};

use super::*;

/// Two issuers that are told apart.
pub(super) fn two_issuers() -> Value {
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
#[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
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
