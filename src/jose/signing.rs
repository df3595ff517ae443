//! A private key: what it signs with, the public key that goes with it, and the name of that.
//!
//! It is read once, from PKCS#8, the one form that everybody writes and that hosts take; and it is in no
//! message.

use std::sync::Arc;

use der::asn1::UintRef;
use der::{Decode as _, SecretDocument};
use pkcs8::PrivateKeyInfoRef;

use super::algorithm::{Algorithm, Family};
use super::key::{EC_PUBLIC_KEY, ED25519, P256, RSA_ENCRYPTION, Unusable, VerifyingKey};
use super::module::Module;
use super::software::SoftwareSigningKey;
use super::thumbprint::thumbprint;

/// A private key, with the one algorithm that it signs by.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    public: VerifyingKey,
    kid: Arc<str>,
    /// PKCS#8 in DER, for the host. It is overwritten when it is dropped.
    pkcs8: Arc<SecretDocument>,
    /// None where the module has none: for RSA keys over 4096 bits, and inside an Envoy for all of them; and for
    /// every key where signatures are left to the host.
    software: Option<Arc<SoftwareSigningKey>>,
}

/// By its public name.
impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A key from a PEM text: one `PRIVATE KEY` block (RFC 5958), P-256, RSA or Ed25519.
    ///
    /// # Errors
    /// Why it cannot be used, with the remedy where there is one; never the key itself.
    pub fn from_pem(text: &str) -> Result<Self, Unusable> {
        Self::from_pem_for(Module::BUILT, text)
    }

    /// The same for this module, which may leave signatures to its host.
    ///
    /// # Errors
    /// As [`Self::from_pem`].
    pub fn from_pem_for(module: Module, text: &str) -> Result<Self, Unusable> {
        let text = text.trim();
        let no_block = "it is not one PEM block with lines of 64 characters";
        // By the label first: what is in the block may be of a form that no PEM has any more.
        match der::pem::decode_label(text.as_bytes()).map_err(|_| no_block)? {
            "PRIVATE KEY" => {}
            "RSA PRIVATE KEY" => {
                return Err("it is in PKCS#1 form: convert it with `openssl pkcs8 -topk8 -nocrypt`");
            }
            "EC PRIVATE KEY" | "EC PARAMETERS" => {
                return Err("it is in SEC 1 form: convert it with `openssl pkcs8 -topk8 -nocrypt`");
            }
            "OPENSSH PRIVATE KEY" => {
                return Err("it is in OpenSSH's form: make one with `vestibule keygen p256`");
            }
            "ENCRYPTED PRIVATE KEY" => {
                return Err("it is encrypted, and nobody is there to ask: decrypt it with `openssl pkey`");
            }
            "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => {
                return Err("it is a public key or a certificate: give the private key that goes with it");
            }
            _ => return Err("its PEM label is not PRIVATE KEY"),
        }
        let (_, document) = SecretDocument::from_pem(text).map_err(|_| no_block)?;
        Self::from_pkcs8(module, document)
    }

    #[inline(never)]
    fn from_pkcs8(module: Module, document: SecretDocument) -> Result<Self, Unusable> {
        let bytes = document.as_bytes();
        let info = PrivateKeyInfoRef::from_der(bytes).map_err(|_| "it is not a PKCS#8 private key")?;
        let (algorithm, public, software) = match info.algorithm.oid {
            RSA_ENCRYPTION => {
                let public = rsa_public(info.private_key.as_bytes())?;
                // What the module cannot verify it does not sign either.
                let can = module == Module::Full && public.software().is_some();
                let software = can.then(|| SoftwareSigningKey::rsa(bytes)).transpose()?;
                (Algorithm::Rs256, public, software.flatten())
            }
            #[cfg(feature = "software")]
            EC_PUBLIC_KEY if info.algorithm.parameters_oid() == Ok(P256) && module == Module::Full => {
                let (software, point) = SoftwareSigningKey::p256(bytes)?;
                (Algorithm::Es256, VerifyingKey::ec(Family::P256, &point)?, Some(software))
            }
            EC_PUBLIC_KEY if info.algorithm.parameters_oid() == Ok(P256) => {
                let point = point_beside(info.private_key.as_bytes())?;
                (Algorithm::Es256, VerifyingKey::ec(Family::P256, point)?, None)
            }
            EC_PUBLIC_KEY => {
                return Err("its curve is not P-256: make a key with `vestibule keygen p256`");
            }
            #[cfg(feature = "software")]
            ED25519 if module == Module::Full => {
                let (software, public) = SoftwareSigningKey::ed25519(info.private_key.as_bytes())?;
                // RFC 5958 section 2: the public key may stand beside.
                if info.public_key.is_some_and(|beside| beside.as_bytes() != Some(&public)) {
                    return Err("the public key that stands beside it is another key's");
                }
                (Algorithm::EdDsa, VerifyingKey::ed25519(&public)?, Some(software))
            }
            ED25519 => {
                return Err("it is an Ed25519 key, by which hosts do not sign: make one with \
                            `vestibule keygen p256`, or use dist/vestibule.wasm");
            }
            _ => {
                return Err("it is neither a P-256, an RSA nor an Ed25519 key: \
                            make one with `vestibule keygen p256`");
            }
        };
        let kid = thumbprint(&public).ok_or("its public key has no JWK")?.into();
        Ok(Self { algorithm, public, kid, pkcs8: document.into(), software: software.map(Arc::new) })
    }

    /// What it signs by: ES256, RS256 or EdDSA.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key that goes with it.
    #[must_use]
    pub fn public(&self) -> &VerifyingKey {
        &self.public
    }

    /// The name by which the public key is published: its RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// PKCS#8 in DER, for an engine that signs by it. It is the secret itself.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        self.pkcs8.as_bytes()
    }

    /// The same as the host alone may know it.
    #[cfg(test)]
    pub(super) fn without_software(self) -> Self {
        Self { software: None, ..self }
    }

    pub(super) fn software(&self) -> Option<&SoftwareSigningKey> {
        self.software.as_deref()
    }
}

/// The public part of an `RSAPrivateKey` (RFC 8017 appendix A.1.2): of two primes, so nine numbers, of which
/// the first is the version.
fn rsa_public(private: &[u8]) -> Result<VerifyingKey, Unusable> {
    match Vec::<UintRef<'_>>::from_der(private).as_deref() {
        Ok([_, n, e, _, _, _, _, _, _]) => VerifyingKey::rsa(n.as_bytes(), e.as_bytes()),
        Ok(_) | Err(_) => Err("it is not an RSA private key of two primes"),
    }
}

/// The public point that stands in an `ECPrivateKey` (RFC 5915 section 3), where no arithmetic is at hand to make it
/// of the private number. Whether it is the key's own the first signature shows.
fn point_beside(private: &[u8]) -> Result<&[u8], Unusable> {
    let key = sec1::EcPrivateKey::from_der(private).map_err(|_| "it is not a valid P-256 key")?;
    key.public_key.ok_or("its public point does not stand in it: have `openssl pkey` write it anew")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;
    use crate::jose::signature::{Engine as _, Outcome};
    use crate::jose::software::Software;

    const P256: &str = include_str!("../../tests/support/keys/ec-256.pem");
    const RSA: &str = include_str!("../../tests/support/keys/rsa-1.pem");
    const ED25519: &str = include_str!("../../tests/support/keys/ed-1.pem");

    fn relabelled(label: &str) -> String {
        P256.replace("PRIVATE KEY", label)
    }

    #[test]
    #[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
    fn what_a_key_signs_its_public_key_verifies_and_nothing_else() {
        for (pem, algorithm) in
            [(P256, Algorithm::Es256), (RSA, Algorithm::Rs256), (ED25519, Algorithm::EdDsa)]
        {
            let key = SigningKey::from_pem(&format!("\n{pem}\r\n\n")).unwrap();
            assert_eq!(key.algorithm(), algorithm);
            let signature = Software.sign(&key, b"text").unwrap();
            assert_eq!(signature.len(), key.public().signature_length(algorithm));
            let verify = |text| Software.verify(algorithm, key.public(), text, &signature);
            assert_eq!((verify(b"text"), verify(b"texT")), (Outcome::Valid, Outcome::Invalid), "{algorithm}");
        }
    }

    #[test]
    fn a_key_of_which_the_module_knows_the_public_half_only_is_still_one() {
        let without = SigningKey::from_pem(RSA).unwrap().without_software();
        assert_eq!(Software.sign(&without, b"text"), None);
        assert_eq!(without.kid(), thumbprint(without.public()).unwrap());
    }

    #[test]
    fn what_is_no_usable_private_key_is_refused_with_the_remedy() {
        let refused = |pem: &str| SigningKey::from_pem(pem).map(|_| ()).unwrap_err();
        for (label, remedy) in [
            ("RSA PRIVATE KEY", "openssl pkcs8 -topk8 -nocrypt"),
            ("EC PRIVATE KEY", "openssl pkcs8 -topk8 -nocrypt"),
            ("OPENSSH PRIVATE KEY", "vestibule keygen"),
            ("ENCRYPTED PRIVATE KEY", "openssl pkey"),
            ("PUBLIC KEY", "the private key"),
            ("CERTIFICATE", "the private key"),
            ("NOTHING", "label"),
        ] {
            assert!(refused(&relabelled(label)).contains(remedy), "{label}: {}", refused(&relabelled(label)));
        }
        let proc_type =
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----";
        assert!(refused(proc_type).contains("topk8"));
        for (what, pem) in [
            ("curve", include_str!("../../tests/support/keys/ec-384.pem")),
            ("curve", include_str!("../../tests/support/keys/ec-521.pem")),
            ("2048", include_str!("../../tests/support/keys/rsa-weak.pem")),
            ("one PEM block", ""),
            ("one PEM block", "MIGHAgEAMBMG"),
            ("one PEM block", &[P256, P256].concat()),
            ("PKCS#8", "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"),
        ] {
            assert!(refused(pem).contains(what), "{what}: {}", refused(pem));
        }
    }

    /// RFC 5958 section 2, version 2; as ring and some other libraries write it.
    #[test]
    #[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
    fn a_public_key_that_stands_beside_a_private_one_must_be_its_own() {
        let key = SigningKey::from_pem(ED25519).unwrap();
        let public = key.public().spki().rchunks(32).next().unwrap().to_vec();
        let seed = key.pkcs8().rchunks(32).next().unwrap();
        let beside = |public: &[u8]| {
            let head = b"\x30\x51\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
            let document = [&head[..], seed, b"\x81\x21\x00", public].concat();
            SigningKey::from_pkcs8(Module::Full, SecretDocument::try_from(document).unwrap())
        };
        assert_eq!(beside(&public).unwrap().kid(), key.kid());
        assert!(beside(&[7; 32]).unwrap_err().contains("another key"));
    }

    /// Every byte of a key, one bit changed: what is read then is another key, or none, and never a private key
    /// beside a public one that is not its own.
    #[test]
    #[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
    fn a_key_that_was_damaged_is_refused_or_another_one() {
        for pem in [P256, ED25519] {
            let (_, document) = SecretDocument::from_pem(pem).unwrap();
            for position in 0..document.as_bytes().len() {
                let mut bytes = document.as_bytes().to_vec();
                bytes.get_mut(position).map(|byte| *byte ^= 1).unwrap();
                let Some(key) = SecretDocument::try_from(bytes)
                    .ok()
                    .and_then(|document| SigningKey::from_pkcs8(Module::Full, document).ok())
                else {
                    continue;
                };
                let signature = Software.sign(&key, b"text").unwrap();
                assert_eq!(
                    Software.verify(key.algorithm(), key.public(), b"text", &signature),
                    Outcome::Valid,
                    "{position}"
                );
            }
        }
    }

    #[test]
    #[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
    fn an_rsa_key_whose_numbers_do_not_go_together_is_refused() {
        let (_, document) = SecretDocument::from_pem(RSA).unwrap();
        // In each of the private numbers, which begin behind the modulus and the exponent.
        for position in (400..document.as_bytes().len()).step_by(97) {
            let mut bytes = document.as_bytes().to_vec();
            bytes.get_mut(position).map(|byte| *byte ^= 2).unwrap();
            let damaged = SecretDocument::try_from(bytes).unwrap();
            assert!(SigningKey::from_pkcs8(Module::Full, damaged).is_err(), "{position}");
        }
    }

    #[test]
    #[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
    fn debug_output_shows_the_public_name_alone() {
        for pem in [P256, RSA, ED25519] {
            let key = SigningKey::from_pem(pem).unwrap();
            let shown = format!("{key:?}{:?}", key.software().unwrap());
            assert!(shown.contains(key.kid()) && shown.len() < 150, "{shown}");
        }
    }
}
