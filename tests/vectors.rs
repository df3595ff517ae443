//! The vectors of `tests/vectors`, decided natively: configuration, request and time in; decision, code and
//! headers out.
//!
//! `tests/envoy` sends the same files through a real Envoy. A rule about decisions belongs into a vector, not
//! here: here stands what must hold for all of them.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails where it stands"
)]

mod support;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};
use support::scenario::{Door, Doors, Exchange, Headers, Mask, Outcome, Unseen, difference};
use support::vector::{self, Case, Expect};
use vestibule::denial::Code;

/// The codes that no vector can produce, and why.
const OUT_OF_REACH: [(Code, &str); 3] = [
    (
        Code::WrongDoor,
        "it depends on where the filter runs, which no request says: tests/envoy/wrong_door.rs",
    ),
    (Code::HostFailed, "the host says it where one of its own calls fails"),
    (Code::Overloaded, "how many requests wait is known to the host alone"),
];

/// Fewer would mean that files went missing.
const AT_LEAST: usize = 80;

#[test]
fn every_vector_is_decided_as_it_says() {
    report(|_, exchange, door| match decide(door, exchange, &exchange.request.delivered()) {
        Some(decision) => difference::of_decision(exchange, &decision, &Mask::none()),
        None => Some("it panicked".into()),
    });
}

/// Where the key is attached makes no difference to a decision, nor to what a cluster sees that gets the request
/// at once.
#[test]
fn every_vector_comes_out_the_same_where_the_key_is_attached_upstream() {
    let attached = Cell::new(0);
    let upstream = |case: Case| {
        let attaches = case.config.get("gatewayKey").is_some_and(Value::is_object);
        attached.set(attached.get() + usize::from(attaches));
        let attach = |config: &mut Value| config["gatewayKey"]["attach"] = json!("upstream");
        if attaches { case.reconfigured(attach) } else { case }
    };
    report_where(upstream, |_, exchange, door| match decide(door, exchange, &exchange.request.delivered()) {
        Some(decision) => difference::of_decision(exchange, &decision, &Mask::none()),
        None => Some("it panicked".into()),
    });
    assert!(attached.get() >= 10, "only {} doors attach a key", attached.get());
}

/// HTTP gives no meaning to the order of headers with different names (RFC 9110 section 5.3), and proxies
/// change it.
#[test]
fn no_decision_depends_on_the_order_of_headers() {
    report(|_, exchange, door| {
        let headers = exchange.request.delivered();
        let reversed = headers.iter().rev().cloned().collect();
        let mut outcome = decide(door, exchange, &reversed);
        if let Some((Outcome::Forwarded(upstream), _)) = &mut outcome {
            upstream.values_mut().for_each(|values| values.reverse());
        }
        same(decide(door, exchange, &headers), outcome)
    });
}

/// Whatever else a request holds, forged headers change neither its decision nor what the upstream sees. At
/// the inner door the exact names are the gateway's to send, so the forger is left with the other spellings.
#[test]
fn no_vector_comes_out_differently_for_forged_headers() {
    report(|case, exchange, door| {
        let headers = exchange.request.delivered();
        let mut with_forged = headers.clone();
        for name in ["x-user-id", "x-tenant-id", "x-user-permissions"] {
            for forged in [name.replace('-', "_"), name.replace('-', "."), name.replacen('-', "_", 1)] {
                with_forged.push((forged.into_bytes(), b"forged".to_vec()));
            }
            if case.config["door"] == "outer" {
                with_forged.insert(0, (name.as_bytes().to_vec(), b"forged".to_vec()));
                with_forged.push((name.as_bytes().to_vec(), b"forged".to_vec()));
            }
        }
        same(decide(door, exchange, &headers), decide(door, exchange, &with_forged))
    });
}

/// Of a request that would be denied nothing is left that anybody behind the door believes, and all the rest
/// is as it came: path, credentials and what is harmless. What passes anyhow is decided as ever.
#[test]
fn every_denial_can_be_reported_and_takes_nothing_along_that_is_believed() {
    let denied = Cell::new(0);
    let reporting = |case: Case| {
        case.reconfigured(|config| config["report"] = json!({ "until": { "$time": 24 * 60 * 60 } }))
    };
    report_where(reporting, |case, exchange, door| {
        let mut headers = exchange.request.delivered();
        headers.extend(FORGED.map(|name| (name.as_bytes().to_vec(), b"forged".to_vec())));
        let left: Expect;
        let (expected, reported) = match &exchange.expect {
            Expect::Deny(code) => {
                denied.set(denied.get() + 1);
                left = Expect::Permit(left_of(&headers, &Owned::of(&case.config)));
                (&left, Some(*code))
            }
            permitted => (permitted, exchange.unseen.reported),
        };
        let Some((outcome, unseen)) = decide(door, exchange, &headers) else {
            return Some("it panicked".into());
        };
        let difference = difference::difference(expected, &outcome, &Mask::none());
        let is_told = unseen.reported == reported;
        difference
            .or_else(|| (!is_told).then(|| format!("{:?} is reported, not {reported:?}", unseen.reported)))
    });
    assert!(denied.get() >= AT_LEAST, "only {} denials", denied.get());
}

/// What is there of a request without its owned headers.
fn left_of(headers: &Headers, owned: &Owned) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut left: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for (name, value) in headers {
        let name: String = name.iter().map(|byte| char::from(*byte)).collect();
        if !owned.owns(&name) && (!name.starts_with(':') || name == vector::PATH) {
            left.entry(name).or_default().push(value.clone());
        }
    }
    left
}

/// Spellings of owned headers that no vector has for a credential of its own.
const FORGED: [&str; 4] = ["x_user_id", "x.tenant.id", "x-user_permissions", "x_gateway_key"];

/// The headers that belong to a door, read off its configuration by the words of `docs/configuration.md`.
struct Owned {
    names: BTreeSet<String>,
    prefixes: Vec<String>,
}

impl Owned {
    fn of(config: &Value) -> Self {
        let mut names: Vec<&str> = vec!["x-user-id", "x-tenant-id", "x-user-permissions", "x-gateway-key"];
        names.push("txn-token");
        names
            .extend(["mint", "require"].iter().filter_map(|side| config["context"][side]["header"].as_str()));
        if config["door"] == "outer" {
            names.extend(["x-original-url", "x-rewrite-url", "x-http-method-override", "x-http-method"]);
            names.push("x-method-override");
        }
        names.extend(config["inject"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()));
        names.extend(config["gatewayKey"]["header"].as_str());
        for (_, entrance) in config["entrances"].as_object().into_iter().flatten() {
            names.extend(entrance["header"].as_str());
            let trusted = entrance["trust"].as_object().into_iter().flatten();
            names.extend(trusted.filter_map(|(_, header)| header.as_str()));
        }
        let stripped: Vec<&str> =
            config["strip"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        names.extend(&stripped);
        let prefixes = stripped.iter().filter_map(|name| name.strip_suffix('*')).map(fold).collect();
        Self { names: names.into_iter().map(fold).collect(), prefixes }
    }

    fn owns(&self, name: &str) -> bool {
        let name = fold(name);
        self.names.contains(&name) || self.prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
    }
}

fn fold(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

#[test]
fn every_code_that_can_be_produced_is() {
    let produced: BTreeSet<Code> = vector::load_all()
        .iter()
        .flat_map(|file| &file.cases)
        .filter_map(|case| match case.expect(case.now) {
            Expect::Deny(code) => Some(code),
            Expect::Permit(_) | Expect::PermitWith(_) | Expect::Answer(_) => None,
        })
        .collect();
    for code in Code::ALL {
        let reason =
            OUT_OF_REACH.iter().find(|(unreachable, _)| unreachable == code).map(|(_, reason)| reason);
        match (produced.contains(code), reason) {
            (false, None) => panic!("no vector ends in {}", code.as_str()),
            (true, Some(reason)) => panic!("{} is produced, although {reason}", code.as_str()),
            (true, None) | (false, Some(_)) => {}
        }
    }
}

#[test]
fn the_set_is_whole_and_every_name_is_there_once() {
    let files = vector::load_all();
    let mut names = BTreeSet::new();
    for case in files.iter().flat_map(|file| &file.cases) {
        assert!(names.insert(&case.name), "two cases are called {:?}", case.name);
    }
    assert!(names.len() >= AT_LEAST, "only {} vectors", names.len());
}

/// Runs a check over all cases and shows everything that is wrong, not the first.
fn report(check: impl Fn(&Case, &Exchange, Door<'_>) -> Option<String>) {
    report_where(|case| case, check);
}

/// The same with every case changed.
fn report_where(change: impl Fn(Case) -> Case, check: impl Fn(&Case, &Exchange, Door<'_>) -> Option<String>) {
    let mut doors = Doors::new();
    let mut failures = Vec::new();
    let mut ran = 0;
    for file in vector::load_all() {
        for case in file.cases.into_iter().map(&change) {
            ran += 1;
            let failure = match doors.open(&case) {
                Ok(door) => check(&case, &case.exchange(case.now), door),
                Err(refusal) => Some(format!("{refusal:?}")),
            };
            let file = file.path.file_name().unwrap_or_default().display();
            failures.extend(failure.map(|failure| format!("{file}: {}\n    {failure}", case.name)));
        }
    }
    assert!(failures.is_empty(), "{} of {ran} vectors fail:\n{}", failures.len(), failures.join("\n"));
}

/// None where it panicked.
fn decide(door: Door<'_>, exchange: &Exchange, headers: &Headers) -> Option<(Outcome, Unseen)> {
    let decided = catch_unwind(AssertUnwindSafe(|| door.decide(headers, &exchange.request))).ok();
    decided.map(|(outcome, unseen)| (exchange.opened(outcome), unseen))
}

fn same(outcome: Option<(Outcome, Unseen)>, other: Option<(Outcome, Unseen)>) -> Option<String> {
    (outcome.is_none() || outcome != other).then(|| format!("{} became {}", show(outcome), show(other)))
}

fn show(outcome: Option<(Outcome, Unseen)>) -> String {
    let Some(outcome) = outcome else { return "a panic".into() };
    difference::got(&outcome, &Mask::none()).to_string()
}

/// What doors are configured with here, an editor that knows the schema finds no fault with.
#[test]
fn every_configuration_of_the_vectors_is_one_by_the_schema() {
    let schema: Value =
        serde_json::from_str(include_str!("../docs/configuration.schema.json")).expect("the schema is JSON");
    let judge = jsonschema::draft202012::new(&schema).expect("the schema is one");
    let mut count = 0;
    for file in vector::load_all() {
        for case in &file.cases {
            let config = case.config_at(case.now).expect("a configuration");
            let faults: Vec<String> = judge
                .iter_errors(&config)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{}, {}: {faults:#?}", file.path.display(), case.name);
            count += 1;
        }
    }
    assert!(count >= AT_LEAST, "{count}");
}
