//! Scenarios whose door has routes, and one that only reports.

use serde_json::{Value, json};

use super::test::{fails, scenario, test};

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
