//! Outer and inner doors of one stream that do not fit each other.

use std::fs;

use serde_json::{Value, json};

use super::{INNER, OUTER, are_errors, build, check, objects, overlay, said, set, spoilt, title};
use crate::{KEY, KEY_SHA256, directory, vestibule};

const CONTEXT: &str = "WasmPlugin shop/inner-door: spec.pluginConfig: context.require";
const ENTRANCE: &str = "WasmPlugin shop/inner-door: spec.pluginConfig: entrances.gateway";

#[test]
fn an_inner_door_asks_for_the_contexts_that_the_outer_one_mints() {
    let at = |field: &str| -> &'static str { format!("{CONTEXT}.{field}").leak() };
    are_errors(&[
        spoilt(
            OUTER,
            "spec.pluginConfig.context.mint.audience",
            json!("other"),
            at("audience"),
            &["are for `other`", "write the same in both"],
        ),
        spoilt(
            INNER,
            "spec.pluginConfig.context.require.audience",
            json!("other"),
            at("audience"),
            &["is `other`", OUTER, "write the same in both"],
        ),
        spoilt(
            INNER,
            "spec.pluginConfig.context.require.issuer",
            json!("https://other.example.com"),
            at("issuer"),
            &["write the same in both"],
        ),
        spoilt(
            OUTER,
            "spec.pluginConfig.context.mint.header",
            json!("x-context"),
            at("header"),
            &["is `txn-token`", "into `x-context`"],
        ),
        spoilt(OUTER, "spec.pluginConfig.context", None, CONTEXT, &["mints none", "add `context.mint`"]),
    ]);
    // A route of the outer door may mint for another audience.
    let mut stream = overlay();
    set(&mut stream, INNER, "spec.pluginConfig.context.require.audience", Some(&json!("other")));
    let route = json!({ "access": "authenticated", "paths": ["/blog/{*path}"], "audience": "other" });
    set(&mut stream, OUTER, "spec.pluginConfig.routes.blog", Some(&route));
    let run = check(&stream, &["--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
}

#[test]
fn an_inner_door_has_an_entrance_for_the_outer_one() {
    let at = |field: &str| -> &'static str { format!("{ENTRANCE}.{field}").leak() };
    let elsewhere = json!(["spiffe://prod.us-east-1.mesh.example.com/ns/istio-ingress/sa/other"]);
    are_errors(&[
        spoilt(
            OUTER,
            "spec.pluginConfig.gatewayKey.header",
            json!("x-key"),
            at("header"),
            &["is `x-gateway-key`", "as `x-key`", "write the same in both"],
        ),
        spoilt(
            INNER,
            "spec.pluginConfig.entrances.gateway.header",
            json!("x-key"),
            at("header"),
            &["is `x-key`", "write the same in both"],
        ),
        spoilt(
            OUTER,
            "spec.pluginConfig.gatewayKey",
            None,
            at("keys"),
            &["attaches none", "add `gatewayKey`"],
        ),
        spoilt(
            INNER,
            "spec.pluginConfig.entrances.gateway.peers",
            elsewhere,
            at("peers"),
            &["/sa/istio-ingress", "add it"],
        ),
        spoilt(
            INNER,
            "spec.pluginConfig.entrances.gateway",
            None,
            "WasmPlugin shop/inner-door: spec.pluginConfig: entrances",
            &["let in nobody", "list it under `peers`"],
        ),
    ]);
}

#[test]
fn peers_are_named_where_the_proxy_knows_them() {
    are_errors(&[spoilt(
        INNER,
        "spec.pluginConfig.entrances.gateway.resumed",
        None,
        "WasmPlugin shop/inner-door: spec.pluginConfig: entrances.gateway.resumed",
        &["resume TLS sessions", "Write `resumed: admit`"],
    )]);
    let mut stream = objects(&build("examples/ambient"));
    let entrances = json!({ "gateway": { "peers": ["spiffe://hml.us-east-1.mesh.example.com/ns/istio-ingress/sa/istio-ingress"], "resumed": "admit" } });
    set(&mut stream, INNER, "spec.pluginConfig.entrances", Some(&entrances));
    let run = check(&stream, &[]);
    let start = format!("standard input: {INNER}: spec.pluginConfig: entrances.gateway.peers: ");
    said(&run, &start, &["at a waypoint", "require a context"], "waypoint");
    assert_eq!(run.code, 3);
}

#[test]
fn a_key_that_is_announced_is_known_behind_the_door() {
    let mut stream = overlay();
    let known = stream.iter().find(|object| title(object) == INNER).unwrap()["spec"]["pluginConfig"]["context"]["require"]["keys"][0]["jwks"]
        .as_str()
        .map(|text| serde_json::from_str::<Value>(text).unwrap()["keys"][0].clone())
        .unwrap();
    let publish = |stream: &mut Vec<Value>, jwk: &Value| {
        set(stream, OUTER, "spec.pluginConfig.context.mint.publish", Some(&json!("/.well-known/jwks.json")));
        set(stream, OUTER, "spec.pluginConfig.context.mint.announce", Some(&json!([jwk])));
    };
    publish(&mut stream, &known);
    let run = check(&stream, &["--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let file = directory("a_key_that_is_announced").join("next.pem");
    vestibule(&["keygen", "p256", "--out", file.to_str().unwrap()]).run().succeeded();
    publish(&mut stream, &vestibule(&["jwk", file.to_str().unwrap()]).run().json());
    let run = check(&stream, &[]);
    said(&run, &format!("standard input: warning: {CONTEXT}.keys: "), &["announces", "Add it"], "announce");
}

#[test]
fn of_several_outer_doors_one_that_fits_is_enough() {
    let mut stream = overlay();
    let mut gateway =
        stream.iter().find(|object| title(object) == "Gateway istio-ingress/public").unwrap().clone();
    gateway["metadata"]["name"] = json!("partners");
    gateway["spec"]["selector"] = json!({ "istio": "partners" });
    let mut other = stream.iter().find(|object| title(object) == OUTER).unwrap().clone();
    other["metadata"]["name"] = json!("partners");
    other["spec"]["selector"] = json!({ "matchLabels": { "istio": "partners" } });
    other["spec"]["pluginConfig"]["context"]["mint"]["audience"] = json!("partners");
    stream.extend([gateway, other]);
    let run = check(&stream, &["--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
}

#[test]
fn tokens_that_the_outer_door_takes_off_are_not_asked_for_behind_it() {
    let mut issuer = overlay().iter().find(|object| title(object) == OUTER).unwrap()["spec"]["pluginConfig"]
        ["issuers"]
        .clone();
    issuer["main"]["keys"] = json!([{ "jwks": overlay().iter().find(|object| title(object) == INNER).unwrap()
        ["spec"]["pluginConfig"]["context"]["require"]["keys"][0]["jwks"] }]);
    issuer["main"]["algorithms"] = json!(["ES256"]);
    let mut stream = overlay();
    set(&mut stream, INNER, "spec.pluginConfig.context", None);
    set(&mut stream, INNER, "spec.pluginConfig.issuers", Some(&issuer));
    let run = check(&stream, &[]);
    assert_eq!(run.code, 0, "{}", run.err);
    let start = format!("standard input: warning: {INNER}: spec.pluginConfig: issuers.main: ");
    said(&run, &start, &["takes off", "require the context"], "issuers");
}

#[test]
fn the_key_that_signs_contexts_is_compared_where_it_is_known() {
    let file = directory("the_key_that_signs").join("context.pem");
    vestibule(&["keygen", "p256", "--out", file.to_str().unwrap()]).run().succeeded();
    let pem = fs::read_to_string(&file).unwrap();
    let jwk: Value = vestibule(&["jwk", file.to_str().unwrap()]).run().json();
    let mut stream = overlay();
    set(
        &mut stream,
        INNER,
        "spec.pluginConfig.entrances.gateway.keys.first.sha256",
        Some(&json!(KEY_SHA256)),
    );
    let checked = |stream: &[Value]| {
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": stream });
        vestibule(&["check", "--env", "-"])
            .env("VESTIBULE_GATEWAY_KEY_FIRST", KEY)
            .env("VESTIBULE_CONTEXT_KEY_FIRST", &pem)
            .input(list.to_string())
    };
    let run = checked(&stream);
    assert_eq!(run.code, 3, "{}", run.err);
    said(&run, &format!("standard input: {CONTEXT}.keys: "), &["by which", OUTER, "vestibule jwk"], "keys");
    assert!(run.err.ends_with("1 error\n"), "{}", run.err);
    let key = if jwk.get("keys").is_some() { jwk } else { json!({ "keys": [jwk] }) };
    set(&mut stream, INNER, "spec.pluginConfig.context.require.keys", Some(&json!([{ "jwks": key }])));
    let run = checked(&stream);
    assert!(run.code == 0 && !run.err.contains("not seen"), "{}", run.err);
}
