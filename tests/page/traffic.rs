//! The fixture: what is sent to the doors, second by second, and how much of it.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::doors::{Doors, PARTNER, SECOND_KEY};
use crate::mesh::{GATEWAY_KEY, good_payload, good_token, now, signed};
use crate::support::http::{Call, call, get};
use crate::support::jwks_server::Reply;

/// How long it is sent: so that keys that are fetched every five seconds are three times as old.
const DURATION: Duration = Duration::from_secs(70);

/// From one round to the next.
const ROUND: Duration = Duration::from_millis(500);

/// How many requests each pod was sent.
pub type Sent = BTreeMap<&'static str, u64>;

/// Sends all of it. Meanwhile the issuer gets another key, and then is out of order for a while.
pub fn send(doors: &Doors) -> Sent {
    let begin = Instant::now();
    let mut sent = Sent::new();
    let usual = good_token();
    let mut issuer = vec![
        (DURATION * 3 / 10, Reply::keys(&["rsa-1", "ec-256"])),
        (DURATION * 5 / 10, Reply::response("500 Internal Server Error", "", "out of order")),
        (DURATION * 8 / 10, Reply::keys(&["rsa-1", "ec-256"])),
    ];
    let mut round: u64 = 0;
    while begin.elapsed() < DURATION {
        let now = Instant::now();
        if issuer.first().is_some_and(|(at, _)| begin.elapsed() >= *at) {
            doors.issuer.answer(issuer.remove(0).1);
        }
        for (pod, calls) in requests(round, &usual) {
            *sent.entry(pod).or_default() += calls.len() as u64;
            at_once(doors.port(pod, listener(pod)), calls);
        }
        // The probe crashes a third of the way; what stands beside it refuses all along.
        let crash = begin.elapsed() > DURATION / 3 && begin.elapsed() < DURATION / 2;
        let probe = if crash { get("/").header("x-probe-trap", "yes") } else { get("/") };
        at_once(doors.port("broken-1", "outer"), vec![probe]);
        at_once(doors.port("broken-1", "refused"), vec![get("/")]);
        round += 1;
        thread::sleep(ROUND.saturating_sub(now.elapsed()));
    }
    sent
}

fn listener(pod: &str) -> &'static str {
    if pod == "orders-1" { "inner" } else { "outer" }
}

/// What each pod is sent in this round.
fn requests(round: u64, usual: &str) -> Vec<(&'static str, Vec<Call>)> {
    let with = |path: &str, more: &serde_json::Value| {
        let mut payload = good_payload();
        payload.as_object_mut().expect("an object").extend(more.as_object().expect("members").clone());
        get(path).bearer(&signed(&json!({ "key": "rsa-1", "payload": payload })))
    };
    let usual = |path: &str| get(path).bearer(usual);
    let partners = || with("/blog/1", &json!({ "iss": PARTNER, "tenant_id": "partner" }));
    let by_key = |key: &str| get("/").header("x-gateway-key", key).header("x-tenant-id", "acme");
    let mut gateway = vec![
        usual("/blog/1"),
        usual("/blog/2"),
        with("/blog/3", &json!({ "jti": round.to_string() })),
        usual("/orders/1"),
    ];
    match round % 4 {
        0 => gateway.extend([get("/blog/1"), with("/blog/1", &json!({ "exp": now() - 3600 }))]),
        1 => gateway.push(get("/blog/a;b")),
        2 => gateway.push(with("/blog/1", &json!({ "aud": "https://elsewhere.example.com" }))),
        _ => gateway.push(call("TRACE", "/")),
    }
    let old = if round.is_multiple_of(3) { vec![by_key(GATEWAY_KEY)] } else { Vec::new() };
    let mut requests = vec![
        ("gateway-1", gateway.clone()),
        ("gateway-2", gateway),
        ("staging-1", vec![usual("/blog/1"), get("/blog/1"), usual("/orders/1")]),
        ("orders-1", [vec![by_key(SECOND_KEY), by_key(SECOND_KEY), get("/")], old].concat()),
        ("astray-1", vec![usual("/")]),
    ];
    if round.is_multiple_of(5) {
        requests.push(("billing-1", vec![partners(), get("/")]));
        requests.push(("gateway-2", vec![partners(), partners(), partners()]));
    }
    requests
}

/// Sends these, each by a client of its own, and waits for the answers.
fn at_once(port: u16, calls: Vec<Call>) {
    let clients: Vec<_> = calls.into_iter().map(|call| thread::spawn(move || call.send(port))).collect();
    for client in clients {
        client.join().expect("every request is answered");
    }
}
