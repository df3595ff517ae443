//! The vectors that also run natively (`tests/vectors.rs`), each as a request through a real Envoy: same
//! input, same decision.
//!
//! One Envoy for each file, with a listener for each configuration in it.

use serde_json::Value;

use super::mesh::now;
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Response, call};
use crate::support::upstream::{Arrival, Upstream};
use crate::support::vector::{self, Case, Expect, File};

#[test]
fn every_vector_decides_in_envoy_as_it_does_natively() {
    let files = vector::load_all();
    let mut ran = 0;
    let mut differences = Vec::new();
    for file in &files {
        let cases: Vec<&Case> =
            file.cases.iter().filter(|case| !case.exact_clock && case.envoy_skip.is_none()).collect();
        for door in ["outer", "inner"] {
            let cases: Vec<&Case> =
                cases.iter().copied().filter(|case| case.config["door"] == door).collect();
            if !cases.is_empty() {
                ran += cases.len();
                differences.extend(run(file, door, &cases));
            }
        }
    }
    assert!(differences.is_empty(), "{} of {ran} differ:\n{}", differences.len(), differences.join("\n"));
    let all: usize = files.iter().map(|file| file.cases.len()).sum();
    assert!(ran * 2 > all, "only {ran} of {all} vectors run through Envoy");
    println!("{ran} of {all} vectors ran through Envoy");
}

/// Runs the cases at one kind of door, and says which came out differently.
fn run(file: &File, door: &str, cases: &[&Case]) -> Vec<String> {
    let upstream = Upstream::start();
    let environment: Vec<(&str, &str)> =
        cases[0].env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut bootstrap = Bootstrap::of(&format!("{door}.yaml")).environment(door, cases[0].env.keys());
    // Whether this Envoy mends or refuses a path is another matter (`paths`): here the door sees what was sent.
    let manager =
        bootstrap.connection_manager(door).as_object_mut().expect("a connection manager is an object");
    for repair in ["normalize_path", "merge_slashes", "path_with_escaped_slashes_action"] {
        assert!(manager.remove(repair).is_some(), "{door}.yaml says {repair}");
    }

    // Cases with the same configuration and cluster share a listener.
    let mut listeners: Vec<(&Value, String)> = Vec::new();
    let mut listener_of = Vec::new();
    for case in cases {
        assert_eq!(case.env, cases[0].env, "{}: a file has one environment", file.path.display());
        let cluster = case.request(now()).cluster.unwrap_or_else(|| "upstream".to_owned());
        let config = case.config_at(now()).expect("a configuration for the present");
        let listener = (&case.config, cluster.clone());
        let number = listeners.iter().position(|known| *known == listener).unwrap_or(listeners.len());
        let name = format!("{door}-{number}");
        if number == listeners.len() {
            listeners.push(listener);
            bootstrap = bootstrap.cluster(&cluster, upstream.port());
            bootstrap = bootstrap.copy_listener(door, &name, &config, &cluster);
        }
        listener_of.push(name);
    }
    let envoy = Envoy::start(&bootstrap.remove_listener(door), &environment);

    let differs = |(case, listener): (&&Case, &String)| {
        let now = now();
        let exchange = case.exchange(now);
        let request = exchange.request;
        let (Some(method), Some(authority), Some(path)) = (request.method, request.authority, request.path)
        else {
            panic!("{}: no method, authority or path", case.name)
        };
        let is_head = method == b"HEAD";
        let call = call(method, path).header("host", authority);
        let call = request.headers.iter().fold(call, |call, (name, value)| call.header(name, value));
        let response = call.send(envoy.port(listener));
        let difference =
            difference(&exchange.expect, is_head, &response, upstream.arrival(&response).as_ref())?;
        Some(format!("{}: {}: {difference}", file.path.file_name().unwrap_or_default().display(), case.name))
    };
    cases.iter().zip(&listener_of).filter_map(differs).collect()
}

fn difference(
    expected: &Expect,
    is_head: bool,
    response: &Response,
    arrival: Option<&Arrival>,
) -> Option<String> {
    let answered = format!("{} {}", response.status, response.code().unwrap_or_default());
    match (expected, arrival) {
        (Expect::Deny(code), None) => {
            let is_grpc = response.header("grpc-status").is_some();
            let agrees = response.code().as_deref() == Some(code.as_str())
                && (is_grpc || response.status == code.status().http());
            (!agrees).then(|| format!("expected {}, answered {answered}", code.as_str()))
        }
        (Expect::Deny(code), Some(_)) => Some(format!("expected {}, was permitted", code.as_str())),
        (Expect::Answer(jwks), None) => {
            // Who asks by HEAD is told of the set and not given it.
            let agrees = response.status == 200
                && response.header("content-type").as_deref() == Some("application/jwk-set+json")
                && if is_head { response.text().is_empty() } else { response.json() == *jwks };
            (!agrees).then(|| format!("expected {jwks}, answered {answered} {}", response.text()))
        }
        (Expect::Answer(jwks), Some(_)) => Some(format!("expected {jwks}, was permitted")),
        (Expect::Permit(_) | Expect::PermitWith(_), None) => {
            Some(format!("expected a permit, answered {answered}"))
        }
        // What Envoy itself adds is nobody's business: the headers that are named are looked at.
        (Expect::Permit(headers) | Expect::PermitWith(headers), Some(arrival)) => {
            headers.iter().find_map(|(name, expected)| {
                let arrived: Vec<&[u8]> = match name.as_str() {
                    vector::PATH => arrival.path().into_iter().collect(),
                    name => {
                        let headers = arrival.headers.iter();
                        let copies = headers.filter(|(given, _)| given.eq_ignore_ascii_case(name.as_bytes()));
                        copies.map(|(_, value)| value.as_slice()).collect()
                    }
                };
                let expected: Vec<&[u8]> = expected.iter().map(Vec::as_slice).collect();
                (arrived != expected).then(|| {
                    let show = |values: &[&[u8]]| {
                        values.iter().map(|value| value.escape_ascii().to_string()).collect::<Vec<_>>()
                    };
                    format!("{name}: expected {:?}, arrived {:?}", show(&expected), show(&arrived))
                })
            })
        }
    }
}
