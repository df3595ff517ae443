//! An issuer changes its keys under load: nobody who signs with a current key is refused, nobody who signs
//! with a withdrawn one gets in, and no flood of unknown keys becomes a flood of fetches.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::mesh::{ENVIRONMENT, good_payload, signed};
use super::remote_door::{
    RemoteDoor, assert_no_errors, bootstrap, by, configuration, send_all, token_by, until,
};
use crate::support::envoy::Envoy;
use crate::support::http::{Connection, Response, get};
use crate::support::jwks_server::{JwksServer, Reply};
use crate::support::secrets;
use crate::support::upstream::Upstream;

/// How long keys count as new, so that an unknown `kid` is no reason to ask again (`src/keyring/state.rs`).
const NEW: Duration = Duration::from_secs(30);

/// A door whose log is short.
fn terse_door(issuer: JwksServer, change: impl FnOnce(&mut Value)) -> RemoteDoor {
    let upstream = Upstream::start();
    let mut configuration = configuration(issuer.port());
    change(&mut configuration);
    let bootstrap = bootstrap(&configuration, issuer.port(), upstream.port());
    let envoy = Envoy::start_with(&bootstrap, &ENVIRONMENT, &["--log-level", "info"]);
    RemoteDoor { envoy, issuer, upstream }
}

/// What became of a request, and when.
struct Outcome {
    sent: Instant,
    answered: Instant,
    key: &'static str,
    response: Response,
}

impl Outcome {
    fn is_permitted(&self) -> bool {
        self.response.status == 200
    }
}

/// Sends tokens by this key, old ones and new ones, until it is told to stop.
fn load(key: &'static str, port: u16, stop: &AtomicBool, count: &AtomicUsize) -> Vec<Outcome> {
    let mut connection = Connection::open(port);
    let mut outcomes = Vec::new();
    let known = by(key);
    while !stop.load(Ordering::Relaxed) {
        // Every other token is one that came before, which the door need not verify again.
        let is_known = outcomes.len() % 2 == 1;
        let mut payload = good_payload();
        payload["sub"] = json!(format!("user-{}", outcomes.len()));
        let fresh = || get("/").bearer(&signed(&json!({ "key": key, "payload": payload })));
        let request = if is_known { known.clone() } else { fresh() };
        let sent = Instant::now();
        let response = connection.send(&request);
        outcomes.push(Outcome { sent, answered: Instant::now(), key, response });
        count.fetch_add(1, Ordering::Relaxed);
    }
    outcomes
}

#[test]
fn a_rotation_under_load_refuses_no_current_key_and_permits_no_withdrawn_one() {
    const PHASE: usize = 400;
    let issuer = JwksServer::start(Reply::keys(&["ec-256"]));
    let door = terse_door(issuer, |configuration| {
        configuration["issuers"]["main"]["keys"][0]["remote"]["refresh"] = json!("1s");
    });
    let port = door.port();
    for key in ["ec-256", "ec-256b"] {
        secrets::remember(token_by(key).as_bytes());
    }
    let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let phase = || {
        let end = count.load(Ordering::Relaxed) + PHASE;
        until("the load goes on", || (count.load(Ordering::Relaxed) >= end).then_some(()));
    };
    let is_permitted = |key| by(key).send(port).status == 200;
    until("the first keys are there", || is_permitted("ec-256").then_some(()));
    let (outcomes, published, withdrawn, gone) = thread::scope(|scope| {
        let clients = ["ec-256", "ec-256b", "ec-256", "ec-256b"];
        let clients = clients.map(|key| scope.spawn(|| load(key, port, &stop, &count)));
        phase();
        door.issuer.answer(Reply::keys(&["ec-256", "ec-256b"]));
        until("the new key is there", || is_permitted("ec-256b").then_some(()));
        let published = Instant::now();
        phase();
        let withdrawn = Instant::now();
        door.issuer.answer(Reply::keys(&["ec-256b"]));
        until("the old key is gone", || (!is_permitted("ec-256")).then_some(()));
        let gone = Instant::now();
        phase();
        stop.store(true, Ordering::Relaxed);
        let outcomes = clients.into_iter().flat_map(|client| client.join().expect("the load goes on"));
        (outcomes.collect::<Vec<_>>(), published, withdrawn, gone)
    });
    println!("{} requests", outcomes.len());
    assert!(outcomes.len() >= 1000);
    for outcome in &outcomes {
        let (is_current, is_withdrawn) = match outcome.key {
            "ec-256b" => (outcome.sent > published, false),
            _ => (outcome.answered < withdrawn, outcome.sent > gone),
        };
        if is_current {
            assert!(outcome.is_permitted(), "{}: {:?}", outcome.key, outcome.response);
        }
        if is_withdrawn {
            assert_eq!(outcome.response.code().as_deref(), Some("key_unknown"), "{:?}", outcome.response);
        }
    }
    let told = |key: &str, is_there: bool, when: &dyn Fn(&Outcome) -> bool| {
        outcomes.iter().filter(|it| it.key == key && it.is_permitted() == is_there && when(it)).count()
    };
    for (what, count) in [
        ("permitted by the first key", told("ec-256", true, &|it| it.answered < withdrawn)),
        ("permitted by the second", told("ec-256b", true, &|it| it.sent > published)),
        ("refused of the second, before", told("ec-256b", false, &|it| it.answered < published)),
        ("refused of the first, after", told("ec-256", false, &|it| it.sent > gone)),
    ] {
        assert!(count > 20, "{what}: {count} requests, which shows little");
    }
    assert_no_errors(&door.envoy);
}

/// Sends so many requests over a few connections, each with a token whose key nobody has heard of.
fn flood(count: usize, port: u16) {
    const CONNECTIONS: usize = 4;
    let known = token_by("ec-256");
    secrets::remember(known.as_bytes());
    let (_, rest) = known.split_once('.').expect("a token has parts");
    let unknown = |number: usize| {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": format!("unknown-{number}") });
        get("/").bearer(&format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string())))
    };
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut connection = Connection::open(port);
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    let response = connection.send(&unknown(number));
                    assert_eq!(response.code().as_deref(), Some("key_unknown"), "{response:?}");
                }
            });
        }
    });
}

#[test]
fn a_new_key_is_fetched_when_it_is_first_seen_and_unknown_ones_cause_one_fetch_in_thirty_seconds() {
    let door = terse_door(JwksServer::start(Reply::keys(&["ec-256"])), |_| {});
    let port = door.port();
    assert_eq!(by("ec-256").send(port).status, 200);
    door.issuer.wait_for_fetches(2);
    let start = Instant::now();
    flood(40_000, port);
    println!("40,000 requests in {:?}", start.elapsed());
    // Not one key stays.
    door.issuer.answer(Reply::keys(&["ec-256b"]));
    let last = door.issuer.fetches().last().and_then(|fetch| fetch.answered).expect("an answered fetch").1;
    let old = last + NEW + Duration::from_secs(1); // with what an answer may take to be read
    thread::sleep(old.saturating_duration_since(Instant::now()));
    let before = door.issuer.count();
    thread::scope(|scope| {
        scope.spawn(|| flood(10_000, port));
        for response in send_all((0..20).map(|_| by("ec-256b")), port).answers() {
            assert_eq!(response.status, 200, "{response:?}");
        }
    });
    assert_eq!(
        door.issuer.count(),
        before + 1,
        "the first of them has the keys fetched, and all wait for that"
    );
    assert_eq!(by("ec-256").send(port).code().as_deref(), Some("key_unknown"));
    let times: Vec<Instant> = door.issuer.fetches().iter().map(|fetch| fetch.at).collect();
    // The main thread's VM, which meets no token, asks once, at the start, as the worker's does.
    for pair in times[1..].windows(2) {
        let gap = pair[1] - pair[0];
        assert!(gap + Duration::from_secs(1) > NEW, "two fetches within {gap:?}: {times:?}");
    }
    println!("{} fetches in {:?}", times.len(), start.elapsed());
    assert_no_errors(&door.envoy);
}
