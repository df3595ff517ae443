//! Scenarios whose door has routes, and one that only reports.

use std::fs;

use serde_json::{Map, Value, json};

use super::test::{SECRET, fails, scenario, test};
use super::{directory, text, vestibule};

/// A gateway with one route, which asks for a permission.
fn routed(authority: &str, expect: Value) -> Value {
    let mut scenario = scenario();
    scenario["config"]["routes"] = json!({ "orders": {
        "hosts": ["orders.test"], "paths": ["/{*path}"], "access": { "permissions": ["orders:read"] },
    } });
    scenario["cases"][0]["request"]["authority"] = authority.into();
    scenario["cases"][0]["expect"] = expect;
    scenario
}

fn reporting(expect: Value) -> Value {
    let mut scenario = routed("orders.test", expect);
    scenario["config"]["report"] = json!({ "until": { "$time": 3600 } });
    scenario
}

#[test]
fn a_case_may_name_the_route_that_it_is_on() {
    let denied = |route: Value| json!({ "code": "permission_missing", "route": route });
    test(&routed("orders.test", denied(json!("orders")))).succeeded();
    fails(
        &routed("orders.test", denied(json!("other"))),
        "expected the route `other`, got the route `orders`",
    );
    fails(&routed("orders.test", denied(Value::Null)), "expected no route, got the route `orders`");
    test(&routed("elsewhere.test", json!({ "permit": {}, "route": null }))).succeeded();
    fails(
        &routed("elsewhere.test", json!({ "permit": {}, "route": "orders" })),
        "expected the route `orders`, got no route",
    );
}

#[test]
fn a_permit_that_is_only_a_report_is_expected_as_one() {
    let permit = |more: Value| {
        let mut permit = json!({ "permit": { "x-user-id": [] } });
        permit.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        permit
    };
    test(&reporting(permit(json!({ "reported": "permission_missing" })))).succeeded();
    fails(&reporting(permit(json!({}))), "expected nothing to be reported, got permission_missing");
    fails(
        &reporting(permit(json!({ "reported": "scope_missing" }))),
        "expected scope_missing to be reported, got permission_missing",
    );
    fails(
        &reporting(json!({ "code": "permission_missing" })),
        "expected permission_missing, got a permit (permission_missing is reported)",
    );
    let both = test(&reporting(json!({ "code": "route_denied", "reported": "route_denied" })));
    assert_eq!(both.code, 1);
    assert!(
        both.err.contains("alice gets in: expect.reported: is of a request that goes on"),
        "{}",
        both.err
    );
}

#[test]
fn a_time_is_counted_from_the_case() {
    let mut late = reporting(json!({ "permit": {}, "reported": "permission_missing" }));
    late["cases"][0]["now"] = json!(2_000_000_000);
    test(&late).succeeded();
    late["config"]["report"]["until"] = json!({ "$time": 31 * 86_400 });
    let far = test(&late);
    assert_eq!(far.code, 3);
    assert!(far.err.contains("report.until: is more than 30 days ahead"), "{}", far.err);
    late["config"]["report"]["until"] = json!({ "$time": "tomorrow" });
    let none = test(&late);
    assert_eq!(none.code, 1);
    assert!(none.err.contains("config.$time: "), "{}", none.err);
}

/// The example of `docs/access.md`, with a key that the test can sign by.
#[test]
fn the_example_of_the_documentation_is_checked_without_a_warning_and_decides_as_the_page_says() {
    let page = include_str!("../../docs/access.md");
    let example = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let example = example.replace(r#"{ pem: "…" }"#, "{ secret: { env: SECRET } }");
    let directory = directory("the_example_of_access");
    let path = directory.join("outer.yaml");
    fs::write(&path, &example).unwrap();
    let checked = vestibule(&["check", text(&path)]).env("SECRET", SECRET).run();
    assert_eq!((checked.code, checked.err.contains("warning")), (0, false), "{}", checked.err);

    let mut scenario = scenario();
    scenario["config"] = text(&path).into();
    scenario["tokens"]["good"]["payload"] = json!({
        "iss": "https://staff.example.com", "aud": "https://api.example.com", "sub": "alice", "tenant_id": "acme",
        "roles": ["editor"], "exp": { "$now": 300 },
    });
    let case = |method: &str, authority: &str, path: &str, expect: Value| {
        json!({
            "name": format!("{method} {authority}{path}"),
            "request": {
                "method": method, "authority": authority, "path": path,
                "headers": [["authorization", "Bearer {{good}}"]],
            },
            "expect": expect,
        })
    };
    let permit = |route: Value| json!({ "permit": {}, "route": route });
    let denied = |code: &str, route: &str| json!({ "code": code, "route": route });
    scenario["cases"] = json!([
        case("PUT", "a.test", "/blog/1", permit(json!("blog-write"))),
        case("GET", "a.test", "/blog/1", permit(json!("blog-read"))),
        case("HEAD", "a.test", "/blog", permit(json!("blog-read"))),
        case("PATCH", "a.test", "/blog/1", denied("route_denied", "blog")),
        case("GET", "a.test", "/static/a/b?c", permit(json!("assets"))),
        case("GET", "admin.example.com:443", "/static/a", denied("role_missing", "admin")),
        case("GET", "a.test", "/elsewhere", permit(Value::Null)),
    ]);
    scenario["env"] = json!({ "SECRET": SECRET });
    assert_eq!(test(&scenario).succeeded(), "7 passed, 0 failed\n");
}

#[test]
fn ten_thousand_routes_are_checked_as_json_and_as_yaml() {
    let route = |number: usize| {
        let access = json!({ "permissions": [format!("service-{}:read", number % 100)] });
        let route =
            json!({ "hosts": ["api.test"], "paths": [format!("/r{number}/{{id}}")], "access": access });
        (format!("route-{number}"), route)
    };
    let routes: Map<String, Value> = (0..10_000).map(route).collect();
    let mut configuration = scenario()["config"].clone();
    configuration["routes"] = routes.into();
    let json = configuration.to_string();
    // Behind a document's start, JSON is YAML.
    for (text, kind) in [(json.clone(), "JSON"), (format!("---\n{json}"), "YAML")] {
        let checked = vestibule(&["check", "-"]).input(text);
        assert_eq!((checked.code, checked.out.as_str()), (0, "standard input: ok (outer door)\n"), "{kind}");
    }
}
