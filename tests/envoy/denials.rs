//! What a refused client sees, and what the operator sees of it.

use serde_json::json;

use super::mesh::{Door, good_payload, inner_configuration, issuer, outer_configuration, signed};
use crate::support::http::{Call, get};

fn with_expired_token() -> Call {
    let mut payload = good_payload();
    payload["exp"] = json!({ "$now": -3600 });
    get("/").bearer(&signed(&json!({ "key": "rsa-1", "payload": payload })))
}

#[test]
fn a_denial_is_a_problem_document_that_nobody_may_store() {
    let door = Door::outer(&outer_configuration());
    for (request, status, code) in
        [(get("/"), 401, "credential_missing"), (with_expired_token(), 401, "token_expired")]
    {
        let response = door.denied(&request, code);
        assert_eq!(response.status, status);
        assert_eq!(response.header("content-type").as_deref(), Some("application/problem+json"));
        assert_eq!(response.header("cache-control").as_deref(), Some("no-store"));
        let problem = response.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["code"], code);
        for member in ["type", "title", "detail", "instance"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member} of {problem}");
        }
        let request_id = problem["instance"].as_str().expect("checked above");
        let logged = door.envoy.wait_for_log(&format!("vestibule_{code} {request_id}"));
        assert!(logged, "the access log does not know the request of {problem}");
    }
}

#[test]
fn a_401_challenges_the_client_and_names_an_error_only_where_a_credential_came() {
    let door = Door::outer(&outer_configuration());
    let challenge =
        |request, code| door.denied(&request, code).header("www-authenticate").unwrap_or_default();
    let without = challenge(get("/"), "credential_missing");
    assert!(without.starts_with("Bearer") && !without.contains("error="), "{without}");
    let with = challenge(with_expired_token(), "token_expired");
    assert!(with.starts_with("Bearer") && with.contains("error=\"invalid_token\""), "{with}");
}

#[test]
fn who_lacks_a_scope_is_told_all_that_are_needed_and_who_lacks_another_thing_is_not() {
    let mut configuration = outer_configuration();
    configuration["routes"] = json!({
        "scopes": { "paths": ["/scopes"], "access": { "scopes": ["orders:read", "orders:write"] } },
        "permissions": { "paths": ["/permissions"], "access": { "permissions": ["orders:read"] } },
        "roles": { "paths": ["/roles"], "access": { "roles": ["clerk"] } },
        "issuers": { "paths": ["/issuers"], "access": { "issuers": ["other"] } },
    });
    let mut other = issuer();
    for (name, value) in [("issuer", json!("https://other.example.com")), ("subjectPrefix", json!("other|"))]
    {
        other[name] = value;
    }
    configuration["issuers"]["other"] = other;
    configuration["issuers"]["main"]["subjectPrefix"] = json!("main|");
    for name in ["main", "other"] {
        configuration["issuers"][name]["tenants"] = json!("*");
    }
    let door = Door::outer(&configuration);
    let mut payload = good_payload();
    payload["scope"] = json!("orders:read");
    let token = signed(&json!({ "key": "rsa-1", "payload": payload }));
    let insufficient = "Bearer realm=\"vestibule\", error=\"insufficient_scope\"";
    let all_scopes = format!("{insufficient}, scope=\"orders:read orders:write\"");
    for (path, code, challenge) in [
        ("/scopes", "scope_missing", Some(all_scopes.as_str())),
        ("/permissions", "permission_missing", Some(insufficient)),
        ("/roles", "role_missing", Some(insufficient)),
        ("/issuers", "issuer_not_allowed", None),
    ] {
        let response = door.denied(&get(path).bearer(&token), code);
        assert_eq!(
            (response.status, response.header("www-authenticate").as_deref()),
            (403, challenge),
            "{code}"
        );
    }
}

#[test]
fn a_403_of_the_inner_door_challenges_nobody() {
    let door = Door::inner(&inner_configuration());
    let response = door.denied(&get("/"), "gateway_key_missing");
    assert_eq!((response.status, response.header("www-authenticate")), (403, None));
}

#[test]
fn the_access_log_names_the_code_as_the_response_code_details() {
    let door = Door::outer(&outer_configuration());
    door.denied(&get("/?secret=in-the-query"), "credential_missing");
    assert!(door.envoy.wait_for_log("outer GET / 401 vestibule_credential_missing"));
    door.denied(&with_expired_token(), "token_expired");
    assert!(door.envoy.wait_for_log("outer GET / 401 vestibule_token_expired"));
}

#[test]
fn a_grpc_client_gets_the_status_and_the_code_as_its_message() {
    let outer = Door::outer(&outer_configuration());
    let inner = Door::inner(&inner_configuration());
    let two_values = get("/").header("x-tenant-id", "acme").header("authorization", "Bearer a, Bearer b");
    let cases = [
        (&outer, get("/"), "16", "credential_missing"),
        (&outer, with_expired_token(), "16", "token_expired"),
        (&outer, two_values, "3", "header_malformed"),
        (&inner, get("/"), "7", "gateway_key_missing"),
    ];
    for (door, request, status, code) in cases {
        for content_type in ["application/grpc", "application/grpc+proto"] {
            let response = door.denied(&request.clone().header("content-type", content_type), code);
            assert_eq!(response.status, 200, "{code}");
            assert_eq!(response.header("grpc-status").as_deref(), Some(status), "{code}");
            assert_eq!(response.header("grpc-message").as_deref(), Some(code));
            assert_eq!(response.header("cache-control").as_deref(), Some("no-store"), "{code}");
        }
    }
}

#[test]
fn a_denial_says_nothing_that_the_client_sent() {
    let door = Door::outer(&outer_configuration());
    for request in [
        with_expired_token(),
        get("/echo-me").header("x-tenant-id", "echo-me").header("authorization", "Bearer echo-me"),
    ] {
        let (response, _) = door.send(&request);
        assert_eq!(response.status, 401);
        let sent = crate::support::secrets::first_in(&response.text());
        assert_eq!(sent, None);
        assert!(
            !response.text().contains("echo-me") && !format!("{:?}", response.headers()).contains("echo-me"),
            "{response:?}"
        );
    }
}
