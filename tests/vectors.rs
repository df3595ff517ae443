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

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use support::vector::{self, Case, Expect};
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::denial::Code;
use vestibule::keyring::Keys;
use vestibule::mutation;
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::time::UnixTime;

/// The codes that no vector can produce, and why.
const OUT_OF_REACH: [(Code, &str); 12] = [
    (Code::PathAmbiguous, "there are no routes in this version"),
    (Code::WrongDoor, "the host decides it, by where the filter runs"),
    (Code::PeerNotAllowed, "`peers` is not in this version"),
    (Code::ContextMissing, "`context` is not in this version"),
    (Code::ContextInvalid, "`context` is not in this version"),
    (Code::ContextExpired, "`context` is not in this version"),
    (Code::IssuerNotAllowed, "there are no requirements in this version"),
    (Code::PermissionMissing, "there are no requirements in this version"),
    (Code::ScopeMissing, "there are no requirements in this version"),
    (Code::RoleMissing, "there are no requirements in this version"),
    (Code::HostFailed, "the host says it where one of its own calls fails"),
    (Code::Overloaded, "how many requests wait is known to the host alone"),
];

/// Fewer would mean that files went missing.
const AT_LEAST: usize = 80;

type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// What became of a request: its code, or the headers that the upstream sees, each with its values in order.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Denied(String),
    Forwarded(BTreeMap<String, Vec<Vec<u8>>>),
}

#[test]
fn every_vector_is_decided_as_it_says() {
    report(|case, policy, keys| difference(&expected(case), &decide(policy, keys, case, sent(case))));
}

/// HTTP gives no meaning to the order of headers with different names (RFC 9110 section 5.3), and proxies
/// change it.
#[test]
fn no_decision_depends_on_the_order_of_headers() {
    report(|case, policy, keys| {
        let headers = sent(case);
        let reversed = headers.iter().rev().cloned().collect();
        let mut outcome = decide(policy, keys, case, reversed);
        if let Outcome::Forwarded(upstream) = &mut outcome {
            upstream.values_mut().for_each(|values| values.reverse());
        }
        difference(&decide(policy, keys, case, headers), &outcome)
    });
}

/// Whatever else a request holds, forged headers change neither its decision nor what the upstream sees. At
/// the inner door the exact names are the gateway's to send, so the forger is left with the other spellings.
#[test]
fn no_vector_comes_out_differently_for_forged_headers() {
    report(|case, policy, keys| {
        let headers = sent(case);
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
        difference(&decide(policy, keys, case, headers), &decide(policy, keys, case, with_forged))
    });
}

#[test]
fn every_code_that_can_be_produced_is() {
    let produced: BTreeSet<String> = vector::load_all()
        .iter()
        .flat_map(|file| &file.cases)
        .filter_map(|case| match case.expect(case.now) {
            Expect::Deny(code) => Some(code),
            Expect::Permit(_) => None,
        })
        .collect();
    for code in Code::ALL {
        let reason =
            OUT_OF_REACH.iter().find(|(unreachable, _)| unreachable == code).map(|(_, reason)| reason);
        match (produced.contains(code.as_str()), reason) {
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
fn report(check: impl Fn(&Case, &Policy, &Keys) -> Option<String>) {
    let keys = Keys::in_module();
    let mut policies: BTreeMap<String, Result<Policy, String>> = BTreeMap::new();
    let mut failures = Vec::new();
    let mut ran = 0;
    for file in vector::load_all() {
        for case in &file.cases {
            ran += 1;
            let key = format!("{} {:?}", case.config, case.env);
            let failure = match policies.entry(key).or_insert_with(|| compiled(case)) {
                Ok(policy) => check(case, policy, &keys),
                Err(errors) => Some(errors.clone()),
            };
            let file = file.path.file_name().unwrap_or_default().display();
            failures.extend(failure.map(|failure| format!("{file}: {}\n    {failure}", case.name)));
        }
    }
    assert!(failures.is_empty(), "{} of {ran} vectors fail:\n{}", failures.len(), failures.join("\n"));
}

fn compiled(case: &Case) -> Result<Policy, String> {
    let environment = |name: &str| case.env.get(name).cloned();
    compile::compile(&case.config, &Secrets::From(&environment), UnixTime::from_secs(case.now))
        .map(|compiled| compiled.value)
        .map_err(|errors| format!("the configuration is refused: {errors}"))
}

/// The headers as Envoy's codecs deliver them: names in lower case, pseudo-headers first.
fn sent(case: &Case) -> Headers {
    let request = case.request(case.now);
    let pseudo = [
        (":authority", Some(b"vestibule.test".to_vec())),
        (":scheme", Some(b"http".to_vec())),
        (":method", request.method),
        (":path", request.path),
    ];
    let pseudo = pseudo.into_iter().filter_map(|(name, value)| Some((name.as_bytes().to_vec(), value?)));
    pseudo
        .chain(request.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)))
        .collect()
}

fn decide(policy: &Policy, keys: &Keys, case: &Case, headers: Headers) -> Outcome {
    let cluster = case.request(case.now).cluster;
    let borrowed: Vec<(&[u8], &[u8])> =
        headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    let request = Request::new(borrowed);
    let request = match &cluster {
        Some(cluster) => request.with_cluster(cluster.as_bytes()),
        None => request,
    };
    let decided = catch_unwind(AssertUnwindSafe(|| {
        policy::decide(policy, keys, &request, UnixTime::from_secs(case.now))
    }));
    match decided {
        Err(_) => Outcome::Denied("nothing: it panicked".into()),
        Ok(Decision::Denial(denial)) => Outcome::Denied(denial.code().as_str().into()),
        Ok(Decision::AwaitKeys(issuer)) => panic!("{}: no vector has remote keys of {issuer}", case.name),
        Ok(Decision::Permit(permit)) => {
            let mut upstream: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
            for (name, value) in mutation::apply(request.headers(), permit.mutations()) {
                if !name.starts_with(b":") || name == vector::PATH.as_bytes() {
                    upstream.entry(latin_1(&name)).or_default().push(value);
                }
            }
            Outcome::Forwarded(upstream)
        }
    }
}

/// A header that the vector does not name must not reach the upstream at all.
fn expected(case: &Case) -> Outcome {
    match case.expect(case.now) {
        Expect::Deny(code) => Outcome::Denied(code),
        Expect::Permit(upstream) => {
            Outcome::Forwarded(upstream.into_iter().filter(|(_, values)| !values.is_empty()).collect())
        }
    }
}

fn difference(expected: &Outcome, outcome: &Outcome) -> Option<String> {
    (outcome != expected).then(|| format!("expected {}, got {}", show(expected), show(outcome)))
}

fn show(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Denied(code) => code.clone(),
        Outcome::Forwarded(upstream) => {
            let headers =
                upstream.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
            let lines: Vec<String> =
                headers.map(|(name, value)| format!("{name}: {}", latin_1(value))).collect();
            format!("permit [{}]", lines.join("; "))
        }
    }
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
