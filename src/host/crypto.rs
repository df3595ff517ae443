//! Signatures by Envoy's BoringSSL: the foreign function `verify_signature` (since Envoy 1.30).
//!
//! The host takes any mix of digest and key; that the algorithm goes with the key was settled before it is
//! asked.

use super::envoy;
use crate::jose::algorithm::{Algorithm, Family};
use crate::jose::key::{VerifyingKey, ecdsa_der};
use crate::jose::signature::{Engine, Outcome};

/// `VerifySignatureResult { result: true }` in protobuf, and nothing else. A bad signature has an `error` and
/// no `result`.
const VALID: [u8; 2] = [0x08, 0x01];

/// The host's engine.
pub(super) struct Host;

impl Engine for Host {
    fn verify(&self, algorithm: Algorithm, key: &VerifyingKey, text: &[u8], signature: &[u8]) -> Outcome {
        let Some(digest) = digest(algorithm) else { return Outcome::Unavailable };
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
        let fields = [(1, digest.as_bytes()), (2, key.spki()), (3, signature), (4, text)];
        let size = fields.iter().map(|(_, bytes)| bytes.len() + 6).sum();
        let mut arguments = Vec::with_capacity(size);
        for (number, bytes) in fields {
            put(&mut arguments, number, bytes);
        }
        match envoy::call_foreign("verify_signature", &arguments) {
            Ok(answer) if answer == VALID => Outcome::Valid,
            Ok(_) => Outcome::Invalid,
            Err(_) => Outcome::Unavailable,
        }
    }
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
