//! What somebody else signed passes, and nothing else does: random tokens, and random changes to them.
//!
//! A failure prints the smallest case that shows it, and no file remembers it: what is found here becomes a
//! vector or a test of its own. `PROPTEST_CASES` sets how many cases there are; `tests/envoy/round_trip.rs`
//! asks the host's engine.

#![allow(unreachable_pub, reason = "nothing here is reached from outside")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that cannot go on fails where it stands"
)]

#[path = "round_trip/signer.rs"]
mod signer;
#[path = "round_trip/token.rs"]
mod token;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::jose::base64url;
use vestibule::jose::compact::{Compact, Decoded, Size};
use vestibule::jose::jwk::Key;
use vestibule::jose::key::VerifyingKey;
use vestibule::jose::signature::{self, Tries};
use vestibule::keyring::Keys;
use vestibule::mutation::Mutation;
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::time::UnixTime;

use token::{AUDIENCE, ISSUER, NOW, Token, compact, tokens};

/// As the default limits have it.
const SIZE: Size = Size { bytes: 8192, depth: 32 };

thread_local! {
    static KEYS: Keys = Keys::in_module();
}

fn config() -> ProptestConfig {
    let given = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { given.cases } else { 128 };
    ProptestConfig { cases, failure_persistence: None, ..given }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_another_library_signed_passes_with_its_claims_as_they_are(token in tokens()) {
        let door = Door::of(&token);
        let text = compact(&token.parts());
        let claims: Value = serde_json::from_str(&token.payload).expect("a payload is JSON");
        let user = door.user_of(&text);
        prop_assert_eq!(user.as_deref(), claims["sub"].as_str(), "{}", text);

        let decoded = Decoded::of(text.as_bytes(), SIZE).expect("three parts");
        let read = Compact::read(&decoded).expect("a well-formed token");
        let verified = KEYS.with(|keys| signature::verify(read, &[&key(&token)], &keys.engines, Tries { all: 1, module: 1 }));
        let verified = verified.expect("a verified token");
        prop_assert_eq!(Value::from(verified.claims()), claims);
    }

    #[test]
    fn a_token_with_one_bit_changed_is_denied(token in tokens(), positions in any::<[Index; 4]>()) {
        let door = Door::of(&token);
        let good = token.parts();
        prop_assert!(door.user_of(compact(&good)).is_some(), "the token itself is denied");
        // In each part as it was before it was encoded, and then in the text itself.
        for (part, position) in positions.iter().enumerate() {
            let bad = match good.get(part) {
                Some(decoded) => {
                    let mut parts = good.clone();
                    flip(&mut parts[part], position.index(8 * decoded.len()));
                    compact(&parts).into_bytes()
                }
                None => {
                    let mut text = compact(&good).into_bytes();
                    let bits = 8 * text.len();
                    flip(&mut text, position.index(bits));
                    text
                }
            };
            prop_assert_eq!(door.user_of(&bad), None, "part {}: {}", part, bad.escape_ascii());
        }
    }

    #[test]
    fn a_token_that_is_cut_or_has_grown_is_denied(
        token in tokens(), cut in any::<(Index, Index)>(), place in any::<Index>(), more in "[!-~]{1,3}|[A-Za-z0-9_-]{1,3}|\\.|=",
    ) {
        let door = Door::of(&token);
        let good = compact(&token.parts());
        prop_assert!(door.user_of(&good).is_some(), "the token itself is denied");
        let (one, other) = (cut.0.index(good.len()), cut.1.index(good.len()));
        let (from, to) = (one.min(other), one.max(other) + 1);
        let place = place.index(good.len() + 1);
        for bad in [
            good[..from].to_owned(),
            good[to..].to_owned(),
            [&good[..from], &good[to..]].concat(),
            [&good[..], &more].concat(),
            [&more, &good[..]].concat(),
            [&good[..place], &more, &good[place..]].concat(),
        ] {
            prop_assert_eq!(door.user_of(&bad), None, "{}", bad);
        }
    }

    #[test]
    fn a_token_has_one_spelling(token in tokens(), place in any::<Index>(), other in any::<u8>()) {
        let good = compact(&token.parts());
        let mut bytes = good.clone().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = other;
        // What is well-formed is what its parts give when they are encoded; so no two spellings have the
        // same.
        for text in [good.into_bytes(), bytes] {
            if Decoded::of(&text, SIZE).is_ok_and(|decoded| Compact::read(&decoded).is_ok()) {
                let parts = text.split(|byte| *byte == b'.').map(|part| base64url(part).expect("base64url"));
                let parts = <[Vec<u8>; 3]>::try_from(parts.collect::<Vec<_>>()).expect("three parts");
                prop_assert_eq!(compact(&parts).into_bytes(), text);
            }
        }
    }

    #[test]
    fn base64url_has_one_spelling(bytes in any::<Vec<u8>>(), text in "[A-Za-z0-9_-]{0,9}={0,2}|[A-Za-z0-9+/_= \n-]{0,9}") {
        prop_assert_eq!(base64url(URL_SAFE_NO_PAD.encode(&bytes).as_bytes()), Some(bytes));
        if let Some(decoded) = base64url(text.as_bytes()) {
            prop_assert_eq!(URL_SAFE_NO_PAD.encode(decoded), text);
        }
    }
}

/// A door that believes one key.
struct Door(Policy);

impl Door {
    fn of(token: &Token) -> Self {
        let signer = token.signer();
        let keys = match signer.jwk() {
            Some(jwk) => json!({ "jwks": { "keys": [jwk] } }),
            None => json!({ "secret": { "env": "SECRET", "encoding": "base64url" } }),
        };
        let secret = signer.secret().map(|secret| URL_SAFE_NO_PAD.encode(secret));
        let issuer = json!({
            "issuer": ISSUER, "audiences": [AUDIENCE], "keys": [keys], "algorithms": [token.algorithm.as_str()],
        });
        let document = json!({ "door": "outer", "issuers": { "main": issuer } });
        let compiled =
            compile::compile(&document, &Secrets::From(&|_| secret.clone()), UnixTime::from_secs(NOW));
        Self(compiled.unwrap_or_else(|errors| panic!("{errors}")).value)
    }

    /// As whom the token passes; none where it is denied.
    fn user_of(&self, token: impl AsRef<[u8]>) -> Option<String> {
        let authorization = [b"Bearer ", token.as_ref()].concat();
        let headers: [(&[u8], &[u8]); 3] =
            [(b":method", b"GET"), (b":path", b"/"), (b"authorization", &authorization)];
        let request = Request::new(headers.to_vec());
        match KEYS.with(|keys| policy::decide(&self.0, keys, &request, UnixTime::from_secs(NOW))) {
            Decision::Denial(_) | Decision::AwaitKeys(_) | Decision::Publish(_) => None,
            Decision::Permit(permit) => {
                let user = permit.mutations().iter().find_map(|mutation| match mutation {
                    Mutation::Set { name, value } if &**name == "x-user-id" => Some(value),
                    Mutation::Set { .. } | Mutation::Remove { .. } => None,
                });
                Some(String::from_utf8_lossy(user.expect("who passes has a name")).into_owned())
            }
        }
    }
}

fn key(token: &Token) -> Key {
    let signer = token.signer();
    let allowed = [token.algorithm];
    match (signer.jwk(), signer.secret()) {
        (Some(jwk), _) => Key::from_jwk(&jwk, Some(&allowed)),
        (None, Some(secret)) => {
            VerifyingKey::hmac(secret).and_then(|secret| Key::new(secret, None, None, Some(&allowed)))
        }
        (None, None) => panic!("neither a public key nor a secret"),
    }
    .expect("a usable key")
}

fn flip(bytes: &mut [u8], bit: usize) {
    bytes[bit / 8] ^= 1 << (bit % 8);
}
