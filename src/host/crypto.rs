//! Signatures by Envoy's BoringSSL: the foreign functions `verify_signature` (since Envoy 1.30) and `sign` (since
//! Envoy 1.37).
//!
//! The host takes any mix of digest and key, so that it is asked about no key of another family than the
//! algorithm's.

use super::envoy;
use crate::jose::algorithm::{Algorithm, Family};
use crate::jose::key::{VerifyingKey, ecdsa_der, ecdsa_jose};
use crate::jose::signature::{Engine, Outcome};
use crate::jose::signing::SigningKey;

/// `result: true` in protobuf, which is all of a `VerifySignatureResult` and the beginning of a `SignResult`. A bad
/// one has an `error` and no `result`.
const VALID: [u8; 2] = [0x08, 0x01];

/// The host's engine.
pub(super) struct Host;

impl Engine for Host {
    fn verify(&self, algorithm: Algorithm, key: &VerifyingKey, text: &[u8], signature: &[u8]) -> Outcome {
        let Some(digest) = digest(algorithm) else { return Outcome::Unavailable };
        // The key's choice of algorithms has settled this before; here it costs nothing to be sure.
        if key.family() != algorithm.family() {
            return Outcome::Invalid;
        }
        let der;
        let signature = match key.family() {
            Family::Rsa | Family::Ed25519 | Family::Hmac => signature,
            Family::P256 | Family::P384 | Family::P521 => match ecdsa_der(signature) {
                Some(converted) => {
                    der = converted;
                    &der
                }
                None => return Outcome::Invalid,
            },
        };
        // VerifySignatureArguments (envoy: source/extensions/common/wasm/ext/verify_signature.proto).
        let arguments = message(&[(1, digest.as_bytes()), (2, key.spki()), (3, signature), (4, text)]);
        match envoy::call_foreign("verify_signature", &arguments) {
            Ok(answer) if answer == VALID => Outcome::Valid,
            Ok(_) => Outcome::Invalid,
            Err(_) => Outcome::Unavailable,
        }
    }

    fn sign(&self, key: &SigningKey, text: &[u8]) -> Option<Vec<u8>> {
        let digest = digest(key.algorithm())?;
        // SignArguments (envoy: source/extensions/common/wasm/ext/sign.proto).
        let arguments = message(&[(1, digest.as_bytes()), (2, key.pkcs8()), (3, text)]);
        let answer = envoy::call_foreign("sign", &arguments).ok()?;
        let signature = signed(&answer)?;
        match key.algorithm().family() {
            Family::P256 | Family::P384 | Family::P521 => {
                ecdsa_jose(signature, key.algorithm().family().scalar_length()?)
            }
            Family::Rsa | Family::Ed25519 | Family::Hmac => Some(signature.to_vec()),
        }
    }
}

/// The signature of `SignResult { result: true, signature }`; none of any other answer. Fields come in the order
/// of their numbers, and one that is empty does not come.
fn signed(answer: &[u8]) -> Option<&[u8]> {
    let rest = answer.strip_prefix(&VALID)?.strip_prefix(&[2 << 3 | 2])?;
    let (mut length, mut shift) = (0_usize, 0);
    for (position, byte) in rest.iter().enumerate().take(4) {
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return rest.get(position + 1..).filter(|signature| signature.len() == length);
        }
    }
    None
}

/// The digest that makes `verify_signature` verify this algorithm; none where it has none. It takes RSA
/// signatures for PKCS#1 v1.5 whatever is said, so it is not asked about PSS.
fn digest(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Es256 => Some("sha256"),
        Algorithm::Rs384 | Algorithm::Es384 => Some("sha384"),
        Algorithm::Rs512 | Algorithm::Es512 => Some("sha512"),
        Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 | Algorithm::EdDsa => None,
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => None,
    }
}

/// A protobuf message of these fields.
fn message(fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut message = Vec::with_capacity(fields.iter().map(|(_, bytes)| bytes.len() + 6).sum());
    for (number, bytes) in fields {
        put(&mut message, *number, bytes);
    }
    message
}

/// A length-delimited protobuf field, whose number is below 16.
fn put(message: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    message.push(number << 3 | 2);
    let mut length = bytes.len();
    while length >= 0x80 {
        message.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    message.push(length as u8);
    message.extend_from_slice(bytes);
}
