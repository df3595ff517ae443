//! Signature verification inside the module, for hosts that cannot: `jwt-simple`'s keys and the RustCrypto
//! crates beneath them.
//!
//! `jwt-simple` verifies whole tokens and reads their claims by rules of its own (a fractional date is cut,
//! times are compared with a clock). The claims are Vestibule's business, so its keys are used, and the
//! signature is checked with the crates that it stands on.

use jwt_simple::algorithms::{
    ECDSAP256PublicKeyLike as _, ECDSAP384PublicKeyLike as _, ES256PublicKey, ES384PublicKey,
};
use jwt_simple::algorithms::{RS256PublicKey, RSAPublicKeyLike as _};
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use sha2::{Digest as _, Sha256, Sha384};
use superboring::hash::MessageDigest;
use superboring::pkey::{PKey, Public};
use superboring::rsa::Padding;
use superboring::sign::Verifier;

use super::algorithm::{Algorithm, Family};
use super::key::{PublicKey, Unusable};
use super::signature::{Engine, Outcome};

/// A key in the form in which the module verifies.
#[derive(Clone)]
pub struct SoftwareKey(Form);

#[derive(Clone)]
enum Form {
    Rsa(std::sync::Arc<PKey<Public>>),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
}

impl std::fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SoftwareKey")
    }
}

impl SoftwareKey {
    pub(super) fn rsa(n: &[u8], e: &[u8]) -> Result<Self, Unusable> {
        let key = RS256PublicKey::from_components(n, e).map_err(|_| "it is not a valid RSA key")?;
        let key =
            PKey::from_rsa(key.public_key().as_ref().clone()).map_err(|_| "it is not a valid RSA key")?;
        Ok(Self(Form::Rsa(key.into())))
    }

    pub(super) fn ec(family: Family, point: &[u8]) -> Result<Self, Unusable> {
        let off_curve = "its point is not on its curve";
        match family {
            Family::P256 => {
                let key = ES256PublicKey::from_bytes(point).map_err(|_| off_curve)?;
                Ok(Self(Form::P256(*key.public_key().as_ref())))
            }
            Family::P384 => {
                let key = ES384PublicKey::from_bytes(point).map_err(|_| off_curve)?;
                Ok(Self(Form::P384(*key.public_key().as_ref())))
            }
            Family::Rsa => Err("RSA keys have no point"),
        }
    }

    fn verify(&self, algorithm: Algorithm, text: &[u8], signature: &[u8]) -> bool {
        match (&self.0, algorithm) {
            (Form::Rsa(key), Algorithm::Rs256) => rsa(key, MessageDigest::sha256(), text, signature),
            (Form::Rsa(key), Algorithm::Rs384) => rsa(key, MessageDigest::sha384(), text, signature),
            (Form::Rsa(key), Algorithm::Rs512) => rsa(key, MessageDigest::sha512(), text, signature),
            (Form::P256(key), Algorithm::Es256) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(&Sha256::digest(text), &signature).is_ok()),
            (Form::P384(key), Algorithm::Es384) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(&Sha384::digest(text), &signature).is_ok()),
            (Form::Rsa(_), Algorithm::Es256 | Algorithm::Es384)
            | (Form::P256(_), Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 | Algorithm::Es384)
            | (Form::P384(_), Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 | Algorithm::Es256) => {
                false
            }
        }
    }
}

fn rsa(key: &PKey<Public>, digest: MessageDigest, text: &[u8], signature: &[u8]) -> bool {
    let verified = Verifier::new(digest, key).and_then(|mut verifier| {
        verifier.set_rsa_padding(Padding::PKCS1)?;
        verifier.verify_oneshot(signature, text)
    });
    verified.unwrap_or(false)
}

/// The engine inside the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct Software;

impl Engine for Software {
    fn verify(&self, algorithm: Algorithm, key: &PublicKey, text: &[u8], signature: &[u8]) -> Outcome {
        match key.software() {
            None => Outcome::Unavailable,
            Some(key) if key.verify(algorithm, text, signature) => Outcome::Valid,
            Some(_) => Outcome::Invalid,
        }
    }
}
