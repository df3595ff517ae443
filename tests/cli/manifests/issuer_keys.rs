//! The way to the issuer's keys, and the ways on which the gateway key goes.

use serde_json::json;

use super::{OUTER, are_errors, are_warnings, check, overlay, remove, said, set, spoilt, title};

const ENTRY: &str = "ServiceEntry istio-ingress/issuer";
const RULE: &str = "DestinationRule istio-ingress/issuer";
const HOST: &str = "login.prod.us-east-1.example.com";
const CLUSTER: &str =
    "WasmPlugin istio-ingress/outer-door: spec.pluginConfig: issuers.main.keys[0].remote.cluster";

#[test]
fn the_issuers_host_is_in_the_mesh() {
    are_errors(&[
        spoilt(
            ENTRY,
            "spec.hosts[0]",
            json!("login.example.com"),
            CLUSTER,
            &["outbound|443||login.prod", "no ServiceEntry here", "add one with port 443"],
        ),
        spoilt(
            ENTRY,
            "spec.ports[0].number",
            json!(8443),
            "ServiceEntry istio-ingress/issuer: spec.ports",
            &["has not port 443", "add it"],
        ),
        spoilt(
            ENTRY,
            "spec.resolution",
            json!("NONE"),
            "ServiceEntry istio-ingress/issuer: spec.resolution",
            &["write DNS"],
        ),
        spoilt(
            ENTRY,
            "spec.resolution",
            None,
            "ServiceEntry istio-ingress/issuer: spec.resolution",
            &["write DNS"],
        ),
        spoilt(
            ENTRY,
            "spec.exportTo",
            json!(["shop"]),
            CLUSTER,
            &["not exported to namespace istio-ingress", "exportTo"],
        ),
    ]);
    let mut stream = overlay();
    remove(&mut stream, ENTRY);
    let run = check(&stream, &[]);
    said(&run, &format!("standard input: {CLUSTER}: "), &["no ServiceEntry here", "add one"], "no entry");
    are_warnings(&[spoilt(
        OUTER,
        "spec.pluginConfig.issuers.main.keys[0].remote.cluster",
        json!("login"),
        CLUSTER,
        &["write outbound|PORT||HOST"],
    )]);
}

#[test]
fn whoever_answers_for_the_issuer_is_the_issuer() {
    const TLS: &str = "DestinationRule istio-ingress/issuer: spec.trafficPolicy.tls";
    let at = |field: &'static str| -> &'static str { format!("{TLS}.{field}").leak() };
    are_errors(&[
        spoilt(
            RULE,
            "spec.host",
            json!("login.example.com"),
            CLUSTER,
            &["for want of a DestinationRule", "could sign as the issuer", "mode SIMPLE"],
        ),
        spoilt(RULE, "spec.trafficPolicy.tls", None, at("mode"), &["has no TLS", "Write SIMPLE"]),
        spoilt(
            RULE,
            "spec.trafficPolicy.tls.mode",
            json!("DISABLE"),
            at("mode"),
            &["has no TLS", "Write SIMPLE"],
        ),
        spoilt(RULE, "spec.trafficPolicy.tls.mode", json!("ISTIO_MUTUAL"), at("mode"), &["write SIMPLE"]),
        spoilt(RULE, "spec.trafficPolicy.tls.sni", None, at("sni"), &["is missing", "write login.prod"]),
        spoilt(
            RULE,
            "spec.trafficPolicy.tls.subjectAltNames",
            None,
            at("subjectAltNames"),
            &["any host", "write `[login.prod"],
        ),
        spoilt(
            RULE,
            "spec.trafficPolicy.tls.insecureSkipVerify",
            json!(true),
            at("insecureSkipVerify"),
            &["remove it"],
        ),
        spoilt(RULE, "spec.exportTo", json!(["shop"]), CLUSTER, &["for want of a DestinationRule"]),
        spoilt(
            RULE,
            "metadata.namespace",
            json!("shop"),
            CLUSTER,
            &["for want of a DestinationRule", "Add one in namespace istio-ingress"],
        ),
        spoilt(
            RULE,
            "spec.trafficPolicy.portLevelSettings",
            json!([{ "port": { "number": 443 }, "tls": { "mode": "DISABLE" } }]),
            "DestinationRule istio-ingress/issuer: spec.trafficPolicy.portLevelSettings[0].tls.mode",
            &["Write SIMPLE"],
        ),
    ]);
    are_warnings(&[
        spoilt(RULE, "spec.trafficPolicy.tls.sni", json!("other.example.com"), at("sni"), &["correct it"]),
        spoilt(
            RULE,
            "spec.trafficPolicy.tls.subjectAltNames",
            json!(["other.example.com"]),
            at("subjectAltNames"),
            &["add it"],
        ),
    ]);
    let mut stream = overlay();
    remove(&mut stream, RULE);
    let run = check(&stream, &[]);
    said(&run, &format!("standard input: {CLUSTER}: "), &[HOST, "for want of a DestinationRule"], "no rule");
    // Nor does Istio look for one in a namespace that is neither side's.
    let mut stream = overlay();
    set(&mut stream, RULE, "spec.exportTo", None);
    set(&mut stream, RULE, "metadata.namespace", Some(&json!("shop")));
    said(
        &check(&stream, &[]),
        &format!("standard input: {CLUSTER}: "),
        &["for want of a DestinationRule"],
        "shop",
    );
    // A wildcard's rule is the host's too, and a rule of the mesh's is everybody's.
    let mut stream = overlay();
    set(&mut stream, RULE, "spec.host", Some(&json!("*.example.com")));
    set(&mut stream, RULE, "metadata.namespace", Some(&json!("istio-system")));
    set(&mut stream, "DestinationRule istio-system/issuer", "spec.exportTo", None);
    let run = check(&stream, &["--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
}

#[test]
fn what_opens_the_inner_doors_goes_to_them_and_to_nobody_else() {
    const TO: &str = "WasmPlugin istio-ingress/outer-door: spec.pluginConfig: gatewayKey.to";
    let to = "spec.pluginConfig.gatewayKey.to";
    are_errors(&[
        spoilt(
            OUTER,
            to,
            json!(["outbound|*|*|*.store.svc.cluster.local"]),
            TO,
            &["does not fit blog.shop", "Add a pattern"],
        ),
        spoilt(
            OUTER,
            to,
            json!(["outbound|8080|*|*.shop.svc.cluster.local"]),
            TO,
            &["does not fit blog.shop", "Add a pattern"],
        ),
        spoilt(
            OUTER,
            to,
            json!(["outbound|*|*|*"]),
            TO,
            &["out of the mesh", "Name the mesh's own clusters"],
        ),
    ]);
    let second = json!("outbound|*|*|*.sohp.svc.cluster.local");
    are_warnings(&[spoilt(
        OUTER,
        "spec.pluginConfig.gatewayKey.to.-",
        second,
        "WasmPlugin istio-ingress/outer-door: spec.pluginConfig: gatewayKey.to[1]",
        &["correct it"],
    )]);
    // Without a gateway key the contexts have bounds of their own.
    let mut stream = overlay();
    set(&mut stream, OUTER, "spec.pluginConfig.gatewayKey", None);
    set(
        &mut stream,
        OUTER,
        "spec.pluginConfig.context.mint.to",
        Some(&json!(["outbound|80||shop.shop.svc.cluster.local"])),
    );
    let run = check(&stream, &[]);
    let start = format!("standard input: {}: ", TO.replace("gatewayKey.to", "context.mint.to"));
    said(&run, &start, &["does not fit blog.shop"], "context.mint.to");
    assert_eq!(run.code, 3);
}

#[test]
fn the_key_goes_to_no_pod_in_plaintext() {
    const MTLS: &str = "DestinationRule shop/mtls";
    const MODE: &str = "DestinationRule shop/mtls: spec.trafficPolicy.tls.mode";
    are_errors(&[
        spoilt(MTLS, "spec.trafficPolicy.tls.mode", json!("DISABLE"), MODE, &["write ISTIO_MUTUAL"]),
        spoilt(MTLS, "spec.trafficPolicy.tls.mode", json!("SIMPLE"), MODE, &["write ISTIO_MUTUAL"]),
    ]);
    are_warnings(&[
        spoilt(MTLS, "spec.trafficPolicy", None, MODE, &["without a sidecar", "write ISTIO_MUTUAL"]),
        spoilt(
            MTLS,
            "spec.host",
            json!("*.store.svc.cluster.local"),
            "WasmPlugin istio-ingress/outer-door: spec.pluginConfig: gatewayKey.to",
            &["no DestinationRule here", "add one with tls mode ISTIO_MUTUAL"],
        ),
    ]);
    // The rule for the longer part of the host is the one that counts.
    let mut stream = overlay();
    let mut exact = stream.iter().find(|object| title(object) == MTLS).unwrap().clone();
    exact["metadata"]["name"] = json!("blog");
    exact["spec"]["host"] = json!("blog.shop.svc.cluster.local");
    exact["spec"]["trafficPolicy"]["tls"]["mode"] = json!("DISABLE");
    stream.insert(0, exact);
    let run = check(&stream, &[]);
    said(
        &run,
        "standard input: DestinationRule shop/blog: spec.trafficPolicy.tls.mode: ",
        &["write ISTIO_MUTUAL"],
        "exact",
    );
}

#[test]
fn routes_of_the_gateway_take_the_key_nowhere_else() {
    const ROUTES: &str = "VirtualService shop/shop";
    let partner =
        json!({ "destination": { "host": "partner.other.svc.cluster.local", "port": { "number": 80 } } });
    are_errors(&[
        spoilt(
            ROUTES,
            "spec.http[0].mirror",
            partner["destination"].clone(),
            "VirtualService shop/shop: spec.http[0].mirror",
            &["gets the gateway key too", "remove it"],
        ),
        spoilt(
            ROUTES,
            "spec.http[0].mirrors",
            json!([partner]),
            "VirtualService shop/shop: spec.http[0].mirrors[0].destination",
            &["gets the gateway key too", "remove it"],
        ),
    ]);
    let mut stream = overlay();
    set(&mut stream, ROUTES, "spec.http.-", Some(&json!({ "route": [partner] })));
    assert_eq!(check(&stream, &["--deny-warnings"]).code, 0, "a route elsewhere is no harm by itself");
    let matches =
        json!([{ "headers": { "X-Tenant-Id": { "exact": "acme" } }, "uri": { "prefix": "/blog" } }]);
    set(&mut stream, ROUTES, "spec.http[0].match", Some(&matches));
    let run = check(&stream, &[]);
    let start = "standard input: VirtualService shop/shop: spec.http[0].match[0].headers.X-Tenant-Id: ";
    said(&run, start, &["partner.other.svc.cluster.local", "match on another header"], "match");
    assert_eq!(run.code, 3);
    // Where the door attaches upstream, both are harmless; but that takes more than a plugin.
    let mut upstream = stream.clone();
    set(&mut upstream, OUTER, "spec.pluginConfig.gatewayKey.attach", Some(&json!("upstream")));
    set(&mut upstream, ROUTES, "spec.http[0].mirror", Some(&partner["destination"]));
    let run = check(&upstream, &[]);
    let start = format!("standard input: {OUTER}: spec.pluginConfig: gatewayKey.attach: ");
    said(&run, &start, &["stands in listeners only", "remove it"], "upstream");
    assert!(run.code == 3 && run.err.ends_with("1 error\n"), "{}", run.err);
    upstream.push(json!({
        "apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter",
        "metadata": { "name": "attach", "namespace": "istio-ingress" },
    }));
    assert_eq!(check(&upstream, &["--deny-warnings"]).code, 0);
    // What sidecars alone follow comes to no outer door.
    set(&mut stream, ROUTES, "spec.gateways", Some(&json!(["mesh"])));
    assert_eq!(check(&stream, &["--deny-warnings"]).code, 0);
}

#[test]
fn an_entry_of_fixed_addresses_has_some() {
    let entry = "ServiceEntry istio-ingress/issuer";
    let mut stream = overlay();
    set(&mut stream, entry, "spec.resolution", Some(&json!("STATIC")));
    let run = check(&stream, &[]);
    assert_eq!(run.code, 3, "{}", run.err);
    let start = format!("standard input: {entry}: spec.resolution: ");
    said(&run, &start, &["keys can never be fetched", "add endpoints"], "static");
    set(&mut stream, entry, "spec.endpoints", Some(&json!([{ "address": "192.0.2.7" }])));
    let run = check(&stream, &["--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
}
