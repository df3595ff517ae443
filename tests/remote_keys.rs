//! Remote keys and decisions, natively: what becomes of a token before its keys are there, while they change,
//! and after.
//!
//! When a source is asked is the keyring's own test (`src/keyring/tests/`); that a request really waits and
//! goes on is `tests/envoy/remote_keys.rs`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails where it stands"
)]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{keys, token};
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::keyring::{Action, Answer, Keys};
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::time::UnixTime;

const START: u64 = 1_800_000_000;

/// A door whose issuer publishes its keys, and the keys that came so far.
struct Door {
    policy: Policy,
    keys: Keys,
    now: UnixTime,
}

impl Door {
    fn new(issuer: Value) -> Self {
        let mut door =
            Self { policy: policy(issuer), keys: Keys::in_module(), now: UnixTime::from_secs(START) };
        door.policy.remote_sources().for_each(|source| door.keys.ring.watch(source, door.now));
        door
    }

    /// Answers every fetch that is due, by what the source of this path says.
    fn fetch(&mut self, answer: impl Fn(&str) -> Option<Vec<u8>>) {
        for action in self.keys.ring.poll(self.now) {
            let Action::Fetch(fetch) = action else { continue };
            let body = answer(fetch.source.url().target());
            let answer = match &body {
                Some(body) => Answer::Response { status: b"200", body: Some(body) },
                None => Answer::Reset,
            };
            self.keys.ring.answer(fetch.id, answer, self.now).expect("the fetch is under way");
        }
    }

    /// Every source gives these keys.
    fn fetch_keys(&mut self, names: &[&str]) {
        self.fetch(|_| Some(set(names)));
    }

    /// The issuer is asked because a request waits.
    fn want(&mut self) {
        let sources: Vec<_> = self.policy.remote_sources_of("main").cloned().collect();
        sources.iter().for_each(|source| self.keys.ring.want(source, self.now));
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now.later_by(Duration::from_secs(seconds));
    }

    fn decide(&self, token: &Value) -> String {
        let authorization = format!("Bearer {}", token::mint(token, START));
        let headers: [(&[u8], &[u8]); 3] =
            [(b":method", b"GET"), (b":path", b"/"), (b"authorization", authorization.as_bytes())];
        match policy::decide(&self.policy, &self.keys, &Request::new(headers.to_vec()), self.now) {
            Decision::Permit(_) => "permit".into(),
            Decision::AwaitKeys(issuer) => format!("await {issuer}"),
            Decision::Denial(denial) => denial.code().as_str().into(),
            Decision::Publish(_) => "published keys".into(),
        }
    }
}

fn policy(issuer: Value) -> Policy {
    let mut configuration = json!({
        "door": "outer",
        "tenant": "optional",
        "issuers": { "main": { "issuer": "https://issuer.test", "audiences": ["*"] } },
    });
    let main = configuration["issuers"]["main"].as_object_mut().expect("an object");
    main.extend(issuer.as_object().expect("an object").clone());
    compile::compile(
        &configuration,
        &Secrets::From(&|_| Some("0123456789abcdef0123456789abcdef".into())),
        UnixTime::from_secs(START),
    )
    .unwrap_or_else(|errors| panic!("{errors}"))
    .value
}

fn remote() -> Value {
    json!({ "keys": [{ "remote": { "url": "https://issuer.test/first" } }] })
}

fn set(names: &[&str]) -> Vec<u8> {
    keys::jwks(names).to_string().into_bytes()
}

/// A good token by this key.
fn by(key: &str) -> Value {
    json!({ "key": key, "payload": {
        "iss": "https://issuer.test", "sub": "alice", "aud": "api", "exp": { "$now": 30 * 86_400 },
    } })
}

/// The same without `kid`.
fn without_kid(key: &str) -> Value {
    let mut token = by(key);
    token["header"] = json!({ "alg": keys::named(key).algorithm() });
    token
}

#[test]
fn a_token_waits_for_the_first_keys_and_passes_when_they_are_there() {
    let mut door = Door::new(remote());
    assert_eq!(door.decide(&by("ec-256")), "await main");
    assert_eq!(door.decide(&without_kid("ec-256")), "await main");
    door.fetch_keys(&["ec-256"]);
    assert_eq!(door.decide(&by("ec-256")), "permit");
    assert_eq!(door.decide(&without_kid("ec-256")), "permit");
}

#[test]
fn keys_that_are_not_there_are_503_and_never_401() {
    let mut door =
        Door::new(json!({ "keys": [{ "remote": { "url": "https://issuer.test/first" } }], "leeway": "0s" }));
    for token in [by("ec-256"), without_kid("ec-256")] {
        assert_eq!(door.decide(&token), "await main");
    }
    // Known to the host, and not to the keyring: nothing will come.
    door.keys = Keys::in_module();
    for token in [by("ec-256"), without_kid("ec-256")] {
        assert_eq!(door.decide(&token), "keys_unavailable");
    }
}

#[test]
fn what_no_key_can_mend_is_not_waited_for() {
    let door = Door::new(json!({
        "keys": [{ "remote": { "url": "https://issuer.test/first" } }],
        "algorithms": ["ES256"], "denyKids": ["rsa-2"],
    }));
    let with = |header: Value| {
        let mut token = by("ec-256");
        token["header"] = header;
        token
    };
    for (header, code) in [
        (json!({ "alg": "RS256", "kid": "rsa-1" }), "algorithm_not_allowed"),
        (json!({ "alg": "none" }), "algorithm_not_allowed"),
        (json!({ "alg": "HS256", "kid": "ec-256" }), "algorithm_not_allowed"),
        (json!({ "alg": "ES256", "kid": "rsa-2" }), "key_unknown"),
        (json!({ "alg": "ES256", "kid": "ec-256", "typ": "other" }), "type_not_allowed"),
    ] {
        assert_eq!(door.decide(&with(header.clone())), code, "{header}");
    }
    let any = Door::new(remote());
    assert_eq!(any.decide(&with(json!({ "alg": "HS256", "kid": "x" }))), "algorithm_not_allowed");
    assert_eq!(any.decide(&with(json!({ "alg": "ES256", "kid": "x" }))), "await main");
}

#[test]
fn an_unknown_kid_is_denied_while_the_keys_are_new_and_waited_for_when_they_are_not() {
    let mut door = Door::new(remote());
    door.fetch_keys(&["ec-256"]);
    assert_eq!(door.decide(&by("ec-256b")), "key_unknown");
    door.pass(29);
    assert_eq!(door.decide(&by("ec-256b")), "key_unknown");
    door.pass(1);
    assert_eq!(door.decide(&by("ec-256b")), "await main");
    door.want();
    door.fetch_keys(&["ec-256", "ec-256b"]);
    assert_eq!(
        (door.decide(&by("ec-256b")).as_str(), door.decide(&by("ec-256")).as_str()),
        ("permit", "permit")
    );
}

#[test]
fn an_unknown_kid_is_503_where_the_issuer_cannot_be_asked() {
    let mut door = Door::new(remote());
    door.fetch_keys(&["ec-256"]);
    door.pass(30);
    door.want();
    door.fetch(|_| None);
    door.pass(1);
    door.fetch(|_| None);
    assert_eq!(door.decide(&by("ec-256b")), "keys_unavailable", "the next fetch is two seconds away");
    assert_eq!(door.decide(&by("ec-256")), "permit", "the keys of before serve on");
}

#[test]
fn a_new_algorithm_is_a_rotation_like_any_other() {
    let mut door = Door::new(remote());
    door.fetch_keys(&["rsa-1"]);
    assert_eq!(door.decide(&by("ec-256")), "algorithm_not_allowed");
    door.pass(30);
    assert_eq!(door.decide(&by("ec-256")), "await main");
    door.want();
    door.fetch_keys(&["ec-256"]);
    assert_eq!(door.decide(&by("ec-256")), "permit");
    assert_eq!(door.decide(&by("rsa-1")), "algorithm_not_allowed");
}

#[test]
fn a_bad_signature_by_a_known_kid_is_not_waited_for() {
    let mut door = Door::new(remote());
    door.fetch_keys(&["ec-256"]);
    door.pass(60);
    let mut token = by("ec-256b");
    token["header"] = json!({ "alg": "ES256", "kid": "ec-256" });
    assert_eq!(door.decide(&token), "signature_invalid");
    assert_eq!(door.decide(&without_kid("ec-256b")), "signature_invalid", "no kid, no key to ask for");
}

#[test]
fn a_withdrawn_key_is_believed_no_more_though_its_token_was_proved_before() {
    let mut door = Door::new(remote());
    door.fetch_keys(&["ec-256", "ec-256b"]);
    for _ in 0..3 {
        assert_eq!(door.decide(&by("ec-256")), "permit");
    }
    door.pass(600);
    door.fetch_keys(&["ec-256b"]);
    assert_eq!(door.decide(&by("ec-256")), "key_unknown");
    assert_eq!(door.decide(&without_kid("ec-256")), "signature_invalid");
    assert_eq!(door.decide(&by("ec-256b")), "permit");
}

#[test]
fn keys_that_are_too_old_prove_nothing_though_they_proved_it_before() {
    let mut door = Door::new(json!({ "keys": [
        { "remote": { "url": "https://issuer.test/first", "refresh": "1h", "maxStale": "2h" } },
    ] }));
    door.fetch_keys(&["ec-256"]);
    assert_eq!(door.decide(&by("ec-256")), "permit");
    door.pass(7_199);
    assert_eq!(door.decide(&by("ec-256")), "permit");
    door.pass(1);
    assert_eq!(door.decide(&by("ec-256")), "await main", "it is due");
    door.fetch(|_| None);
    door.keys = Keys::in_module();
    assert_eq!(door.decide(&by("ec-256")), "keys_unavailable");
}

#[test]
fn a_denied_kid_is_denied_wherever_its_key_comes_from() {
    let mut issuer = remote();
    issuer["denyKids"] = json!(["ec-256"]);
    let mut door = Door::new(issuer);
    door.fetch_keys(&["ec-256", "ec-256b"]);
    assert_eq!(door.decide(&by("ec-256")), "key_unknown");
    assert_eq!(
        door.decide(&without_kid("ec-256")),
        "signature_invalid",
        "not by leaving out the name either"
    );
    assert_eq!(door.decide(&by("ec-256b")), "permit");
    door.pass(60);
    assert_eq!(door.decide(&by("ec-256")), "key_unknown", "and no fetch would change it");
}

#[test]
fn a_source_that_fails_disables_no_other() {
    let mut door = Door::new(json!({ "keys": [
        { "remote": { "url": "https://issuer.test/first" } },
        { "remote": { "url": "https://issuer.test/second" } },
        { "pem": keys::named("ed-1").public_pem(), "kid": "ed-1" },
    ] }));
    assert_eq!(door.decide(&by("ed-1")), "permit", "what stands in the configuration waits for nobody");
    door.fetch(|path| (path == "/second").then(|| set(&["ec-256"])));
    assert_eq!(door.decide(&by("ec-256")), "permit");
    assert_eq!(door.decide(&by("ec-256b")), "await main", "the first source may have it");
    assert_eq!(door.decide(&without_kid("ec-256b")), "await main", "whatever the token calls it");
    door.pass(1);
    door.fetch(|path| (path == "/first").then(|| set(&["ec-256b"])));
    assert_eq!(door.decide(&by("ec-256b")), "permit");
    assert_eq!(door.decide(&without_kid("ec-256b")), "permit");
}

#[test]
fn a_published_secret_is_no_key() {
    let mut door = Door::new(remote());
    let secret = json!({ "keys": [
        { "kty": "oct", "kid": "hs", "alg": "HS256", "k": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY" },
    ] });
    door.fetch(|_| Some(secret.to_string().into_bytes()));
    let mut token = by("ec-256");
    token["header"] = json!({ "alg": "HS256", "kid": "hs" });
    token["sign"] = json!({ "alg": "HS256", "secret": "0123456789abcdef0123456789abcdef" });
    assert_eq!(door.decide(&token), "algorithm_not_allowed");
}

#[test]
fn a_token_without_kid_is_503_where_the_keys_may_have_changed_and_nobody_can_be_asked() {
    let mut door = Door::new(remote());
    door.fetch_keys(&["ec-256"]);
    door.pass(600);
    door.fetch(|_| None);
    door.pass(1);
    door.fetch(|_| None);
    assert_eq!(door.decide(&without_kid("ec-256b")), "keys_unavailable", "the issuer may have rotated");
    assert_eq!(door.decide(&without_kid("ec-256")), "permit");
}

#[test]
fn a_kid_that_one_source_knows_may_be_another_ones_that_is_not_there() {
    let mut door = Door::new(json!({ "keys": [
        { "remote": { "url": "https://issuer.test/first" } },
        { "remote": { "url": "https://issuer.test/second" } },
    ] }));
    door.fetch(|path| (path == "/first").then(|| set(&["ec-256"])));
    let mut token = by("ec-256b");
    token["header"] = json!({ "alg": "ES256", "kid": "ec-256" });
    assert_eq!(door.decide(&token), "await main", "two issuers' tools may both call a key so");
    door.pass(1);
    door.fetch_keys(&["ec-256"]);
    assert_eq!(door.decide(&token), "signature_invalid");
}

#[test]
fn a_bad_hmac_is_not_waited_for_because_secrets_are_not_published() {
    let door = Door::new(json!({ "keys": [
        { "remote": { "url": "https://issuer.test/first" } }, { "secret": { "env": "SECRET" } },
    ] }));
    for header in [json!({ "alg": "HS256" }), json!({ "alg": "HS256", "kid": "x" })] {
        let mut token = by("ec-256");
        token["header"] = header;
        token["sign"] = json!({ "alg": "HS256", "secret": "another secret that is 32 bytes." });
        assert_eq!(door.decide(&token), "signature_invalid");
        token["sign"]["secret"] = json!("0123456789abcdef0123456789abcdef");
        assert_eq!(door.decide(&token), "permit");
    }
}

#[test]
fn a_clock_that_is_set_back_ends_what_was_proved_with_the_keys_that_proved_it() {
    let mut door = Door::new(json!({ "keys": [
        { "remote": { "url": "https://issuer.test/first", "refresh": "5m", "maxStale": "20m" } },
    ] }));
    let right = door.now;
    door.pass(86_400);
    door.fetch(|_| None);
    door.pass(2);
    door.fetch_keys(&["ec-256"]);
    assert_eq!(door.decide(&by("ec-256")), "permit");
    door.now = right;
    door.fetch(|_| None);
    assert_eq!(door.decide(&by("ec-256")), "permit");
    for _ in 0..20 {
        door.pass(60);
        door.fetch(|_| None);
    }
    assert_ne!(door.decide(&by("ec-256")), "permit");
}
