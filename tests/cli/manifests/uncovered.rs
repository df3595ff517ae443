//! What has no door: a gateway, some of its pods, a port, a service to which the gateway key goes.

use serde_json::{Value, json};

use super::{INNER, OUTER, are_warnings, build, check, objects, overlay, remove, said, set, spoilt, title};

const PUBLIC: &str = "Gateway istio-ingress/public";
const TO: &str = "WasmPlugin istio-ingress/outer-door: spec.pluginConfig: gatewayKey.to";

/// The overlay with one gateway more.
fn with_gateway(name: &str, selector: &Value) -> Vec<Value> {
    let mut stream = overlay();
    let mut other = stream.iter().find(|object| title(object) == PUBLIC).unwrap().clone();
    other["metadata"]["name"] = json!(name);
    other["spec"]["selector"] = selector.clone();
    stream.push(other);
    stream
}

#[test]
fn a_gateway_for_clients_without_an_outer_door_is_told_of() {
    let stream = with_gateway("partners", &json!({ "istio": "partners" }));
    let run = check(&stream, &[]);
    let start = "standard input: warning: Gateway istio-ingress/partners: metadata.name: ";
    said(&run, start, &["lets everybody through", "have an outer door select its pods"], "partners");
    assert_eq!(check(&stream, &["--deny-warnings"]).code, 3);

    let mut stream = overlay();
    remove(&mut stream, OUTER);
    let start = "standard input: warning: Gateway istio-ingress/public: metadata.name: ";
    said(&check(&stream, &[]), start, &["no outer door is here"], "no door at all");
    let mut stream = objects(&build("examples/gateway-api"));
    let mut other = stream.iter().find(|object| title(object) == PUBLIC).unwrap().clone();
    other["metadata"]["name"] = json!("partners");
    stream.push(other);
    let start = "standard input: warning: Gateway istio-ingress/partners: metadata.name: ";
    said(&check(&stream, &[]), start, &["no outer door is here"], "Gateway API");

    // Nobody comes in by these.
    let egress = with_gateway("egress", &json!({ "istio": "egressgateway" }));
    let mut mesh = with_gateway("east-west", &json!({ "istio": "eastwest" }));
    set(
        &mut mesh,
        "Gateway istio-ingress/east-west",
        "spec.servers[0].tls.mode",
        Some(&json!("ISTIO_MUTUAL")),
    );
    let mut clusters = with_gateway("cross-network", &json!({ "istio": "crossnetwork" }));
    let server = json!([{
        "port": { "name": "tls", "number": 15443, "protocol": "TLS" }, "hosts": ["*.local"],
        "tls": { "mode": "AUTO_PASSTHROUGH" },
    }]);
    set(&mut clusters, "Gateway istio-ingress/cross-network", "spec.servers", Some(&server));
    for stream in [egress, mesh, clusters] {
        let run = check(&stream, &["--deny-warnings"]);
        assert_eq!(run.code, 0, "{}", run.err);
    }
}

#[test]
fn a_door_asks_for_no_label_that_its_gateway_does_not() {
    are_warnings(&[spoilt(
        OUTER,
        "spec.selector.matchLabels.canary",
        json!("true"),
        "WasmPlugin istio-ingress/outer-door: spec.selector.matchLabels.canary",
        &[PUBLIC, "have no door", "leave it out"],
    )]);
}

#[test]
fn a_port_of_the_gateway_that_is_not_http_has_no_door() {
    let server = |protocol: &str, mode: &str| {
        let port = json!({ "name": "other", "number": 9443, "protocol": protocol });
        json!({ "port": port, "hosts": ["shop/a.example.com"], "tls": { "mode": mode } })
    };
    let place = |field: &str| -> &'static str { format!("{PUBLIC}: spec.servers[1].{field}").leak() };
    are_warnings(&[
        spoilt(PUBLIC, "spec.servers.-", server("TLS", "PASSTHROUGH"), place("tls.mode"), &["Remove it"]),
        spoilt(PUBLIC, "spec.servers.-", server("HTTPS", "AUTO_PASSTHROUGH"), place("tls.mode"), &["no"]),
        spoilt(PUBLIC, "spec.servers.-", server("TLS", "SIMPLE"), place("port.protocol"), &["not HTTP"]),
        spoilt(PUBLIC, "spec.servers.-", server("TCP", "SIMPLE"), place("port.protocol"), &["not HTTP"]),
    ]);
    let mut stream = overlay();
    set(&mut stream, PUBLIC, "spec.servers.-", Some(&server("http2", "SIMPLE")));
    assert_eq!(check(&stream, &["--deny-warnings"]).code, 0);
    let mut stream = objects(&build("examples/gateway-api"));
    let listener = json!({ "name": "tls", "port": 9443, "protocol": "TLS" });
    set(&mut stream, PUBLIC, "spec.listeners.-", Some(&listener));
    let start = format!("standard input: warning: {PUBLIC}: spec.listeners[1].protocol: ");
    said(&check(&stream, &[]), &start, &["passes none"], "listener");
}

#[test]
fn an_outer_door_is_in_the_namespace_of_the_gateway_by_whose_name_it_mints() {
    let mut stream = overlay();
    set(&mut stream, OUTER, "metadata.namespace", Some(&json!("default")));
    let start = "standard input: WasmPlugin default/outer-door: metadata.namespace: ";
    said(&check(&stream, &[]), start, &["lets everybody through", "Write istio-ingress"], "elsewhere");
    let mut stream = overlay();
    set(&mut stream, OUTER, "metadata.namespace", None);
    let start = "standard input: warning: WasmPlugin outer-door: metadata.namespace: ";
    said(&check(&stream, &[]), start, &["is missing", "write istio-ingress"], "nowhere");
}

#[test]
fn a_reference_is_to_what_istio_attaches_plugins_to() {
    let referring = |target: &Value| {
        let mut stream = objects(&build("examples/gateway-api"));
        set(&mut stream, OUTER, "spec.targetRefs[0]", Some(target));
        check(&stream, &[])
    };
    for (target, field, says) in [
        (json!({ "group": "", "kind": "Service", "name": "blog" }), "", "behind a waypoint"),
        (
            json!({ "group": "networking.istio.io", "kind": "Gateway", "name": "public" }),
            ".group",
            "is not `gateway.networking.k8s.io`",
        ),
        (json!({ "kind": "Gateway", "name": "public" }), ".group", "write it"),
        (json!({ "group": "apps", "kind": "Deployment", "name": "public" }), ".kind", "is no kind"),
    ] {
        let run = referring(&target);
        assert_eq!(run.code, 3, "{target}: {}", run.err);
        let start = format!("standard input: {OUTER}: spec.targetRefs[0]{field}: ");
        said(&run, &start, &[says], &target.to_string());
    }
}

#[test]
fn an_inner_door_is_for_all_services_of_its_waypoint() {
    let mut stream = objects(&build("examples/ambient"));
    let service = json!({ "group": "", "kind": "Service", "name": "blog" });
    set(&mut stream, INNER, "spec.targetRefs[0]", Some(&service));
    let start = format!("standard input: warning: {INNER}: spec.targetRefs: ");
    said(&check(&stream, &[]), &start, &["every other service", "refer to the waypoint"], "one");
    // Of several nobody here knows whether they are for all.
    let mut second = stream.iter().find(|object| title(object) == INNER).unwrap().clone();
    second["metadata"]["name"] = json!("second");
    second["spec"]["targetRefs"][0]["name"] = json!("orders");
    stream.push(second);
    let run = check(&stream, &["--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
}

#[test]
fn the_gateway_key_goes_where_inner_doors_stand() {
    let mut stream = overlay();
    remove(&mut stream, INNER);
    let start = format!("standard input: warning: {TO}: ");
    said(&check(&stream, &[]), &start, &["fits blog.shop", "give it an inner door"], "no inner door");
    // One of the whole mesh stands before all.
    let mut stream = overlay();
    set(&mut stream, INNER, "metadata.namespace", Some(&json!("istio-system")));
    let run = check(&stream, &[]);
    assert!(!run.err.contains("no inner door stands"), "{}", run.err);
    set(&mut stream, "DestinationRule shop/mtls", "spec.trafficPolicy.tls.mode", Some(&json!("DISABLE")));
    let start = "standard input: DestinationRule shop/mtls: spec.trafficPolicy.tls.mode: ";
    said(&check(&stream, &[]), start, &["write ISTIO_MUTUAL"], "the whole mesh's");

    let mut stream = overlay();
    set(
        &mut stream,
        OUTER,
        "spec.pluginConfig.gatewayKey.to",
        Some(&json!(["outbound|*|*|*.svc.cluster.local"])),
    );
    assert_eq!(check(&stream, &["--deny-warnings"]).code, 0);
    let legacy = json!({ "host": "legacy.old.svc.cluster.local", "port": { "number": 80 } });
    let legacy = json!({ "route": [{ "destination": legacy }] });
    set(&mut stream, "VirtualService shop/shop", "spec.http.-", Some(&legacy));
    let start = format!("standard input: warning: {TO}: ");
    said(&check(&stream, &[]), &start, &["fits legacy.old", "can come in with it"], "legacy");
}

/// Only what a gateway's route leads to needs it.
#[test]
fn services_that_only_services_call_need_not_be_in_the_bounds() {
    let mut stream = overlay();
    let to = json!(["outbound|80||blog.shop.svc.cluster.local"]);
    set(&mut stream, OUTER, "spec.pluginConfig.gatewayKey.to", Some(&to));
    for name in ["blog", "orders"] {
        stream.push(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": name, "namespace": "shop" },
            "spec": { "ports": [{ "port": 80 }] },
        }));
    }
    stream.push(json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": { "name": "orders", "namespace": "shop" },
        "spec": {
            "hosts": ["orders"], "gateways": ["mesh"],
            "http": [{ "route": [{ "destination": { "host": "orders" } }] }],
        },
    }));
    let run = check(&stream, &["--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
    // What is called a service and lies elsewhere is out of the mesh.
    set(&mut stream, "Service shop/blog", "spec.type", Some(&json!("ExternalName")));
    set(&mut stream, "Service shop/blog", "spec.externalName", Some(&json!("blog.example.com")));
    let run = check(&stream, &[]);
    assert_eq!(run.code, 3, "{}", run.err);
    let start = format!("standard input: {TO}: fits blog.shop.svc.cluster.local of Service shop/blog");
    said(&run, &start, &["out of the mesh"], "ExternalName");
}

#[test]
fn doors_whose_labels_are_among_anothers_are_two_for_one_workload() {
    let mut stream = overlay();
    set(&mut stream, INNER, "spec.selector", Some(&json!({ "matchLabels": { "app": "blog" } })));
    let mut second = stream.iter().find(|object| title(object) == INNER).unwrap().clone();
    second["metadata"]["name"] = json!("second");
    second["spec"]["selector"] = json!({ "matchLabels": { "app": "blog", "version": "2" } });
    stream.push(second);
    let run = check(&stream, &[]);
    assert_eq!(run.code, 3, "{}", run.err);
    said(&run, "standard input: WasmPlugin shop/second: spec.selector: ", &[INNER, "Keep one"], "subset");
}

#[test]
fn pods_without_a_sidecar_have_no_door() {
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "blog", "namespace": "shop" },
        "spec": { "template": { "metadata": { "labels": {}, "annotations": {} }, "spec": {} } },
    });
    let with = |namespace: &str, field: &str, name: &str, value: Value| {
        let mut object = deployment.clone();
        object["metadata"]["namespace"] = json!(namespace);
        object["spec"]["template"].pointer_mut(field).unwrap()[name] = value;
        let mut stream = overlay();
        stream.push(object);
        stream
    };
    let (inject, ports) = ("sidecar.istio.io/inject", "traffic.sidecar.istio.io/excludeInboundPorts");
    let only = "traffic.sidecar.istio.io/includeInboundPorts";
    for (field, name, value, says) in [
        ("/metadata/labels", inject, json!("false"), "no sidecar"),
        ("/metadata/annotations", inject, json!("false"), "no sidecar"),
        ("/spec", "hostNetwork", json!(true), "no sidecar"),
        ("/metadata/annotations", ports, json!("9090"), "past the sidecar"),
        ("/metadata/annotations", only, json!("80"), "past the sidecar"),
    ] {
        let run = check(&with("shop", field, name, value.clone()), &[]);
        let place = format!("spec.template{}.{name}", field.replace('/', "."));
        said(&run, &format!("standard input: warning: Deployment shop/blog: {place}: "), &[says], name);
        // Nobody said that it should have one elsewhere.
        let run = check(&with("other", field, name, value), &["--deny-warnings"]);
        assert_eq!(run.code, 0, "{}", run.err);
    }
    let run = check(&with("shop", "/metadata/annotations", only, json!("*")), &["--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let mut stream = overlay();
    let labels = json!({ "istio-injection": "disabled" });
    stream.push(
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop", "labels": labels } }),
    );
    let start = "standard input: warning: Namespace shop: metadata.labels.istio-injection: ";
    said(&check(&stream, &[]), start, &["no sidecar", "write enabled"], "namespace");
}
