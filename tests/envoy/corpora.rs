//! What fuzzing and random tokens are judged by natively (`tests/corpus.rs`, `tests/round_trip.rs`), as requests to
//! the module that is shipped: its decision is the one that the same code gives outside of it.

#[path = "../../fuzz/src/token.rs"]
#[allow(dead_code, reason = "a part of it is for fuzz targets alone")]
mod fuzz_token;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use self::fuzz_token::{NOW, OTHER_SECRET, SECRET};
use super::both::{Asked, Both};
use super::mesh::now;
use super::round_trip::token;

const GATEWAY_KEY: &str = "a-gateway-key-that-stands-in-this-file-and-guards-nothing";
const ENVIRONMENT: [(&str, &str); 3] =
    [("SECRET", SECRET), ("OTHER", OTHER_SECRET), ("GATEWAY_KEY", GATEWAY_KEY)];

#[test]
fn every_token_of_the_corpora_is_judged_by_the_module_as_it_is_natively() {
    let doors: Vec<Value> = doors("outer").into_values().collect();
    let both = Both::start("outer", &doors, &ENVIRONMENT);
    let mut tokens: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, data) in corpus("claims") {
        tokens.push((name, fuzz_token::sign(br#"{"alg":"HS256"}"#, &moved(&data), SECRET).into()));
    }
    for (name, data) in corpus("header") {
        tokens.push((name, fuzz_token::sign(&data, &moved(good_payload().as_bytes()), SECRET).into()));
    }
    tokens.extend(corpus("compact"));
    for door in 0..doors.len() {
        for (name, token) in &tokens {
            both.ask(door, name, &bearer(token));
        }
    }
    both.finish(500);
}

/// Fewer requests at the door that they were found at would mean that most are left out.
const AT_THEIR_DOOR: usize = 100;

#[test]
fn every_request_of_the_corpora_is_decided_by_the_module_as_it_is_natively() {
    let mut at_their_door = 0;
    for kind in ["outer", "inner"] {
        let doors = doors(kind);
        let configurations: Vec<Value> = doors.values().cloned().collect();
        let both = Both::start(kind, &configurations, &ENVIRONMENT);
        for (name, data) in corpus("decide") {
            let data = moved(&data);
            let mut lines = data.split(|byte| *byte == b'\n');
            let first = std::str::from_utf8(lines.next().unwrap_or_default()).unwrap_or_default();
            let number = first.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0_usize);
            let asked = Asked(lines.map(header).collect());
            let its_own = number % all_doors().len();
            // Each at the door that it was found at, and at one more.
            let other = number % doors.len();
            for (position, door) in doors.keys().enumerate() {
                if *door == its_own || position == other {
                    let is_asked = both.ask(position, &name, &asked).is_some();
                    at_their_door += usize::from(is_asked && *door == its_own);
                }
            }
        }
        both.finish(100);
    }
    assert!(at_their_door >= AT_THEIR_DOOR, "only {at_their_door} were asked where they were found");
}

/// Each with a key of its own.
const TOKENS: usize = 60;

#[test]
fn random_tokens_and_changes_to_them_are_judged_by_the_module_as_they_are_natively() {
    let strategy = token::tokens();
    let mut runner = TestRunner::default();
    let (mut tokens, mut keys) = (Vec::new(), Vec::new());
    while tokens.len() < TOKENS {
        let mut token = strategy.new_tree(&mut runner).expect("a random token").current();
        // A shared secret is in no set of keys.
        let Some(mut jwk) = token.signer().jwk() else { continue };
        let kid = format!("key-{}", keys.len());
        jwk["kid"] = json!(kid);
        keys.push(jwk);
        let named = format!("{{\"kid\":\"{kid}\",");
        token.header = token.header.trim_start().replacen('{', &named, 1);
        // It is valid for one more second there.
        let later = token.payload.replace(&(token::NOW + 1).to_string(), &(token::NOW + 300).to_string());
        token.payload = String::from_utf8(moved(later.as_bytes())).expect("a payload is text");
        tokens.push(token);
    }
    let door = json!({ "door": "outer", "limits": { "jsonDepth": 32 }, "issuers": { "main": {
        "issuer": token::ISSUER, "audiences": [token::AUDIENCE], "keys": [{ "jwks": { "keys": keys } }],
        "algorithms": ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
    } } });
    let both = Both::start("outer", &[door], &ENVIRONMENT);
    for token in &tokens {
        let good = token::compact(&token.parts()).into_bytes();
        let name = format!("{} {}", token.algorithm.as_str(), token.payload);
        assert_eq!(both.ask(0, &name, &bearer(&good)), Some(true), "{name}");
        // In the header, in the claims, in the signature, and at either end.
        for part in 0..5 {
            let mut changed = good.clone();
            let place = (good.len() - 1) * part / 4;
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            // A dot that became a letter leaves no token, and another algorithm's name another code: all are denials.
            assert_eq!(
                both.ask(0, &format!("byte {place} of {name}"), &bearer(&changed)),
                Some(false),
                "{name}"
            );
        }
    }
    both.finish(TOKENS * 6);
}

/// A request with this token.
fn bearer(token: &[u8]) -> Asked {
    let authorization = [b"Bearer ", token].concat();
    Asked(vec![(b":path".to_vec(), b"/".to_vec()), (b"authorization".to_vec(), authorization)])
}

fn all_doors() -> Vec<Value> {
    serde_json::from_str(include_str!("../../fuzz/src/doors.json")).expect("the doors are JSON")
}

/// The doors of the fuzz targets of this kind, by their position there, but those that say of themselves when they
/// end, mint, or ask who the other end of the connection is.
fn doors(kind: &str) -> BTreeMap<usize, Value> {
    let is_meant = |door: &Value| {
        let is_timeless = door.get("report").is_none() && door.get("context").is_none();
        door["door"] == kind && is_timeless && !door.to_string().contains("spiffe")
    };
    all_doors().into_iter().enumerate().filter(|(_, door)| is_meant(door)).collect()
}

fn good_payload() -> String {
    json!({ "iss": "https://issuer.test", "aud": "https://api.test", "sub": "alice", "tenant_id": "acme",
            "iat": NOW, "exp": NOW + 300 })
    .to_string()
}

/// The files of a target's corpus.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files
        .map(|file| file.expect("a file of the corpus").path())
        .map(|path| (path.display().to_string(), fs::read(&path).expect("a file of the corpus can be read")))
        .collect();
    files.sort();
    files
}

/// The same with all dates moved from the time of the targets to the present: numbers of ten digits that are near it.
fn moved(text: &[u8]) -> Vec<u8> {
    let mut moved = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(byte) = rest.first() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(&rest[..digits]).ok().and_then(|digits| digits.parse::<u64>().ok());
        match number.filter(|number| number.abs_diff(NOW) < 10_000_000) {
            Some(number) => moved.extend((number + now()).saturating_sub(NOW).to_string().bytes()),
            None if digits > 0 => moved.extend(&rest[..digits]),
            None => moved.push(*byte),
        }
        rest = &rest[digits.max(1)..];
    }
    moved
}

/// `name: value`, as the target has it.
fn header(line: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (name, value) = match line.windows(2).position(|pair| pair == b": ") {
        Some(end) => (&line[..end], &line[end + 2..]),
        None => (line, &b""[..]),
    };
    (name.to_ascii_lowercase(), fuzz_token::fill(value, now()))
}
