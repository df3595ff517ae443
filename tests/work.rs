//! The most that one request can make the door do, whatever the key set and the token: how many signatures
//! are checked. What each costs is measured by `examples/hostile.rs`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails where it stands"
)]

mod support;

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Value, json};
use support::{keys, token};
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::denial::Code;
use vestibule::jose::algorithm::Algorithm;
use vestibule::jose::key::VerifyingKey;
use vestibule::jose::signature::{Engine, Outcome};
use vestibule::jose::software::Software;
use vestibule::keyring::Keys;
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::time::UnixTime;

const NOW: u64 = 1_800_000_000;
/// `limits.signatureTries` and `limits.moduleSignatureTries` where nothing is written.
const TRIES: usize = 4;
const MODULE_TRIES: usize = 2;

/// A host that can do all that the module can, and is asked every time.
#[derive(Default)]
struct Host {
    asked: Rc<Cell<usize>>,
    /// Whether it gives the known answers.
    can: bool,
}

impl Engine for Host {
    fn verify(&self, algorithm: Algorithm, key: &VerifyingKey, text: &[u8], signature: &[u8]) -> Outcome {
        self.asked.set(self.asked.get() + 1);
        if self.can { Software.verify(algorithm, key, text, signature) } else { Outcome::Unavailable }
    }
}

/// Keys of a set, each with the `kid` that it gets; the test key of the name is what it is a copy of.
type Set = Vec<(&'static str, Option<String>)>;

/// A hundred copies of the key of one name, with `kid`s of their own but for the last few.
fn hundred(name: &'static str, without_kid: usize) -> Set {
    (0..100).map(|number| (name, (number < 100 - without_kid).then(|| format!("k{number}")))).collect()
}

fn policy(set: &Set, algorithm: &str, limits: Option<Value>) -> Policy {
    let jwk = |(name, kid): &(&str, Option<String>)| {
        let mut jwk = keys::named(name).public_jwk();
        jwk["alg"] = json!(algorithm);
        match kid {
            Some(kid) => jwk["kid"] = json!(kid),
            None => drop(jwk.as_object_mut().and_then(|members| members.remove("kid"))),
        }
        jwk
    };
    let mut config = json!({
        "door": "outer",
        "issuers": { "main": {
            "issuer": "https://issuer.test", "audiences": ["https://api.test"],
            "keys": [{ "jwks": { "keys": set.iter().map(jwk).collect::<Vec<_>>() } }],
        } },
    });
    if let Some(limits) = limits {
        config["limits"] = limits;
    }
    match compile::compile(&config, &Secrets::Unchecked, UnixTime::from_secs(NOW)) {
        Ok(compiled) => compiled.value,
        Err(errors) => panic!("the configuration is refused: {errors}"),
    }
}

/// A good token of this key, which names this `kid`.
fn token(key: &str, algorithm: &str, kid: Option<&str>) -> String {
    let mut header = json!({ "alg": algorithm });
    if let Some(kid) = kid {
        header["kid"] = json!(kid);
    }
    let payload = json!({
        "iss": "https://issuer.test", "aud": "https://api.test", "sub": "alice", "tenant_id": "acme",
        "exp": NOW + 300,
    });
    token::mint(&json!({ "key": key, "header": header, "payload": payload }), NOW)
}

fn decide(policy: &Policy, keys: &Keys, authorizations: &[String]) -> Result<(), Code> {
    let mut headers = vec![(&b":method"[..], &b"GET"[..]), (b":path", b"/")];
    headers.extend(authorizations.iter().map(|value| (&b"authorization"[..], value.as_bytes())));
    match policy::decide(policy, keys, &Request::new(headers), UnixTime::from_secs(NOW)) {
        Decision::Permit(_) => Ok(()),
        Decision::Denial(denial) => Err(denial.code()),
        Decision::AwaitKeys(issuer) => panic!("{issuer} has no remote keys"),
        Decision::Publish(_) => panic!("nothing is published here"),
    }
}

/// The keys of a set and one of the same kind that is not in it.
const KINDS: [(&str, &str, &str); 4] = [
    ("rsa-1", "rsa-2", "RS256"),
    ("rsa-1", "rsa-2", "PS512"),
    ("ec-256", "ec-256b", "ES256"),
    ("ec-256b", "ec-256", "ES256"),
];

#[test]
fn a_host_is_asked_at_most_four_times_for_a_request() {
    let asked = Rc::new(Cell::new(0));
    let keys = Keys::settle(Some(Box::new(Host { asked: Rc::clone(&asked), can: true })), 0);
    for (known, stranger, algorithm) in KINDS {
        for without_kid in [0, 1, TRIES] {
            let policy = policy(&hundred(known, without_kid), algorithm, None);
            // Without a `kid` all hundred could be meant, with a known one one, with another those without.
            for (kid, expected) in [(None, TRIES), (Some("k7"), 1), (Some("other"), without_kid)] {
                asked.set(0);
                let bearer = format!("Bearer {}", token(stranger, algorithm, kid));
                let code = if expected == 0 { Code::KeyUnknown } else { Code::SignatureInvalid };
                assert_eq!(decide(&policy, &keys, &[bearer]), Err(code));
                assert_eq!(asked.get(), expected, "{algorithm}, kid {kid:?}, {without_kid} keys without one");
            }
        }
    }
}

#[test]
fn a_request_that_presents_several_tokens_has_none_of_them_checked() {
    let asked = Rc::new(Cell::new(0));
    let keys = Keys::settle(Some(Box::new(Host { asked: Rc::clone(&asked), can: true })), 0);
    asked.set(0);
    let policy = policy(&hundred("ec-256", 0), "ES256", None);
    let bearer = format!("Bearer {}", token("ec-256", "ES256", None));
    for authorizations in
        [vec![bearer.clone(); 2], vec![bearer.clone(); 50], vec![[&*bearer, &*bearer].join(",")]]
    {
        assert_eq!(decide(&policy, &keys, &authorizations), Err(Code::HeaderMalformed));
        assert_eq!(asked.get(), 0);
    }
}

/// Which of the keys is the right one tells how many were tried.
#[test]
fn the_module_tries_at_most_two_keys_for_a_request() {
    let asked = Rc::new(Cell::new(0));
    let keys = Keys::settle(Some(Box::new(Host { asked: Rc::clone(&asked), can: false })), 0);
    asked.set(0);
    for (known, stranger, algorithm) in KINDS {
        let bearer = format!("Bearer {}", token(stranger, algorithm, None));
        for position in 0..8 {
            let mut set = hundred(known, 0);
            set[position].0 = stranger;
            let expected = if position < MODULE_TRIES { Ok(()) } else { Err(Code::SignatureInvalid) };
            let decided = decide(&policy(&set, algorithm, None), &keys, std::slice::from_ref(&bearer));
            assert_eq!(decided, expected, "{algorithm}, the right key at {position}");
        }
    }
    assert_eq!(asked.get(), 0, "a host that cannot is not asked");
}

#[test]
fn what_limits_says_is_the_bound() {
    let asked = Rc::new(Cell::new(0));
    let host = Keys::settle(Some(Box::new(Host { asked: Rc::clone(&asked), can: true })), 0);
    let module = Keys::in_module();
    let bearer = [format!("Bearer {}", token("ec-256b", "ES256", None))];
    for (all, in_module) in [(1, 1), (16, 4), (2, 4), (1, 4)] {
        let limits = json!({ "signatureTries": all, "moduleSignatureTries": in_module });
        let with_right_key_at = |position: usize| {
            let mut set = hundred("ec-256", 0);
            set[position].0 = "ec-256b";
            policy(&set, "ES256", Some(limits.clone()))
        };
        asked.set(0);
        assert_eq!(decide(&with_right_key_at(99), &host, &bearer), Err(Code::SignatureInvalid));
        assert_eq!(asked.get(), all);
        let last = all.min(in_module) - 1;
        assert_eq!(decide(&with_right_key_at(last), &module, &bearer), Ok(()));
        assert_eq!(decide(&with_right_key_at(last + 1), &module, &bearer), Err(Code::SignatureInvalid));
    }
}

/// A signature of another length than the key's is no try, however many keys there are: nothing is computed.
#[test]
fn a_signature_of_the_wrong_length_asks_nobody() {
    let asked = Rc::new(Cell::new(0));
    let keys = Keys::settle(Some(Box::new(Host { asked: Rc::clone(&asked), can: true })), 0);
    asked.set(0);
    let policy = policy(&hundred("rsa-1", 0), "RS256", None);
    let whole = token("rsa-1", "RS256", None);
    for shorter in [2, 6, 302] {
        let bearer = format!("Bearer {}", whole.get(..whole.len() - shorter).expect("a token is ASCII"));
        assert_eq!(decide(&policy, &keys, &[bearer]), Err(Code::SignatureInvalid));
    }
    assert_eq!(asked.get(), 0);
}
