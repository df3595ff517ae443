//! Routes, what they require, grants, preflight and report.

use serde_json::{Map, Value, json};

use super::{Secrets, check, compile, environment, errors, inner, outer, refused, with};
use crate::access::Access;

fn routes(routes: Value) -> Value {
    with(outer(), "/routes", routes)
}

/// The outer door with one route, changed in one field.
fn route(field: &str, value: Value) -> Value {
    let route = with(json!({ "paths": ["/a"], "access": "public" }), &format!("/{field}"), value);
    routes(json!({ "one": route }))
}

fn refused_in_route(field: &str, value: Value, path: &str) {
    let errors = errors(&route(field, value.clone()));
    assert_eq!(errors.len(), 1, "{field} = {value}: {errors:?}");
    assert!(errors[0].starts_with(&format!("routes.one.{path}: ")), "{field} = {value}: {errors:?}");
}

fn warnings(document: &Value) -> Vec<String> {
    let compiled = compile(document, &Secrets::From(&environment)).unwrap();
    compiled.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn what_a_route_may_say_compiles() {
    let document = with(
        routes(json!({
            "one": {
                "hosts": ["API.test", "*.api.test", "[::1]"], "methods": ["GET", "M-SEARCH"],
                "paths": ["/", "/a/{b}/{*c}"],
                "access": {
                    "permissions": ["a:read"], "anyPermission": ["b", "c"], "scopes": ["s"], "roles": ["r"],
                    "issuers": ["main"], "tenant": "optional",
                },
            },
        })),
        "/grants",
        json!({ "r": ["a:*"], "a:read": ["b"] }),
    );
    assert_eq!((errors(&document), warnings(&document)), (vec![], vec![]));
    let exempt = json!({ "one": { "paths": ["/healthz"], "access": "public", "entrance": "exempt" } });
    assert_eq!(errors(&with(inner(), "/routes", exempt)), [""; 0]);
}

#[test]
fn a_route_names_paths_and_what_they_need() {
    refused_in_route("paths", Value::Null, "paths");
    refused_in_route("access", Value::Null, "access");
    refused_in_route("path", json!("/a"), "path");
    refused_in_route("action", json!("read"), "action");
    refused_in_route("audience", json!("a"), "audience");
    refused(outer(), "/routes", json!({ "One": { "paths": ["/a"], "access": "public" } }), "routes.One");
    for (field, path) in
        [("hosts", "hosts"), ("methods", "methods"), ("paths", "paths"), ("access", "access")]
    {
        for empty in [json!([]), json!({}), json!("")] {
            refused_in_route(field, empty, path);
        }
    }
}

#[test]
fn a_route_that_no_request_can_be_on_is_refused() {
    for path in ["a", "/a//b", "/%61", "/a?b", "/a;b", "/a/..", "/*", "/{a}/{a}", "/{*a}/b"] {
        refused_in_route("paths", json!([path]), "paths[0]");
    }
    for method in ["get", "GET ", "", "*", "TRACE", "CONNECT", "TRACK"] {
        refused_in_route("methods", json!([method]), "methods[0]");
    }
    for host in ["*", "a.test:80", "https://a.test", "a/b", "*a.test", "a..b", "é.test"] {
        refused_in_route("hosts", json!([host]), "hosts[0]");
    }
}

#[test]
fn what_is_there_twice_is_refused() {
    refused_in_route("paths", json!(["/a/{x}", "/a/{y}/"]), "paths[1]");
    refused_in_route("methods", json!(["GET", "PUT", "GET"]), "methods[2]");
    refused_in_route("hosts", json!(["a.test", "A.test."]), "hosts[1]");
    assert_eq!(errors(&route("methods", json!(["GET", "HEAD"]))), [""; 0]);
}

#[test]
fn routes_that_can_tie_are_refused_with_both_names_and_an_example() {
    let two = |one: Value, two: Value| {
        let merge = |more: Value| {
            let mut route = json!({ "paths": ["/a/{x}"], "access": "public" });
            route.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            route
        };
        errors(&routes(json!({ "alpha": merge(one), "beta": merge(two) })))
    };
    for (one, other, example) in [
        (json!({}), json!({ "paths": ["/b", "/a/{y}"] }), "`GET any.example/a/x`"),
        (json!({ "methods": ["GET"] }), json!({ "methods": ["HEAD"] }), "`HEAD any.example/a/x`"),
        (json!({ "hosts": ["*.b.test"] }), json!({ "hosts": ["*.B.test"] }), "`GET any.b.test/a/x`"),
        (
            json!({ "methods": ["PUT", "GET"] }),
            json!({ "methods": ["POST", "PUT"] }),
            "`PUT any.example/a/x`",
        ),
    ] {
        let errors = two(one, other);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].starts_with("routes.beta: ties with the route `alpha`: "), "{errors:?}");
        assert!(errors[0].contains(example), "{errors:?}");
    }
    // Of what `/{*rest}` stands for, one of them has a nearer path for some.
    let rest = |nearer: &str| json!({ "paths": ["/{*rest}", nearer] });
    for (nearer, example) in [("/{x}/{*more}", "`GET any.example/`"), ("/", "`GET any.example/x`")] {
        let errors = two(rest(nearer), json!({ "paths": ["/{*rest}"] }));
        assert!(errors.len() == 1 && errors[0].contains(example), "{errors:?}");
    }
    for other in [json!({ "methods": ["GET"] }), json!({ "hosts": ["a.test"] }), json!({ "paths": ["/a/b"] })]
    {
        assert_eq!(two(json!({}), other), [""; 0]);
    }
}

#[test]
fn a_requirement_names_what_can_be_had() {
    for (requirement, path) in [
        (json!({ "permissions": ["a b"] }), "access.permissions[0]"),
        (json!({ "permissions": ["a:*"] }), "access.permissions[0]"),
        (json!({ "anyPermission": ["*"] }), "access.anyPermission[0]"),
        (json!({ "permissions": "a" }), "access.permissions"),
        (json!({ "scopes": [] }), "access.scopes"),
        (json!({ "roles": [1] }), "access.roles[0]"),
        (json!({ "issuers": ["other"] }), "access.issuers[0]"),
        (json!({ "tenant": "required" }), "access.tenant"),
        (json!({ "permission": ["a"] }), "access.permission"),
        (json!("Public"), "access"),
        (json!(true), "access"),
    ] {
        refused_in_route("access", requirement, path);
    }
    refused(outer(), "/default", json!({ "scopes": ["a,b"] }), "default.scopes[0]");
}

#[test]
fn grants_that_imply_themselves_are_refused_with_the_way() {
    let cycle = with(outer(), "/grants", json!({ "a": ["b"], "b": ["c"], "c": ["x", "a"] }));
    assert_eq!(
        errors(&cycle),
        ["grants.a: implies itself: `a` implies `b` implies `c` implies `a`: remove one of these"]
    );
    let bad_issuer = json!({ "one": { "paths": ["/a"], "access": { "issuers": ["other"] } } });
    assert_eq!(errors(&with(cycle, "/routes", bad_issuer)).len(), 2);
    refused(outer(), "/grants", json!({ "a:*": ["b"] }), "grants.a:*");
    refused(outer(), "/grants", json!({ "a": ["b*c"] }), "grants.a[0]");
    refused(outer(), "/grants", json!({ "a": ["b c"] }), "grants.a[0]");
    refused(outer(), "/grants", json!({ "a": [] }), "grants.a");
    refused(outer(), "/grants", json!({ "a": "b" }), "grants.a");
}

#[test]
fn an_exemption_is_said_where_there_is_an_entrance() {
    refused_in_route("entrance", json!("exempt"), "entrance");
    refused_in_route("entrance", json!("required"), "entrance");
    refused_in_route("entrance", json!("none"), "entrance");
    let mut document = outer();
    document["door"] = json!("inner");
    document.as_object_mut().unwrap().remove("gatewayKey");
    let exempt = json!({ "one": { "paths": ["/a"], "access": "public", "entrance": "exempt" } });
    refused(document, "/routes", exempt, "routes.one.entrance");
}

#[test]
fn a_preflight_passes_or_is_checked() {
    assert_eq!(errors(&with(outer(), "/preflight", json!("check"))), [""; 0]);
    refused(outer(), "/preflight", json!("deny"), "preflight");
}

#[test]
fn reporting_ends_within_30_days() {
    let report = |until: &str| with(outer(), "/report", json!({ "until": until }));
    assert_eq!(errors(&report("2027-02-14T08:00:00Z")), [""; 0]);
    refused(outer(), "/report", json!({ "until": "2027-02-14T08:00:01Z" }), "report.until");
    refused(outer(), "/report", json!({ "until": "tomorrow" }), "report.until");
    refused(outer(), "/report", json!({ "until": "2027-01-16T00:00:00Z", "days": 3 }), "report.days");
    refused(outer(), "/report", json!(true), "report");
    assert_eq!(
        warnings(&report("2027-01-15T08:00:01Z")),
        ["report.until: lies ahead: until then no request is denied, whatever it is"]
    );
    assert_eq!(
        warnings(&report("2027-01-15T08:00:00Z")),
        ["report.until: has passed, and denials are carried out: remove `report`"]
    );
}

#[test]
fn a_door_has_10000_routes_at_most_and_50000_pairs_of_host_and_path() {
    let many = |count: usize| {
        let route = |number| json!({ "paths": [format!("/r{number}")], "access": "authenticated" });
        (0..count).map(|number| (format!("r{number}"), route(number))).collect::<Map<_, _>>()
    };
    assert_eq!(errors(&routes(many(10_000).into())), [""; 0]);
    assert_eq!(
        errors(&routes(many(10_001).into())),
        ["routes: has 10001 entries, and at most 10000 are accepted"]
    );
    let wide = |number: usize| {
        let hosts: Vec<String> = (0..100).map(|host| format!("h{host}.test")).collect();
        let paths: Vec<String> = (0..100).map(|path| format!("/r{number}/{path}")).collect();
        (format!("r{number}"), json!({ "hosts": hosts, "paths": paths, "access": "authenticated" }))
    };
    assert_eq!(errors(&routes((0..5).map(wide).collect::<Map<_, _>>().into())), [""; 0]);
    let errors = errors(&routes((0..6).map(wide).collect::<Map<_, _>>().into()));
    assert!(errors.len() == 1 && errors[0].starts_with("routes: are for 60000 pairs"), "{errors:?}");
}

#[test]
fn a_table_that_would_be_too_large_is_not_made() {
    let paths: Vec<String> = (0..100).map(|path| format!("/{path}")).collect();
    let hosts: Vec<String> = (0..100).map(|host| format!("h{host}.test")).collect();
    let route =
        |number| (format!("r{number}"), json!({ "hosts": hosts, "paths": paths, "access": "public" }));
    let errors = errors(&routes((0..6).map(route).collect::<Map<_, _>>().into()));
    assert!(errors.len() == 1 && errors[0].starts_with("routes: are for 60000 pairs"), "{errors:?}");
}

#[test]
fn of_a_list_that_is_too_long_the_rest_is_not_read() {
    let hosts: Vec<String> = (0..100).map(|host| format!("h{host}.test")).chain(["a/b".into()]).collect();
    assert_eq!(
        errors(&route("hosts", json!(hosts))),
        ["routes.one.hosts: has 101 entries, and at most 100 are accepted"]
    );
    let grants: Map<_, _> = (0..1_001).map(|name| (format!("n{name:04}"), json!(["a"]))).collect();
    let mut grants = Value::from(grants);
    grants["n1000"] = json!(["b c"]);
    refused(outer(), "/grants", grants, "grants");
}

#[test]
fn whoever_checks_is_told_of_each_error_once() {
    let route = |number| (format!("r{number:03}"), json!({ "paths": ["/a"], "access": "public" }));
    let document = routes((0..151).map(route).collect::<Map<_, _>>().into());
    let errors = check(&document, &Secrets::Unchecked).unwrap_err();
    assert_eq!(errors.iter().count(), 101);
    assert_eq!(errors.iter().last().unwrap().message(), "has 50 more errors, which are not shown");
}

#[test]
fn a_challenge_names_scopes_where_they_are_not_too_long_for_a_header() {
    let challenge = |scopes: &[String]| {
        let document = route("access", json!({ "scopes": scopes }));
        let policy = compile(&document, &Secrets::From(&environment)).unwrap().value;
        let access = &policy.routes().routes[0].access;
        let Access::Requires(requirements) = access else { panic!("{access:?}") };
        requirements.challenge.as_deref().map(str::to_owned)
    };
    let scopes = |last: usize| [vec!["s".repeat(127); 15], vec!["s".into(), "s".repeat(last)]].concat();
    let longest = scopes(126);
    let names = longest.join(" ");
    assert_eq!(names.len(), 2048);
    let named = format!("Bearer realm=\"vestibule\", error=\"insufficient_scope\", scope=\"{names}\"");
    assert_eq!(challenge(&longest), Some(named));
    assert_eq!(challenge(&scopes(127)), None);
}

#[test]
fn what_finding_a_route_may_cost_is_bounded() {
    let mixed = |places: usize| {
        let path = |number: usize| {
            let place =
                |place| if number >> place & 1 == 0 { "a".to_owned() } else { format!("{{x{place}}}") };
            (0..places).map(|at| format!("/{}", place(at))).collect::<String>()
        };
        let route = |number| json!({ "paths": [path(number)], "access": "authenticated" });
        let named = (0..1 << places).map(|number: usize| (format!("r{number}"), route(number)));
        routes(named.collect::<Map<_, _>>().into())
    };
    assert_eq!(errors(&mixed(8)), [""; 0]);
    let errors_of_nine = errors(&mixed(9));
    assert!(
        errors_of_nine.len() == 1 && errors_of_nine[0].contains("may take 1023 steps"),
        "{errors_of_nine:?}"
    );
    let methods = |count: usize| {
        let route =
            |number| json!({ "paths": ["/a"], "methods": [format!("M{number}")], "access": "public" });
        routes((0..count).map(|number| (format!("r{number}"), route(number))).collect::<Map<_, _>>().into())
    };
    assert_eq!(errors(&methods(100)), [""; 0]);
    assert_eq!(
        errors(&methods(101)),
        [
            "routes: name 101 different methods, and at most 100 are accepted: leave `methods` out where all are meant"
        ]
    );
}
