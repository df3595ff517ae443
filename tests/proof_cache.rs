//! A cache never says yes where a fresh check would say no, nor the other way round.
//!
//! Two doors live the same life, one that remembers what tokens proved and one that does not: keys come,
//! change, and run out; time passes and is set back; configurations follow each other. Whatever happens, both
//! decide alike, to the last header.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails where it stands"
)]

mod support;

use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{FileFailurePersistence, TestRunner};
use serde_json::{Value, json};
use support::{keys, token};
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::keyring::{Action, Answer, Keys};
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::time::UnixTime;

const START: u64 = 1_800_000_000;

/// What an issuer publishes at one time or another.
const SETS: [&[&str]; 5] =
    [&["ed-1"], &["ec-256"], &["ed-1", "ec-256"], &["ec-256", "ec-256b"], &["ed-1", "ec-256", "ec-256b"]];

/// What may happen.
#[derive(Clone, Debug)]
enum Step {
    /// This token comes, with a bit flipped or not.
    Token(Index, bool),
    /// Seconds pass; some clocks are set back.
    Time(i64),
    /// The issuer is asked, whether it is due or not, and gives this set or none.
    Fetch(Option<Index>),
    /// This configuration is loaded.
    Configure(Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (any::<Index>(), prop::bool::weighted(0.1)).prop_map(|(token, flipped)| Step::Token(token, flipped)),
        2 => prop_oneof![6 => 0..120_i64, 2 => 120..4_000_i64, 2 => -400..0_i64, 1 => -100_000..-400_i64].prop_map(Step::Time),
        3 => prop::option::weighted(0.8, any::<Index>()).prop_map(Step::Fetch),
        1 => any::<Index>().prop_map(Step::Configure),
    ]
}

/// Tokens that differ in one thing each.
static TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let payload = json!({
        "iss": "https://issuer.test", "sub": "alice", "aud": "api", "tenant_id": "acme", "exp": START + 3_600,
        "permissions": ["blog:read"], "nested": {"a": [1, 2, 3]},
    });
    let changes = [
        json!({}),
        json!({ "sub": "bob" }),
        json!({ "exp": START + 60 }),
        json!({ "exp": START - 30 }),
        json!({ "exp": START + 900, "nbf": START + 60 }),
        json!({ "iat": START + 300 }),
        json!({ "aud": "other" }),
        json!({ "tenant_id": "globex" }),
        json!({ "permissions": "blog:read blog:write" }),
    ];
    let mut tokens = Vec::new();
    for change in &changes {
        let mut payload = payload.clone();
        payload.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        for key in ["ed-1", "ec-256", "ec-256b"] {
            let with_kid = json!({ "key": key, "payload": payload });
            let mut without_kid = with_kid.clone();
            without_kid["header"] = json!({ "alg": keys::named(key).algorithm() });
            tokens.extend([with_kid, without_kid].iter().map(|spec| token::mint(spec, START)));
        }
    }
    tokens
});

/// Configurations that differ in what they make of one or another of the tokens.
fn configurations() -> Vec<Value> {
    let base = json!({
        "door": "outer",
        "issuers": { "main": {
            "issuer": "https://issuer.test", "audiences": ["api"], "leeway": "5s",
            "keys": [{ "remote": { "url": "https://issuer.test/keys", "refresh": "5m", "maxStale": "20m" } }],
        } },
        "inject": { "x-nested": { "claim": "nested", "as": "json" } },
    });
    let changes: [fn(&mut Value); 6] = [
        |_| {},
        |configuration| configuration["issuers"]["main"]["denyKids"] = json!(["ed-1"]),
        |configuration| configuration["issuers"]["main"]["audiences"] = json!(["api", "other"]),
        |configuration| configuration["issuers"]["main"]["tenants"] = json!(["globex"]),
        |configuration| configuration["issuers"]["main"]["leeway"] = json!("2m"),
        |configuration| {
            configuration["inject"] = json!({ "x-nested": { "claim": "/nested/a/0", "as": "text" } })
        },
    ];
    let changed = |change: &fn(&mut Value)| {
        let mut configuration = base.clone();
        change(&mut configuration);
        configuration
    };
    changes.iter().map(changed).collect()
}

/// The same policy with caches of these sizes.
fn policies(cache_bytes: usize) -> Vec<Policy> {
    let policy = |mut configuration: Value| {
        configuration["limits"] = json!({ "tokenCacheBytes": cache_bytes });
        let compiled =
            compile::compile(&configuration, &Secrets::From(&|_| None), UnixTime::from_secs(START));
        compiled.unwrap_or_else(|errors| panic!("{errors}")).value
    };
    configurations().into_iter().map(policy).collect()
}

/// Everything that can be seen of a decision.
fn seen(policy: &Policy, keys: &Keys, token: &str, now: UnixTime) -> String {
    let authorization = format!("Bearer {token}");
    let headers: [(&[u8], &[u8]); 4] = [
        (b":method", b"GET"),
        (b":path", b"/"),
        (b"authorization", authorization.as_bytes()),
        (b"x-user-id", b"forged"),
    ];
    let request = Request::new(headers.to_vec());
    match policy::decide(policy, keys, &request, now) {
        Decision::Permit(permit) => {
            let forwarded = vestibule::mutation::apply(request.headers(), permit.mutations());
            let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
            let headers: Vec<String> =
                forwarded.iter().map(|(name, value)| format!("{}={}", text(name), text(value))).collect();
            format!("{:?} {headers:?}", permit.principal())
        }
        other => format!("{other:?}"),
    }
}

/// Lives through the steps, and says how often a token passed.
fn live(cache_bytes: usize, steps: &[Step]) -> usize {
    let (cached, fresh) = (policies(cache_bytes), policies(0));
    let (mut keys, mut now, mut passed) = (Keys::in_module(), UnixTime::from_secs(START), 0);
    // What is loaded is a copy with a cache of its own; only the configuration before is kept besides.
    let mut loaded = cached[0].clone();
    let mut current = 0;
    loaded.remote_sources().for_each(|source| keys.ring.watch(source, now));
    for step in steps {
        match step {
            Step::Token(index, flipped) => {
                let mut token = index.get(&TOKENS).clone();
                if *flipped {
                    let last = if token.ends_with('A') { "Q" } else { "A" };
                    token.replace_range(token.len() - 1.., last);
                }
                let (with, without) =
                    (seen(&loaded, &keys, &token, now), seen(&fresh[current], &keys, &token, now));
                assert_eq!(with, without, "{token}");
                passed += usize::from(with.contains("Principal"));
            }
            Step::Time(seconds) => {
                let step = Duration::from_secs(seconds.unsigned_abs());
                now = if *seconds < 0 { now.earlier_by(step) } else { now.later_by(step) };
            }
            Step::Fetch(set) => {
                let sources: Vec<_> = loaded.remote_sources().cloned().collect();
                sources.iter().for_each(|source| keys.ring.want(source, now));
                for action in keys.ring.poll(now) {
                    let Action::Fetch(fetch) = action else { continue };
                    let body = set.map(|set| keys::jwks(SETS[set.index(SETS.len())]).to_string());
                    let answer = match &body {
                        Some(body) => Answer::Response { status: b"200", body: Some(body.as_bytes()) },
                        None => Answer::Reset,
                    };
                    keys.ring.answer(fetch.id, answer, now);
                }
            }
            Step::Configure(index) => {
                current = index.index(cached.len());
                let next = cached[current].clone();
                next.remote_sources().for_each(|source| keys.ring.watch(source, now));
                loaded = next;
            }
        }
    }
    passed
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_door_that_remembers_decides_as_one_that_does_not(
        steps in prop::collection::vec(step(), 1..120),
        // One that holds all, and one that holds a handful and forgets all the time.
        cache_bytes in prop_oneof![Just(1 << 24), Just(16_384)],
    ) {
        live(cache_bytes, &steps);
    }
}

#[test]
fn tokens_pass_in_lives_like_those_above() {
    let mut runner = TestRunner::deterministic();
    let lives = prop::collection::vec(step(), 100);
    let mut life = || lives.new_tree(&mut runner).expect("a life").current();
    let passed: usize = (0..10).map(|_| live(1 << 24, &life())).sum();
    assert!(passed > 100, "only {passed} of about 600");
}
