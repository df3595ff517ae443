//! Signatures inside the module, for hosts that cannot: `jwt-simple`'s keys and the RustCrypto crates beneath
//! them; for ES512, which it does not have, the crate `p521` alone.
//!
//! `jwt-simple` verifies whole tokens and reads their claims by rules of its own (a fractional date is cut,
//! times are compared with a clock). The claims are Vestibule's business, so its keys are used, and the
//! signature is checked with the crates that it stands on.

mod signing;

use jwt_simple::algorithms::{
    Ed25519PublicKey, EdDSAPublicKeyLike as _, RS256PublicKey, RSAPublicKeyLike as _,
};
use jwt_simple::algorithms::{HS256Key, HS384Key, HS512Key, MACLike};
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::elliptic_curve::point::AffineCoordinates as _;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq as _;
use superboring::hash::MessageDigest;
use superboring::pkey::{PKey, Public};
use superboring::rsa::Padding;
use superboring::sign::{RsaPssSaltlen, Verifier};

use super::algorithm::{Algorithm, Family};
use super::key::{OFF_CURVE, Unusable, VerifyingKey};
use super::signature::{Engine, Outcome};
use super::signing::SigningKey;
pub(super) use signing::SoftwareSigningKey;

/// A key in the form in which the module verifies.
#[derive(Clone)]
pub struct SoftwareKey(Form);

#[derive(Clone)]
enum Form {
    Rsa(std::sync::Arc<PKey<Public>>),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    Ed25519(ed25519_compact::PublicKey),
    Hmac(std::sync::Arc<[u8]>),
}

impl std::fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SoftwareKey")
    }
}

impl SoftwareKey {
    pub(super) fn rsa(n: &[u8], e: &[u8]) -> Result<Option<Self>, Unusable> {
        let key = RS256PublicKey::from_components(n, e).map_err(|_| "it is not a valid RSA key")?;
        let key =
            PKey::from_rsa(key.public_key().as_ref().clone()).map_err(|_| "it is not a valid RSA key")?;
        Ok(Some(Self(Form::Rsa(key.into()))))
    }

    pub(super) fn ec(family: Family, point: &[u8]) -> Result<Option<Self>, Unusable> {
        let form = match family {
            Family::P256 => {
                let (x, y) = coordinates(point).ok_or(OFF_CURVE)?;
                let point = p256::AffinePoint::from_coordinates(&x, &y).into_option().ok_or(OFF_CURVE)?;
                Form::P256(p256::ecdsa::VerifyingKey::from_affine(point).map_err(|_| OFF_CURVE)?)
            }
            Family::P384 => {
                let (x, y) = coordinates(point).ok_or(OFF_CURVE)?;
                let point = p384::AffinePoint::from_coordinates(&x, &y).into_option().ok_or(OFF_CURVE)?;
                Form::P384(p384::ecdsa::VerifyingKey::from_affine(point).map_err(|_| OFF_CURVE)?)
            }
            Family::P521 => {
                let (x, y) = coordinates(point).ok_or(OFF_CURVE)?;
                let point = p521::AffinePoint::from_coordinates(&x, &y).into_option().ok_or(OFF_CURVE)?;
                Form::P521(p521::ecdsa::VerifyingKey::from_affine(point).map_err(|_| OFF_CURVE)?)
            }
            Family::Rsa | Family::Ed25519 | Family::Hmac => {
                return Err("it is not of a curve with such points");
            }
        };
        Ok(Some(Self(form)))
    }

    pub(super) fn ed25519(bytes: &[u8]) -> Result<Option<Self>, Unusable> {
        let key = Ed25519PublicKey::from_bytes(bytes).map_err(|_| "it is not a valid Ed25519 key")?;
        Ok(Some(Self(Form::Ed25519(*key.public_key().as_ref()))))
    }

    pub(super) fn hmac(secret: &[u8]) -> Result<Self, Unusable> {
        Ok(Self(Form::Hmac(secret.into())))
    }

    pub(super) fn secret_length(&self) -> Option<usize> {
        match &self.0 {
            Form::Hmac(secret) => Some(secret.len()),
            Form::Rsa(_) | Form::P256(_) | Form::P384(_) | Form::P521(_) | Form::Ed25519(_) => None,
        }
    }

    fn verify(&self, algorithm: Algorithm, text: &[u8], signature: &[u8]) -> bool {
        match (&self.0, algorithm) {
            (Form::Rsa(key), Algorithm::Rs256) => rsa(key, PKCS1, MessageDigest::sha256(), text, signature),
            (Form::Rsa(key), Algorithm::Rs384) => rsa(key, PKCS1, MessageDigest::sha384(), text, signature),
            (Form::Rsa(key), Algorithm::Rs512) => rsa(key, PKCS1, MessageDigest::sha512(), text, signature),
            (Form::Rsa(key), Algorithm::Ps256) => rsa(key, PSS, MessageDigest::sha256(), text, signature),
            (Form::Rsa(key), Algorithm::Ps384) => rsa(key, PSS, MessageDigest::sha384(), text, signature),
            (Form::Rsa(key), Algorithm::Ps512) => rsa(key, PSS, MessageDigest::sha512(), text, signature),
            (Form::P256(key), Algorithm::Es256) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(&Sha256::digest(text), &signature).is_ok()),
            (Form::P384(key), Algorithm::Es384) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(&Sha384::digest(text), &signature).is_ok()),
            (Form::P521(key), Algorithm::Es512) => p521::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(&Sha512::digest(text), &signature).is_ok()),
            (Form::Ed25519(key), Algorithm::EdDsa) => ed25519_compact::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(text, &signature).is_ok()),
            (Form::Hmac(secret), Algorithm::Hs256) => mac(&HS256Key::from_bytes(secret), text, signature),
            (Form::Hmac(secret), Algorithm::Hs384) => mac(&HS384Key::from_bytes(secret), text, signature),
            (Form::Hmac(secret), Algorithm::Hs512) => mac(&HS512Key::from_bytes(secret), text, signature),
            // A key of another family verifies nothing.
            (
                Form::Rsa(_)
                | Form::P256(_)
                | Form::P384(_)
                | Form::P521(_)
                | Form::Ed25519(_)
                | Form::Hmac(_),
                _,
            ) => false,
        }
    }
}

/// The coordinates of a point in uncompressed form, each as long as the field. To read a point of whatever form the
/// curves' crates would bring along what finds y, for points that are never read.
fn coordinates<'p, T: TryFrom<&'p [u8]>>(point: &'p [u8]) -> Option<(T, T)> {
    let (4, coordinates) = point.split_first()? else { return None };
    let (x, y) = coordinates.split_at_checked(coordinates.len() / 2)?;
    Some((T::try_from(x).ok()?, T::try_from(y).ok()?))
}

/// Compares in constant time: the time would tell how much of a guessed tag is right.
fn mac(key: &impl MACLike, text: &[u8], tag: &[u8]) -> bool {
    key.authentication_tag(text).ct_eq(tag).into()
}

const PKCS1: Padding = Padding::PKCS1;
const PSS: Padding = Padding::PKCS1_PSS;

fn rsa(key: &PKey<Public>, padding: Padding, digest: MessageDigest, text: &[u8], signature: &[u8]) -> bool {
    let verified = Verifier::new(digest, key).and_then(|mut verifier| {
        verifier.set_rsa_padding(padding)?;
        // RFC 7518 section 3.5: the salt is as long as the digest. PKCS#1 v1.5 has none and ignores this.
        verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
        verifier.verify_oneshot(signature, text)
    });
    verified.unwrap_or(false)
}

/// The engine inside the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct Software;

impl Engine for Software {
    fn verify(&self, algorithm: Algorithm, key: &VerifyingKey, text: &[u8], signature: &[u8]) -> Outcome {
        match key.software() {
            None => Outcome::Unavailable,
            Some(key) if key.verify(algorithm, text, signature) => Outcome::Valid,
            Some(_) => Outcome::Invalid,
        }
    }

    fn sign(&self, key: &SigningKey, text: &[u8]) -> Option<Vec<u8>> {
        key.software()?.sign(text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;
    use crate::jose::base64url;
    use crate::jose::known_answers::{PSS_RSA, TEXT};

    /// Made with OpenSSL: `rsa_pss_saltlen:20`.
    const SHORT_SALT: &str = "\
        e25V-adNSR-NjN023Fs_DST0fWITYCSjOghXwiTQ80lSNXb3hY4xhdnDUXYIOh-S_N74SGWklsFBId0lpxfQWsMMQVeGh2hBEI2_\
        OlOlLweYWvPQuVhNar0fv0Yi37tUfhVPn0aFWOolYmYVimVhYgKUAVUtvqUz-F3dg8Qtoaeic1HRcwKUdid-L2Ci7b_JqcUnQWPW\
        1p4lpSlkUi_B4PMMMkhu-w7IZtim2EJ5rAqaWioqsu5RdVnzFmVirMsN2T8iN_vG_EPgRfK6se2gKfuwntmIVoiQCQ8Y7Naxhtid\
        dQZr-j-jSNHgQMglNigdewoy__gk2PCbUln3jHYZLA";

    #[test]
    fn a_pss_salt_of_another_length_than_the_digest_is_invalid() {
        let key = VerifyingKey::from_spki(&base64url(PSS_RSA.as_bytes()).unwrap()).unwrap();
        let signature = base64url(SHORT_SALT.as_bytes()).unwrap();
        assert_eq!(Software.verify(Algorithm::Ps256, &key, TEXT, &signature), Outcome::Invalid);
    }
}
