//! What is no good answer brings no keys, and without keys there is 503; the first good answer heals, soon.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::hostile_bytes::{assert_unharmed, vms_created};
use super::mesh::{AUDIENCE, ENVIRONMENT, good_payload, signed};
use super::remote_door::{
    HEALED, RemoteDoor, assert_is_alice, assert_no_errors, assert_unavailable, bootstrap, by, configuration,
    send_all, until,
};
use crate::support::envoy::Envoy;
use crate::support::http::{Call, get};
use crate::support::jwks_server::{JwksServer, Reply, Version};
use crate::support::keys;
use crate::support::live::LiveFiles;
use crate::support::upstream::Upstream;

/// Every answer that brings no keys. Where it can, it holds a good set, so that only the rule at hand refuses
/// it.
fn bad_answers(elsewhere: &JwksServer) -> Vec<(&'static str, Reply)> {
    let set = keys::jwks(&["ec-256"]);
    let text = set.to_string();
    let json = "content-type: application/json\r\n";
    let redirect = format!("location: http://127.0.0.1:{}/keys\r\n", elsewhere.port());
    let padded = format!("{}{}", " ".repeat(10 << 20), text);
    let just_too_long = format!("{}{}", " ".repeat((1 << 20) + 1 - text.len()), text);
    let secret = json!({ "keys": [{ "kty": "oct", "kid": "ec-256", "k": "MDEyMzQ1Njc4OWFiY2RlZg" }] });
    let twice = text.replacen('{', &format!("{{\"keys\":{},", set["keys"]), 1);
    let whole = Reply::response("200 OK", json, &text);
    vec![
        ("reset-before-headers", Reply::bytes(b"").and_reset()),
        ("closed-before-headers", Reply::bytes(b"")),
        ("closed-in-mid-body", whole.clone().cut()),
        ("reset-in-mid-body", whole.cut().and_reset()),
        ("no-http", Reply::bytes(text.as_bytes())),
        (
            "html",
            Reply::response("200 OK", "content-type: text/html\r\n", "<html><body>Sign in</body></html>"),
        ),
        ("empty", Reply::response("200 OK", json, "")),
        ("object", Reply::set(&json!({}))),
        ("array", Reply::set(&json!([]))),
        ("bare-keys", Reply::set(&set["keys"])),
        ("null-keys", Reply::set(&json!({ "keys": null }))),
        ("empty-set", Reply::set(&json!({ "keys": [] }))),
        ("secret", Reply::set(&secret)),
        ("twice", Reply::response("200 OK", json, twice)),
        ("truncated", Reply::response("200 OK", json, text.trim_end_matches('}'))),
        ("one-byte-too-long", Reply::response("200 OK", json, just_too_long)),
        ("ten-mebibytes", Reply::response("200 OK", json, padded)),
        ("redirect-302", Reply::response("302 Found", &format!("{json}{redirect}"), &text)),
        ("redirect-307", Reply::response("307 Temporary Redirect", &format!("{json}{redirect}"), &text)),
        ("status-500", Reply::response("500 Internal Server Error", json, &text)),
        ("status-404", Reply::response("404 Not Found", json, &text)),
        ("status-203", Reply::response("203 Non-Authoritative Information", json, &text)),
        ("status-204", Reply::bytes(b"HTTP/1.1 204 No Content\r\n\r\n")),
        ("status-304", Reply::bytes(b"HTTP/1.1 304 Not Modified\r\n\r\n")),
    ]
}

/// An issuer of its own for each bad answer.
fn one_issuer_each(servers: &[(&str, JwksServer)]) -> Value {
    let mut configuration = configuration(0);
    let issuer = |name: &str, port: u16| {
        let url = format!("http://127.0.0.1:{port}/keys");
        json!({
            "issuer": format!("https://{name}.example.com"), "audiences": [AUDIENCE],
            "keys": [{ "remote": { "url": url, "cluster": name, "refresh": "1s" } }],
            "tenants": "*", "subjectPrefix": format!("{name}:"),
        })
    };
    configuration["issuers"] =
        servers.iter().map(|(name, server)| ((*name).to_owned(), issuer(name, server.port()))).collect();
    configuration
}

/// A request with a good token of this issuer.
fn of(issuer: &str) -> Call {
    let mut payload = good_payload();
    payload["iss"] = json!(format!("https://{issuer}.example.com"));
    get("/").bearer(&signed(&json!({ "key": "ec-256", "payload": payload })))
}

/// Waits until the request is permitted; how long that takes.
fn healed(request: &Call, port: u16) -> Duration {
    let start = Instant::now();
    until("the keys are there", || (request.send(port).status == 200).then_some(()));
    start.elapsed()
}

#[test]
fn no_bad_answer_brings_keys_and_the_first_good_one_does() {
    let elsewhere = JwksServer::start(Reply::keys(&["ec-256"]));
    let servers: Vec<(&str, JwksServer)> =
        bad_answers(&elsewhere).into_iter().map(|(name, reply)| (name, JwksServer::start(reply))).collect();
    let upstream = Upstream::start();
    let mut bootstrap = bootstrap(&one_issuer_each(&servers), 1, upstream.port());
    for (name, server) in &servers {
        bootstrap = bootstrap.cluster(name, server.port());
    }
    let envoy = Envoy::start_with(&bootstrap, &ENVIRONMENT, &["--log-level", "info"]);
    let (port, created) = (envoy.port("outer"), vms_created(&envoy));
    // Twice in the worker's VM and twice in the main thread's.
    servers.iter().for_each(|(_, server)| server.wait_for_fetches(4));
    let requests: Vec<Call> = servers.iter().map(|(name, _)| of(name)).collect();
    let answers = send_all(requests.clone(), port).answers();
    for ((name, _), response) in servers.iter().zip(answers) {
        assert_eq!((response.status, response.code().as_deref()), (503, Some("keys_unavailable")), "{name}");
        assert_unavailable(&response);
    }
    assert_eq!(upstream.all(), []);
    assert_eq!(elsewhere.count(), 0, "a redirect was followed");
    for (_, server) in &servers {
        server.answer(Reply::keys(&["ec-256"]));
    }
    let mut times: Vec<_> = thread::scope(|scope| {
        let clients = servers.iter().zip(&requests);
        let clients = clients.map(|((name, _), request)| (scope.spawn(|| healed(request, port)), *name));
        let clients: Vec<_> = clients.collect();
        clients.into_iter().map(|(client, name)| (client.join().expect("it heals"), name)).collect()
    });
    times.sort();
    println!("healed in {times:?}");
    // A machine that stalls for a moment stalls a few of them.
    assert!(times[times.len() / 2].0 < HEALED, "healed in {times:?}");
    // From here on the same answers are worth as little, and take nothing away.
    let bad = bad_answers(&elsewhere).into_iter().map(|(_, reply)| reply);
    let bad: Vec<Version> = servers.iter().zip(bad).map(|((_, server), bad)| server.answer(bad)).collect();
    servers.iter().zip(bad).for_each(|((_, server), bad)| server.wait_for_answers(bad, 3));
    for ((name, _), response) in servers.iter().zip(send_all(requests, port).answers()) {
        assert_eq!(response.status, 200, "{name}: the last good keys serve on");
    }
    assert_eq!(elsewhere.count(), 0, "a redirect was followed");
    assert_unharmed(&envoy, created);
    assert_no_errors(&envoy);
}

#[test]
fn an_issuer_that_is_down_at_the_start_is_503_and_its_first_answer_heals() {
    let port = JwksServer::free_port();
    let upstream = Upstream::start();
    let envoy = Envoy::start(&bootstrap(&configuration(port), port, upstream.port()), &ENVIRONMENT);
    for _ in 0..2 {
        assert_unavailable(&by("ec-256").send(envoy.port("outer")));
    }
    let issuer = JwksServer::start_on(port, Reply::keys(&["ec-256"]));
    let door = RemoteDoor { envoy, issuer, upstream };
    let time = healed(&by("ec-256"), door.port());
    println!("healed in {time:?}");
    assert!(time < HEALED, "healed in {time:?}");
    assert_is_alice(&door.arrival(&by("ec-256").send(door.port())));
    assert_no_errors(&door.envoy);
}

#[test]
fn a_cluster_that_does_not_exist_yet_refuses_no_configuration_and_brings_keys_when_it_does() {
    let (issuer, upstream) = (JwksServer::start(Reply::keys(&["ec-256"])), Upstream::start());
    let complete = bootstrap(&configuration(issuer.port()), issuer.port(), upstream.port());
    let (start, files) = LiveFiles::of(&complete.clone().remove_cluster("issuer"));
    let envoy = Envoy::start(&start, &ENVIRONMENT);
    let created = vms_created(&envoy);
    for _ in 0..2 {
        assert_unavailable(&by("ec-256").send(envoy.port("outer")));
    }
    // A cluster that has nobody in it.
    files.update(&complete.clone().without_endpoints("issuer"));
    until("the cluster is there", || {
        envoy.stats("cluster.issuer.").contains_key("cluster.issuer.membership_total").then_some(())
    });
    for _ in 0..2 {
        assert_unavailable(&by("ec-256").send(envoy.port("outer")));
    }
    assert_eq!(issuer.count(), 0);
    files.update(&complete);
    let door = RemoteDoor { envoy, issuer, upstream };
    let time = healed(&by("ec-256"), door.port());
    println!("healed in {time:?}");
    assert!(time < HEALED, "healed in {time:?}");
    assert_is_alice(&door.arrival(&by("ec-256").send(door.port())));
    assert_unharmed(&door.envoy, created);
    assert_no_errors(&door.envoy);
}
