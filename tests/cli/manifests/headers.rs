//! Headers that doors vouch for, in other hands: routes that change them, policies that believe them, formats that show
//! what they carry.

use serde_json::{Value, json};

use super::{OUTER, are_errors, build, check, objects, overlay, said, set, spoilt};

const ROUTES: &str = "VirtualService shop/shop";

#[test]
fn a_route_writes_no_header_that_the_outer_door_vouches_for() {
    let place = |field: &str| -> &'static str { format!("{ROUTES}: spec.http[0].{field}").leak() };
    let says: &[&str] = &["no door has verified", "Remove it"];
    are_errors(&[
        spoilt(
            ROUTES,
            "spec.http[0].headers",
            json!({ "request": { "set": { "x-tenant-id": "acme" } } }),
            place("headers.request.set.x-tenant-id"),
            says,
        ),
        spoilt(
            ROUTES,
            "spec.http[0].route[0].headers",
            json!({ "request": { "add": { "X_User-Permissions": "*" } } }),
            place("route[0].headers.request.add.X_User-Permissions"),
            says,
        ),
        spoilt(
            ROUTES,
            "spec.http[0].headers",
            json!({ "request": { "set": { "x-gateway-key": "guess" } } }),
            place("headers.request.set.x-gateway-key"),
            says,
        ),
        spoilt(
            ROUTES,
            "spec.http[0].headers",
            json!({ "request": { "remove": ["x-other", "Txn-Token"] } }),
            place("headers.request.remove[1]"),
            &["takes off what", "inner doors refuse", "remove it"],
        ),
    ]);
    let modifier = json!([{
        "type": "RequestHeaderModifier",
        "requestHeaderModifier": {
            "set": [{ "name": "X-User-Id", "value": "root" }], "add": [{ "name": "x-tenant-id", "value": "acme" }],
            "remove": ["x-gateway-key"],
        },
    }]);
    for field in ["spec.rules[0].filters", "spec.rules[0].backendRefs[0].filters"] {
        let mut stream = objects(&build("examples/gateway-api"));
        set(&mut stream, "HTTPRoute shop/shop", field, Some(&modifier));
        let run = check(&stream, &[]);
        let start = format!("standard input: HTTPRoute shop/shop: {field}[0].requestHeaderModifier");
        said(&run, &format!("{start}.set[0].name: "), says, field);
        said(&run, &format!("{start}.add[0].name: "), says, field);
        said(&run, &format!("{start}.remove[0]: "), &["takes off what"], field);
    }
    // What is nobody's, what is for the client, and a key taken off where none goes.
    let mut stream = overlay();
    let headers = json!({
        "request": { "set": { "x-team": "shop" }, "remove": ["x-user-permissions"] },
        "response": { "set": { "strict-transport-security": "max-age=1", "x-user-id": "none" } },
    });
    set(&mut stream, ROUTES, "spec.http[0].headers", Some(&headers));
    let outside = json!({
        "match": [{ "uri": { "prefix": "/old/" } }],
        "headers": { "request": { "remove": ["x-gateway-key"] } },
        "route": [{ "destination": { "host": "old.legacy.svc.cluster.local" } }],
    });
    set(&mut stream, ROUTES, "spec.http.-", Some(&outside));
    let run = check(&stream, &["--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
}

#[test]
fn no_format_and_no_expression_shows_what_opens_the_inner_doors() {
    let object = |version: &str, kind: &str, namespace: &str, member: &str, value: Value| {
        json!({
            "apiVersion": version, "kind": kind, "metadata": { "name": "shown", "namespace": namespace }, member: value,
        })
    };
    let telemetry = |spec: Value| object("telemetry.istio.io/v1", "Telemetry", "istio-system", "spec", spec);
    let tag = |name: &str| {
        telemetry(json!({ "tracing": [{ "customTags": { "tag": { "header": { "name": name } } } }] }))
    };
    let metric = |value: &str| {
        telemetry(
            json!({ "metrics": [{ "overrides": [{ "tagOverrides": { "tag": { "value": value } } }] }] }),
        )
    };
    let log = |format: &str| {
        let mesh = format!("accessLogFile: /dev/stdout\naccessLogFormat: '{format}'\n");
        object("v1", "ConfigMap", "istio-system", "data", json!({ "mesh": mesh }))
    };
    let mesh = |value: Value| {
        object("v1", "ConfigMap", "istio-system", "data", json!({ "mesh": value.to_string() }))
    };
    let filter = |format: &str| {
        let patch = json!({ "applyTo": "NETWORK_FILTER", "patch": { "operation": "MERGE", "value": { "key": format } } });
        object(
            "networking.istio.io/v1alpha3",
            "EnvoyFilter",
            "shop",
            "spec",
            json!({ "configPatches": [patch] }),
        )
    };
    let tag_place = "Telemetry istio-system/shown: spec.tracing[0].customTags.tag.header.name";
    let metric_place = "Telemetry istio-system/shown: spec.metrics[0].overrides[0].tagOverrides.tag.value";
    let filter_place = "EnvoyFilter shop/shown: spec.configPatches[0].patch.value.key";
    for (shown, place, header) in [
        (tag("X-Gateway-Key"), tag_place, "x-gateway-key"),
        (tag("txn-token"), tag_place, "txn-token"),
        (metric("request.headers['x-gateway-key']"), metric_place, "x-gateway-key"),
        (metric("request.headers[\"txn-token\"]"), metric_place, "txn-token"),
        (
            log("%REQ(:PATH)% %REQ(X-GATEWAY-KEY)%"),
            "ConfigMap istio-system/shown: data.mesh",
            "x-gateway-key",
        ),
        (log("%REQ(AUTHORIZATION)%"), "ConfigMap istio-system/shown: data.mesh", "authorization"),
        (tag("authorization"), tag_place, "authorization"),
        (filter("%REQ(x-other?x-gateway-key):8%"), filter_place, "x-gateway-key"),
        (filter("%REQUEST_HEADER(txn-token)%"), filter_place, "txn-token"),
        (
            metric("request.headers['x-gateway-key'] != '' ? request.headers['x-gateway-key'] : 'no'"),
            metric_place,
            "x-gateway-key",
        ),
        (metric("'key ' + request.headers['x-gateway-key']"), metric_place, "x-gateway-key"),
        (
            mesh(
                json!({ "defaultConfig": { "tracing": { "customTags": { "tag": { "header": { "name": "x-gateway-key" } } } } } }),
            ),
            "ConfigMap istio-system/shown: data.mesh: defaultConfig.tracing.customTags.tag.header.name",
            "x-gateway-key",
        ),
        (
            object(
                "v1",
                "ConfigMap",
                "istio-system",
                "data",
                json!({ "mesh": "a: 1\na: %REQ(x-gateway-key)%\n" }),
            ),
            "ConfigMap istio-system/shown: data.mesh",
            "x-gateway-key",
        ),
    ] {
        let mut stream = overlay();
        stream.push(shown);
        let run = check(&stream, &[]);
        assert_eq!(run.code, 3, "{}", run.err);
        said(&run, &format!("standard input: {place}: "), &[header, "leave it out"], place);
    }
    are_errors(&[spoilt(
        ROUTES,
        "spec.http[0].headers",
        json!({ "response": { "set": { "x-debug": "%REQ(x-gateway-key)%" } } }),
        "VirtualService shop/shop: spec.http[0].headers.response.set.x-debug",
        &["x-gateway-key", "leave it out"],
    )]);
    for asked in ["request.headers['x-gateway-key'].size()", "string(request.headers['x-gateway-key'])"] {
        let mut stream = overlay();
        stream.push(metric(asked));
        let start = format!("standard input: warning: {metric_place}: ");
        said(&check(&stream, &[]), &start, &["x-gateway-key", "leave it out"], asked);
    }
    let sound = [
        tag("x-request-id"),
        metric("request.headers['x-gateway-key-name']"),
        log("%REQ(:PATH)% %REQ(X-REQUEST-ID)% x-gateway-key"),
        filter("%REQ(x-user-id)%"),
        // As what a limit of rates is counted by.
        filter("%REQ(authorization)%"),
        // Whether there is one shows none.
        metric("request.headers['authorization'] != '' ? 'yes' : 'no'"),
        metric("'' == request.headers['x-gateway-key'] ? 'no' : 'yes'"),
        telemetry(
            json!({ "accessLogging": [{ "filter": { "expression": "request.headers['authorization'] == ''" } }] }),
        ),
        telemetry(
            json!({ "accessLogging": [{ "filter": { "expression": "request.headers['txn-token']" } }] }),
        ),
        mesh(
            json!({ "defaultConfig": { "tracing": { "customTags": { "tag": { "header": { "name": "x-other" } } } } } }),
        ),
    ];
    for one in sound {
        let mut stream = overlay();
        stream.push(one);
        let run = check(&stream, &["--deny-warnings"]);
        assert_eq!(run.code, 0, "{}", run.err);
    }
}

#[test]
fn a_policy_believes_no_header_that_a_client_could_write() {
    let with = |namespace: &str, action: &str, header: &str, field: &str| {
        let mut stream = overlay();
        let from =
            json!([{ "source": { "principals": ["prod.us-east-1.mesh.example.com/ns/shop/sa/blog"] } }]);
        let condition = json!({ "key": format!("request.headers[{header}]"), field: ["x"] });
        stream.push(json!({
            "apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
            "metadata": { "name": "headers", "namespace": namespace },
            "spec": { "action": action, "rules": [{ "from": from, "when": [condition] }] },
        }));
        check(&stream, &["--deny-warnings"])
    };
    for namespace in ["shop", "istio-ingress", "istio-system"] {
        let run = with(namespace, "ALLOW", "X-Role", "values");
        let place = format!("AuthorizationPolicy {namespace}/headers: spec.rules[0].when[0].key");
        let says = ["believes `x-role`", OUTER, "add it to `inject` or `strip`"];
        said(&run, &format!("standard input: warning: {place}: "), &says, namespace);
    }
    // What Envoy lets pass, and what the door takes off in part, and neither can be stripped.
    for header in ["x-forwarded-user", "x-forwarded-host", "x-envoy-original-path", "host", "authorization"] {
        let run = with("shop", "ALLOW", header, "values");
        let start = "standard input: warning: AuthorizationPolicy shop/headers: spec.rules[0].when[0].key: ";
        let says = [&format!("believes `{header}`"), OUTER, "a client could write it: remove the condition"];
        said(&run, start, &says, header);
    }
    let run = with("shop", "DENY", "x-gateway-key", "notValues");
    let start = "standard input: AuthorizationPolicy shop/headers: spec.rules[0].when[0].key: ";
    said(&run, start, &["stands in the manifest", "make a new one"], "gateway key");
    for (namespace, action, header, field) in [
        ("shop", "ALLOW", "x-tenant-id", "values"),
        ("shop", "ALLOW", ":authority", "values"),
        ("shop", "ALLOW", "x-forwarded-proto", "values"),
        ("shop", "ALLOW", "X-Forwarded-Client-Cert", "values"),
        ("shop", "ALLOW", "x-envoy-external-address", "values"),
        ("shop", "ALLOW", "user-agent", "notValues"),
        ("shop", "DENY", "user-agent", "values"),
        ("billing", "ALLOW", "x-role", "values"),
    ] {
        let run = with(namespace, action, header, field);
        assert_eq!(run.code, 0, "{action} {header} {field}: {}", run.err);
    }
}
