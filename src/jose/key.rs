//! A key that can verify: checked once, and held in the two forms in which it is used.

use der::asn1::{AnyRef, BitStringRef, UintRef};
use der::oid::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::algorithm::{Algorithm, Family};
use super::software::SoftwareKey;

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// RFC 4055 section 1.2: a key that says of itself that it signs by RSASSA-PSS only.
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// RFC 8410 section 3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// RSA moduli outside this range are refused, in bits: too weak below (NIST SP 800-131A), too slow above.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// The largest modulus that is verified inside the module.
const RSA_SOFTWARE_BITS: usize = 4096;

/// A public key, or a shared secret, which shows itself nowhere.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    family: Family,
    /// DER SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), for the host.
    spki: Vec<u8>,
    /// For RSA, the length of a signature in bytes.
    modulus_bytes: usize,
    software: Option<SoftwareKey>,
}

/// Why bytes are no usable key.
pub type Unusable = &'static str;

impl VerifyingKey {
    /// An RSA key from its big-endian modulus and exponent; leading zeros do not count.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn rsa(n: &[u8], e: &[u8]) -> Result<Self, Unusable> {
        let n = without_leading_zeros(n);
        let bits = n.first().map_or(0, |top| n.len() * 8 - top.leading_zeros() as usize);
        if !RSA_BITS.contains(&bits) {
            return Err("its RSA modulus is not 2048 to 8192 bits long");
        }
        if n.last().is_none_or(|last| last.is_multiple_of(2)) {
            return Err("its RSA modulus is even");
        }
        if without_leading_zeros(e) != [1, 0, 1] {
            return Err("its RSA exponent is not 65537");
        }
        let software = (bits <= RSA_SOFTWARE_BITS).then(|| SoftwareKey::rsa(n, e)).transpose()?;
        let key = pair_of_integers(n, e).ok_or("it has no DER form")?;
        let spki = spki(RSA_ENCRYPTION, Some(AnyRef::NULL), &key).ok_or("it has no DER form")?;
        Ok(Self { family: Family::Rsa, spki, modulus_bytes: n.len(), software })
    }

    /// An EC key from its uncompressed point (SEC 1 section 2.3.3): 4, x, y.
    ///
    /// # Errors
    /// Why it cannot be used; a point that is not on the curve is one of the reasons.
    pub fn ec(family: Family, point: &[u8]) -> Result<Self, Unusable> {
        let curve = match family {
            Family::P256 => &P256,
            Family::P384 => &P384,
            Family::Rsa | Family::Ed25519 | Family::Hmac => {
                return Err("it is not of a curve with such points");
            }
        };
        if point.first() != Some(&4) {
            return Err("its point is not in uncompressed form");
        }
        let software = SoftwareKey::ec(family, point)?;
        let spki = spki(EC_PUBLIC_KEY, Some(AnyRef::from(curve)), point).ok_or("it has no DER form")?;
        Ok(Self { family, spki, modulus_bytes: 0, software: Some(software) })
    }

    /// An Ed25519 key from its 32 bytes (RFC 8032 section 5.1.5).
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn ed25519(bytes: &[u8]) -> Result<Self, Unusable> {
        let software = SoftwareKey::ed25519(bytes)?;
        let spki = spki(ED25519, None, bytes).ok_or("it has no DER form")?;
        Ok(Self { family: Family::Ed25519, spki, modulus_bytes: 0, software: Some(software) })
    }

    /// A secret that the issuer shares, of at least 32 bytes.
    ///
    /// # Errors
    /// Why it cannot be used; never the secret itself.
    pub fn hmac(secret: &[u8]) -> Result<Self, Unusable> {
        if secret.len() < 32 {
            return Err("an HMAC secret has at least 32 bytes (RFC 7518 section 3.2)");
        }
        // There is no public form of it, for a host or for anybody.
        Ok(Self {
            family: Family::Hmac,
            spki: Vec::new(),
            modulus_bytes: 0,
            software: Some(SoftwareKey::hmac(secret)),
        })
    }

    /// A key from a PEM text: one `PUBLIC KEY` block (RFC 7468 section 13).
    ///
    /// # Errors
    /// Why it cannot be used, with the remedy where there is one.
    pub fn from_pem(text: &str) -> Result<Self, Unusable> {
        let (label, document) = der::pem::decode_vec(text.trim().as_bytes())
            .map_err(|_| "it is not one PEM block with lines of 64 characters")?;
        match label {
            "PUBLIC KEY" => Self::from_spki(&document),
            "RSA PUBLIC KEY" => {
                Err("it is in PKCS#1 form: convert it with `openssl rsa -RSAPublicKey_in -pubout`")
            }
            "CERTIFICATE" => Err("it is a certificate: extract its key with `openssl x509 -pubkey -noout`"),
            label if label.ends_with("PRIVATE KEY") => {
                Err("it is a PRIVATE key: give the public one (`openssl pkey -pubout`), \
                 and replace this key, for it has left its place")
            }
            _ => Err("its PEM label is not PUBLIC KEY"),
        }
    }

    /// A key from DER SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn from_spki(document: &[u8]) -> Result<Self, Unusable> {
        let info =
            SubjectPublicKeyInfoRef::from_der(document).map_err(|_| "it is not a SubjectPublicKeyInfo")?;
        let key = info.subject_public_key.as_bytes().ok_or("its bit string has unused bits")?;
        match info.algorithm.oid {
            RSA_ENCRYPTION => match Vec::<UintRef<'_>>::from_der(key).as_deref() {
                Ok([n, e]) => Self::rsa(n.as_bytes(), e.as_bytes()),
                Ok(_) | Err(_) => Err("it is not an RSA public key"),
            },
            EC_PUBLIC_KEY => match info.algorithm.parameters_oid() {
                Ok(P256) => Self::ec(Family::P256, key),
                Ok(P384) => Self::ec(Family::P384, key),
                _ => Err("its curve is not P-256 or P-384"),
            },
            RSASSA_PSS => {
                Err("it is marked as an RSASSA-PSS key, which hosts do not read: give it as a plain RSA key")
            }
            ED25519 if info.algorithm.parameters.is_none() => Self::ed25519(key),
            _ => Err("it is neither an RSA, an EC nor an Ed25519 key"),
        }
    }

    /// The algorithms that it can serve belong to this family.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// The length of a shared secret in bytes; none for public keys.
    #[must_use]
    pub fn secret_length(&self) -> Option<usize> {
        self.software.as_ref().and_then(SoftwareKey::secret_length)
    }

    /// DER SubjectPublicKeyInfo; empty for a shared secret.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The form in which the module verifies; none for RSA keys over 4096 bits.
    #[must_use]
    pub fn software(&self) -> Option<&SoftwareKey> {
        self.software.as_ref()
    }

    /// The length of a signature by this key in a JWS, in bytes (RFC 7518 sections 3.2 to 3.4).
    #[must_use]
    pub fn signature_length(&self, algorithm: Algorithm) -> usize {
        let mac = || algorithm.mac_length().unwrap_or(self.modulus_bytes);
        self.family.scalar_length().map_or_else(mac, |length| 2 * length)
    }
}

/// The DER form of an ECDSA signature (RFC 3279 section 2.2.3), which hosts take, from the JOSE form `r ‖ s`.
#[must_use]
pub fn ecdsa_der(signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(signature.len() / 2)?;
    pair_of_integers(without_leading_zeros(r), without_leading_zeros(s))
}

/// `SEQUENCE { INTEGER, INTEGER }`: the form of an RSA public key and of an ECDSA signature. An empty integer
/// is zero.
fn pair_of_integers(first: &[u8], second: &[u8]) -> Option<Vec<u8>> {
    let integer = |bytes| UintRef::new(if <[u8]>::is_empty(bytes) { &[0] } else { bytes }).ok();
    vec![integer(first)?, integer(without_leading_zeros(second))?].to_der().ok()
}

fn spki(oid: ObjectIdentifier, parameters: Option<AnyRef<'_>>, key: &[u8]) -> Option<Vec<u8>> {
    let algorithm = AlgorithmIdentifierRef { oid, parameters };
    SubjectPublicKeyInfoRef { algorithm, subject_public_key: BitStringRef::from_bytes(key).ok()? }
        .to_der()
        .ok()
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}
