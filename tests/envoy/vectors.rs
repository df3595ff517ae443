//! The vectors that also run natively (`tests/vectors.rs`), each as a request through a real Envoy: same
//! input, same decision.
//!
//! One Envoy for each file, with a listener for each configuration in it; over HTTP/2, one for some of all
//! files, and one in front of it that speaks HTTP/2.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Value, json};
use vestibule::compile::{self, Secrets};
use vestibule::jose::algorithm::Family;
use vestibule::jose::module::Module;
use vestibule::jose::signing::SigningKey;
use vestibule::time::UnixTime;

use super::abilities::signs;
use super::mesh::now;
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Response, call};
use crate::support::scenario::Opener;
use crate::support::upstream::{Arrival, Upstream};
use crate::support::vector::{self, Case, Expect, File};

#[test]
fn every_vector_decides_in_envoy_as_it_does_natively() {
    let files = vector::load_all();
    let (mut ran, mut with_peer) = (0, 0);
    let mut differences = Vec::new();
    for file in &files {
        with_peer += file.cases.iter().filter(|case| has_peer(case)).count();
        for door in ["outer", "inner"] {
            let cases: Vec<_> = cases(file).filter(|(_, case)| case.config["door"] == door).collect();
            if !cases.is_empty() {
                ran += cases.len();
                differences.extend(Doors::start(door, literal(door), &cases).differences(&cases));
            }
        }
    }
    assert!(differences.is_empty(), "{} of {ran} differ:\n{}", differences.len(), differences.join("\n"));
    let all: usize = files.iter().map(|file| file.cases.len()).sum();
    assert!(ran * 2 > all, "only {ran} of {all} vectors run through Envoy");
    println!("{ran} of {all} vectors ran through Envoy; {with_peer} are left out for they have a peer");
}

/// Fewer would mean that the host module takes less than it did.
const AT_LEAST_BY_HOST: usize = 1700;

/// All that need no signature but those of hosts, and those are most.
#[test]
fn every_vector_that_the_host_module_takes_decides_in_it_as_it_does_natively() {
    let files = vector::load_all();
    let (mut ran, mut left_out) = (0, 0);
    let mut differences = Vec::new();
    for file in &files {
        for door in ["outer", "inner"] {
            let cases = cases(file).filter(|(_, case)| case.config["door"] == door);
            let (cases, others): (Vec<_>, Vec<_>) = cases.partition(|(_, case)| host_module_takes(case));
            left_out += others.len();
            if !cases.is_empty() {
                ran += cases.len();
                let bootstrap = literal(door).by_host_module();
                differences.extend(Doors::start(door, bootstrap, &cases).differences(&cases));
            }
        }
    }
    assert!(differences.is_empty(), "{} of {ran} differ:\n{}", differences.len(), differences.join("\n"));
    assert!(ran >= AT_LEAST_BY_HOST && left_out > 0, "{ran} vectors ran in it, {left_out} did not");
    println!("{ran} vectors ran in the host module; {left_out} take the full one");
}

/// Whether no key of the configuration takes the full module: the host module refuses it where all of a source do,
/// and else leaves that key out with a warning. Contexts take a host that signs.
fn host_module_takes(case: &Case) -> bool {
    if !signs() && !case.config["context"]["mint"].is_null() {
        return false;
    }
    let config = case.config_at(now()).expect("a configuration for the present");
    let variable = |name: &str| case.env.get(name).cloned();
    let compiled =
        compile::compile_for(Module::Host, &config, &Secrets::From(&variable), UnixTime::from_secs(now()));
    compiled.is_ok_and(|compiled| {
        !compiled.warnings.iter().any(|warning| warning.to_string().contains("dist/vestibule.wasm"))
    })
}

/// One case of so many runs over HTTP/2; all of them do, but it takes its time.
const SPARED: usize = 4;

/// Files of one environment share an Envoy; those whose environment no other file has are left out.
#[test]
fn vectors_of_every_kind_decide_over_http2_as_they_do_natively() {
    let files = vector::load_all();
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for file in &files {
        let cases = cases(file).filter(|(_, case)| !is_otherwise_in_http2(case));
        for (file, case) in cases.step_by(SPARED) {
            let door = if case.config["door"] == "outer" { "outer" } else { "inner" };
            groups.entry((door, case.env.clone())).or_default().push((file, case));
        }
    }
    let (mut ran, mut denied) = (0, 0);
    let mut differences = Vec::new();
    for ((door, _), cases) in groups {
        if cases.iter().all(|(file, _)| file.path == cases[0].0.path) {
            continue;
        }
        let doors = Doors::start(door, literal(door), &cases).behind_http2();
        differences.extend(doors.differences(&cases));
        let over_http2: u64 = doors.envoy.stats("http.").into_iter().filter_map(of_http2).sum();
        assert_eq!(over_http2, cases.len() as u64, "every request came over HTTP/2");
        ran += cases.len();
        denied += cases.iter().filter(|(_, case)| matches!(case.expect(now()), Expect::Deny(_))).count();
    }
    assert!(differences.is_empty(), "{} of {ran} differ:\n{}", differences.len(), differences.join("\n"));
    assert!(ran > 300 && denied > 100 && ran - denied > 100, "{ran} vectors ran, {denied} of them denials");
    println!("{ran} vectors ran over HTTP/2");
}

/// Whether HTTP/2 itself has it in another way: an authority has a host and no user (RFC 9113 section 8.3.1), and
/// what stays of several `cookie` headers arrives as one (section 8.2.3).
fn is_otherwise_in_http2(case: &Case) -> bool {
    let exchange = case.exchange(now());
    let authority = exchange.request.authority.unwrap_or_default();
    let cookies = exchange.request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"cookie"));
    let is_permitted = !matches!(exchange.expect, Expect::Deny(_));
    authority.is_empty() || authority.contains(&b'@') || (is_permitted && cookies.count() > 1)
}

fn of_http2((name, count): (String, u64)) -> Option<u64> {
    name.ends_with(".downstream_rq_http2_total").then_some(count)
}

/// A case and its file.
type Named<'f> = (&'f File, &'f Case);

/// The cases that can be sent.
fn cases(file: &File) -> impl Iterator<Item = Named<'_>> {
    file.cases
        .iter()
        .filter(|case| !case.exact_clock && case.envoy_skip.is_none() && !has_peer(case))
        .filter(|case| signs() || !is_signed_by_rsa(case))
        .map(move |case| (file, case))
}

/// Whether its contexts are by an RSA key, with which a host that does not sign has the configuration refused
/// (`context`).
fn is_signed_by_rsa(case: &Case) -> bool {
    let name = case.config["context"]["mint"]["key"]["env"].as_str();
    let key = name.and_then(|name| SigningKey::from_pem(case.env.get(name)?).ok());
    key.is_some_and(|key| key.algorithm().family() == Family::Rsa)
}

/// A peer proves itself by TLS, and these connections have none.
fn has_peer(case: &Case) -> bool {
    case.request(now()).peer.is_some()
}

/// What says to the Envoy in front which listener a request is for.
const LISTENER: &str = "x-vector-listener";

/// Doors of one kind, for cases of one environment.
struct Doors {
    door: &'static str,
    envoy: Envoy,
    /// The listener of each case.
    listeners: Vec<String>,
    /// What is in front of them, if there is.
    front: Option<Envoy>,
    upstream: Upstream,
}

impl Doors {
    /// Of this bootstrap, which is a door's.
    fn start(door: &'static str, bootstrap: Bootstrap, cases: &[Named<'_>]) -> Self {
        let upstream = Upstream::start();
        let (file, first) = cases[0];
        let environment: Vec<(&str, &str)> =
            first.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut bootstrap = bootstrap.environment(door, first.env.keys());
        // Cases with the same configuration and cluster share a listener.
        let mut known: Vec<(&Value, String)> = Vec::new();
        let mut listeners = Vec::new();
        for (_, case) in cases {
            assert_eq!(case.env, first.env, "{}: an Envoy has one environment", file.path.display());
            let cluster = case.request(now()).cluster.unwrap_or_else(|| "upstream".to_owned());
            let config = case.config_at(now()).expect("a configuration for the present");
            let listener = (&case.config, cluster.clone());
            let number = known.iter().position(|one| *one == listener).unwrap_or(known.len());
            let name = format!("{door}-{number}");
            if number == known.len() {
                known.push(listener);
                bootstrap = bootstrap.cluster(&cluster, upstream.port());
                bootstrap = bootstrap.copy_listener(door, &name, &config, &cluster);
            }
            listeners.push(name);
        }
        let envoy = Envoy::start(&bootstrap.remove_listener(door), &environment);
        Self { door, envoy, listeners, front: None, upstream }
    }

    /// The same with an Envoy in front of them that reaches them over HTTP/2.
    fn behind_http2(mut self) -> Self {
        let mut bootstrap = literal(self.door);
        let mut names = self.listeners.clone();
        names.sort();
        names.dedup();
        for name in &names {
            bootstrap = bootstrap.cluster(name, self.envoy.port(name)).with_http2(name);
        }
        let routes = names.iter().map(|name| {
            let is_for = json!({ "name": LISTENER, "string_match": { "exact": name } });
            json!({ "match": { "prefix": "/", "headers": [is_for] }, "route": { "cluster": name },
                    "request_headers_to_remove": [LISTENER] })
        });
        let routes: Vec<Value> = routes.collect();
        let mut bootstrap = bootstrap.without_plugin(self.door);
        bootstrap.connection_manager(self.door)["route_config"]["virtual_hosts"][0]["routes"] = json!(routes);
        self.front = Some(Envoy::start(&bootstrap, &[]));
        self
    }

    /// Sends the cases for which these were started, and says which came out differently.
    fn differences(&self, cases: &[Named<'_>]) -> Vec<String> {
        let differs = |((file, case), listener): (&Named<'_>, &String)| {
            let now = now();
            let exchange = case.exchange(now);
            let request = exchange.request;
            let (Some(method), Some(authority), Some(path)) =
                (request.method, request.authority, request.path)
            else {
                panic!("{}: no method, authority or path", case.name)
            };
            let is_head = method == b"HEAD";
            let call = call(method, path).header("host", authority);
            let call = request.headers.iter().fold(call, |call, (name, value)| call.header(name, value));
            let response = match &self.front {
                None => call.send(self.envoy.port(listener)),
                Some(front) => call.header(LISTENER, listener).send(front.port(self.door)),
            };
            let mut arrival = self.upstream.arrival(&response);
            if let (Some(opener), Some(arrival)) = (&exchange.opener, &mut arrival) {
                open(opener, arrival, now..=super::mesh::now());
            }
            let difference = difference(&exchange.expect, is_head, &response, arrival.as_ref())?;
            let file = file.path.file_name().unwrap_or_default();
            Some(format!("{}: {}: {difference}", file.display(), case.name))
        };
        cases.iter().zip(&self.listeners).filter_map(differs).collect()
    }
}

/// A door's file without what mends or refuses a path: that is another matter (`paths`), and here the door sees
/// what was sent.
pub fn literal(door: &str) -> Bootstrap {
    let mut bootstrap = Bootstrap::of(&format!("{door}.yaml"));
    let manager =
        bootstrap.connection_manager(door).as_object_mut().expect("a connection manager is an object");
    for repair in ["normalize_path", "merge_slashes", "path_with_escaped_slashes_action"] {
        assert!(manager.remove(repair).is_some(), "{door}.yaml says {repair}");
    }
    bootstrap
}

/// Opens the contexts that arrived, which were minted at one of these times.
fn open(opener: &Opener, arrival: &mut Arrival, times: RangeInclusive<u64>) {
    for (name, value) in &mut arrival.headers {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let mut one = [(name, vec![std::mem::take(value)])].into();
        opener.open(&mut one, times.clone());
        *value = one.into_values().flatten().next().expect("one value");
    }
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
