//! The realms of `istio/kind` issue the tokens of `istio/requests.json`, which are what a door is told of
//! them.

use super::door::{Door, request};
use super::kind_tokens::{AUDIENCE, check, now, realm_and_client, seconds_until_the_end, spoilt};
use super::server::keycloak;
use crate::support::table::Table;

/// Of this Keycloak, which calls itself otherwise than the cluster's.
const ISSUER: &str = "https://login.shop.example.com/realms/kind";

#[test]
fn the_realms_of_the_kind_cluster_issue_the_tokens_of_the_table() {
    let keycloak = keycloak();
    let door = Door::configured(&keycloak, |issuer| {
        issuer["issuer"] = ISSUER.into();
        issuer["audiences"] = [AUDIENCE].into();
        issuer["keys"][0]["remote"]["url"] = format!("{ISSUER}/protocol/openid-connect/certs").into();
    });
    let table = Table::read();
    for (name, spec) in &table.tokens {
        let (realm, client) = realm_and_client(name, spec);
        let tokens = keycloak.by_password_in(realm, client, "alice", "");
        // The cluster waits until a token has ended; here that is how long it would take.
        let end = now() + i64::try_from(seconds_until_the_end(tokens.access(), now())).expect("it ends");
        let time = if name == "expired" { end } else { now() };
        assert!(end - now() < if name == "expired" { 65 } else { 400 }, "{name}");
        check(name, tokens.access(), spec, ISSUER, time);
        let token = spoilt(tokens.access(), spec);
        match name.as_str() {
            // Not expired yet.
            "good" | "writer" | "expired" => drop(door.permitted(&request(), &token)),
            "other-audience" => drop(door.denied(&request(), &token, 401, "audience_mismatch")),
            "other-issuer" => drop(door.denied(&request(), &token, 401, "issuer_unknown")),
            "no-tenant" => drop(door.denied(&request(), &token, 403, "tenant_missing")),
            "tampered-signature" => drop(door.denied(&request(), &token, 401, "signature_invalid")),
            "no-algorithm" => drop(door.denied(&request(), &token, 401, "algorithm_not_allowed")),
            _ => panic!("what becomes of {name}?"),
        }
    }
}
