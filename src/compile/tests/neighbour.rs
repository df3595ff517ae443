//! What is legal and probably not meant: it is a warning, which names the place and an example.

use serde_json::{Value, json};

use super::{Secrets, check, environment, inner, outer, with};

fn warnings(document: &Value) -> Vec<String> {
    let checked = check(document, &Secrets::From(&environment)).unwrap();
    checked.warnings.iter().map(ToString::to_string).collect()
}

fn of_routes(routes: Value) -> Vec<String> {
    warnings(&with(outer(), "/routes", routes))
}

/// The document has one warning, which begins so.
fn warned(document: &Value, beginning: &str) {
    let warnings = warnings(document);
    assert!(warnings.len() == 1 && warnings[0].starts_with(beginning), "{warnings:?}");
}

fn warned_of_routes(routes: Value, beginning: &str) {
    warned(&with(outer(), "/routes", routes), beginning);
}

#[test]
fn a_method_that_a_narrower_route_leaves_to_an_open_one_is_told() {
    let guard = json!({ "paths": ["/orders/{id}"], "methods": ["GET", "PUT"], "access": "authenticated" });
    let lets = "lets `POST any.example/orders/x` through, where the route `guard` guards GET, PUT only: ";
    for access in ["public", "optional"] {
        for path in ["/{*rest}", "/orders/{*rest}", "/orders/{any}"] {
            let open = json!({ "paths": [path], "access": access });
            let routes = json!({ "guard": guard, "open": open });
            warned_of_routes(routes, &format!("routes.open: {lets}"));
        }
    }
    let default = with(outer(), "/default", json!("public"));
    let closed_below = json!({ "paths": ["/orders/{id}/{x}/{*rest}"], "access": "deny" });
    let document = with(default, "/routes", json!({ "guard": guard, "closed": closed_below }));
    warned(&document, &format!("default: {lets}"));
    for open in [
        json!({ "paths": ["/{*rest}"], "access": "authenticated" }),
        json!({ "paths": ["/orders/{any}"], "methods": ["POST"], "access": "public" }),
        json!({ "paths": ["/others/{*rest}"], "access": "public" }),
    ] {
        assert_eq!(of_routes(json!({ "guard": guard, "open": open })), [""; 0], "{open}");
    }
}

#[test]
fn a_path_below_a_guarded_one_that_is_open_is_told() {
    let open = json!({ "paths": ["/{*rest}"], "access": "public" });
    let guard = |paths: Value| json!({ "paths": paths, "access": "deny" });
    let routes = json!({ "guard": guard(json!(["/admin"])), "open": open });
    let below = "lets `GET any.example/admin/x` through, below a path that the route `guard` guards: ";
    warned_of_routes(routes, &format!("routes.open: {below}"));
    for paths in [json!(["/admin/{*rest}"]), json!(["/admin", "/admin/{x}/{*rest}"]), json!(["/"])] {
        assert_eq!(of_routes(json!({ "guard": guard(paths.clone()), "open": open })), [""; 0], "{paths}");
    }
    let public = with(outer(), "/default", json!("public"));
    assert_eq!(warnings(&with(public, "/routes", json!({ "guard": guard(json!(["/"])) }))), [""; 0]);
    let meant = json!({ "paths": ["/admin/{*rest}"], "access": "public" });
    assert_eq!(of_routes(json!({ "guard": guard(json!(["/admin"])), "open": meant })), [""; 0]);
}

#[test]
fn a_host_for_which_a_guarded_path_is_open_is_told() {
    let guard = json!({ "hosts": ["a.test"], "paths": ["/admin/{*rest}"], "access": "deny" });
    let open = json!({ "paths": ["/{*rest}"], "access": "public" });
    let host = "routes.open: lets `GET any.example/admin/x` through, which the route `guard` guards for its own \
                hosts only: ";
    warned_of_routes(json!({ "guard": guard, "open": open }), host);
    let own = json!({ "hosts": ["a.test"], "paths": ["/{*rest}"], "access": "public" });
    assert_eq!(of_routes(json!({ "guard": guard, "open": own })), [""; 0]);
}

#[test]
fn every_method_of_a_guarded_route_is_tried_beside_an_open_one_that_names_its_own() {
    let open = json!({ "paths": ["/{*rest}"], "methods": ["PUT"], "access": "public" });
    for methods in [None, Some(json!(["POST", "PUT"]))] {
        let guard = |hosts: Option<Value>, path: &str| {
            let mut guard = json!({ "paths": [path], "access": "deny" });
            let fields = guard.as_object_mut().unwrap();
            fields.extend(methods.iter().map(|methods| ("methods".to_owned(), methods.clone())));
            fields.extend(hosts.map(|hosts| ("hosts".to_owned(), hosts)));
            guard
        };
        let below = json!({ "guard": guard(None, "/admin"), "open": open });
        warned_of_routes(below, "routes.open: lets `PUT any.example/admin/x` through, below a path");
        let host = json!({ "guard": guard(Some(json!(["a.test"])), "/admin/{*rest}"), "open": open });
        let beside =
            "routes.open: lets `PUT any.example/admin/x` through, which the route `guard` guards for its own";
        warned_of_routes(host, beside);
    }
}

#[test]
fn whoever_names_methods_below_the_root_means_them_for_all_that_is_there() {
    let guard = json!({ "paths": ["/posts/{id}/comments"], "methods": ["POST"], "access": "authenticated" });
    let open = |path: &str| json!({ "paths": [path], "methods": ["GET"], "access": "public" });
    assert_eq!(of_routes(json!({ "guard": guard, "open": open("/posts/{*rest}") })), [""; 0]);
    let root = json!({ "guard": guard, "open": open("/{*rest}") });
    warned_of_routes(root, "routes.open: lets `GET any.example/posts/x/comments` through, where");
}

#[test]
fn an_open_route_is_warned_of_once_with_the_count_of_its_neighbours() {
    let open = json!({ "paths": ["/{*rest}"], "access": "public" });
    let guard = |path: &str| json!({ "paths": [path], "access": "authenticated" });
    let routes = json!({ "a": guard("/a"), "b": guard("/b"), "c": guard("/c"), "open": open });
    let warnings = of_routes(routes);
    assert!(
        warnings.len() == 1 && warnings[0].ends_with(" (and 2 more routes have such neighbours)"),
        "{warnings:?}"
    );
}

#[test]
fn a_permission_that_nothing_gives_is_told() {
    let requires =
        |permission: &str| json!({ "one": { "paths": ["/a"], "access": { "permissions": [permission] } } });
    let granting = with(outer(), "/grants", json!({ "editor": ["blog:*"] }));
    assert_eq!(warnings(&with(granting.clone(), "/routes", requires("blog:write"))), [""; 0]);
    let typo = with(granting, "/routes", requires("blgo:write"));
    warned(&typo, "routes.one.access.permissions[0]: is given by nothing in `grants`");
    let identity = json!({ "permissions": ["perms"] });
    assert_eq!(warnings(&with(typo, "/issuers/main/identity", identity)), [""; 0]);
    assert_eq!(warnings(&with(outer(), "/routes", requires("anything"))), [""; 0]);
}

#[test]
fn any_of_several_permissions_is_enough() {
    let granting = with(outer(), "/grants", json!({ "editor": ["blog:*"] }));
    let any = |any: Value| json!({ "one": { "paths": ["/a"], "access": { "anyPermission": any } } });
    assert_eq!(warnings(&with(granting.clone(), "/routes", any(json!(["typo", "blog:read"])))), [""; 0]);
    warned(&with(granting, "/routes", any(json!(["typo"]))), "routes.one.access.anyPermission[0]: ");
}

#[test]
fn what_an_entrance_cannot_say_is_had_by_nobody() {
    let access = |access: Value| json!({ "one": { "paths": ["/a"], "access": access } });
    let inner_with = |required: Value| with(inner(), "/routes", access(required));
    warned(&inner_with(json!({ "scopes": ["s"] })), "routes.one.access.scopes[0]: is had by nobody");
    warned(&inner_with(json!({ "roles": ["r"] })), "routes.one.access.roles[0]: is had by nobody");
    assert_eq!(warnings(&inner_with(json!({ "permissions": ["p"] }))), [""; 0]);
    let trust = json!({ "subject": "x-user-id", "tenant": "x-tenant-id" });
    let mute = with(inner_with(json!({ "permissions": ["p"] })), "/entrances/gateway/trust", trust);
    warned(&mute, "routes.one.access.permissions[0]: is had by nobody");
    let exempt = json!({ "one": { "paths": ["/a"], "access": "authenticated", "entrance": "exempt" } });
    warned(&with(inner(), "/routes", exempt), "routes.one.access: is met by nobody");
    let untrusted =
        with(with(inner(), "/entrances/gateway/trust", json!("none")), "/default", json!("authenticated"));
    warned(&untrusted, "default: is met by nobody");
}
