//! Patches of Envoy's configuration around the doors.

use serde_json::{Value, json};

use super::{INNER, OUTER, check, overlay, said};

fn with(namespace: &str, spec: &Value) -> super::Run {
    let mut stream = overlay();
    stream.push(json!({
        "apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter",
        "metadata": { "name": "patch", "namespace": namespace }, "spec": spec,
    }));
    check(&stream, &["--deny-warnings"])
}

/// A patch of the filters of HTTP.
fn patch(context: &str, beside: Option<&str>, operation: &str, value: &Value) -> Value {
    let filter = json!({
        "name": "envoy.filters.network.http_connection_manager", "subFilter": beside.map(|name| json!({ "name": name })),
    });
    json!({ "configPatches": [{
        "applyTo": "HTTP_FILTER",
        "match": { "context": context, "listener": { "filterChain": { "filter": filter } } },
        "patch": { "operation": operation, "value": value },
    }] })
}

const OUTERS: &str = "extensions.istio.io/wasmplugin/istio-ingress.outer-door";
const ROUTER: &str = "envoy.filters.http.router";

#[test]
fn no_patch_takes_a_door_out_of_its_place() {
    let lua = json!({ "name": "lua" });
    let disabled = |name: &str| {
        let value = json!({ "typed_per_filter_config": { name: { "disabled": true } } });
        json!({ "configPatches": [{ "applyTo": "HTTP_ROUTE", "patch": { "operation": "MERGE", "value": value } }] })
    };
    let replaced = json!({ "configPatches": [{
        "applyTo": "EXTENSION_CONFIG", "patch": { "operation": "ADD", "value": { "name": OUTERS } },
    }] });
    let network = |context: &str, operation: &str| {
        let manager = json!({ "name": "envoy.filters.network.http_connection_manager" });
        json!({ "configPatches": [{
            "applyTo": "NETWORK_FILTER",
            "match": { "context": context, "listener": { "filterChain": { "filter": manager } } },
            "patch": { "operation": operation, "value": { "name": "envoy.filters.network.tcp_proxy" } },
        }] })
    };
    let operation = "patch.operation";
    for (namespace, spec, field, door) in [
        ("istio-ingress", patch("GATEWAY", Some(OUTERS), "REMOVE", &Value::Null), operation, OUTER),
        ("istio-system", patch("ANY", Some(OUTERS), "REPLACE", &lua), operation, OUTER),
        ("shop", patch("SIDECAR_INBOUND", Some("shop.inner-door"), "MERGE", &lua), operation, INNER),
        ("istio-ingress", disabled(OUTERS), "patch.value", OUTER),
        ("istio-system", disabled("extensions.istio.io/wasmplugin/shop.inner-door"), "patch.value", INNER),
        ("istio-ingress", replaced, "patch.value.name", OUTER),
        ("istio-ingress", network("GATEWAY", "REPLACE"), operation, OUTER),
        ("shop", network("SIDECAR_INBOUND", "REMOVE"), operation, INNER),
    ] {
        let run = with(namespace, &spec);
        assert_eq!(run.code, 3, "{spec}: {}", run.err);
        let start = format!("standard input: EnvoyFilter {namespace}/patch: spec.configPatches[0].{field}: ");
        said(&run, &start, &[door, "remove it"], &spec.to_string());
    }
    for (context, operation) in
        [("SIDECAR_OUTBOUND", "REPLACE"), ("GATEWAY", "MERGE"), ("GATEWAY", "INSERT_FIRST")]
    {
        let run = with("istio-system", &network(context, operation));
        assert_eq!(run.code, 0, "{context} {operation}: {}", run.err);
    }
}

#[test]
fn a_patch_that_comes_before_a_door_is_told_of_and_others_are_not() {
    let lua = json!({ "name": "lua" });
    for (namespace, spec, door) in [
        ("istio-ingress", patch("GATEWAY", None, "INSERT_FIRST", &lua), OUTER),
        ("istio-ingress", patch("GATEWAY", None, "INSERT_BEFORE", &lua), OUTER),
        ("istio-ingress", patch("GATEWAY", Some(OUTERS), "INSERT_BEFORE", &lua), OUTER),
        ("istio-system", patch("SIDECAR_INBOUND", None, "INSERT_FIRST", &lua), INNER),
    ] {
        let run = with(namespace, &spec);
        let place = "spec.configPatches[0].patch.operation";
        let start = format!("standard input: warning: EnvoyFilter {namespace}/patch: {place}: ");
        said(&run, &start, &[door, "INSERT_AFTER"], &spec.to_string());
    }
    // A limit of rates is to come before the door, and does nothing with headers.
    let limit = |name: &str, kind: &str| {
        let typed = json!({ "@type": format!("type.googleapis.com/envoy.extensions.filters.http.{kind}") });
        json!({ "name": name, "typed_config": typed })
    };
    let local = "envoy.filters.http.local_ratelimit";
    let wrapped = json!({ "name": "limit", "typed_config": {
        "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
        "type_url": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
    } });
    for limiter in [
        limit(local, "local_ratelimit.v3.LocalRateLimit"),
        limit("limit", "ratelimit.v3.RateLimit"),
        json!({ "name": "envoy.filters.http.ratelimit" }),
        wrapped,
    ] {
        for (beside, operation) in
            [(None, "INSERT_BEFORE"), (None, "INSERT_FIRST"), (Some(OUTERS), "INSERT_BEFORE")]
        {
            let run = with("istio-ingress", &patch("GATEWAY", beside, operation, &limiter));
            assert_eq!(run.code, 0, "{limiter}: {}", run.err);
        }
    }
    for other in [limit(local, "lua.v3.Lua"), json!({ "name": "envoy.filters.http.ratelimit_too" })] {
        assert_eq!(
            with("istio-ingress", &patch("GATEWAY", None, "INSERT_BEFORE", &other)).code,
            3,
            "{other}"
        );
    }
    let others = json!({ "workloadSelector": { "labels": { "istio": "egress" } }, "configPatches":
        patch("GATEWAY", Some(OUTERS), "REMOVE", &Value::Null)["configPatches"] });
    for (namespace, spec, is_near) in [
        ("istio-ingress", patch("GATEWAY", Some(ROUTER), "INSERT_BEFORE", &lua), true),
        ("istio-ingress", patch("GATEWAY", Some(OUTERS), "INSERT_AFTER", &lua), true),
        (
            "istio-ingress",
            patch("GATEWAY", Some("not-istio-ingress.outer-door"), "REMOVE", &Value::Null),
            true,
        ),
        ("shop", patch("SIDECAR_OUTBOUND", None, "INSERT_FIRST", &lua), true),
        ("istio-ingress", others, false),
        ("billing", patch("ANY", None, "INSERT_FIRST", &lua), false),
    ] {
        let run = with(namespace, &spec);
        assert_eq!(run.code, 0, "{spec}: {}", run.err);
        // What else they do is not known.
        assert_eq!(run.err.contains("an EnvoyFilter can change anything"), is_near, "{spec}: {}", run.err);
    }
}
