//! The test keys by name, and how each signs. They guard nothing: their private halves stand in this
//! repository.
//!
//! It knows keys and signatures, not tokens: what is signed is bytes.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use rsa::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use rsa::rand_core::{OsRng, RngCore as _};
use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey};
use serde_json::{Value, json};

/// A key pair and the name that serves as its `kid`.
pub struct TestKey {
    name: String,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaPrivateKey>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Ed25519(ed25519_compact::KeyPair),
}

const FILES: [(&str, &str); 8] = [
    ("rsa-1", include_str!("keys/rsa-1.pem")),
    ("rsa-2", include_str!("keys/rsa-2.pem")),
    ("rsa-weak", include_str!("keys/rsa-weak.pem")), // 1024 bits: no issuer may use it
    ("ec-256", include_str!("keys/ec-256.pem")),
    ("ec-256b", include_str!("keys/ec-256b.pem")),
    ("ec-384", include_str!("keys/ec-384.pem")),
    ("ec-521", include_str!("keys/ec-521.pem")), // its x begins with a zero byte
    ("ed-1", include_str!("keys/ed-1.pem")),
];

static KEYS: LazyLock<Vec<TestKey>> =
    LazyLock::new(|| FILES.iter().map(|(name, pem)| TestKey::from_pem(name, pem)).collect());

/// The test key of this name.
pub fn named(name: &str) -> &'static TestKey {
    KEYS.iter().find(|key| key.name == name).unwrap_or_else(|| panic!("there is no test key named {name:?}"))
}

/// A public JWK set of these keys; each key's `kid` is its name.
pub fn jwks(names: &[&str]) -> Value {
    json!({ "keys": names.iter().map(|name| named(name).public_jwk()).collect::<Vec<_>>() })
}

/// A fresh secret of 32 bytes as text, such as a gateway key.
pub fn random_text() -> String {
    let mut bytes = [0; 32];
    OsRng.fill_bytes(&mut bytes);
    base64url(&bytes)
}

impl TestKey {
    /// A key pair from an unencrypted PKCS#8 PEM file.
    pub fn from_pem(name: &str, pem: &str) -> Self {
        let pair = RsaPrivateKey::from_pkcs8_pem(pem)
            .map(|key| Pair::Rsa(Box::new(key)))
            .or_else(|_| p256::ecdsa::SigningKey::from_pkcs8_pem(pem).map(Pair::P256))
            .or_else(|_| p384::ecdsa::SigningKey::from_pkcs8_pem(pem).map(Pair::P384))
            .or_else(|_| p521::ecdsa::SigningKey::from_pkcs8_pem(pem).map(Pair::P521))
            .or_else(|_| ed25519_compact::KeyPair::from_pem(pem).map(Pair::Ed25519))
            .unwrap_or_else(|_| panic!("{name} is no RSA, P-256, P-384, P-521 or Ed25519 key"));
        Self { name: name.to_owned(), pair }
    }

    /// A fresh RSA key of 2048 bits.
    pub fn fresh_rsa(name: &str) -> Self {
        let pair = RsaPrivateKey::new(&mut OsRng, 2048).expect("2048 bits is a size that RSA can have");
        Self { name: name.to_owned(), pair: Pair::Rsa(Box::new(pair)) }
    }

    /// The name, and so the `kid`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The algorithm that the key signs with unless a token says otherwise.
    pub fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::P256(_) => "ES256",
            Pair::P384(_) => "ES384",
            Pair::P521(_) => "ES512",
            Pair::Ed25519(_) => "EdDSA",
        }
    }

    /// The public half as a JWK with `kid` and nothing else that is optional.
    pub fn public_jwk(&self) -> Value {
        let kid = &self.name;
        match &self.pair {
            Pair::Rsa(key) => json!({
                "kty": "RSA", "kid": kid, "n": base64url(&key.n().to_bytes_be()), "e": base64url(&key.e().to_bytes_be()),
            }),
            Pair::P256(key) => ec_jwk(kid, "P-256", key.verifying_key().to_sec1_point(false).as_bytes()),
            Pair::P384(key) => ec_jwk(kid, "P-384", key.verifying_key().to_sec1_point(false).as_bytes()),
            Pair::P521(key) => ec_jwk(kid, "P-521", key.verifying_key().to_sec1_point(false).as_bytes()),
            Pair::Ed25519(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": base64url(&*key.pk) })
            }
        }
    }

    /// The public half as a SubjectPublicKeyInfo PEM.
    pub fn public_pem(&self) -> String {
        match &self.pair {
            Pair::Rsa(key) => key
                .to_public_key()
                .to_public_key_pem(rsa::pkcs8::LineEnding::LF)
                .expect("an RSA key has a PEM"),
            Pair::P256(key) => key
                .verifying_key()
                .to_public_key_pem(p256::pkcs8::LineEnding::LF)
                .expect("a P-256 key has a PEM"),
            Pair::P384(key) => key
                .verifying_key()
                .to_public_key_pem(p256::pkcs8::LineEnding::LF)
                .expect("a P-384 key has a PEM"),
            Pair::P521(key) => key
                .verifying_key()
                .to_public_key_pem(p256::pkcs8::LineEnding::LF)
                .expect("a P-521 key has a PEM"),
            Pair::Ed25519(key) => key.pk.to_pem(),
        }
    }

    /// Signs as JOSE does (RFC 7518 section 3). An algorithm that does not fit the key signs with the key's
    /// own: such a token is a test of its header, and any signature will do.
    pub fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(key) => match algorithm {
                "RS384" => key.sign(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message)),
                "RS512" => key.sign(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message)),
                "PS256" => key.sign_with_rng(&mut OsRng, Pss::new::<Sha256>(), &Sha256::digest(message)),
                "PS384" => key.sign_with_rng(&mut OsRng, Pss::new::<Sha384>(), &Sha384::digest(message)),
                "PS512" => key.sign_with_rng(&mut OsRng, Pss::new::<Sha512>(), &Sha512::digest(message)),
                _ => key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message)),
            }
            .expect("a test key signs"),
            Pair::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Pair::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Pair::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Pair::Ed25519(key) => key.sk.sign(message, None).to_vec(),
        }
    }
}

/// A JWK from an uncompressed point (SEC 1 section 2.3.3): 0x04, x, y.
fn ec_jwk(kid: &str, curve: &str, point: &[u8]) -> Value {
    let (x, y) = point[1..].split_at(point.len() / 2);
    json!({ "kty": "EC", "crv": curve, "kid": kid, "x": base64url(x), "y": base64url(y) })
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
