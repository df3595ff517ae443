//! `make bench-context`: what a context costs a real Envoy where it is minted and where it is required, by kind
//! of key; and what a signature costs by the host and in the module. It judges nothing.
//!
//! One worker, whose time on the CPU is counted; the listeners take turns, so that whatever else the machine does
//! burdens them alike. At the outer door each request has a token that was seen before, at the inner one a context
//! that was not.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement that cannot go on ends with the reason"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use support::bootstrap::Bootstrap;
use support::envoy::Envoy;
use support::http::{Call, Connection, call, get};
use support::thread::{median, quartiles, worker_of};
use support::upstream::Upstream;
use support::{keys, token};
use vestibule::jose::key::VerifyingKey;
use vestibule::jose::signature::Engine as _;
use vestibule::jose::signing::SigningKey;
use vestibule::jose::software::Software;

const ROUNDS: usize = 11;
const REQUESTS: usize = 300;
/// Signatures that one request asks the probe to make or to verify.
const TIMES: usize = 50;
/// Nothing is logged that takes part of the time.
const QUIET: [&str; 2] = ["--log-level", "warning"];
const KEYS: [(&str, &str, &str); 3] =
    [("es256", "ec-256", "KEY_ES256"), ("rs256", "rsa-1", "KEY_RS256"), ("eddsa", "ed-1", "KEY_EDDSA")];

fn main() -> ExitCode {
    let needed = ["ENVOY", "VESTIBULE_WASM", "VESTIBULE_PROBE"];
    if let Some(name) = needed.into_iter().find(|name| std::env::var_os(name).is_none()) {
        eprintln!("{name} is not set: run `make bench-context`");
        return ExitCode::FAILURE;
    }
    minting();
    requiring();
    engines();
    ExitCode::SUCCESS
}

fn minting() {
    let upstream = Upstream::start();
    let environment = KEYS.map(|(_, key, variable)| (variable, keys::named(key).private_pem()));
    let variables = KEYS.map(|(_, _, variable)| variable.to_owned());
    let mut bootstrap = Bootstrap::of("outer.yaml")
        .environment("outer", variables.iter())
        .cluster("upstream", upstream.port())
        .copy_listener("outer", "plain", &outer(None), "upstream")
        .copy_listener("outer", "door", &outer(None), "upstream");
    for (name, _, variable) in KEYS {
        bootstrap = bootstrap.copy_listener("outer", name, &outer(Some(variable)), "upstream");
    }
    let names = ["plain", "door", "es256", "rs256", "eddsa"];
    let bootstrap = quiet(bootstrap.remove_listener("outer"), &names, false);
    let envoy = Envoy::start_with(&bootstrap, &environment, &QUIET);
    let payload = json!({
        "iss": "https://issuer.example.com", "aud": "https://api.example.com", "sub": "alice", "tenant_id": "acme",
        "permissions": ["orders:read", "orders:write"], "iat": { "$now": 0 }, "exp": { "$now": 3_000 },
    });
    let call = get("/orders/7").bearer(&token::mint(&json!({ "key": "ec-256b", "payload": payload }), now()));
    println!("At an outer door, a token seen before; what minting adds to it");
    in_turn(&envoy, &names, |_, _| call.clone());
}

fn requiring() {
    let mut bootstrap = Bootstrap::of("inner.yaml")
        .environment("inner", [].iter())
        .copy_listener("inner", "plain", &inner("ec-256"), "service")
        .copy_listener(
            "inner",
            "door",
            &json!({ "door": "inner", "default": "public", "context": inner("ec-256")["context"] }),
            "service",
        );
    for (name, key, _) in KEYS {
        bootstrap = bootstrap.copy_listener("inner", name, &inner(key), "service");
    }
    let names = ["plain", "door", "es256", "rs256", "eddsa"];
    let bootstrap = quiet(bootstrap.remove_listener("inner"), &names, true);
    let envoy = Envoy::start_with(&bootstrap, &[], &QUIET);
    let mut serial = 0;
    println!("\nAt an inner door, each context another; what requiring adds to a public route");
    in_turn(&envoy, &names, |name, _| {
        serial += 1;
        let (_, key, _) = KEYS.into_iter().find(|(known, ..)| *known == name).unwrap_or(KEYS[0]);
        let header = json!({ "alg": keys::named(key).algorithm(), "typ": "txntoken+jwt" });
        let payload = json!({
            "iss": "https://gateway.example.com", "aud": "mesh.example.com", "sub": "alice", "txn": format!("{serial}"),
            "iat": { "$now": 0 }, "exp": { "$now": 300 }, "req_wl": "spiffe://mesh.example.com/ns/edge/sa/gateway",
            "tctx": { "tenant": "acme", "permissions": ["orders:read", "orders:write"], "issuer": "main" },
            "rctx": { "method": "GET", "path": "/orders/7", "req_ip": "127.0.0.1" },
        });
        let context = token::mint(&json!({ "key": key, "header": header, "payload": payload }), now());
        get("/orders/7").header("txn-token", context)
    });
}

/// What each listener costs, in turn, and what it adds to the second one.
fn in_turn(envoy: &Envoy, names: &[&str], mut call: impl FnMut(&str, usize) -> Call) {
    let worker = worker_of(envoy);
    let mut connections: Vec<Connection> =
        names.iter().map(|name| Connection::open(envoy.port(name))).collect();
    let mut times = vec![Vec::new(); names.len()];
    // The first round warms up what can be warmed.
    for round in 0..=ROUNDS {
        for turn in 0..names.len() {
            let which = (round + turn) % names.len();
            let calls: Vec<Call> = (0..REQUESTS).map(|number| call(names[which], number)).collect();
            let before = worker.nanoseconds();
            for call in &calls {
                let response = connections[which].send(call);
                assert_eq!(response.status, 200, "{}: {}", names[which], response.text());
            }
            if round > 0 {
                times[which].push(micros(worker.nanoseconds() - before, REQUESTS));
            }
        }
    }
    let (plain, door) = (times[0].clone(), times[1].clone());
    for (name, times) in names.iter().zip(&times) {
        let over = |base: &[f64]| median(times.iter().zip(base).map(|(time, base)| time - base).collect());
        println!(
            "  {name:<6} {}   over no filter {:>7.1}   over the door {:>7.1}",
            spread(times),
            over(&plain),
            over(&door)
        );
    }
}

/// By the probe, which asks each engine itself, so that the module can be asked where the host would serve.
/// What the probe is asked, so many times: to sign, or to verify what was signed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Task {
    Sign,
    Verify,
}

fn engines() {
    let envoy = Envoy::start_with(&Bootstrap::of_probe(), &[], &QUIET);
    let worker = worker_of(&envoy);
    let mut connection = Connection::open(envoy.port("outer"));
    println!("\nA signature over 700 bytes, by {ROUNDS} rounds of {TIMES}; reading the key is left out");
    let text = URL_SAFE_NO_PAD.encode([b'x'; 700]);
    let mut ask = |body: Value| {
        let body = body.to_string();
        let call = call("POST", "/").header("content-length", body.len().to_string()).body(body);
        let before = worker.nanoseconds();
        let response = connection.send(&call);
        assert_eq!(response.status, 200, "{}", response.text());
        (worker.nanoseconds() - before, response.json()[0].clone())
    };
    for (name, key, _) in KEYS {
        let key = keys::named(key);
        let signing = |engine: &str, times: usize| {
            let signing = json!({ "pem": key.private_pem(), "text": text, "times": times });
            json!({ "engine": engine, "signings": [signing] })
        };
        // The module in Envoy makes none by RSA.
        let private = SigningKey::from_pem(key.private_pem()).expect("a private key");
        let signature = Software.sign(&private, &[b'x'; 700]).expect("a signature");
        let signature = URL_SAFE_NO_PAD.encode(signature);
        let spki = VerifyingKey::from_pem(&key.public_pem()).expect("a public key").spki().to_vec();
        let verifying = |engine: &str, times: usize| {
            let question = json!({
                "algorithm": key.algorithm(), "key": URL_SAFE_NO_PAD.encode(&spki), "text": text,
                "signature": signature, "times": times,
            });
            json!({ "engine": engine, "questions": [question] })
        };
        for (task, what) in [(Task::Sign, "signs"), (Task::Verify, "verifies")] {
            for engine in ["host", "module"] {
                let mut samples = Vec::new();
                for round in 0..=ROUNDS {
                    let [(few, _), (many, outcome)] = [1, TIMES + 1].map(|times| match task {
                        Task::Sign => ask(signing(engine, times)),
                        Task::Verify => ask(verifying(engine, times)),
                    });
                    let can = match task {
                        Task::Sign => !outcome.is_null(),
                        Task::Verify => outcome == "valid",
                    };
                    if round > 0 && can {
                        samples.push(micros(many.saturating_sub(few), TIMES));
                    }
                }
                let cost = if samples.is_empty() { "      cannot".to_owned() } else { spread(&samples) };
                println!("  {name:<6} {engine:<7} {what:<8} {cost}");
            }
        }
    }
}

/// Without access logs; a listener called `plain` without the filter.
fn quiet(mut bootstrap: Bootstrap, names: &[&str], answers: bool) -> Bootstrap {
    for name in names {
        let manager = bootstrap.connection_manager(name);
        manager["access_log"] = json!([]);
        if answers {
            manager["route_config"]["virtual_hosts"][0]["routes"] =
                json!([{ "match": { "prefix": "/" }, "direct_response": { "status": 200 } }]);
        }
        if *name == "plain" {
            let filters = manager["http_filters"].as_array_mut().expect("a listener has filters");
            filters.retain(|filter| filter["name"] == "envoy.filters.http.router");
        }
    }
    bootstrap
}

fn outer(variable: Option<&str>) -> Value {
    let mut configuration = json!({
        "door": "outer",
        "issuers": { "main": {
            "issuer": "https://issuer.example.com", "audiences": ["https://api.example.com"],
            "keys": [{ "jwks": keys::jwks(&["ec-256b"]) }],
        } },
    });
    if let Some(variable) = variable {
        configuration["context"]["mint"] = json!({
            "issuer": "https://gateway.example.com", "audience": "mesh.example.com", "key": { "env": variable },
            "workload": "spiffe://mesh.example.com/ns/edge/sa/gateway", "to": ["upstream"],
        });
    }
    configuration
}

fn inner(key: &str) -> Value {
    json!({ "door": "inner", "context": { "require": {
        "issuer": "https://gateway.example.com", "audience": "mesh.example.com",
        "keys": [{ "pem": keys::named(key).public_pem() }],
    } } })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_secs()
}

#[expect(clippy::cast_precision_loss, reason = "microseconds")]
fn micros(nanoseconds: u64, count: usize) -> f64 {
    nanoseconds as f64 / 1e3 / count as f64
}

/// The median, and the quarters that the middle half lies between.
fn spread(values: &[f64]) -> String {
    let [half, quarter, three_quarters] = quartiles(values);
    format!("{half:>8.1} us ({quarter:.1} to {three_quarters:.1})")
}
