//! What leads requests past an inner door: pods without sidecars, ports that are none of HTTP's.

use serde_json::{Value, json};

use super::{INNER, build, check, objects, overlay, said, set, title};

#[test]
fn pods_that_have_no_sidecar_or_are_not_led_to_it_are_told_of() {
    let pods = |member: &str, name: &str, value: &str| {
        let mut stream = overlay();
        stream.push(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "blog", "namespace": "shop" },
            "spec": { "template": { "metadata": { member: { name: value } } } },
        }));
        check(&stream, &["--deny-warnings"])
    };
    let (mode, settings) = ("sidecar.istio.io/interceptionMode", "proxy.istio.io/config");
    for (member, name, value, says) in [
        ("labels", "istio.io/dataplane-mode", "ambient", "have a waypoint"),
        ("annotations", mode, "NONE", "past its door"),
        (
            "annotations",
            settings,
            "interceptionMode: NONE\nholdApplicationUntilProxyStarts: true",
            "past its door",
        ),
        ("annotations", settings, r#"{"interceptionMode":"NONE"}"#, "past its door"),
        ("annotations", "inject.istio.io/templates", "grpc-agent", "no door"),
        ("annotations", "traffic.sidecar.istio.io/includeInboundPorts", "", "past the sidecar"),
        ("annotations", "traffic.sidecar.istio.io/excludeInterfaces", "eth1", "past the sidecar"),
    ] {
        let start = format!(
            "standard input: warning: Deployment shop/blog: spec.template.metadata.{member}.{name}: "
        );
        said(&pods(member, name, value), &start, &[says], name);
    }
    for (name, value) in [
        (mode, "TPROXY"),
        (settings, "interceptionMode: TPROXY\nproxyMetadata: { MODE: NONE }"),
        (settings, "holdApplicationUntilProxyStarts: true"),
        ("inject.istio.io/templates", "sidecar,spire"),
        ("traffic.sidecar.istio.io/includeInboundPorts", "*"),
        ("traffic.sidecar.istio.io/excludeInboundPorts", ""),
        ("traffic.sidecar.istio.io/excludeOutboundPorts", "5432"),
    ] {
        let run = pods("annotations", name, value);
        assert_eq!(run.code, 0, "{name} {value}: {}", run.err);
    }

    let namespace = |labels: Value| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop", "labels": labels } });
    let ambient = json!({ "istio.io/dataplane-mode": "ambient" });
    let mut stream = overlay();
    stream.push(namespace(ambient.clone()));
    let start = "standard input: warning: Namespace shop: metadata.labels.istio.io/dataplane-mode: ";
    said(&check(&stream, &[]), start, &["stands nowhere", "targetRefs"], "ambient");
    // Pods with a sidecar keep it; and a waypoint's door is for pods without.
    let mut both = overlay();
    both.push(namespace(json!({ "istio.io/dataplane-mode": "ambient", "istio-injection": "enabled" })));
    let mut waypoint = objects(&build("examples/ambient"));
    waypoint.push(namespace(ambient));
    for stream in [both, waypoint] {
        let run = check(&stream, &["--deny-warnings"]);
        assert_eq!(run.code, 0, "{}", run.err);
    }
}

#[test]
fn a_port_that_a_sidecar_takes_for_bytes_has_no_door() {
    let sidecar = |protocol: &str| {
        let mut stream = overlay();
        let port = json!({ "number": 8080, "protocol": protocol, "name": "web" });
        stream.push(json!({
            "apiVersion": "networking.istio.io/v1", "kind": "Sidecar", "metadata": { "name": "blog", "namespace": "shop" },
            "spec": { "ingress": [{ "port": port, "defaultEndpoint": "127.0.0.1:8080" }] },
        }));
        check(&stream, &["--deny-warnings"])
    };
    let start = "standard input: warning: Sidecar shop/blog: spec.ingress[0].port.protocol: ";
    // A gateway ends the TLS of HTTPS; a sidecar passes it on.
    for protocol in ["TCP", "HTTPS", "https", "TLS"] {
        said(&sidecar(protocol), start, &["is not HTTP", "Write HTTP"], protocol);
    }
    for protocol in ["HTTP", "HTTP2", "grpc"] {
        assert_eq!(sidecar(protocol).code, 0, "{protocol}");
    }
}

#[test]
fn a_service_to_which_a_gateway_leads_requests_speaks_http() {
    let service = |name: &str, ports: Value| {
        let mut stream = overlay();
        stream.push(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": name, "namespace": "shop" },
            "spec": { "ports": ports },
        }));
        check(&stream, &["--deny-warnings"])
    };
    for (port, field, protocol) in [
        (json!({ "port": 80, "name": "tcp-web" }), "name", "tcp"),
        (json!({ "port": 80, "name": "https" }), "name", "https"),
        (json!({ "port": 80, "name": "http", "appProtocol": "TCP" }), "appProtocol", "TCP"),
        (json!({ "port": 80, "appProtocol": "kubernetes.io/wss" }), "appProtocol", "https"),
    ] {
        let run = service("blog", json!([port]));
        assert_eq!(run.code, 3, "{port}: {}", run.err);
        let start = format!("standard input: Service shop/blog: spec.ports[0].{field}: ");
        let remedy = match protocol {
            "https" => "eave TLS to the sidecars, and write `appProtocol: http`",
            _ => ". Write `appProtocol: http`",
        };
        said(&run, &start, &[&format!("says {protocol}"), remedy], protocol);
    }
    // Istio finds out what has no name; other ports and other services are no gateway's.
    for (name, ports) in [
        ("blog", json!([{ "port": 80, "name": "http-web" }, { "port": 5432, "name": "tcp-db" }])),
        ("blog", json!([{ "port": 80, "appProtocol": "kubernetes.io/h2c" }])),
        ("blog", json!([{ "port": 80, "name": "web" }, { "port": 81 }])),
        ("blog", json!([{ "port": 80, "name": "tcp", "appProtocol": "http" }])),
        ("database", json!([{ "port": 80, "name": "tcp" }])),
    ] {
        let run = service(name, ports.clone());
        assert_eq!(run.code, 0, "{ports}: {}", run.err);
    }
}

#[test]
fn a_route_without_a_port_leads_to_the_only_one_of_a_service() {
    let service = |ports: Value| {
        let mut stream = overlay();
        set(&mut stream, "VirtualService shop/shop", "spec.http[0].route[0].destination.port", None);
        stream.push(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "blog", "namespace": "shop" },
            "spec": { "ports": ports },
        }));
        check(&stream, &[])
    };
    let start = "standard input: Service shop/blog: spec.ports[0].name: ";
    said(&service(json!([{ "port": 80, "name": "tcp" }])), start, &["says tcp"], "only");
    // Of several it is the gateway's own, and never all.
    let run = service(json!([{ "port": 80, "name": "http" }, { "port": 9090, "name": "tcp-metrics" }]));
    assert_eq!(run.code, 0, "{}", run.err);
}

#[test]
fn a_service_of_other_pods_than_a_doors_is_not_behind_it() {
    let service = |selector: Value| {
        let mut stream = overlay();
        set(
            &mut stream,
            INNER,
            "spec.selector",
            Some(&json!({ "matchLabels": { "app": "shop", "tier": "web" } })),
        );
        let mut other = stream.iter().find(|object| title(object) == INNER).unwrap().clone();
        other["metadata"]["name"] = json!("other-door");
        other["spec"]["selector"] = json!({ "matchLabels": { "app": "other" } });
        stream.push(other);
        stream.push(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "blog", "namespace": "shop" },
            "spec": { "selector": selector, "ports": [{ "port": 80, "name": "tcp" }] },
        }));
        check(&stream, &[])
    };
    let start = "standard input: Service shop/blog: spec.ports[0].name: ";
    for selector in [
        json!({ "app": "shop" }),
        json!({ "app": "shop", "track": "new" }),
        json!({ "app": "other" }),
        json!({ "name": "any" }),
        json!(null),
    ] {
        said(&service(selector.clone()), start, &["says tcp"], &selector.to_string());
    }
    for selector in [json!({ "app": "mail" }), json!({ "app": "shop", "tier": "mail" })] {
        let run = service(selector.clone());
        assert_eq!(run.code, 0, "{selector}: {}", run.err);
    }
}
