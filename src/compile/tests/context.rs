//! What `context.mint` needs, and what it may not stand beside.

use serde_json::{Value, json};

use super::{KEY, Secrets, inner, outer, with};
use crate::header::HeaderName;

const P256: &str = include_str!("../../../tests/support/keys/ec-256.pem");
const P384: &str = include_str!("../../../tests/support/keys/ec-384.pem");

fn minting() -> Value {
    let mint = json!({ "issuer": "https://gateway", "audience": "mesh", "workload": "gateway", "key": { "env": "MINT" } });
    with(outer(), "/context", json!({ "mint": mint }))
}

fn environment(name: &str) -> Option<String> {
    match name {
        "MINT" => Some(P256.into()),
        "LINES" => Some(format!("\r\n{P256}\n\n")),
        "INNER_SPACE" => Some(P256.replace('\n', " ")),
        "P384" => Some(P384.into()),
        "PUBLIC" => Some(super::PEM.into()),
        "EMPTY" => Some(String::new()),
        "BLANK" => Some("\n".into()),
        "KEY" => Some(KEY.into()),
        _ => None,
    }
}

fn errors(document: &Value) -> Vec<String> {
    match super::compile(document, &Secrets::From(&environment)) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[track_caller]
fn refused(document: &Value, path: &str, why: &str) {
    let errors = errors(document);
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert!(error.starts_with(&format!("{path}: ")) && error.contains(why), "{error}");
}

#[test]
fn a_mint_with_a_key_compiles_however_its_pem_ends() {
    for key in ["MINT", "LINES"] {
        assert_eq!(errors(&with(minting(), "/context/mint/key/env", json!(key))), [""; 0], "{key}");
    }
}

#[test]
fn a_key_that_cannot_sign_is_refused_with_the_reason_and_without_its_text() {
    for (key, why) in [
        ("P384", "its curve is not P-256"),
        ("PUBLIC", "give the private key"),
        ("INNER_SPACE", "PEM"),
        ("BLANK", "PEM"),
        ("EMPTY", "is empty"),
        ("UNSET", "is not set"),
        ("KEY", "PEM"),
    ] {
        let document = with(minting(), "/context/mint/key/env", json!(key));
        refused(&document, "context.mint.key.env", why);
        let secret = environment(key).unwrap_or_default();
        let lines = secret.lines().filter(|line| line.len() > 20);
        let told = errors(&document).join("\n");
        assert!(lines.clone().all(|line| !told.contains(line)), "{told}");
    }
    let inline = with(minting(), "/context/mint/key", json!(P256));
    refused(&inline, "context.mint.key", "cannot stand in the configuration");
}

#[test]
fn a_mint_is_an_outer_doors_and_says_who_for_whom_and_by_whom() {
    for (field, path) in
        [("issuer", "issuer"), ("audience", "audience"), ("workload", "workload"), ("key", "key")]
    {
        let document = with(minting(), &format!("/context/mint/{field}"), Value::Null);
        refused(&document, &format!("context.mint.{path}"), "is missing");
    }
    for (field, bad) in [
        ("issuer", json!("*")),
        ("audience", json!("a b")),
        ("workload", json!("")),
        ("ttl", json!("0s")),
        ("ttl", json!("301s")),
        ("to", json!(["*"])),
        ("header", json!("x-forwarded-for")),
        ("nothing", json!(1)),
    ] {
        let document = with(without_key(), &format!("/context/mint/{field}"), bad);
        let errors = errors(&document);
        assert!(errors.len() == 1 && errors[0].starts_with(&format!("context.mint.{field}")), "{errors:?}");
    }
    let mint = minting()["context"].clone();
    assert!(errors(&with(inner(), "/context", mint)).iter().any(|error| error.starts_with("context.mint: ")));
    let anonymous = json!({ "door": "outer", "default": "public", "context": minting()["context"] });
    refused(&anonymous, "context.mint", "add `issuers`");
}

/// Without the gateway key, so that `to` may be said.
fn without_key() -> Value {
    with(with(minting(), "/gatewayKey", Value::Null), "/context/mint/to", json!(["inner"]))
}

#[test]
fn key_and_context_go_the_same_way_which_is_said_once() {
    refused(&with(minting(), "/context/mint/to", json!(["inner"])), "context.mint.to", "gatewayKey.to");
    let goes = |document: &Value, cluster: &str| {
        let compiled = super::compile(document, &Secrets::From(&environment)).unwrap();
        compiled.value.goes_to(Some(cluster.as_bytes()))
    };
    let mesh = "outbound|80||a.b.svc.cluster.local";
    assert!(goes(&minting(), "inner") && !goes(&minting(), mesh));
    assert!(goes(&without_key(), "inner") && !goes(&without_key(), mesh));
    let default = with(without_key(), "/context/mint/to", Value::Null);
    assert!(goes(&default, mesh) && !goes(&default, "inner"));
}

#[test]
fn the_header_of_a_context_has_one_meaning() {
    for (pointer, value) in [
        ("/inject", json!({ "x-context": "subject" })),
        ("/gatewayKey/header", json!("X_Context")),
        ("/issuers/main/sources", json!([{ "header": "x-context" }])),
    ] {
        let document = with(with(minting(), "/context/mint/header", json!("x-context")), pointer, value);
        let errors = errors(&document);
        assert!(errors.len() == 1 && errors[0].contains("the same header as"), "{errors:?}");
    }
    let compiled = super::compile(
        &with(minting(), "/context/mint/header", json!("X-Context")),
        &Secrets::From(&environment),
    );
    let policy = compiled.unwrap().value;
    assert_eq!(policy.mint.as_ref().map(|mint| mint.header()), HeaderName::parse("x-context").as_ref());
    assert!(policy.guards(b"x_context") && policy.guards(b"txn-token"));
    assert!(policy.mints() && policy.reads_cluster());
}

#[test]
fn an_audience_of_a_route_is_one_of_a_context() {
    let routes = json!({ "a": { "paths": ["/a"], "access": "authenticated", "audience": "a.mesh" } });
    assert_eq!(errors(&with(minting(), "/routes", routes.clone())), [""; 0]);
    refused(&with(outer(), "/routes", routes), "routes.a.audience", "mints none");
}

fn requiring() -> Value {
    let require = json!({ "issuer": "https://gateway", "audience": "mesh", "keys": [{ "pem": super::PEM }] });
    json!({ "door": "inner", "context": { "require": require } })
}

#[test]
fn a_door_that_no_context_could_satisfy_is_refused() {
    assert_eq!(errors(&requiring()), [""; 0]);
    let shallow = |depth: u64| with(requiring(), "/limits", json!({ "jsonDepth": depth }));
    refused(&shallow(2), "limits.jsonDepth", "3 deep");
    assert_eq!(errors(&shallow(3)), [""; 0]);
    let cookie = with(requiring(), "/context/require/header", json!("Cookie"));
    refused(&cookie, "context.require.header", "choose another header");
    // What is verified stays, so nothing may say that it goes.
    let stripped =
        with(with(requiring(), "/context/require/header", json!("x-context")), "/strip", json!(["x-con*"]));
    refused(&stripped, "strip", "x-context");
}

/// A gateway is no service of the mesh: what it listens on for clients has not the mesh's TLS.
#[test]
fn keys_of_contexts_that_anybody_on_the_way_could_answer_are_warned_of() {
    let warnings = |url: &str| {
        let keys = json!([{ "remote": { "url": url, "cluster": "gateway" } }]);
        let document = with(requiring(), "/context/require/keys", keys);
        super::compile(&document, &Secrets::From(&environment)).unwrap().warnings.len()
    };
    assert_eq!(warnings("http://gateway.edge.svc.cluster.local/keys"), 1);
    assert_eq!(warnings("https://gateway.edge.svc.cluster.local/keys"), 0);
    assert_eq!(warnings("http://127.0.0.1/keys"), 0);
}
