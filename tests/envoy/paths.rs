//! No path reaches the service that anybody there could read as one whose route is closed, whatever Envoy makes
//! of it before the door sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use serde_json::{Value, json};

use super::lax_server::{first_segment, readings};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Connection, Response, get};
use crate::support::upstream::Upstream;

/// What separates, ends, hides or climbs for somebody. The rules refuse all of it but `?`.
const MARKS: [&[u8]; 21] = [
    b"/",
    b"//",
    b"\\",
    b"?",
    b"#",
    b";",
    b";v=1",
    b"%",
    b".",
    b"..",
    b"./",
    b"../",
    b"\0",
    b"\t",
    b"\n",
    b"\r",
    b"\x1f",
    b"\x7f",
    b" ",
    b"\xc0\xaf",
    b"\xff",
];

/// Where a mark can stand so that somebody finds the closed path around it.
const PLACES: [&str; 12] = [
    "/{}closed",
    "/{}/closed",
    "/open{}/closed",
    "/open/{}closed",
    "/open/..{}closed",
    "/open/..{}/closed",
    "/open{}..{}closed",
    "/closed{}",
    "/closed{}x",
    "/closed{}/x",
    "/clo{}sed",
    "/open?a=b{}/closed",
];

/// What no mark makes: other forms of a target, and letters that are encoded.
const OTHERS: [&str; 12] = [
    "/closed",
    "/closed/",
    "/closed/x/y",
    "/closed?q",
    "/%63losed",
    "/%63%6C%6f%73%65%64/x",
    "/%2563losed",
    "/%25%36%33losed",
    "/open/%2e%2e/%63losed",
    "http://vestibule.test/closed",
    "http://vestibule.test//closed",
    "http://vestibule.test/open/%2e%2e%2fclosed",
];

/// Every way to write some bytes into a path: as they are, encoded once in both cases of the digits, twice,
/// thrice, and as some servers take UTF-16.
fn spellings(mark: &[u8]) -> Vec<Vec<u8>> {
    let encoded = |encode: fn(&u8) -> String| mark.iter().map(encode).collect::<String>().into_bytes();
    let once = encoded(|byte| format!("%{byte:02x}"));
    let again = |text: &[u8]| String::from_utf8_lossy(text).replace('%', "%25").into_bytes();
    let twice = again(&once);
    let thrice = again(&twice);
    vec![
        mark.to_vec(),
        once,
        encoded(|byte| format!("%{byte:02X}")),
        twice,
        thrice,
        encoded(|byte| format!("%u00{byte:02x}")),
    ]
}

fn targets() -> Vec<Vec<u8>> {
    let mut all: BTreeSet<Vec<u8>> = OTHERS.iter().map(|target| target.as_bytes().to_vec()).collect();
    for place in PLACES {
        let parts: Vec<&[u8]> = place.split("{}").map(str::as_bytes).collect();
        for spelling in MARKS.into_iter().flat_map(spellings) {
            let target = parts.join(spelling.as_slice());
            all.insert([&target, b"?q=/x".as_slice()].concat());
            all.insert(target);
        }
    }
    all.into_iter().collect()
}

/// What Envoy does to a path before any filter sees it.
#[derive(Clone, Copy, Debug)]
struct Repairs {
    normalize: bool,
    merge: bool,
    escaped_slashes: &'static str,
}

fn all_repairs() -> Vec<Repairs> {
    let mut all = Vec::new();
    for escaped_slashes in
        ["KEEP_UNCHANGED", "REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD"]
    {
        for (normalize, merge) in [(false, false), (false, true), (true, false), (true, true)] {
            all.push(Repairs { normalize, merge, escaped_slashes });
        }
    }
    all
}

impl Repairs {
    fn apply(self, manager: &mut Value) {
        manager["normalize_path"] = json!(self.normalize);
        manager["merge_slashes"] = json!(self.merge);
        manager["path_with_escaped_slashes_action"] = json!(self.escaped_slashes);
    }
}

/// What became of the targets: those that arrived, by what arrived, and how many of each answer there were.
#[derive(Default)]
struct Outcome {
    arrived: BTreeMap<Vec<u8>, Vec<u8>>,
    answers: BTreeMap<String, usize>,
}

fn send_all(targets: &[Vec<u8>], port: u16, upstream: &Upstream) -> Outcome {
    let mut outcome = Outcome::default();
    let mut connection = Connection::open(port);
    let mut send = |target: &[u8]| {
        let call = get(target);
        connection.write(&call);
        let response = connection.read(&call);
        // What Envoy itself cannot read ends the connection, with an answer or without.
        let is_open = response.as_ref().is_ok_and(|response| response.header("connection").is_none());
        if !is_open {
            connection = Connection::open(port);
        }
        response.ok()
    };
    for target in targets {
        let mut response = send(target);
        if let Some(location) = response.as_ref().and_then(redirected) {
            *outcome.answers.entry("redirected".to_owned()).or_default() += 1;
            response = send(location.as_bytes());
        }
        let arrival = response.as_ref().and_then(|response| upstream.arrival(response));
        let answer = match (&response, &arrival) {
            (_, Some(_)) => "passed".to_owned(),
            (Some(response), None) => {
                response.code().unwrap_or_else(|| format!("Envoy's {}", response.status))
            }
            (None, None) => "nothing".to_owned(),
        };
        *outcome.answers.entry(answer).or_default() += 1;
        if let Some(path) = arrival.as_ref().and_then(|arrival| arrival.path()) {
            outcome.arrived.insert(target.clone(), path.to_vec());
        }
    }
    outcome
}

fn redirected(response: &Response) -> Option<String> {
    response.header("location").filter(|_| (300..400).contains(&response.status))
}

fn is_closed(reading: &[u8]) -> bool {
    first_segment(reading) == b"closed"
}

fn is_not_open(reading: &[u8]) -> bool {
    first_segment(reading) != b"open"
}

/// A door with this configuration behind each of these repairs, and what it made of all targets.
fn outcomes(configuration: &Value, repairs: &[Repairs], targets: &[Vec<u8>]) -> Vec<Outcome> {
    let upstream = Upstream::start();
    let mut bootstrap = Bootstrap::of("outer.yaml").cluster("upstream", upstream.port());
    let name = |number: usize| format!("repairs-{number}");
    for (number, repairs) in repairs.iter().enumerate() {
        bootstrap = bootstrap.copy_listener("outer", &name(number), configuration, "upstream");
        repairs.apply(bootstrap.connection_manager(&name(number)));
    }
    let envoy = Envoy::start_with(&bootstrap.remove_listener("outer"), &[], &["--log-level", "error"]);
    thread::scope(|scope| {
        let clients = (0..repairs.len()).map(|number| {
            let (port, upstream) = (envoy.port(&name(number)), &upstream);
            scope.spawn(move || send_all(targets, port, upstream))
        });
        let clients: Vec<_> = clients.collect();
        clients.into_iter().map(|client| client.join().expect("every target is sent")).collect()
    })
}

/// Targets that arrived as what somebody could read as such a path.
fn landings(outcome: &Outcome, is_closed: fn(&[u8]) -> bool) -> Vec<String> {
    let landed = outcome.arrived.iter().filter_map(|(target, path)| {
        let reading = readings(path).into_iter().find(|reading| is_closed(reading))?;
        let [target, path, reading] = [target, path, &reading].map(|bytes| bytes.escape_ascii().to_string());
        Some(format!("{target} arrived as {path}, which can be read as {reading}"))
    });
    landed.collect()
}

fn assert_nothing_lands(configuration: &Value, is_closed: fn(&[u8]) -> bool) {
    let (targets, all_repairs) = (targets(), all_repairs());
    for (repairs, outcome) in all_repairs.iter().zip(outcomes(configuration, &all_repairs, &targets)) {
        println!("{repairs:?}: {} targets: {:?}", targets.len(), outcome.answers);
        let landings = landings(&outcome, is_closed);
        assert!(landings.is_empty(), "{repairs:?}: {}:\n{}", landings.len(), landings.join("\n"));
        for answer in ["passed", "path_ambiguous", "route_denied"] {
            assert!(outcome.answers.contains_key(answer), "{repairs:?}: {:?}", outcome.answers);
        }
    }
}

#[test]
fn no_path_arrives_that_anybody_could_read_as_a_closed_one() {
    let closed = json!({ "paths": ["/closed/{*rest}"], "access": "deny" });
    let configuration = json!({ "door": "outer", "default": "public", "routes": { "closed": closed } });
    assert_nothing_lands(&configuration, is_closed);
}

#[test]
fn where_one_path_is_open_none_arrives_that_anybody_could_read_as_another() {
    let open = json!({ "paths": ["/open/{*rest}"], "access": "public" });
    let configuration = json!({ "door": "outer", "default": "deny", "routes": { "open": open } });
    assert_nothing_lands(&configuration, is_not_open);
}

/// Else the tests above would show nothing.
#[test]
fn without_routes_the_same_targets_find_the_closed_path() {
    let (targets, all_repairs) = (targets(), all_repairs());
    let configuration = json!({ "door": "outer", "default": "public" });
    for (repairs, outcome) in all_repairs.iter().zip(outcomes(&configuration, &all_repairs, &targets)) {
        let landings = landings(&outcome, is_closed);
        println!("{repairs:?}: {} landings of {:?}", landings.len(), outcome.answers);
        assert!(landings.len() > 100, "{repairs:?}: {}", landings.len());
    }
}
