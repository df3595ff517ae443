//! What the log tells of denials: enough to know who must act, and no more lines than are allowed.

use serde_json::{Value, json};

use super::mesh::{
    Door, ENVIRONMENT, GATEWAY_KEY, good_payload, good_token, inner_configuration, outer_configuration,
    signed,
};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::{Envoy, told};
use crate::support::http::get;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The denials that were told of, each once.
fn denials(envoy: &Envoy, count: usize) -> Vec<Value> {
    super::remote_door::until("the denials are told of", || {
        let told = envoy.told("denial");
        (told.len() >= count).then_some(told)
    })
}

#[test]
fn a_line_says_who_must_act_and_names_the_request_as_its_answer_does() {
    let mut configuration = outer_configuration();
    configuration["routes"] =
        json!({ "orders": { "paths": ["/orders/{*rest}"], "access": { "permissions": ["orders:read"] } } });
    let door = Door::outer(&configuration);
    let mut foreign = good_payload();
    foreign["iss"] = json!("https://elsewhere.example.com");
    let foreign = signed(
        &json!({ "key": "rsa-1", "header": { "alg": "RS256", "kid": "their-key" }, "payload": foreign }),
    );
    let answers = [
        door.denied(&get("/orders/1").bearer(&good_token()), "permission_missing"),
        door.denied(&get("/").bearer(&foreign), "issuer_unknown"),
        door.denied(&get("/"), "credential_missing"),
    ];
    let told = denials(&door.envoy, 3);
    let expected = [
        (
            "permission_missing",
            403,
            json!(["issuer", "operator"]),
            json!("orders"),
            json!("main"),
            json!("rsa-1"),
        ),
        ("issuer_unknown", 401, json!(["client", "operator"]), json!(null), json!(null), json!("their-key")),
        ("credential_missing", 401, json!(["client", "operator"]), json!(null), json!(null), json!(null)),
    ];
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for ((answer, told), (code, status, act, route, issuer, kid)) in answers.iter().zip(told).zip(expected) {
        let instance = answer.json()["instance"].clone();
        assert!(instance.is_string(), "{}", answer.text());
        let line = json!({
            "vestibule": "denial", "door": "outer", "decision": "denial", "code": code, "status": status,
            "act": act, "route": route, "issuer": issuer, "kid": kid, "entrance": null, "key": null,
            "peer": null, "host": told["host"], "instance": instance, "left_out": 0,
        });
        assert_eq!(told, line);
        assert!(told["host"].is_string(), "{told}");
    }
}

#[test]
fn an_inner_door_names_the_entrance_and_the_key_but_does_not_show_it() {
    let mut configuration = inner_configuration();
    configuration["routes"] =
        json!({ "admin": { "paths": ["/admin"], "access": { "permissions": ["admin"] } } });
    let door = Door::inner(&configuration);
    let call = get("/admin").header("x-gateway-key", GATEWAY_KEY).header("x-user-id", "bob");
    door.denied(&call.header("x-tenant-id", "acme"), "permission_missing");
    let told = denials(&door.envoy, 1);
    let named = [&told[0]["door"], &told[0]["entrance"], &told[0]["key"], &told[0]["route"]];
    assert_eq!(named, [&json!("inner"), &json!("gateway"), &json!("first"), &json!("admin")]);
    assert!(!told[0].to_string().contains(GATEWAY_KEY));
}

#[test]
fn denials_past_the_bound_are_counted_and_not_told_of() {
    let mut configuration = outer_configuration();
    configuration["limits"] = json!({ "denialLines": 2 });
    let door = Door::outer(&configuration);
    for _ in 0..5 {
        door.denied(&get("/"), "credential_missing");
    }
    // Another code has lines of its own.
    door.denied(&get("/").bearer("no-token"), "token_malformed");
    let told = denials(&door.envoy, 3);
    let codes: Vec<_> = told.iter().map(|told| told["code"].as_str().unwrap_or_default()).collect();
    assert_eq!(codes, ["credential_missing", "credential_missing", "token_malformed"]);
    let counted = door.envoy.stats("wasmcustom.door=.=outer;.;decision=.=denial;.;code=.=credential_missing");
    assert_eq!(counted.into_values().sum::<u64>(), 5);
}

#[test]
fn at_the_level_of_warnings_only_what_is_our_own_fault_is_told() {
    let mut configuration = outer_configuration();
    configuration["issuers"]["main"]["keys"] =
        json!([{ "remote": { "url": "https://issuer.example.com/keys", "cluster": "nowhere" } }]);
    configuration["limits"] = json!({ "pause": "10ms" });
    let bootstrap = Bootstrap::of("outer.yaml").configure("outer", &configuration);
    let envoy = Envoy::start_with(&bootstrap, &ENVIRONMENT, &["--log-level", "warning"]);
    assert_eq!(get("/").send(envoy.port("outer")).status, 401);
    assert_eq!(get("/").bearer(&good_token()).send(envoy.port("outer")).status, 503);
    let codes: Vec<_> = denials(&envoy, 1).iter().map(|told| told["code"].clone()).collect();
    assert_eq!(codes, ["keys_unavailable"]);
    assert_eq!(told(&envoy.log(), "configuration"), [json!(null); 0]);
}

#[test]
fn the_trace_of_a_request_passes_the_door_as_it_came() {
    let door = Door::outer(&outer_configuration());
    let call = get("/").bearer(&good_token()).header("traceparent", TRACE).header("tracestate", "a=1,b=2");
    let arrival = door.permitted(&call);
    assert_eq!(arrival.values("traceparent"), [TRACE]);
    assert_eq!(arrival.values("tracestate"), ["a=1,b=2"]);
}
