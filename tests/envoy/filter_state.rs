//! What access logs and filters behind read of a decision.

use serde_json::{Value, json};

use super::mesh::{ENVIRONMENT, good_payload, good_token, outer_configuration, signed};
use super::report::reporting;
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Call, get};
use crate::support::upstream::Upstream;

const KEYS: [&str; 5] = ["code", "route", "issuer", "tenant", "subject"];

/// An outer door whose access log has the filter state, and an RBAC filter behind it, if any.
fn start(configuration: &Value, upstream: &Upstream, rbac: Option<Value>) -> Envoy {
    let mut bootstrap = Bootstrap::of("outer.yaml").configure("outer", configuration);
    let manager = bootstrap.connection_manager("outer");
    let state = KEYS.map(|key| format!("{key}=%FILTER_STATE(wasm.vestibule.{key}:PLAIN)%")).join(" ");
    manager["access_log"][0]["typed_config"]["log_format"]["text_format_source"]["inline_string"] =
        json!(format!("STATE %REQ(X-NAME)% {state}\n"));
    if let Some(rbac) = rbac {
        let filters = manager["http_filters"].as_array_mut().expect("filters");
        filters.insert(1, rbac);
    }
    Envoy::start(&bootstrap.cluster("upstream", upstream.port()), &ENVIRONMENT)
}

fn configuration() -> Value {
    let mut configuration = outer_configuration();
    configuration["routes"] = json!({
        "orders": { "paths": ["/orders"], "access": { "permissions": ["orders:read"] } },
        "blog": { "paths": ["/blog"], "access": { "permissions": ["blog:read"] } },
        "open": { "paths": ["/open"], "access": "public" },
    });
    configuration
}

/// A request by which each key is what stands here, `-` for none.
fn cases() -> [(&'static str, Call, [&'static str; 5]); 4] {
    [
        ("permitted", get("/blog").bearer(&good_token()), ["-", "blog", "main", "acme", "alice"]),
        ("public", get("/open").bearer(&good_token()), ["-", "open", "-", "-", "-"]),
        ("lacking", get("/orders").bearer(&good_token()), ["permission_missing", "orders", "main", "-", "-"]),
        ("nobody", get("/blog"), ["credential_missing", "blog", "-", "-", "-"]),
    ]
}

#[test]
fn an_access_log_shows_whom_a_decision_is_about_whether_it_is_carried_out_or_reported() {
    for configuration in [configuration(), reporting(configuration())] {
        let upstream = Upstream::start();
        let envoy = start(&configuration, &upstream, None);
        for (name, call, state) in cases() {
            call.header("x-name", name).header("wasm.vestibule.tenant", "evil").send(envoy.port("outer"));
            let state: Vec<_> = KEYS.iter().zip(state).map(|(key, value)| format!("{key}={value}")).collect();
            let line = format!("STATE {name} {}\n", state.join(" "));
            assert!(envoy.wait_for_log(&line), "no line is {line:?} in:\n{}", lines(&envoy));
        }
    }
}

/// What the access log has.
fn lines(envoy: &Envoy) -> String {
    envoy.log().lines().filter(|line| line.starts_with("STATE")).collect::<Vec<_>>().join("\n")
}

/// The page's own example.
#[test]
fn a_filter_behind_can_decide_by_the_tenant() {
    let page = include_str!("../../docs/logs.md");
    let example =
        page.split("```yaml\n").find(|block| block.contains("filters.http.rbac")).expect("an example");
    let example: Value = serde_saphyr::from_str(example.split("```").next().expect("its end")).expect("YAML");
    let upstream = Upstream::start();
    let envoy = start(&configuration(), &upstream, Some(example[0].clone()));
    let by_tenant = |tenant: &str| {
        let mut payload = good_payload();
        payload["tenant_id"] = json!(tenant);
        let token = signed(&json!({ "key": "rsa-1", "payload": payload }));
        get("/blog").bearer(&token).header("x-tenant-id", "acme").send(envoy.port("outer")).status
    };
    assert_eq!(["acme", "globex", "initech"].map(by_tenant), [200, 200, 403]);
    assert_eq!(get("/open").header("x-tenant-id", "acme").send(envoy.port("outer")).status, 403, "nobody's");
}
