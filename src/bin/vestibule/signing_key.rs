//! Key pairs that sign tokens: made, read, written and used through `jwt-simple`, so that what the tool makes
//! is what a common library makes.

use clap::ValueEnum;
use der::pem::LineEnding;
use jwt_simple::prelude::*;
use serde_json::{Map, Value};

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub(crate) enum Algorithm {
    /// RSA PKCS#1 v1.5 with SHA-256
    Rs256,
    /// RSA PKCS#1 v1.5 with SHA-384
    Rs384,
    /// RSA PKCS#1 v1.5 with SHA-512
    Rs512,
    /// ECDSA on P-256 with SHA-256
    Es256,
    /// ECDSA on P-384 with SHA-384
    Es384,
    /// Ed25519
    #[value(name = "EdDSA")]
    EdDsa,
}

/// A private key, for the one algorithm that it is used with.
pub(crate) enum SigningKey {
    Rs256(RS256KeyPair),
    Rs384(RS384KeyPair),
    Rs512(RS512KeyPair),
    Es256(ES256KeyPair),
    Es384(ES384KeyPair),
    EdDsa(Ed25519KeyPair),
}

/// What stands before the 32 bytes of an Ed25519 key in PKCS#8 (RFC 8410 section 10.3).
const ED25519_PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// `$key` stands for the key pair of whichever algorithm; the types share their methods but no trait.
macro_rules! with {
    ($self:expr, $key:ident => $result:expr) => {
        match $self {
            SigningKey::Rs256($key) => $result,
            SigningKey::Rs384($key) => $result,
            SigningKey::Rs512($key) => $result,
            SigningKey::Es256($key) => $result,
            SigningKey::Es384($key) => $result,
            SigningKey::EdDsa($key) => $result,
        }
    };
}

impl SigningKey {
    /// Makes a key pair; `bits` is the size of an RSA modulus.
    pub(crate) fn generate(algorithm: Algorithm, bits: usize) -> Option<Self> {
        Some(match algorithm {
            Algorithm::Rs256 => Self::Rs256(RS256KeyPair::generate(bits).ok()?),
            Algorithm::Rs384 => Self::Rs384(RS384KeyPair::generate(bits).ok()?),
            Algorithm::Rs512 => Self::Rs512(RS512KeyPair::generate(bits).ok()?),
            Algorithm::Es256 => Self::Es256(ES256KeyPair::generate()),
            Algorithm::Es384 => Self::Es384(ES384KeyPair::generate()),
            Algorithm::EdDsa => Self::EdDsa(Ed25519KeyPair::generate()),
        })
    }

    /// Reads a private key in PEM. Without an algorithm the key's kind decides, and RSA means RS256. The
    /// library's own errors are left out: none of them could help, and one might show what it could not read.
    pub(crate) fn from_pem(pem: &str, algorithm: Option<Algorithm>) -> Option<Self> {
        let Some(algorithm) = algorithm else {
            return [Algorithm::Rs256, Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa]
                .into_iter()
                .find_map(|algorithm| Self::from_pem(pem, Some(algorithm)));
        };
        Some(match algorithm {
            Algorithm::Rs256 => Self::Rs256(RS256KeyPair::from_pem(pem).ok()?),
            Algorithm::Rs384 => Self::Rs384(RS384KeyPair::from_pem(pem).ok()?),
            Algorithm::Rs512 => Self::Rs512(RS512KeyPair::from_pem(pem).ok()?),
            Algorithm::Es256 => Self::Es256(ES256KeyPair::from_pem(pem).ok()?),
            Algorithm::Es384 => Self::Es384(ES384KeyPair::from_pem(pem).ok()?),
            Algorithm::EdDsa => Self::EdDsa(Ed25519KeyPair::from_pem(pem).ok()?),
        })
    }

    /// The private key as PKCS#8 in PEM.
    pub(crate) fn to_pem(&self) -> Option<String> {
        match self {
            Self::Rs256(key) => key.to_pem().ok(),
            Self::Rs384(key) => key.to_pem().ok(),
            Self::Rs512(key) => key.to_pem().ok(),
            Self::Es256(key) => key.to_pem().ok(),
            Self::Es384(key) => key.to_pem().ok(),
            // The library's own writing is no PEM as RFC 7468 has it.
            Self::EdDsa(key) => {
                let private = [&ED25519_PKCS8[..], key.to_bytes().get(..32)?].concat();
                der::pem::encode_string("PRIVATE KEY", LineEnding::LF, &private).ok()
            }
        }
    }

    /// The public key's RFC 7638 thumbprint, which is also its key id.
    pub(crate) fn thumbprint(&self) -> String {
        with!(self, key => key.jwk_thumbprint())
    }

    /// A JWK set with the public key alone.
    pub(crate) fn public_jwk_set(&self) -> String {
        let kid = self.thumbprint();
        let jwk = with!(self, key => key.public_key().with_key_id(&kid).to_jwk());
        format!(r#"{{"keys":[{jwk}]}}"#)
    }

    /// Signs a token of this type. The claims are the payload as it stands; nothing is added.
    pub(crate) fn sign(self, kid: &str, typ: &str, claims: Map<String, Value>) -> Option<String> {
        let options = HeaderOptions { signature_type: Some(typ.to_owned()), ..HeaderOptions::default() };
        let claims = JWTClaims {
            issued_at: None,
            expires_at: None,
            invalid_before: None,
            issuer: None,
            subject: None,
            audiences: None,
            jwt_id: None,
            nonce: None,
            custom: claims,
        };
        with!(self, key => key.with_key_id(kid).sign_with_options(claims, &options).ok())
    }
}
