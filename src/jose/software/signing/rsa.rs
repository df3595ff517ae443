//! RS256 signatures, where there is no Envoy to make them: in the operator's command and in tests.

use jwt_simple::algorithms::{RS256KeyPair, RSAKeyPairLike as _};
use superboring::hash::MessageDigest;
use superboring::pkey::{PKey, Private};
use superboring::sign::Signer;

use crate::jose::key::Unusable;
use crate::jose::software::PKCS1;

/// A private key of 4096 bits at most.
pub(super) struct PrivateKey(Box<PKey<Private>>);

impl PrivateKey {
    /// Of DER PKCS#8; its parts are checked against each other.
    pub(super) fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, Unusable> {
        let broken = "it is not a valid RSA key: its numbers do not go together";
        let pair = RS256KeyPair::from_der(pkcs8).map_err(|_| broken)?;
        let key = PKey::from_rsa(pair.key_pair().as_ref().clone()).map_err(|_| broken)?;
        Ok(Self(key.into()))
    }

    /// Blinded by random numbers, so that its time says nothing of the key.
    pub(super) fn sign(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.0).ok()?;
        signer.set_rsa_padding(PKCS1).ok()?;
        signer.sign_oneshot_to_vec(text).ok()
    }
}
