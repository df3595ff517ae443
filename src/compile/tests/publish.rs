//! What is announced and where it is published.

use serde_json::{Value, json};

use super::{KEY, NOW, Secrets, check, outer, with};
use crate::config::error::ConfigError;

const SIGNING: &str = include_str!("../../../tests/support/keys/ec-256.pem");
const PATH: &str = "/.well-known/jwks.json";
/// RFC 8037 appendix A, whose thumbprint stands in its section A.3.
const NEXT: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const NEXT_KID: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

fn minting() -> Value {
    with(
        outer(),
        "/context",
        json!({ "mint": {
            "issuer": "https://gateway", "audience": "mesh", "workload": "gateway", "key": { "env": "SIGNING" },
            "announce": [next()], "publish": PATH,
        } }),
    )
}

fn next() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": NEXT })
}

fn environment(name: &str) -> Option<String> {
    Some(if name == "SIGNING" { SIGNING.trim() } else { KEY }.to_owned())
}

fn shown<'e>(errors: impl Iterator<Item = &'e ConfigError>) -> Vec<String> {
    errors.map(ToString::to_string).collect()
}

/// What is said of a configuration, whether or not the secrets' values are known.
fn errors(document: &Value) -> Vec<String> {
    let of = |secrets| match super::super::compile(document, &secrets, NOW) {
        Ok(_) => Vec::new(),
        Err(errors) => shown(errors.iter()),
    };
    let unchecked = match check(document, &Secrets::Unchecked) {
        Ok(_) => Vec::new(),
        Err(errors) => shown(errors.iter()),
    };
    let known = of(Secrets::From(&environment));
    assert_eq!(known, unchecked, "{document}");
    known
}

fn warnings(document: &Value) -> Vec<String> {
    shown(check(document, &Secrets::Unchecked).unwrap().warnings.iter())
}

#[track_caller]
fn refused(document: &Value, path: &str, why: &str) {
    let errors = errors(document);
    let [error] = &errors[..] else { panic!("{errors:?}") };
    assert!(error.starts_with(&format!("{path}: ")) && error.contains(why), "{error}");
    assert!(!error.contains("a-private-part"), "{error}");
}

/// The announced key with one member changed.
fn announcing(member: &str, value: Value) -> Value {
    with(minting(), &format!("/context/mint/announce/0/{member}"), value)
}

#[test]
#[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
fn what_is_announced_and_published_compiles() {
    assert_eq!(errors(&minting()), [""; 0]);
    for kid in [json!(NEXT_KID), Value::Null] {
        assert_eq!(errors(&announcing("kid", kid)), [""; 0]);
    }
    for alg in ["EdDSA", "Ed25519"] {
        assert_eq!(errors(&announcing("alg", json!(alg))), [""; 0]);
    }
}

#[test]
#[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
fn an_announced_key_that_could_sign_no_context_is_refused_with_the_remedy() {
    let at = "context.mint.announce[0]";
    for (member, value, path, why) in [
        ("d", json!("a-private-part"), at, "replace this key"),
        ("k", json!("a-private-part"), at, "replace this key"),
        ("keys", json!([]), at, "is a JWK Set"),
        ("use", json!("enc"), at, "is not a usable key"),
        ("key_ops", json!(["sign"]), at, "is not a usable key"),
        ("x", json!("AA"), at, "is not a usable key"),
        ("kty", json!("oct"), at, "is not a usable key"),
        ("kid", json!("next"), "context.mint.announce[0].kid", NEXT_KID),
    ] {
        refused(&announcing(member, value), path, why);
    }
    let announcing = |jwk: Value| with(minting(), "/context/mint/announce", json!([jwk]));
    // RFC 7517 appendix A.1.
    let rsa = json!({ "kty": "RSA", "e": "AQAB", "alg": "PS256", "n": "\
        0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3ok\
        njhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu\
        6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8a\
        wapJzKnqDKgw" });
    refused(&announcing(rsa), "context.mint.announce[0].alg", "RS256");
    // The test key ec-521.
    let p521 = json!({
        "kty": "EC", "crv": "P-521",
        "x": "AA-ls5z01mPpfu4zXmDSJVDhDsTeeX-uW45gKdffGrXHkCP_3TMaCI-xuHk6UfK9g4VdSa6nEF3hw8eFMMHxf-Uv",
        "y": "AUC8YqlC4gHvtOmJEBLSUzHdzdAwK7NqFobnBvUYwEPzBFhm9JIhg7nV9caVog2LACl6mfW_1svznWcQn8-6OB1m",
    });
    refused(&announcing(p521), at, "P-256, RSA or Ed25519");
}

#[test]
#[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
fn ten_keys_may_be_announced_and_one_that_is_there_twice_is_published_once() {
    let announcing = |count: usize| with(minting(), "/context/mint/announce", json!(vec![next(); count]));
    refused(&announcing(11), "context.mint.announce", "at most 10");
    assert_eq!(errors(&announcing(10)), [""; 0]);
    assert_eq!(
        warnings(&announcing(2)),
        ["context.mint.announce[1]: is announced already, and published once: remove one"]
    );
    assert_eq!(warnings(&announcing(1)), [""; 0]);
}

#[test]
#[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
fn nothing_is_announced_where_nothing_is_published() {
    let announced = with(minting(), "/context/mint/publish", Value::Null);
    refused(&announced, "context.mint.announce", "goes with `publish`");
    assert_eq!(errors(&with(announced, "/context/mint/announce", Value::Null)), [""; 0]);
}

fn with_route(route: Value) -> Value {
    with(minting(), "/routes", json!({ "it": route }))
}

#[test]
#[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
fn a_route_that_names_the_published_path_is_refused_where_it_is_for_get_or_head() {
    for route in [
        json!({ "paths": [PATH] }),
        json!({ "paths": ["/.well-known/jwks.json/"] }),
        json!({ "paths": [PATH], "methods": ["GET"] }),
        json!({ "paths": [PATH], "methods": ["PUT", "HEAD"] }),
        json!({ "paths": [PATH], "hosts": ["id.test"] }),
        json!({ "paths": [PATH], "hosts": ["*.id.test"], "methods": ["GET"] }),
    ] {
        let mut route = route;
        route["access"] = json!("deny");
        refused(&with_route(route), "routes.it.paths[0]", "is a path that is published");
    }
    let second = json!({ "paths": ["/a", PATH], "access": "public" });
    refused(&with_route(second), "routes.it.paths[1]", "is a path that is published");
    for route in [
        json!({ "paths": [PATH], "methods": ["POST", "OPTIONS"] }),
        json!({ "paths": ["/.well-known/jwks"] }),
        json!({ "paths": ["/.well-known"] }),
        json!({ "paths": ["/.well-known/jwks.json/a"] }),
    ] {
        let mut route = route;
        route["access"] = json!("deny");
        assert_eq!(errors(&with_route(route.clone())), [""; 0]);
        assert_eq!(warnings(&with_route(route)), [""; 0]);
    }
}

#[test]
#[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
fn of_a_route_that_names_the_folder_of_the_published_path_a_warning_tells() {
    let path = |path: &str| with_route(json!({ "paths": [path], "access": "deny" }));
    for template in [
        "/.well-known/{name}",
        "/.well-known/{*rest}",
        "/{x}/jwks.json",
        "/{x}/{y}",
        "/.well-known/jwks.json/{*rest}",
    ] {
        let warnings = warnings(&path(template));
        let [warning] = &warnings[..] else { panic!("{template}: {warnings:?}") };
        assert!(warning.starts_with("routes.it.paths[0]: matches `/.well-known/jwks.json`"), "{warning}");
    }
    // Whoever writes these means all that there is no other rule for.
    for template in ["/{*rest}", "/{x}/{*rest}", "/{x}", "/.well-known/{x}/{y}", "/keys/{*rest}"] {
        assert_eq!(warnings(&path(template)), [""; 0], "{template}");
    }
    let posted = json!({ "paths": ["/.well-known/{name}"], "methods": ["POST"], "access": "deny" });
    assert_eq!(warnings(&with_route(posted)), [""; 0]);
}
