//! Who signs with a private key: as with verification, the host where it can and the module where not; and
//! settled likewise, but with the very key, whose right answers nobody knows before.

use super::known_answers::{OTHER_TEXT, TEXT};
use super::signature::{Backend, Engine as _, Engines, Outcome};
use super::signing::SigningKey;
use super::software::Software;

impl Engines {
    /// Who is to sign with this key: the first, the host before the module, whose signature of a text verifies,
    /// and of that text alone.
    #[must_use]
    pub fn settle_signing(&self, key: &SigningKey) -> Backend {
        let candidates = [Backend::Host, Backend::Module];
        candidates.into_iter().find(|backend| self.signs_rightly(*backend, key)).unwrap_or(Backend::Nobody)
    }

    fn signs_rightly(&self, backend: Backend, key: &SigningKey) -> bool {
        let signature = match backend {
            Backend::Host => self.host().and_then(|host| host.sign(key, TEXT)),
            Backend::Module => Software.sign(key, TEXT),
            Backend::Nobody => None,
        };
        let Some(signature) = signature else { return false };
        let (algorithm, public) = (key.algorithm(), key.public());
        // By the module's verification, which did not sign where the host did; where the module has none for so
        // long a key, by whoever gave the known answers.
        let judge = if public.software().is_some() { Backend::Module } else { self.backend(algorithm) };
        let says = |text: &[u8]| self.verify(judge, algorithm, public, text, &signature);
        signature.len() == public.signature_length(algorithm)
            && says(TEXT) == Outcome::Valid
            && says(OTHER_TEXT) == Outcome::Invalid
    }

    /// The signature of `text` by this key, in JOSE form, by whom it was [settled](Self::settle_signing) on;
    /// where the host fails for once, by the module. None where neither can.
    #[must_use]
    pub fn sign(&self, backend: Backend, key: &SigningKey, text: &[u8]) -> Option<Vec<u8>> {
        let fits = |signature: &Vec<u8>| signature.len() == key.public().signature_length(key.algorithm());
        let in_module = || Software.sign(key, text);
        let signature = match backend {
            Backend::Host => {
                let by_host = self.host().and_then(|host| host.sign(key, text)).filter(fits);
                by_host.or_else(in_module)
            }
            Backend::Module => in_module(),
            Backend::Nobody => None,
        };
        signature.filter(fits)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;
    use crate::jose::algorithm::Algorithm;
    use crate::jose::key::VerifyingKey;
    use crate::jose::signature::Engine;

    const P256: &str = include_str!("../../tests/support/keys/ec-256.pem");
    const OTHER: &str = include_str!("../../tests/support/keys/ec-256b.pem");

    type Sign = fn(&SigningKey, &[u8]) -> Option<Vec<u8>>;

    /// A host that verifies nothing, and signs so.
    struct Host(Sign);

    impl Engine for Host {
        fn verify(&self, _: Algorithm, _: &VerifyingKey, _: &[u8], _: &[u8]) -> Outcome {
            Outcome::Unavailable
        }

        fn sign(&self, key: &SigningKey, text: &[u8]) -> Option<Vec<u8>> {
            (self.0)(key, text)
        }
    }

    fn engines(sign: Sign) -> Engines {
        Engines::settle(Some(Box::new(Host(sign))))
    }

    fn key() -> SigningKey {
        SigningKey::from_pem(P256).unwrap()
    }

    #[test]
    #[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
    fn a_host_that_signs_rightly_signs() {
        let engines = engines(|key, text| Software.sign(key, text));
        assert_eq!(engines.settle_signing(&key()), Backend::Host);
    }

    #[test]
    #[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
    fn a_host_that_does_not_sign_or_not_rightly_leaves_it_to_the_module() {
        let wrong: [Sign; 6] = [
            |_, _| None,
            |_, _| Some(vec![0; 64]),
            |_, _| Some(Vec::new()),
            |key, _| Software.sign(key, b"another text"),
            |_, text| Software.sign(&SigningKey::from_pem(OTHER).ok()?, text),
            |key, text| Software.sign(key, text).map(|signature| [signature, vec![0]].concat()),
        ];
        for sign in wrong {
            assert_eq!(engines(sign).settle_signing(&key()), Backend::Module);
        }
        assert_eq!(Engines::in_module().settle_signing(&key()), Backend::Module);
    }

    #[test]
    fn a_key_by_which_neither_signs_is_nobodys() {
        let key = key().without_software();
        assert_eq!(engines(|_, _| None).settle_signing(&key), Backend::Nobody);
        assert_eq!(engines(|_, _| None).sign(Backend::Nobody, &key, b"text"), None);
    }

    #[test]
    #[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
    fn a_host_that_fails_once_is_stood_in_for_by_the_module() {
        let verify = |signature: &[u8]| Software.verify(Algorithm::Es256, key().public(), b"text", signature);
        for fails in [|_: &SigningKey, _: &[u8]| None, |_: &SigningKey, _: &[u8]| Some(vec![7; 72])] {
            let signature = engines(fails).sign(Backend::Host, &key(), b"text").unwrap();
            assert_eq!(verify(&signature), Outcome::Valid);
        }
    }
}
