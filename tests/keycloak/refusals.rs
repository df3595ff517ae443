//! What Keycloak signs, and is no credential here.

use std::thread;
use std::time::Duration;

use super::door::{Door, request};
use super::server::keycloak;

#[test]
fn an_id_token_is_refused_whoever_it_names_as_its_audience() {
    let keycloak = keycloak();
    let door = Door::start(&keycloak);
    for client in ["shop-app", "generous"] {
        let tokens = keycloak.by_password(client, "alice", "openid");
        door.permitted(&request(), tokens.access());
        door.denied(&request(), tokens.id(), 401, "type_not_allowed");
    }
}

#[test]
fn a_refresh_token_is_refused() {
    let keycloak = keycloak();
    let door = Door::start(&keycloak);
    let tokens = keycloak.by_password("shop-app", "alice", "openid");
    door.denied(&request(), tokens.refresh(), 401, "type_not_allowed");
    // By its type, and were that let pass, by its algorithm, whose key Keycloak keeps to itself.
    let lax = Door::configured(&keycloak, |issuer| issuer["types"] = serde_json::json!(["JWT", "at+jwt"]));
    lax.permitted(&request(), tokens.access());
    lax.denied(&request(), tokens.refresh(), 401, "algorithm_not_allowed");
}

#[test]
fn a_token_of_a_client_without_the_documented_type_is_refused() {
    let keycloak = keycloak();
    let door = Door::start(&keycloak);
    let tokens = keycloak.by_password("untyped", "alice", "");
    door.denied(&request(), tokens.access(), 401, "type_not_allowed");
}

#[test]
fn a_token_of_another_realm_of_the_same_keycloak_is_refused() {
    let keycloak = keycloak();
    let door = Door::start(&keycloak);
    let tokens = keycloak.by_password_in("other", "shop-app", "alice", "");
    door.denied(&request(), tokens.access(), 401, "issuer_unknown");
    // Were its `iss` believed, there would still be no key of it among the realm's.
    let lax = Door::configured(&keycloak, |issuer| issuer["issuer"] = serde_json::json!("*"));
    lax.permitted(&request(), keycloak.by_password("shop-app", "alice", "").access());
    lax.denied(&request(), tokens.access(), 401, "key_unknown");
}

#[test]
fn a_token_for_another_audience_or_for_none_is_refused() {
    let keycloak = keycloak();
    let door = Door::start(&keycloak);
    let elsewhere = keycloak.by_client_credentials("elsewhere", "");
    door.denied(&request(), elsewhere.access(), 401, "audience_mismatch");
    let for_nobody = keycloak.by_client_credentials("for-nobody", "");
    door.denied(&request(), for_nobody.access(), 401, "claim_missing");
}

#[test]
fn a_token_without_a_subject_is_refused() {
    let keycloak = keycloak();
    let door = Door::start(&keycloak);
    let tokens = keycloak.by_password("without-subject", "alice", "");
    door.denied(&request(), tokens.access(), 401, "claim_missing");
}

#[test]
fn a_token_without_a_tenant_or_with_one_that_is_no_name_is_refused() {
    let keycloak = keycloak();
    let door = Door::start(&keycloak);
    let bob = keycloak.by_password("shop-app", "bob", "");
    door.denied(&request(), bob.access(), 403, "tenant_missing");
    let carol = keycloak.by_password("shop-app", "carol", "");
    door.denied(&request(), carol.access(), 403, "tenant_malformed");
}

#[test]
fn a_token_that_has_expired_is_refused_though_it_passed_before() {
    let keycloak = keycloak();
    let door = Door::start(&keycloak);
    let tokens = keycloak.by_password("hasty", "alice", "");
    door.permitted(&request(), tokens.access());
    // It lives for a second, and the documented leeway is five.
    thread::sleep(Duration::from_secs(7));
    door.denied(&request(), tokens.access(), 401, "token_expired");
}

#[test]
fn a_token_that_was_changed_is_refused() {
    let keycloak = keycloak();
    let door = Door::start(&keycloak);
    let user = keycloak.by_password("shop-app", "bob", "");
    let richer = keycloak.by_password("shop-app", "alice", "");
    let (head, _) = user.access().rsplit_once('.').expect("a token has a signature");
    let (_, signature) = richer.access().rsplit_once('.').expect("a token has a signature");
    door.denied(&request(), &format!("{head}.{signature}"), 401, "signature_invalid");
}
