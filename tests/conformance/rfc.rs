//! The examples of RFC 7515, 7520 and 8037: what they sign verifies, and nothing else does.
//!
//! Those with claims pass through all of a token's checks up to its signature. The payload of the others is
//! plain text, so that no token can have it, and the engine is asked for the signature alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use vestibule::denial::Code;
use vestibule::jose::algorithm::Algorithm;
use vestibule::jose::base64url;
use vestibule::jose::compact::{Compact, Decoded, Size};
use vestibule::jose::jwk::Key;
use vestibule::jose::key::VerifyingKey;
use vestibule::jose::signature::{self, Engine as _, Engines, Outcome, Tries};
use vestibule::jose::software::Software;

use crate::conformance::examples::{self, Example};

/// Payload of RFC 7515 appendices A.1, A.2, A.3 and A.5.
const CLAIMS: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// Of RFC 7515 appendix A.1.
const HS256_HEADER: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
const HS256_TAG: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

#[test]
fn every_example_verifies() {
    let names: Vec<String> = examples::load()
        .into_iter()
        .map(|example| {
            assert_eq!(example.engine(&example.signature), Outcome::Valid, "{}", example.name);
            if let Some(claims) = &example.claims {
                let signed = example.token(&example.signature);
                let signed = signed.unwrap_or_else(|code| panic!("{}: {}", example.name, code.as_str()));
                assert_eq!(&signed, claims, "{}", example.name);
            }
            example.name
        })
        .collect();
    println!("{}", names.join(", "));
    assert_eq!(names.len(), 7);
}

#[test]
fn no_example_verifies_with_one_bit_of_its_signature_changed() {
    for example in examples::load() {
        for bit in 0..8 * example.signature.len() {
            // Of the long ones, a bit of each byte: their bits are alike, and their arithmetic is slow.
            if example.signature.len() > 64 && bit % 8 != bit / 8 % 8 {
                continue;
            }
            let mut signature = example.signature.clone();
            signature[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(example.engine(&signature), Outcome::Valid, "{}, bit {bit}", example.name);
            if example.claims.is_some() {
                let code = example.token(&signature).err();
                assert_eq!(code, Some(Code::SignatureInvalid), "{}, bit {bit}", example.name);
            }
        }
    }
}

#[test]
fn no_example_verifies_with_a_signature_of_another_length() {
    for example in examples::load().into_iter().filter(|example| example.claims.is_some()) {
        let whole = &example.signature;
        for signature in [
            &whole[1..],
            &whole[..whole.len() - 1],
            &[whole, &[0][..]].concat(),
            &[&[0], &whole[..]].concat(),
        ] {
            assert_eq!(example.token(signature).err(), Some(Code::SignatureInvalid), "{}", example.name);
        }
    }
}

#[test]
fn an_example_with_another_ones_key_is_refused() {
    let examples = examples::load();
    for example in &examples {
        for other in
            examples.iter().filter(|other| other.key.material().spki() != example.key.material().spki())
        {
            let said = Software.verify(
                example.algorithm,
                other.key.material(),
                example.signing_input.as_bytes(),
                &example.signature,
            );
            assert_eq!(said, Outcome::Invalid, "{} with the key of {}", example.name, other.name);
        }
    }
}

/// RFC 7515 appendix A.1: its secret is given by the operator and never by a JWK Set, so that it is not in
/// `rfc.json`.
#[test]
fn the_example_with_a_shared_secret_verifies_with_it_and_not_with_another_tag() {
    let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let secret = VerifyingKey::hmac(&base64url(secret.as_bytes()).expect("base64url")).expect("a secret");
    let example = Example {
        name: "RFC 7515 appendix A.1".into(),
        key: Key::new(secret, None, Some("HS256"), None).expect("a usable key"),
        algorithm: Algorithm::Hs256,
        signing_input: format!("{HS256_HEADER}.{CLAIMS}"),
        signature: base64url(HS256_TAG.as_bytes()).expect("base64url"),
        claims: None,
    };
    assert!(example.token(&example.signature).is_ok());
    for bit in 0..8 * example.signature.len() {
        let mut tag = example.signature.clone();
        tag[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(example.token(&tag).err(), Some(Code::SignatureInvalid), "bit {bit}");
    }
}

/// With public keys: RFC 7515 appendices A.1 (HS256) and A.5 (`none`).
#[test]
fn the_examples_that_a_public_key_cannot_have_made_are_refused() {
    let refused = [
        (format!("{HS256_HEADER}.{CLAIMS}.{HS256_TAG}"), Code::AlgorithmNotAllowed),
        (format!("eyJhbGciOiJub25lIn0.{CLAIMS}."), Code::TokenMalformed),
        (format!("eyJhbGciOiJub25lIn0.{CLAIMS}.{HS256_TAG}"), Code::AlgorithmNotAllowed),
    ];
    let keys: Vec<Key> = examples::load().into_iter().map(|example| example.key).collect();
    for (token, code) in refused {
        assert_eq!(checked(&token, &keys).err(), Some(code), "{token}");
    }
}

impl Example {
    fn engine(&self, signature: &[u8]) -> Outcome {
        Software.verify(self.algorithm, self.key.material(), self.signing_input.as_bytes(), signature)
    }

    /// The claims of the token with another signature, or its own, through all of its checks.
    fn token(&self, signature: &[u8]) -> Result<Value, Code> {
        let token = format!("{}.{}", self.signing_input, URL_SAFE_NO_PAD.encode(signature));
        checked(&token, std::slice::from_ref(&self.key))
    }
}

fn checked(token: &str, keys: &[Key]) -> Result<Value, Code> {
    thread_local! {
        static MODULE: Engines = Engines::in_module();
    }
    let decoded = Decoded::of(token.as_bytes(), Size { bytes: 4096, depth: 8 })?;
    let token = Compact::read(&decoded)?;
    MODULE.with(|module| {
        let keys: Vec<&Key> = keys.iter().collect();
        let verified = signature::verify(token, &keys, module, Tries { all: 4, module: 2 })?;
        Ok(verified.claims().into())
    })
}
