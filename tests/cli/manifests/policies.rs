//! What stands behind the doors: who may call at all, and by mTLS alone.

use serde_json::json;

use super::{INNER, are_errors, are_warnings, build, check, objects, overlay, remove, said, set, spoilt};

const GATEWAY: &str = "AuthorizationPolicy shop/gateway";
const SERVICES: &str = "AuthorizationPolicy shop/services";
const BACKSTOP: &str = "AuthorizationPolicy shop/backstop";

#[test]
fn a_principal_is_somebody() {
    are_errors(&[
        spoilt(
            SERVICES,
            "spec.rules[0].from[0].source.principals[0]",
            json!("prod.example.com/*/sa/blog"),
            "AuthorizationPolicy shop/services: spec.rules[0].from[0].source.principals[0]",
            &["to the letter", "write the principals whole"],
        ),
        spoilt(
            SERVICES,
            "spec.rules[0].from[0].source.principals[0]",
            json!("*/ns/shop/*"),
            "AuthorizationPolicy shop/services: spec.rules[0].from[0].source.principals[0]",
            &["one `*` at one end"],
        ),
        spoilt(
            SERVICES,
            "spec.rules[0].from[0].source.principals[0]",
            json!("spiffe://prod.example.com/ns/shop/sa/blog"),
            "AuthorizationPolicy shop/services: spec.rules[0].from[0].source.principals[0]",
            &["leave that out"],
        ),
        spoilt(
            BACKSTOP,
            "spec.rules[0].from[0].source.notPrincipals[0]",
            json!("prod.*.example.com/ns/shop/sa/a"),
            "AuthorizationPolicy shop/backstop: spec.rules[0].from[0].source.notPrincipals[0]",
            &["to the letter"],
        ),
    ]);
}

#[test]
fn the_gateway_is_among_those_who_may_call() {
    are_errors(&[
        spoilt(
            GATEWAY,
            "spec.rules[0].from[0].source.principals[0]",
            json!("prod.us-east-1.mesh.example.com/ns/istio-ingress/sa/other"),
            "AuthorizationPolicy shop/gateway: spec.rules",
            &["/sa/istio-ingress", "add that principal"],
        ),
        spoilt(
            BACKSTOP,
            "spec.rules[0].from[0].source.notPrincipals[0]",
            json!("prod.sa-east-1.mesh.example.com/*"),
            "AuthorizationPolicy shop/backstop: spec.rules",
            &["denies prod.us-east-1", "add its trust domain"],
        ),
    ]);
    for principal in ["*", "prod.us-east-1.mesh.example.com/*", "*/sa/istio-ingress"] {
        let mut stream = overlay();
        set(&mut stream, GATEWAY, "spec.rules[0].from[0].source.principals[0]", Some(&json!(principal)));
        let run = check(&stream, &["--deny-warnings"]);
        assert_eq!(run.code, 0, "{principal}: {}", run.err);
    }
}

#[test]
fn a_namespace_behind_a_door_has_its_policies() {
    are_warnings(&[
        spoilt(
            BACKSTOP,
            "spec.action",
            json!("AUDIT"),
            "WasmPlugin shop/inner-door: metadata.namespace",
            &["no backstop", "notPrincipals"],
        ),
        spoilt(
            BACKSTOP,
            "spec.selector",
            json!({ "matchLabels": { "app": "blog" } }),
            "WasmPlugin shop/inner-door: metadata.namespace",
            &["no backstop"],
        ),
        spoilt(
            SERVICES,
            "spec.rules[0].from",
            None,
            "AuthorizationPolicy shop/services: spec.rules[0].from",
            &["anybody is allowed", "name principals"],
        ),
    ]);
    let mut stream = overlay();
    for policy in [GATEWAY, SERVICES, BACKSTOP, "AuthorizationPolicy istio-system/deny-by-default"] {
        remove(&mut stream, policy);
    }
    let run = check(&stream, &[]);
    let start = format!("standard input: warning: {INNER}: metadata.namespace: ");
    said(&run, &start, &["has no backstop"], "backstop");
    said(
        &run,
        &start,
        &["no AuthorizationPolicy that says of all its workloads who may call", "Add one"],
        "allow",
    );
}

#[test]
fn a_backstop_denies_everything_to_everybody_else() {
    let ways = [
        ("spec.rules[0].to", json!([{ "operation": { "paths": ["/admin"] } }])),
        ("spec.rules[0].when", json!([{ "key": "source.ip", "values": ["10.0.0.1"] }])),
        ("spec.rules[0].from[0].source.namespaces", json!(["shop"])),
        ("spec.rules[0].from[0].source.notPrincipals", json!(["*"])),
    ];
    let place = "WasmPlugin shop/inner-door: metadata.namespace";
    are_warnings(&ways.map(|(field, value)| {
        spoilt(BACKSTOP, field, value, place, &["no backstop", "nothing else in its rule"])
    }));
    // One rule that does is enough.
    let mut stream = overlay();
    let rule = json!({ "from": [{ "source": { "notPrincipals": ["*"] } }] });
    set(&mut stream, BACKSTOP, "spec.rules.-", Some(&rule));
    let run = check(&stream, &["--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
}

#[test]
fn what_the_mesh_allows_to_anybody_is_allowed_behind_a_door() {
    let mut stream = overlay();
    stream.push(json!({
        "apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
        "metadata": { "name": "all", "namespace": "istio-system" },
        "spec": { "action": "ALLOW", "rules": [{}] },
    }));
    let run = check(&stream, &[]);
    let start = "standard input: warning: AuthorizationPolicy istio-system/all: spec.rules[0].from: ";
    said(&run, start, &["anybody is allowed", "name principals"], "the mesh's");
    let selector = json!({ "matchLabels": { "istio": "ingress" } });
    set(&mut stream, "AuthorizationPolicy istio-system/all", "spec.selector", Some(&selector));
    assert_eq!(check(&stream, &["--deny-warnings"]).code, 0, "of some workloads nobody here knows which");
}

#[test]
fn a_policy_for_some_workloads_says_nothing_of_the_others() {
    let mut stream = overlay();
    remove(&mut stream, "AuthorizationPolicy istio-system/deny-by-default");
    assert_eq!(check(&stream, &["--deny-warnings"]).code, 0);
    for policy in [GATEWAY, SERVICES] {
        set(&mut stream, policy, "spec.selector", Some(&json!({ "matchLabels": { "app": "blog" } })));
    }
    let start = format!("standard input: warning: {INNER}: metadata.namespace: ");
    said(&check(&stream, &[]), &start, &["no AuthorizationPolicy that says of all"], "selector");
}

#[test]
fn whoever_may_call_is_named_by_any_part_of_a_certificate() {
    for (field, value, code) in [
        ("namespaces", "shop", 0),
        ("serviceAccounts", "shop/blog", 0),
        ("serviceAccounts", "blog", 0),
        ("ipBlocks", "10.0.0.0/8", 3),
    ] {
        let mut stream = overlay();
        set(&mut stream, SERVICES, "spec.rules[0].from[0].source", Some(&json!({ field: [value] })));
        let run = check(&stream, &["--deny-warnings"]);
        assert_eq!(run.code, code, "{field}: {}", run.err);
        // The gateway is named so too.
        remove(&mut stream, GATEWAY);
        let refused = check(&stream, &[]).err.contains("allows others and");
        assert_eq!(refused, code == 0, "{field}");
    }
    for (field, value) in [("namespaces", "istio-*"), ("serviceAccounts", "istio-ingress/istio-ingress")] {
        let mut stream = overlay();
        set(&mut stream, GATEWAY, "spec.rules[0].from[0].source", Some(&json!({ field: [value] })));
        let run = check(&stream, &["--deny-warnings"]);
        assert_eq!(run.code, 0, "{field}: {}", run.err);
    }
}

#[test]
fn clients_come_as_far_as_the_outer_door() {
    let mut stream = overlay();
    remove(&mut stream, "AuthorizationPolicy istio-ingress/clients");
    let start = "standard input: warning: AuthorizationPolicy istio-system/deny-by-default: spec: ";
    said(&check(&stream, &[]), start, &["none of istio-ingress allows clients", "add one"], "shut");
    remove(&mut stream, "AuthorizationPolicy istio-system/deny-by-default");
    assert_eq!(check(&stream, &["--deny-warnings"]).code, 0, "nothing denies them");
}

#[test]
fn nothing_at_the_gateway_sees_what_the_door_takes_off() {
    are_warnings(&[spoilt(
        "AuthorizationPolicy istio-ingress/clients",
        "spec.action",
        json!("CUSTOM"),
        "AuthorizationPolicy istio-ingress/clients: spec.action",
        &["have none at the gateway"],
    )]);
    let mut stream = overlay();
    stream.push(json!({
        "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication",
        "metadata": { "name": "tokens", "namespace": "shop" }, "spec": { "jwtRules": [{ "issuer": "https://a.example" }] },
    }));
    let run = check(&stream, &[]);
    let start = "standard input: warning: RequestAuthentication shop/tokens: spec.jwtRules: ";
    said(&run, start, &["takes the token off", "remove it"], "RequestAuthentication");
    set(
        &mut stream,
        super::OUTER,
        "spec.pluginConfig.issuers.main.sources",
        Some(&json!([{ "header": "authorization", "scheme": "Bearer", "forward": "verified" }])),
    );
    assert_eq!(check(&stream, &["--deny-warnings"]).code, 0);
}

#[test]
fn connections_behind_a_door_have_a_peer() {
    let (mesh, own) = ("PeerAuthentication istio-system/default", "PeerAuthentication shop/default");
    are_warnings(&[
        spoilt(
            own,
            "spec.mtls.mode",
            json!("PERMISSIVE"),
            "PeerAuthentication shop/default: spec.mtls.mode",
            &["write STRICT"],
        ),
        spoilt(
            own,
            "spec.portLevelMtls",
            json!({ "8080": { "mode": "DISABLE" } }),
            "PeerAuthentication shop/default: spec.portLevelMtls.8080.mode",
            &["write STRICT"],
        ),
    ]);
    // Of two it takes the older one, whichever that is.
    let mut stream = overlay();
    stream.push(json!({
        "apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
        "metadata": { "name": "second", "namespace": "shop" }, "spec": { "mtls": { "mode": "PERMISSIVE" } },
    }));
    let start = "standard input: warning: PeerAuthentication shop/second: spec.mtls.mode: ";
    said(&check(&stream, &[]), start, &["write STRICT"], "second");
    let mut stream = overlay();
    remove(&mut stream, own);
    assert_eq!(check(&stream, &["--deny-warnings"]).code, 0, "the mesh's is enough");
    set(&mut stream, mesh, "spec.mtls.mode", Some(&json!("PERMISSIVE")));
    said(
        &check(&stream, &[]),
        &format!("standard input: warning: {mesh}: spec.mtls.mode: "),
        &["write STRICT"],
        "mesh",
    );
    remove(&mut stream, mesh);
    let start = format!("standard input: warning: {INNER}: metadata.namespace: ");
    said(&check(&stream, &[]), &start, &["add one with mode STRICT"], "none");
    let mut stream = objects(&build("overlays/prod/us-east-1"));
    stream.push(json!({
        "apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
        "metadata": { "name": "lax", "namespace": "shop" },
        "spec": { "selector": { "matchLabels": { "app": "blog" } }, "mtls": { "mode": "PERMISSIVE" } },
    }));
    said(
        &check(&stream, &[]),
        "standard input: warning: PeerAuthentication shop/lax: spec.mtls.mode: ",
        &["remove it"],
        "lax",
    );
}

#[test]
fn a_policy_on_trial_holds_nobody_off_and_lets_nobody_in() {
    let on_trial = |policy: &str, trial: &str| {
        let mut stream = overlay();
        set(&mut stream, policy, "metadata.annotations", Some(&json!({ "istio.io/dry-run": trial })));
        check(&stream, &["--deny-warnings"])
    };
    let start = format!("standard input: warning: {INNER}: metadata.namespace: ");
    said(&on_trial(BACKSTOP, "true"), &start, &["no backstop"], "backstop");
    let start = "standard input: AuthorizationPolicy shop/services: spec.rules: ";
    said(&on_trial(GATEWAY, "1"), start, &["/sa/istio-ingress", "add that principal"], "gateway");
    let run = on_trial(BACKSTOP, "false");
    assert_eq!(run.code, 0, "{}", run.err);
}
