//! A key pair of a scenario: signs whatever bytes a token has, well-formed or not, and shows its public half.
//!
//! It knows keys and signatures, not tokens. Whoever can sign as an issuer can be anyone: these are keys for
//! tests, which guard nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _, LineEnding};
use rsa::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use rsa::rand_core::OsRng;
use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey};
use serde_json::{Value, json};

/// A key pair and the name that serves as its `kid`.
pub(crate) struct Key {
    name: String,
    pair: Pair,
    public_jwk: Value,
    public_pem: String,
    private_pem: String,
}

enum Pair {
    Rsa(Box<RsaPrivateKey>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Ed25519(ed25519_compact::KeyPair),
}

impl Key {
    /// A key pair from unencrypted PKCS#8 PEM, where it is RSA, P-256, P-384, P-521 or Ed25519.
    pub(crate) fn from_pem(name: &str, pem: &str) -> Option<Self> {
        let pair = RsaPrivateKey::from_pkcs8_pem(pem)
            .map(|key| Pair::Rsa(Box::new(key)))
            .ok()
            .or_else(|| p256::ecdsa::SigningKey::from_pkcs8_pem(pem).map(Pair::P256).ok())
            .or_else(|| p384::ecdsa::SigningKey::from_pkcs8_pem(pem).map(Pair::P384).ok())
            .or_else(|| p521::ecdsa::SigningKey::from_pkcs8_pem(pem).map(Pair::P521).ok())
            .or_else(|| ed25519_compact::KeyPair::from_pem(pem).map(Pair::Ed25519).ok())?;
        let (public_jwk, public_pem) = (pair.public_jwk(name)?, pair.public_pem()?);
        Some(Self { name: name.to_owned(), pair, public_jwk, public_pem, private_pem: pem.to_owned() })
    }

    /// The name, and so the `kid`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The algorithm that the key signs with unless a token says otherwise.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::P256(_) => "ES256",
            Pair::P384(_) => "ES384",
            Pair::P521(_) => "ES512",
            Pair::Ed25519(_) => "EdDSA",
        }
    }

    /// The public half as a JWK with `kid` and nothing else that is optional.
    pub(crate) fn public_jwk(&self) -> Value {
        self.public_jwk.clone()
    }

    /// The public half as a SubjectPublicKeyInfo PEM.
    pub(crate) fn public_pem(&self) -> String {
        self.public_pem.clone()
    }

    /// The private half as it was read.
    pub(crate) fn private_pem(&self) -> &str {
        &self.private_pem
    }

    /// Signs as JOSE does (RFC 7518 section 3); none where the key is too small for it. An algorithm that
    /// does not fit the key signs with the key's own: such a token is a test of its header, and any signature
    /// will do.
    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Option<Vec<u8>> {
        match &self.pair {
            Pair::Rsa(key) => match algorithm {
                "RS384" => key.sign(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message)),
                "RS512" => key.sign(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message)),
                "PS256" => key.sign_with_rng(&mut OsRng, Pss::new::<Sha256>(), &Sha256::digest(message)),
                "PS384" => key.sign_with_rng(&mut OsRng, Pss::new::<Sha384>(), &Sha384::digest(message)),
                "PS512" => key.sign_with_rng(&mut OsRng, Pss::new::<Sha512>(), &Sha512::digest(message)),
                _ => key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message)),
            }
            .ok(),
            Pair::P256(key) => {
                let signature: p256::ecdsa::Signature = key.try_sign(message).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            Pair::P384(key) => {
                let signature: p384::ecdsa::Signature = key.try_sign(message).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            Pair::P521(key) => {
                let signature: p521::ecdsa::Signature = key.try_sign(message).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            Pair::Ed25519(key) => Some(key.sk.sign(message, None).to_vec()),
        }
    }
}

impl Pair {
    fn public_jwk(&self, kid: &str) -> Option<Value> {
        match self {
            Self::Rsa(key) => {
                let (n, e) = (base64url(&key.n().to_bytes_be()), base64url(&key.e().to_bytes_be()));
                Some(json!({ "kty": "RSA", "kid": kid, "n": n, "e": e }))
            }
            Self::P256(key) => ec_jwk(kid, "P-256", key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::P384(key) => ec_jwk(kid, "P-384", key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::P521(key) => ec_jwk(kid, "P-521", key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::Ed25519(key) => {
                Some(json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": base64url(&*key.pk) }))
            }
        }
    }

    fn public_pem(&self) -> Option<String> {
        match self {
            Self::Rsa(key) => key.to_public_key().to_public_key_pem(rsa::pkcs8::LineEnding::LF).ok(),
            Self::P256(key) => key.verifying_key().to_public_key_pem(LineEnding::LF).ok(),
            Self::P384(key) => key.verifying_key().to_public_key_pem(LineEnding::LF).ok(),
            Self::P521(key) => key.verifying_key().to_public_key_pem(LineEnding::LF).ok(),
            Self::Ed25519(key) => Some(key.pk.to_pem()),
        }
    }
}

/// A JWK from an uncompressed point (SEC 1 section 2.3.3): 0x04, x, y.
fn ec_jwk(kid: &str, curve: &str, point: &[u8]) -> Option<Value> {
    let (x, y) = point.get(1..)?.split_at_checked(point.len() / 2)?;
    Some(json!({ "kty": "EC", "crv": curve, "kid": kid, "x": base64url(x), "y": base64url(y) }))
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
