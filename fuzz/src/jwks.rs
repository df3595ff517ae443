//! A key set, a PEM text or a DER document of anybody's making: what comes out of it is usable only if it
//! says so of itself, and a key that is not leaves the others alone.

use der::pem::LineEnding;
use serde_json::Value;
use vestibule::jose::algorithm::{Algorithm, Family};
use vestibule::jose::base64url;
use vestibule::jose::jwk::{Key, KeySet, MAX_KEYS};
use vestibule::jose::key::VerifyingKey;
use vestibule::jose::signature::{Engine as _, Outcome};
use vestibule::jose::software::Software;
use vestibule::json::{self, Bounds};

const BOUNDS: Bounds = Bounds { depth: 32, duplicates: 1 };

pub fn run(data: &[u8]) {
    if let Ok(key) = VerifyingKey::from_spki(data) {
        check_material(&key, Algorithm::ALL.as_slice());
    }
    if let Some(key) = std::str::from_utf8(data).ok().and_then(|text| VerifyingKey::from_pem(text).ok()) {
        check_material(&key, Algorithm::ALL.as_slice());
    }
    let Ok(set) = json::parse(data, BOUNDS) else { return };
    for allowed in [None, Some(&Algorithm::ALL[..]), Some(&[Algorithm::Ps256, Algorithm::EdDsa][..])] {
        check_set(&set, allowed);
    }
}

fn check_set(set: &Value, allowed: Option<&[Algorithm]>) {
    let read = KeySet::parse(set, allowed);
    let Some(jwks) = set.get("keys").and_then(Value::as_array) else { return assert!(read.is_err()) };
    let Ok(read) = read else { return assert!(jwks.len() > MAX_KEYS) };
    assert_eq!(read.keys.len() + read.unusable.len(), jwks.len());
    let is_usable = |position: &usize| read.unusable.iter().all(|(unusable, _)| unusable != position);
    let usable = (0..jwks.len()).filter(is_usable).map(|position| &jwks[position]);
    for (jwk, key) in usable.zip(&read.keys) {
        check_key(jwk, key, allowed);
    }
    // Each is judged by itself, whatever stands beside it.
    for (position, jwk) in jwks.iter().enumerate() {
        assert_eq!(Key::from_jwk(jwk, allowed).is_ok(), is_usable(&position), "keys[{position}]");
    }
}

fn check_key(jwk: &Value, key: &Key, allowed: Option<&[Algorithm]>) {
    assert!(jwk.get("use").is_none_or(|usage| usage == "sig"));
    let verifies =
        |operations: &Value| operations.as_array().is_some_and(|all| all.iter().any(|one| one == "verify"));
    assert!(jwk.get("key_ops").is_none_or(verifies));
    assert_eq!(jwk.get("kid").map(|kid| kid.as_str().expect("a kid is a string")), key.kid());

    let family = key.material().family();
    let (kty, crv) = (jwk["kty"].as_str(), jwk.get("crv").and_then(Value::as_str));
    match family {
        Family::Rsa => {
            assert_eq!(kty, Some("RSA"));
            let number = |name: &str| base64url(jwk[name].as_str()?.as_bytes());
            assert!(
                number("n").is_some_and(|n| n.last().is_some_and(|last| last % 2 == 1)),
                "an even modulus"
            );
            assert!(number("e").is_some_and(|e| e.ends_with(&[1, 0, 1])));
        }
        Family::P256 => assert_eq!((kty, crv), (Some("EC"), Some("P-256"))),
        Family::P384 => assert_eq!((kty, crv), (Some("EC"), Some("P-384"))),
        Family::P521 => assert_eq!((kty, crv), (Some("EC"), Some("P-521"))),
        Family::Ed25519 => assert_eq!((kty, crv), (Some("OKP"), Some("Ed25519"))),
        Family::Hmac => panic!("a key set holds a shared secret"),
    }
    if let Some(length) = family.scalar_length() {
        let long = |name: &str| {
            jwk.get(name).and_then(Value::as_str).is_none_or(|text| text.len() == (length * 4).div_ceil(3))
        };
        assert!(
            long("x") && (family == Family::Ed25519 || long("y")),
            "a coordinate of another length than the field's"
        );
    }
    assert!(!key.algorithms().is_empty());
    for algorithm in key.algorithms() {
        assert_eq!(algorithm.family(), family);
        assert!(allowed.is_none_or(|allowed| allowed.contains(algorithm)));
    }
    match jwk.get("alg") {
        None if allowed.is_none() => {
            assert_eq!(key.algorithms().len(), 1, "an RSA key without alg serves RS256 only")
        }
        None => {}
        Some(alg) => {
            assert_eq!(Algorithm::parse(alg.as_str().expect("alg is a string")), Some(key.algorithms()[0]))
        }
    }
    check_material(key.material(), key.algorithms());
}

/// The two forms of a key are one key, and no key takes a signature that nobody made.
fn check_material(key: &VerifyingKey, algorithms: &[Algorithm]) {
    assert!(key.secret_length().is_none() && !key.spki().is_empty());
    let again = VerifyingKey::from_spki(key.spki()).expect("a key's own document is one");
    assert_eq!((again.spki(), again.family()), (key.spki(), key.family()));
    let pem =
        der::pem::encode_string("PUBLIC KEY", LineEnding::LF, key.spki()).expect("a document has a PEM");
    assert_eq!(VerifyingKey::from_pem(&pem).expect("a document's PEM is one").spki(), key.spki());

    for algorithm in key.family().algorithms().filter(|algorithm| algorithms.contains(algorithm)) {
        let length = key.signature_length(algorithm);
        assert!(if key.family() == Family::Rsa {
            (256..=1024).contains(&length)
        } else {
            [64, 96, 132].contains(&length)
        });
        for byte in [0, 0xff] {
            let outcome = Software.verify(algorithm, key, b"text", &vec![byte; length]);
            assert_eq!(outcome == Outcome::Unavailable, key.software().is_none());
            assert_ne!(outcome, Outcome::Valid, "{algorithm} by {:?}", key.spki());
        }
    }
}
