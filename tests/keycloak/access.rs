//! Tokens of both flows pass, say who calls, and open what they may open and nothing else.

use serde_json::json;

use super::door::{Door, request};
use super::realm::TENANT;
use super::server::keycloak;
use crate::support::http::{call, get};

/// Who is known behind the door, by the headers that it sets.
#[track_caller]
fn assert_known(door: &Door, token: &str, known: [(&str, &str); 4]) {
    let forged = request().header("x-user-id", "mallory").header("x-user-roles", "owner");
    let arrival = door.permitted(&forged, token);
    for (header, value) in known {
        // Keycloak lists roles and scopes in any order.
        let mut values: Vec<String> =
            arrival.values(header).iter().flat_map(|values| values.split(',')).map(str::to_owned).collect();
        values.sort();
        let expected: Vec<&str> = value.split(',').filter(|value| !value.is_empty()).collect();
        assert_eq!(values, expected, "{header}");
        assert_eq!(arrival.values(header).len(), usize::from(!value.is_empty()), "{header}");
    }
    let [subject] = &arrival.values("x-user-id")[..] else { panic!("it has one subject: {arrival:?}") };
    // Keycloak's own id of the user, which is no name.
    assert_eq!((subject.len(), subject.matches('-').count()), (36, 4), "{subject}");
    assert!(!arrival.contains(token));
}

#[test]
fn a_service_gets_in_with_client_credentials_signed_by_the_rsa_key() {
    let keycloak = keycloak();
    let door = Door::start(&keycloak);
    let tokens = keycloak.by_client_credentials("billing-job", "catalog.read");
    assert_eq!(tokens.header()["alg"], "RS256");
    let known = [
        ("x-tenant-id", TENANT),
        ("x-user-permissions", "orders:read"),
        ("x-user-roles", "auditor"),
        ("x-user-scopes", "catalog.read"),
    ];
    assert_known(&door, tokens.access(), known);
}

#[test]
fn a_user_gets_in_with_a_password_and_a_token_signed_by_the_ec_key() {
    let keycloak = keycloak();
    let door = Door::start(&keycloak);
    let tokens = keycloak.by_password("shop-app", "alice", "openid catalog.read catalog.write");
    assert_eq!(tokens.header()["alg"], "ES256");
    let mut known = [
        ("x-tenant-id", TENANT),
        ("x-user-permissions", "orders:read,orders:write"),
        ("x-user-roles", "clerk"),
        ("x-user-scopes", "catalog.read,catalog.write,openid"),
    ];
    assert_known(&door, tokens.access(), known);
    // Keycloak then says `"scope": ""`.
    known[3] = ("x-user-scopes", "");
    assert_known(&door, keycloak.by_password("shop-app", "alice", "").access(), known);
}

#[test]
fn roles_and_scopes_of_keycloak_open_the_documented_routes_and_no_others() {
    let keycloak = keycloak();
    let door = Door::start(&keycloak);
    let service = keycloak.by_client_credentials("billing-job", "");
    let user = keycloak.by_password("shop-app", "alice", "catalog.read");
    let change = call("POST", "/orders/7").header("content-length", "0");
    let (read, catalog, audit) = (get("/orders/7"), get("/catalog/shoes"), get("/audit/today"));
    for (token, request) in [
        (service.access(), &read),
        (service.access(), &audit),
        (user.access(), &read),
        (user.access(), &change),
        (user.access(), &catalog),
    ] {
        door.permitted(request, token);
    }
    door.denied(&change, service.access(), 403, "permission_missing");
    door.denied(&catalog, service.access(), 403, "scope_missing");
    door.denied(&audit, user.access(), 403, "role_missing");
}

#[test]
fn whoever_has_no_role_gets_in_and_may_do_nothing_that_takes_one() {
    let keycloak = keycloak();
    let door = Door::start(&keycloak);
    let tokens = keycloak.by_client_credentials("idle-job", "catalog.read");
    let known = [
        ("x-tenant-id", TENANT),
        ("x-user-permissions", ""),
        ("x-user-roles", ""),
        ("x-user-scopes", "catalog.read"),
    ];
    assert_known(&door, tokens.access(), known);
    door.denied(&get("/orders/7"), tokens.access(), 403, "permission_missing");
    door.denied(&get("/audit/today"), tokens.access(), 403, "role_missing");
}

/// What the page says that is done without the header of RFC 9068.
#[test]
fn where_access_tokens_have_no_type_of_their_own_the_claim_tells_them_from_id_tokens() {
    let keycloak = keycloak();
    let door = Door::configured(&keycloak, |issuer| {
        issuer["types"] = json!(["JWT"]);
        issuer["claims"] = json!({ "typ": ["Bearer"] });
    });
    let untyped = keycloak.by_password("untyped", "alice", "openid");
    assert_eq!(untyped.header()["typ"], "JWT");
    door.permitted(&request(), untyped.access());
    let generous = keycloak.by_password("generous", "alice", "openid");
    door.denied(&request(), generous.id(), 401, "claim_not_allowed");
}

#[test]
fn users_cannot_choose_their_tenant() {
    let keycloak = keycloak();
    let door = Door::start(&keycloak);
    let account = keycloak.by_password("account-page", "alice", "");
    // As the account console does it for her.
    let change = |tenant: &str, email: &str| {
        let body = json!({ "username": "alice", "email": email, "attributes": { "tenant_id": [tenant] } });
        let body = body.to_string();
        let request = call("POST", "/realms/shop/account/")
            .bearer(account.access())
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .header("content-length", body.len().to_string())
            .body(body);
        request.send(keycloak.port())
    };
    let other = change("umbrella", "alice@example.com");
    assert_eq!(other.status, 400, "Keycloak lets users choose their tenant: {}", other.text());
    assert!(other.text().contains("tenant_id"), "{}", other.text());
    // What else is theirs they can change.
    let own = change(TENANT, "alice@shop.example.com");
    assert_eq!(own.status, 204, "{}", own.text());
    let token = keycloak.by_password("shop-app", "alice", "");
    assert_eq!(door.permitted(&request(), token.access()).values("x-tenant-id"), [TENANT]);
}
