//! Signers that share no code with the engine in the module: those of `ring`. It has no P-521, so that ES512
//! alone is signed by the crate that also verifies it; the host's engine shares no code with that one.
//!
//! A key follows from a seed, so that a failing case names it whole.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p521::ecdsa::signature::Signer as _;
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use ring::{hmac, rsa::PublicKeyComponents};
use rsa::pkcs8::EncodePrivateKey as _;
use serde_json::{Value, json};
use vestibule::jose::algorithm::{Algorithm, Family};

/// What a key is made from: as many bytes as the longest has.
pub type Seed = [u8; 66];

/// A key pair that signs by one algorithm.
pub struct Signer {
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(&'static RsaKeyPair),
    Ec(EcdsaKeyPair),
    P521(Box<p521::ecdsa::SigningKey>),
    Ed25519(Ed25519KeyPair),
    Hmac(Vec<u8>),
}

/// Two that stand in this repository, and one that nobody has seen before.
static RSA: LazyLock<[RsaKeyPair; 3]> = LazyLock::new(|| {
    let stored = |pem: &str| der::pem::decode_vec(pem.as_bytes()).expect("a PEM file").1;
    let fresh = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).expect("a size that RSA can have");
    let fresh = fresh.to_pkcs8_der().expect("a key has this form").as_bytes().to_vec();
    [
        stored(include_str!("../support/keys/rsa-1.pem")),
        stored(include_str!("../support/keys/rsa-2.pem")),
        fresh,
    ]
    .map(|key| RsaKeyPair::from_pkcs8(&key).expect("an RSA key"))
});

impl Signer {
    /// The key that follows from this seed.
    pub fn new(algorithm: Algorithm, seed: &Seed) -> Self {
        let ring = |kind, scalar: &[u8], point: &[u8]| {
            EcdsaKeyPair::from_private_key_and_public_key(kind, scalar, point, &SystemRandom::new())
                .map(Pair::Ec)
                .expect("a key pair")
        };
        let pair = match algorithm.family() {
            Family::Rsa => Pair::Rsa(&RSA[usize::from(seed[0]) % RSA.len()]),
            Family::P256 => {
                let scalar = scalar(&seed[..32], 0x7f);
                let key = p256::ecdsa::SigningKey::from_slice(&scalar).expect("below the order");
                let point = key.verifying_key().to_sec1_point(false);
                ring(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &scalar, point.as_bytes())
            }
            Family::P384 => {
                let scalar = scalar(&seed[..48], 0x7f);
                let key = p384::ecdsa::SigningKey::from_slice(&scalar).expect("below the order");
                let point = key.verifying_key().to_sec1_point(false);
                ring(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, &scalar, point.as_bytes())
            }
            Family::P521 => {
                let key = p521::ecdsa::SigningKey::from_slice(&scalar(seed, 0));
                Pair::P521(Box::new(key.expect("below the order")))
            }
            Family::Ed25519 => {
                Pair::Ed25519(Ed25519KeyPair::from_seed_unchecked(&seed[..32]).expect("any seed will do"))
            }
            Family::Hmac => Pair::Hmac(seed.to_vec()),
        };
        Self { algorithm, pair }
    }

    /// The public half as a JWK; none of a shared secret.
    pub fn jwk(&self) -> Option<Value> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let ec = |curve: &str, point: &[u8]| {
            let (x, y) = point[1..].split_at(point.len() / 2);
            json!({ "kty": "EC", "crv": curve, "x": text(x), "y": text(y) })
        };
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({ "kty": "RSA", "n": text(&public.n), "e": text(&public.e) })
            }
            Pair::Ec(pair) => {
                let curve = if self.algorithm == Algorithm::Es256 { "P-256" } else { "P-384" };
                ec(curve, pair.public_key().as_ref())
            }
            Pair::P521(key) => ec("P-521", key.verifying_key().to_sec1_point(false).as_bytes()),
            Pair::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) })
            }
            Pair::Hmac(_) => return None,
        };
        jwk["alg"] = self.algorithm.as_str().into();
        Some(jwk)
    }

    /// The shared secret, if it is one.
    pub fn secret(&self) -> Option<&[u8]> {
        match &self.pair {
            Pair::Hmac(secret) => Some(secret),
            Pair::Rsa(_) | Pair::Ec(_) | Pair::P521(_) | Pair::Ed25519(_) => None,
        }
    }

    /// A signature in the form of a JWS (RFC 7518 section 3).
    pub fn sign(&self, text: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let padding: &dyn signature::RsaEncoding = match self.algorithm {
                    Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
                    Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
                    Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
                    Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
                    Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
                    Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
                    other => panic!("{other} is not of RSA"),
                };
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &SystemRandom::new(), text, &mut signature).expect("an RSA key signs");
                signature
            }
            Pair::Ec(pair) => {
                pair.sign(&SystemRandom::new(), text).expect("an EC key signs").as_ref().to_vec()
            }
            Pair::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign(text);
                signature.to_bytes().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(text).as_ref().to_vec(),
            Pair::Hmac(secret) => {
                let digest = match self.algorithm {
                    Algorithm::Hs256 => hmac::HMAC_SHA256,
                    Algorithm::Hs384 => hmac::HMAC_SHA384,
                    Algorithm::Hs512 => hmac::HMAC_SHA512,
                    other => panic!("{other} is no HMAC"),
                };
                hmac::sign(&hmac::Key::new(digest, secret), text).as_ref().to_vec()
            }
        }
    }
}

/// A number that is neither zero nor as large as the order of its curve.
fn scalar(seed: &[u8], mask: u8) -> Vec<u8> {
    let mut scalar = seed.to_vec();
    scalar[0] &= mask;
    *scalar.last_mut().expect("a seed has bytes") |= 1;
    scalar
}
