//! Where a door attaches: `match`, `selector`, `targetRefs`, and its place among the filters.

use serde_json::{Value, json};

use super::{
    INNER, OUTER, are_errors, are_warnings, build, check, objects, overlay, said, set, spoilt, title,
};

const PHASE: &[&str] = &["write AUTHN"];

#[test]
fn a_door_comes_before_what_believes_headers() {
    are_errors(&[
        spoilt(OUTER, "spec.phase", None, "WasmPlugin istio-ingress/outer-door: spec.phase", PHASE),
        spoilt(OUTER, "spec.phase", json!("STATS"), "WasmPlugin istio-ingress/outer-door: spec.phase", PHASE),
        spoilt(INNER, "spec.phase", json!("AUTHZ"), "WasmPlugin shop/inner-door: spec.phase", PHASE),
        spoilt(
            INNER,
            "spec.phase",
            json!("UNSPECIFIED_PHASE"),
            "WasmPlugin shop/inner-door: spec.phase",
            PHASE,
        ),
    ]);
    are_warnings(&[
        spoilt(OUTER, "spec.priority", None, "WasmPlugin istio-ingress/outer-door: spec.priority", &["1000"]),
        spoilt(INNER, "spec.priority", None, "WasmPlugin shop/inner-door: spec.priority", &["1000"]),
    ]);
}

#[test]
fn a_door_stands_on_the_side_that_is_its_own() {
    let both = json!([{ "mode": "CLIENT" }, { "mode": "SERVER" }]);
    are_errors(&[
        spoilt(
            OUTER,
            "spec.match[0].mode",
            json!("SERVER"),
            "WasmPlugin istio-ingress/outer-door: spec.match",
            &["has no mode CLIENT", "write `- mode: CLIENT`"],
        ),
        spoilt(
            OUTER,
            "spec.match[0].mode",
            json!("client"),
            "WasmPlugin istio-ingress/outer-door: spec.match[0].mode",
            &["CLIENT for an outer door"],
        ),
        spoilt(
            INNER,
            "spec.match[0].mode",
            json!("CLIENT"),
            "WasmPlugin shop/inner-door: spec.match[0].mode",
            &["none where requests come in", "Write SERVER"],
        ),
        spoilt(
            INNER,
            "spec.match[0].mode",
            None,
            "WasmPlugin shop/inner-door: spec.match[0].mode",
            &["wrong_door", "Write SERVER"],
        ),
        spoilt(
            INNER,
            "spec.match",
            None,
            "WasmPlugin shop/inner-door: spec.match",
            &["wrong_door", "Write `- mode: SERVER`"],
        ),
        spoilt(
            INNER,
            "spec.match",
            both,
            "WasmPlugin shop/inner-door: spec.match[0].mode",
            &["Write SERVER"],
        ),
    ]);
    are_warnings(&[spoilt(
        OUTER,
        "spec.match",
        None,
        "WasmPlugin istio-ingress/outer-door: spec.match",
        &["Write `- mode: CLIENT`"],
    )]);
}

#[test]
fn a_door_stands_on_every_port() {
    let ports = json!([{ "number": 8443 }]);
    are_errors(&[
        spoilt(
            OUTER,
            "spec.match[0].ports",
            ports.clone(),
            "WasmPlugin istio-ingress/outer-door: spec.match[0].ports",
            &["remove it"],
        ),
        spoilt(
            INNER,
            "spec.match[0].ports",
            ports.clone(),
            "WasmPlugin shop/inner-door: spec.match[0].ports",
            &["remove it"],
        ),
    ]);
    let mut stream = overlay();
    let beside = json!([{ "mode": "SERVER", "ports": ports }, { "mode": "SERVER" }]);
    set(&mut stream, INNER, "spec.match", Some(&beside));
    assert_eq!(check(&stream, &["--deny-warnings"]).code, 0);
}

#[test]
fn an_outer_door_selects_the_gateway() {
    let refs = json!([{ "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public" }]);
    are_errors(&[
        spoilt(
            OUTER,
            "spec.selector.matchLabels",
            json!({ "app": "egress" }),
            "WasmPlugin istio-ingress/outer-door: spec.selector.matchLabels",
            &["Gateway istio-ingress/public", "write the labels of its pods"],
        ),
        spoilt(
            OUTER,
            "spec.selector.matchLabels",
            json!({ "istio": "egress" }),
            "WasmPlugin istio-ingress/outer-door: spec.selector.matchLabels",
            &["Gateway istio-ingress/public", "write the labels of its pods"],
        ),
        spoilt(
            OUTER,
            "spec.targetRefs",
            refs.clone(),
            "WasmPlugin istio-ingress/outer-door: spec.selector",
            &["stands beside targetRefs", "keep"],
        ),
    ]);
    are_warnings(&[spoilt(
        OUTER,
        "spec.selector",
        None,
        "WasmPlugin istio-ingress/outer-door: spec.selector",
        &["select the gateway's pods"],
    )]);
    // A reference is to a gateway of the Gateway API, and pods of the chart are none.
    let mut stream = overlay();
    set(&mut stream, OUTER, "spec.selector", None);
    set(&mut stream, OUTER, "spec.targetRefs", Some(&refs));
    let run = check(&stream, &[]);
    assert_eq!(run.code, 3);
    let start = format!("standard input: {OUTER}: spec.targetRefs[0]: ");
    said(&run, &start, &["the door is nowhere", "by their labels"], "targetRefs");
}

#[test]
fn an_outer_door_of_the_whole_mesh_is_refused_and_an_inner_one_is_warned_of() {
    let mut stream = overlay();
    set(&mut stream, OUTER, "spec.selector", None);
    set(&mut stream, OUTER, "metadata.namespace", Some(&json!("istio-system")));
    let run = check(&stream, &[]);
    said(
        &run,
        "standard input: WasmPlugin istio-system/outer-door: spec.selector: ",
        &["in the gateway's namespace"],
        "outer",
    );
    let mut stream = overlay();
    set(&mut stream, INNER, "metadata.namespace", Some(&json!("istio-system")));
    let run = check(&stream, &[]);
    said(
        &run,
        "standard input: warning: WasmPlugin istio-system/inner-door: spec.selector: ",
        &["every workload of the mesh"],
        "inner",
    );
}

#[test]
fn an_inner_door_is_for_every_workload_and_for_each_once() {
    are_warnings(&[spoilt(
        INNER,
        "spec.selector",
        json!({ "matchLabels": { "app": "blog" } }),
        "WasmPlugin shop/inner-door: spec.selector",
        &["without these labels", "remove it"],
    )]);
    // Of several each may be for its own.
    let mut stream = overlay();
    set(&mut stream, INNER, "spec.selector", Some(&json!({ "matchLabels": { "app": "blog" } })));
    let mut second = stream.iter().find(|object| title(object) == INNER).unwrap().clone();
    second["metadata"]["name"] = json!("second");
    second["spec"]["selector"] = json!({ "matchLabels": { "app": "shop" } });
    stream.push(second);
    let run = check(&stream, &["--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
    for (door, namespace) in [(INNER, "shop"), (INNER, "istio-system"), (OUTER, "istio-ingress")] {
        let mut stream = overlay();
        let mut second = stream.iter().find(|object| title(object) == door).unwrap().clone();
        second["metadata"]["name"] = json!("second");
        second["metadata"]["namespace"] = json!(namespace);
        stream.push(second);
        let run = check(&stream, &[]);
        assert_eq!(run.code, 3, "{}", run.err);
        let start = format!("standard input: WasmPlugin {namespace}/second: spec.selector: ");
        said(&run, &start, &[door, "Keep one"], "twice");
    }
}

#[test]
fn a_reference_is_to_the_kind_of_gateway_that_the_door_is_for() {
    let named = |example: &str, of: &str, name: &str| {
        let mut stream = objects(&build(example));
        set(&mut stream, of, "spec.targetRefs[0].name", Some(&json!(name)));
        check(&stream, &[])
    };
    let run = named("examples/gateway-api", OUTER, "private");
    said(
        &run,
        &format!("standard input: {OUTER}: spec.targetRefs[0]: "),
        &["the door is nowhere", "name one"],
        "outer",
    );
    let run = named("examples/ambient", INNER, "other");
    said(
        &run,
        &format!("standard input: {INNER}: spec.targetRefs[0]: "),
        &["the door is nowhere", "name one"],
        "inner",
    );
    // No selector means a waypoint.
    let mut stream = objects(&build("examples/ambient"));
    set(&mut stream, INNER, "spec.targetRefs", None);
    let run = check(&stream, &[]);
    said(
        &run,
        "standard input: Gateway shop/waypoint: metadata.name: ",
        &["name it under targetRefs"],
        "waypoint",
    );
    // Nor is a gateway for clients one, nor the other way round.
    let class = |stream: &mut [Value], of: &str, class: &str| {
        set(stream, of, "spec.gatewayClassName", Some(&json!(class)))
    };
    let mut stream = objects(&build("examples/ambient"));
    class(&mut stream, "Gateway shop/waypoint", "istio");
    let run = check(&stream, &[]);
    said(
        &run,
        &format!("standard input: {INNER}: spec.targetRefs[0]: "),
        &["refer to the waypoint"],
        "gateway",
    );
    let mut stream = objects(&build("examples/gateway-api"));
    class(&mut stream, "Gateway istio-ingress/public", "istio-waypoint");
    let run = check(&stream, &[]);
    said(
        &run,
        &format!("standard input: {OUTER}: spec.targetRefs[0]: "),
        &["refer to the gateway"],
        "waypoint",
    );
    // A reference needs no match: there is one side.
    let mut stream = objects(&build("examples/ambient"));
    set(&mut stream, INNER, "spec.match", None);
    assert_eq!(check(&stream, &["--deny-warnings"]).code, 0);
}

#[test]
fn another_plugin_has_not_the_priority_of_a_door() {
    let with = |namespace: &str, priority: Value, phase: &str, mode: &str| {
        let mut stream = overlay();
        stream.push(json!({
            "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin",
            "metadata": { "name": "waf", "namespace": namespace },
            "spec": { "url": "oci://r.example.com/waf", "priority": priority, "phase": phase, "match": [{ "mode": mode }] },
        }));
        check(&stream, &["--deny-warnings"])
    };
    for (namespace, mode, door) in [
        ("istio-ingress", "CLIENT", OUTER),
        ("shop", "SERVER", INNER),
        ("istio-system", "CLIENT_AND_SERVER", INNER),
    ] {
        let start = format!("standard input: warning: {door}: spec.priority: ");
        said(
            &with(namespace, json!(1000), "AUTHN", mode),
            &start,
            &["/waf", "Write another number"],
            namespace,
        );
    }
    for (namespace, priority, phase, mode) in [
        ("istio-ingress", json!(10), "AUTHN", "CLIENT"),
        ("istio-ingress", json!(2000), "AUTHN", "CLIENT"),
        ("istio-ingress", json!(1000), "STATS", "CLIENT"),
        ("shop", json!(1000), "AUTHN", "CLIENT"),
        ("billing", json!(1000), "AUTHN", "SERVER"),
    ] {
        let run = with(namespace, priority.clone(), phase, mode);
        assert_eq!(run.code, 0, "{namespace} {priority} {phase} {mode}: {}", run.err);
    }
    let place = "WasmPlugin istio-ingress/outer-door: spec.priority";
    are_errors(&[spoilt(OUTER, "spec.priority", json!("1000"), place, &["no whole number"])]);
}
