//! What may not be said of headers.

use serde_json::{Value, json};

use super::*;

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
    for other in [json!({ "value": "2" }), json!({ "value": "1" }), json!("none")] {
        let twice = json!({ "x-a": { "value": "1" }, "X-A": other });
        refused(outer(), "/inject", twice, "inject.x-a");
    }
    let trust = json!({ "subject": "x-caller", "tenant": "x-caller" });
    refused(inner(), "/entrances/gateway/trust", trust, "entrances.gateway.trust.tenant");
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
