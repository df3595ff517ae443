//! Keycloak stops: the door goes on with the keys that it has, for as long as it was told, and then lets
//! nobody in. Keycloak starts: whoever waits for keys has them.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::door::{Door, request};
use super::server::keycloak;
use crate::support::http::Response;

/// How long the door believes keys that it cannot have confirmed.
const STALE: Duration = Duration::from_secs(15);

/// What a fetch and a loaded machine may take beyond what is configured.
const SLACK: Duration = Duration::from_secs(5);

fn short_times(issuer: &mut Value) {
    let remote = &mut issuer["keys"][0]["remote"];
    remote["refresh"] = json!("1s");
    remote["timeout"] = json!("2s");
    remote["maxStale"] = json!(format!("{}s", STALE.as_secs()));
}

fn is_permitted(response: &Response) -> bool {
    response.status == 200
}

#[track_caller]
fn assert_unavailable(response: &Response) {
    let answer = (response.status, response.code());
    assert_eq!(answer, (503, Some("keys_unavailable".to_owned())), "{}", response.text());
    assert_eq!(response.header("www-authenticate"), None, "nothing is wrong with the credential");
    assert!(response.header("retry-after").is_some());
}

#[test]
fn without_keycloak_remembered_keys_serve_for_a_while_and_then_nobody_gets_in_until_it_is_back() {
    let mut keycloak = keycloak();
    let door = Door::configured(&keycloak, short_times);
    let tokens = keycloak.by_client_credentials("billing-job", "");
    let stranger = keycloak.by_password_in("other", "shop-app", "alice", "");
    let with_token = request().bearer(tokens.access());
    door.permitted(&request(), tokens.access());

    let stopping = Instant::now();
    keycloak.stop();
    let stopped = Instant::now();
    println!("Keycloak ended within {:?}", stopped - stopping);
    // It knows the keys, and what they did not sign.
    door.permitted(&request(), tokens.access());
    door.denied(&request(), stranger.access(), 401, "issuer_unknown");
    let forged = format!("{}{}", tokens.access().rsplit_once('.').expect("parts").0, ".AAAA");
    door.denied(&request(), &forged, 401, "signature_invalid");

    let mut last_permit = stopped;
    let first_denial = loop {
        let response = with_token.send(door.port());
        let now = Instant::now();
        if !is_permitted(&response) {
            assert_unavailable(&response);
            break now;
        }
        last_permit = now;
        assert!(now < stopped + STALE + SLACK, "keys that are too old serve on");
        thread::sleep(Duration::from_millis(100));
    };
    println!("keys served until {:?} after Keycloak had ended", last_permit - stopped);
    // The last fetch was a refresh before Keycloak was told to end, or later.
    assert!(first_denial + SLACK >= stopping + STALE, "keys were forgotten too soon");

    // A door that never had any.
    let late = Door::configured(&keycloak, short_times);
    let reached = door.upstream.all().len();
    for _ in 0..20 {
        for door in [&door, &late] {
            assert_unavailable(&with_token.send(door.port()));
            assert!(!is_permitted(&request().bearer(&forged).send(door.port())));
            assert!(!is_permitted(&request().send(door.port())));
        }
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!((door.upstream.all().len(), late.upstream.all().len()), (reached, 0), "a door was open");

    keycloak.start();
    let started = Instant::now();
    // Its database, and so its keys, outlived it.
    for door in [&door, &late] {
        while !is_permitted(&with_token.send(door.port())) {
            assert!(started.elapsed() < SLACK, "the keys are there, and requests are refused");
            thread::sleep(Duration::from_millis(50));
        }
        door.permitted(&request(), keycloak.by_password("shop-app", "alice", "").access());
    }
    println!("both doors served {:?} after Keycloak", started.elapsed());
}
