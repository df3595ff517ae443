//! `make bench-routes`: what a request costs a real Envoy where the door has 10 routes and where it has 10,000,
//! and what loading them costs. It judges nothing.
//!
//! One Envoy with one worker and three listeners that answer by themselves: one without the filter, one with
//! few routes and one with many. They take turns, so that whatever else the machine does burdens them alike,
//! and what is counted is the worker's time on the CPU. Each request has a token that was seen before.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement that cannot go on ends with the reason"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs;
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use support::bootstrap::Bootstrap;
use support::envoy::Envoy;
use support::http::{Call, Connection, get};
use support::thread::{Thread, median, quartiles, worker_of};
use support::{keys, token};

const ROUNDS: usize = 15;
const REQUESTS: usize = 1_000;
const LISTENERS: [&str; 3] = ["plain", "few", "many"];
const FEW: usize = 10;
const MANY: usize = 10_000;
/// Nothing is logged that takes part of the time.
const QUIET: [&str; 2] = ["--log-level", "warning"];

fn main() -> ExitCode {
    if let Some(name) = ["ENVOY", "VESTIBULE_WASM"].into_iter().find(|name| std::env::var_os(name).is_none())
    {
        eprintln!("{name} is not set: run `make bench-routes`");
        return ExitCode::FAILURE;
    }
    loading();
    requests();
    ExitCode::SUCCESS
}

/// What an Envoy takes until it serves, with so many routes.
fn loading() {
    println!("Loading, by the medians of five: the main thread and the worker have a VM each.");
    println!("  {:>7}  {:>9}  {:>11}  {:>9}", "routes", "until it", "CPU until", "memory");
    println!("  {:>7}  {:>9}  {:>11}  {:>9}", "", "serves", "then", "then");
    let mut rows: Vec<(usize, Vec<[f64; 3]>)> = [0, FEW, 1_000, MANY].map(|count| (count, Vec::new())).into();
    for _ in 0..5 {
        for (count, samples) in &mut rows {
            let bootstrap = Bootstrap::of("outer.yaml").configure("outer", &configuration(*count));
            let start = Instant::now();
            let envoy = Envoy::start_with(&bootstrap, &[], &QUIET);
            let wall = start.elapsed().as_secs_f64() * 1e3;
            samples.push([wall, cpu_of_process(&envoy) * 1e3, resident(&envoy)]);
        }
    }
    for (count, samples) in rows {
        let of = |column: usize| median(samples.iter().map(|sample| sample[column]).collect());
        println!("  {count:>7}  {:>6.0} ms  {:>8.0} ms  {:>5.1} MiB", of(0), of(1), of(2));
    }
}

fn requests() {
    let mut bootstrap = Bootstrap::of("outer.yaml")
        .copy_listener("outer", "few", &configuration(FEW), "upstream")
        .copy_listener("outer", "many", &configuration(MANY), "upstream")
        .copy_listener("outer", "plain", &configuration(0), "upstream")
        .remove_listener("outer");
    for listener in LISTENERS {
        let manager = bootstrap.connection_manager(listener);
        manager["access_log"] = json!([]);
        manager["route_config"]["virtual_hosts"][0]["routes"] =
            json!([{ "match": { "prefix": "/" }, "direct_response": { "status": 200 } }]);
        if listener == "plain" {
            let filters = manager["http_filters"].as_array_mut().expect("a listener has filters");
            filters.retain(|filter| filter["name"] != "vestibule");
        }
    }
    let envoy = Envoy::start_with(&bootstrap, &[], &QUIET);
    let worker = worker_of(&envoy);
    let mut connections = LISTENERS.map(|listener| Connection::open(envoy.port(listener)));
    let calls = [FEW, FEW, MANY].map(|count| call(count / 2));
    let mut times: [Vec<f64>; 3] = Default::default();
    // The first round warms up what can be warmed.
    for round in 0..=ROUNDS {
        for turn in 0..LISTENERS.len() {
            let which = (round + turn) % LISTENERS.len();
            let before = worker.nanoseconds();
            for _ in 0..REQUESTS {
                let response = connections[which].send(&calls[which]);
                assert_eq!(response.status, 200, "{}: {}", LISTENERS[which], response.text());
            }
            #[expect(clippy::cast_precision_loss, reason = "microseconds")]
            let time = (worker.nanoseconds() - before) as f64 / 1e3 / REQUESTS as f64;
            if round > 0 {
                times[which].push(time);
            }
        }
    }
    let [plain, few, many] = &times;
    println!(
        "\nA request, by {ROUNDS} rounds of {REQUESTS} to each listener in turn: the worker's CPU time."
    );
    for (name, times) in [("no filter", plain), ("10 routes", few), ("10,000 routes", many)] {
        println!("  {name:<14} {}", spread(times, " us"));
    }
    let added = |times: &[f64]| times.iter().zip(plain).map(|(time, plain)| time - plain).collect::<Vec<_>>();
    let (added_few, added_many) = (added(few), added(many));
    println!("  added by 10 routes       {}", spread(&added_few, " us"));
    println!("  added by 10,000 routes   {}", spread(&added_many, " us"));
    let ratios: Vec<f64> = added_many.iter().zip(&added_few).map(|(many, few)| many / few).collect();
    println!(
        "  what 10,000 add over what 10 add: {:.3} of the medians; round by round {}",
        median(added_many) / median(added_few),
        spread(&ratios, "")
    );
}

/// An outer door with routes such as a large mesh has.
fn configuration(count: usize) -> Value {
    let mut configuration = json!({
        "door": "outer",
        "issuers": { "main": {
            "issuer": "https://issuer.example.com", "audiences": ["https://api.example.com"],
            "keys": [{ "jwks": keys::jwks(&["ec-256"]) }],
        } },
    });
    let routes: Map<String, Value> = (0..count)
        .map(|number| {
            let access = json!({ "permissions": [format!("service-{}:read", number % 50)] });
            let mut route = json!({ "paths": [path(number)], "access": access });
            match number % 10 {
                0 => route["hosts"] = json!([format!("t{number}.example.com")]),
                1 => route["hosts"] = json!([format!("*.r{number}.example.com")]),
                2..6 => route["methods"] = json!(["GET"]),
                _ => {}
            }
            (format!("r{number}"), route)
        })
        .collect();
    if count > 0 {
        configuration["routes"] = Value::Object(routes);
    }
    configuration
}

fn path(number: usize) -> String {
    match number % 10 {
        0 | 2 => format!("/static-{number}/{{*rest}}"),
        3 => format!("/v1/{{tenant}}/report-{number}"),
        _ => format!("/v1/service-{number}/orders/{{id}}"),
    }
}

/// A request on the route of this number, which anybody with the token may use.
fn call(number: usize) -> Call {
    let number = number / 10 * 10 + 6;
    let permissions: Vec<String> = (0..50).map(|number| format!("service-{number}:read")).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_secs();
    let token = token::mint(
        &json!({ "key": "ec-256", "payload": {
            "iss": "https://issuer.example.com", "aud": "https://api.example.com", "sub": "alice", "tenant_id": "acme",
            "permissions": permissions, "iat": { "$now": 0 }, "exp": { "$now": 3_000 },
        } }),
        now,
    );
    get(format!("/v1/service-{number}/orders/17")).header("host", "api.eu.example.com").bearer(&token)
}

/// The CPU time of all threads, in seconds.
fn cpu_of_process(envoy: &Envoy) -> f64 {
    let folder = fs::read_dir(format!("/proc/{}/task", envoy.pid())).expect("a running process has threads");
    let threads = folder.map(|task| Thread(task.expect("a thread").path().display().to_string()));
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    let seconds = threads.map(|thread| thread.nanoseconds() as f64 / 1e9).sum();
    seconds
}

/// The memory that the process has, in MiB.
fn resident(envoy: &Envoy) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", envoy.pid())).expect("a running process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
}

/// The median, and the quarters that the middle half lies between.
fn spread(values: &[f64], unit: &str) -> String {
    let [half, quarter, three_quarters] = quartiles(values);
    format!("{half:>8.3}{unit} ({quarter:.3} to {three_quarters:.3})")
}
