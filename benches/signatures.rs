//! `make bench-signatures`: what a signature costs by the host and in the module, to make and to verify, by
//! kind of key. It judges nothing.
//!
//! One worker of a real Envoy, whose time on the CPU is counted, and the probe (`tests/probe`), which asks
//! each engine itself, so that the module can be asked where the host would serve.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement that cannot go on ends with the reason"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use support::bootstrap::Bootstrap;
use support::envoy::Envoy;
use support::http::{Connection, call};
use support::keys;
use support::thread::{quartiles, worker_of};
use vestibule::jose::key::VerifyingKey;
use vestibule::jose::signature::Engine as _;
use vestibule::jose::signing::SigningKey;
use vestibule::jose::software::Software;

const ROUNDS: usize = 11;
/// Signatures that one request asks the probe to make or to verify.
const TIMES: usize = 50;
/// Nothing is logged that takes part of the time.
const QUIET: [&str; 2] = ["--log-level", "warning"];
const KEYS: [(&str, &str); 3] = [("es256", "ec-256"), ("rs256", "rsa-1"), ("eddsa", "ed-1")];

/// What the probe is asked, so many times: to sign, or to verify what was signed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Task {
    Sign,
    Verify,
}

fn main() -> ExitCode {
    let needed = ["ENVOY", "VESTIBULE_WASM", "VESTIBULE_PROBE"];
    if let Some(name) = needed.into_iter().find(|name| std::env::var_os(name).is_none()) {
        eprintln!("{name} is not set: run `make bench-signatures`");
        return ExitCode::FAILURE;
    }
    let envoy = Envoy::start_with(&Bootstrap::of_probe(), &[], &QUIET);
    let worker = worker_of(&envoy);
    let mut connection = Connection::open(envoy.port("outer"));
    println!("A signature over 700 bytes, by {ROUNDS} rounds of {TIMES}; reading the key is left out");
    let text = URL_SAFE_NO_PAD.encode([b'x'; 700]);
    let mut ask = |body: Value| {
        let body = body.to_string();
        let call = call("POST", "/").header("content-length", body.len().to_string()).body(body);
        let before = worker.nanoseconds();
        let response = connection.send(&call);
        assert_eq!(response.status, 200, "{}", response.text());
        (worker.nanoseconds() - before, response.json()[0].clone())
    };
    for (name, key) in KEYS {
        let key = keys::named(key);
        let signing = |engine: &str, times: usize| {
            let signing = json!({ "pem": key.private_pem(), "text": text, "times": times });
            json!({ "engine": engine, "signings": [signing] })
        };
        // Natively: the module in Envoy makes none by RSA.
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
    ExitCode::SUCCESS
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
