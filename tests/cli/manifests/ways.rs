//! Rules and routes that are not what they seem: of other pods, of a subset, of one port, of another kind.

use serde_json::{Value, json};

use super::{OUTER, build, check, objects, overlay, said, set, title};

const ISSUER: &str = "DestinationRule istio-ingress/issuer";
const MTLS: &str = "DestinationRule shop/mtls";
const ROUTES: &str = "VirtualService shop/shop";

#[test]
fn a_rule_for_other_pods_is_not_the_gateways() {
    let selecting = |rule: &str, labels: Value| {
        let mut stream = overlay();
        set(&mut stream, rule, "spec.workloadSelector", Some(&json!({ "matchLabels": labels })));
        check(&stream, &["--deny-warnings"])
    };
    let run = selecting(ISSUER, json!({ "app": "other" }));
    let start = format!("standard input: {OUTER}: spec.pluginConfig: issuers.main.keys[0].remote.cluster: ");
    said(&run, &start, &["for want of a DestinationRule", "without a workloadSelector"], "issuer");
    let run = selecting(MTLS, json!({ "istio": "other" }));
    let start = format!("standard input: warning: {OUTER}: spec.pluginConfig: gatewayKey.to: ");
    said(&run, &start, &["no DestinationRule here"], "mtls");
    for labels in [json!({ "istio": "ingress" }), json!({})] {
        let run = selecting(ISSUER, labels);
        assert_eq!(run.code, 0, "{}", run.err);
    }
}

#[test]
fn each_of_several_rules_for_one_host_is_looked_at() {
    for at in [0, 20] {
        let mut stream = overlay();
        let mut other = stream.iter().find(|object| title(object) == ISSUER).unwrap().clone();
        other["metadata"]["name"] = json!("other");
        other["spec"]["trafficPolicy"]["tls"]["mode"] = json!("DISABLE");
        stream.insert(at.min(stream.len()), other);
        let start = "standard input: DestinationRule istio-ingress/other: spec.trafficPolicy.tls.mode: ";
        said(&check(&stream, &[]), start, &["has no TLS"], "several");
    }
}

#[test]
fn a_subset_and_a_port_have_a_say_of_their_own() {
    let plain = json!({ "tls": { "mode": "DISABLE" } });
    let mut stream = objects(&build("examples/tenant-routing"));
    set(&mut stream, "DestinationRule shop/blog", "spec.subsets[1].trafficPolicy", Some(&plain));
    let place = "standard input: DestinationRule shop/blog: spec.subsets[1].trafficPolicy";
    said(&check(&stream, &[]), &format!("{place}.tls.mode: "), &["write ISTIO_MUTUAL"], "subset");
    // What it leaves out is the rule's, unless it is about this port.
    let pool = json!({ "connectionPool": { "tcp": { "maxConnections": 9 } } });
    set(&mut stream, "DestinationRule shop/blog", "spec.subsets[1].trafficPolicy", Some(&pool));
    assert_eq!(check(&stream, &["--deny-warnings"]).code, 0);
    let port = json!({ "portLevelSettings": [{ "port": { "number": 80 }, "loadBalancer": { "simple": "RANDOM" } }] });
    set(&mut stream, "DestinationRule shop/blog", "spec.subsets[1].trafficPolicy", Some(&port));
    let start = place.replacen(": ", ": warning: ", 1);
    said(&check(&stream, &[]), &format!("{start}.portLevelSettings[0].tls.mode: "), &["is missing"], "port");

    // A route that names no port may come to any.
    let mut stream = overlay();
    set(&mut stream, ROUTES, "spec.http[0].route[0].destination.port", None);
    let settings = json!([{ "port": { "number": 80 }, "tls": { "mode": "DISABLE" } }]);
    set(&mut stream, MTLS, "spec.trafficPolicy.portLevelSettings", Some(&settings));
    let start = format!("standard input: {MTLS}: spec.trafficPolicy.portLevelSettings[0].tls.mode: ");
    said(&check(&stream, &[]), &start, &["write ISTIO_MUTUAL"], "any port");
}

#[test]
fn routes_of_every_kind_take_the_key_nowhere_else() {
    let spy = json!({ "name": "spy", "namespace": "spy", "port": 80 });
    let mirror = json!([{ "type": "RequestMirror", "requestMirror": { "backendRef": spy } }]);
    for field in ["spec.rules[0].filters", "spec.rules[0].backendRefs[0].filters"] {
        let mut stream = objects(&build("examples/gateway-api"));
        set(&mut stream, "HTTPRoute shop/shop", field, Some(&mirror));
        let start = format!("standard input: HTTPRoute shop/shop: {field}[0].requestMirror.backendRef: ");
        said(&check(&stream, &[]), &start, &["gets the gateway key too"], field);
    }
    let mut stream = objects(&build("examples/gateway-api"));
    let rule = json!({ "backendRefs": [spy] });
    set(&mut stream, "HTTPRoute shop/shop", "spec.rules.-", Some(&rule));
    let headers = json!([{ "name": "x-tenant-id", "value": "acme" }]);
    set(&mut stream, "HTTPRoute shop/shop", "spec.rules[0].matches[0].headers", Some(&headers));
    let start = "standard input: HTTPRoute shop/shop: spec.rules[0].matches[0].headers[0].name: ";
    said(&check(&stream, &[]), start, &["spy.spy.svc.cluster.local", "match on another header"], "match");
    // Of a mesh's own routes no gateway knows.
    set(
        &mut stream,
        "HTTPRoute shop/shop",
        "spec.parentRefs",
        Some(&json!([{ "kind": "Service", "name": "blog" }])),
    );
    assert_eq!(check(&stream, &["--deny-warnings"]).code, 0);

    let mut stream = overlay();
    let delegating = json!({ "match": [{ "uri": { "prefix": "/more" } }], "delegate": { "name": "more" } });
    set(&mut stream, ROUTES, "spec.http.-", Some(&delegating));
    stream.push(json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": { "name": "more", "namespace": "shop" },
        "spec": { "http": [{
            "route": [{ "destination": { "host": "blog" } }], "mirror": { "host": "spy.spy.svc.cluster.local" },
        }] },
    }));
    let start = "standard input: VirtualService shop/more: spec.http[0].mirror: ";
    said(&check(&stream, &[]), start, &["gets the gateway key too"], "delegate");
}

#[test]
fn a_rule_for_a_name_without_dots_is_for_the_service_of_its_namespace() {
    let with = |namespace: &str| {
        let mut stream = overlay();
        stream.push(json!({
            "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
            "metadata": { "name": "blog", "namespace": namespace },
            "spec": { "host": "blog", "trafficPolicy": { "tls": { "mode": "DISABLE" } } },
        }));
        check(&stream, &["--deny-warnings"])
    };
    let run = with("shop");
    assert_eq!(run.code, 3, "{}", run.err);
    let start = "standard input: DestinationRule shop/blog: spec.trafficPolicy.tls.mode: ";
    said(&run, start, &["blog.shop.svc.cluster.local", "write ISTIO_MUTUAL"], "short");
    let run = with("istio-ingress");
    assert_eq!(run.code, 0, "{}", run.err);
}
