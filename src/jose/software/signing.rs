//! Signatures inside the module: `jwt-simple`'s key pairs and the crates beneath them, as in verification.
//!
//! By RSA keys an Envoy's module does not sign: it would take 10 ms for each request, and a tenth of the module's
//! size for everybody. There it is the host that signs by them, or nobody.

#[cfg(not(target_os = "wasi"))]
mod rsa;

use der::Decode as _;
use der::asn1::OctetStringRef;
use ed25519_compact::{KeyPair, Seed};
use jwt_simple::algorithms::{ECDSAP256KeyPairLike as _, ES256KeyPair};
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use sha2::{Digest as _, Sha256};

use crate::jose::key::Unusable;

/// A private key in the form in which the module signs. It never shows itself.
pub(in crate::jose) struct SoftwareSigningKey(Form);

enum Form {
    #[cfg(not(target_os = "wasi"))]
    Rsa(rsa::PrivateKey),
    P256(p256::ecdsa::SigningKey),
    Ed25519(KeyPair),
}

impl std::fmt::Debug for SoftwareSigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SoftwareSigningKey")
    }
}

impl SoftwareSigningKey {
    /// An RSA key of DER PKCS#8, of 4096 bits at most; its parts are checked against each other. None where the
    /// module does not sign by RSA keys: whether they are sound is then for the host to tell.
    pub(in crate::jose) fn rsa(pkcs8: &[u8]) -> Result<Option<Self>, Unusable> {
        #[cfg(not(target_os = "wasi"))]
        return Ok(Some(Self(Form::Rsa(rsa::PrivateKey::from_pkcs8(pkcs8)?))));
        #[cfg(target_os = "wasi")]
        return {
            let _ = pkcs8;
            Ok(None)
        };
    }

    /// A P-256 key of DER PKCS#8, and its public point in uncompressed form.
    pub(in crate::jose) fn p256(pkcs8: &[u8]) -> Result<(Self, Vec<u8>), Unusable> {
        let pair = ES256KeyPair::from_der(pkcs8).map_err(|_| "it is not a valid P-256 key")?;
        let key = pair.key_pair().as_ref().clone();
        let point = pair.key_pair().public_key().to_bytes_uncompressed();
        Ok((Self(Form::P256(key)), point))
    }

    /// An Ed25519 key of its `CurvePrivateKey` (RFC 8410 section 7), and its public bytes.
    pub(in crate::jose) fn ed25519(private: &[u8]) -> Result<(Self, Vec<u8>), Unusable> {
        let invalid = "it is not a valid Ed25519 key";
        let seed = <&OctetStringRef>::from_der(private).map_err(|_| invalid)?;
        let seed = Seed::from_slice(seed.as_bytes()).map_err(|_| invalid)?;
        let pair = KeyPair::try_from_seed(seed).map_err(|_| invalid)?;
        let public = pair.pk.to_vec();
        Ok((Self(Form::Ed25519(pair)), public))
    }

    /// The signature in JOSE form; none where it could not be made.
    pub(in crate::jose) fn sign(&self, text: &[u8]) -> Option<Vec<u8>> {
        match &self.0 {
            #[cfg(not(target_os = "wasi"))]
            Form::Rsa(key) => key.sign(text),
            // RFC 6979: the number that must never come twice is made of the key and the text.
            Form::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(&Sha256::digest(text)).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            // RFC 8032 section 5.1.6, of the key and the text as well.
            Form::Ed25519(pair) => Some(pair.sk.sign(text, None).to_vec()),
        }
    }
}
