//! A key that can verify: checked once, and held in the two forms in which it is used.

use der::asn1::{AnyRef, BitStringRef, UintRef};
use der::oid::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::algorithm::{Algorithm, Family};
use super::software::SoftwareKey;

pub(super) const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// RFC 4055 section 1.2: a key that says of itself that it signs by RSASSA-PSS only.
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
pub(super) const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// RFC 8410 section 3.
pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
pub(super) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

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

/// Why a pair of coordinates is none.
pub(super) const OFF_CURVE: Unusable = "its point is not on its curve";

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
        let software = (bits <= RSA_SOFTWARE_BITS).then(|| SoftwareKey::rsa(n, e)).transpose()?.flatten();
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
            Family::P521 => &P521,
            Family::Rsa | Family::Ed25519 | Family::Hmac => {
                return Err("it is not of a curve with such points");
            }
        };
        if point.first() != Some(&4) {
            return Err("its point is not in uncompressed form");
        }
        let software = SoftwareKey::ec(family, point)?;
        let spki = spki(EC_PUBLIC_KEY, Some(AnyRef::from(curve)), point).ok_or("it has no DER form")?;
        Ok(Self { family, spki, modulus_bytes: 0, software })
    }

    /// An Ed25519 key from its 32 bytes (RFC 8032 section 5.1.5).
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn ed25519(bytes: &[u8]) -> Result<Self, Unusable> {
        let software = SoftwareKey::ed25519(bytes)?;
        let spki = spki(ED25519, None, bytes).ok_or("it has no DER form")?;
        Ok(Self { family: Family::Ed25519, spki, modulus_bytes: 0, software })
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
            software: Some(SoftwareKey::hmac(secret)?),
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
                Ok(P521) => Self::ec(Family::P521, key),
                _ => Err("its curve is not P-256, P-384 or P-521"),
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

    /// The form in which the module verifies; none for RSA keys over 4096 bits, and none for any key in the
    /// module that leaves signatures to its host.
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

/// The JOSE form `r ‖ s` of an ECDSA signature in DER form, for a curve whose scalars are of this length; none
/// of one that is not in that form, or not of such a curve.
#[must_use]
pub fn ecdsa_jose(signature: &[u8], scalar_length: usize) -> Option<Vec<u8>> {
    let integers = Vec::<UintRef<'_>>::from_der(signature).ok()?;
    let [r, s] = integers.as_slice() else { return None };
    let mut padded = Vec::with_capacity(2 * scalar_length);
    for integer in [r, s] {
        let bytes = without_leading_zeros(integer.as_bytes());
        padded.resize(padded.len() + scalar_length.checked_sub(bytes.len())?, 0);
        padded.extend_from_slice(bytes);
    }
    Some(padded)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;
    use crate::jose::curve;

    /// A number of so many bytes, of which the first is this and the rest are ones.
    fn number(top: u8, length: usize) -> Vec<u8> {
        let mut number = vec![1; length];
        *number.first_mut().unwrap() = top;
        number
    }

    #[test]
    fn an_ecdsa_signature_goes_into_the_form_of_hosts_and_back() {
        let numbers: [&[u8]; 6] = [&[1], &[0x7f], &[0x80], &[0xff; 31], &[0xff; 32], &number(0x80, 32)];
        for r in numbers {
            for s in numbers {
                let signature = jose(64, [r, s]);
                let der = ecdsa_der(&signature).unwrap();
                assert_eq!(ecdsa_jose(&der, 32), Some(signature), "{r:02x?} {s:02x?}");
            }
        }
        let der = ecdsa_der(&jose(64, [&[0xff; 32], &[1]])).unwrap();
        assert_eq!(ecdsa_jose(&der, 31), None, "a scalar of another curve");
        assert_eq!(ecdsa_jose(&der, 66).unwrap().len(), 132);
        let mut longer = der.clone();
        longer.push(0);
        let third = vec![UintRef::new(&[1]).unwrap(); 3].to_der().unwrap();
        for bad in [&b""[..], &[0x30, 0], &longer, der.split_last().unwrap().1, &third, &[7; 64]] {
            assert_eq!(ecdsa_jose(bad, 32), None, "{bad:02x?}");
        }
    }

    /// A JOSE signature of these numbers, each padded to half of `length`.
    fn jose(length: usize, numbers: [&[u8]; 2]) -> Vec<u8> {
        let padded = |number: &[u8]| [vec![0; length / 2 - number.len()], number.to_vec()].concat();
        numbers.map(padded).concat()
    }

    /// DER's lengths and signs by hand (X.690 sections 8.1.3 and 8.3): a content of 128 bytes and more takes
    /// two bytes of length, and a number whose top bit is set takes a zero byte in front, lest it be
    /// negative.
    #[test]
    fn an_ecdsa_signature_has_its_der_form_whatever_its_numbers_begin_with() {
        let full = number(0x01, 66);
        let high = number(0xff, 65);
        let with_sign = [&[0], &high[..]].concat();
        let one_less = number(0x7f, 65);
        type Der<'d> = (&'d [u8], u8, &'d [u8], u8, &'d [u8]);
        let cases: [(usize, [&[u8]; 2], Der<'_>); 9] = [
            // r and s fill the field, so that each is 66 bytes long.
            (132, [&full, &full], (&[0x30, 0x81, 136], 66, &full, 66, &full)),
            // One leading zero goes, and one comes back for the sign.
            (132, [&high, &full], (&[0x30, 0x81, 136], 66, &with_sign, 66, &full)),
            (132, [&full, &high], (&[0x30, 0x81, 136], 66, &full, 66, &with_sign)),
            (132, [&one_less, &full], (&[0x30, 0x81, 135], 65, &one_less, 66, &full)),
            // Around the length at which the long form begins.
            (132, [&full, &number(1, 58)], (&[0x30, 0x81, 128], 66, &full, 58, &number(1, 58))),
            (132, [&full, &number(1, 57)], (&[0x30, 127], 66, &full, 57, &number(1, 57))),
            (132, [&[1], &[0x80]], (&[0x30, 7], 1, &[1], 2, &[0, 0x80])),
            (132, [&[], &[]], (&[0x30, 6], 1, &[0], 1, &[0])),
            // P-256, for comparison.
            (
                64,
                [&number(0x80, 32), &number(0x7f, 32)],
                (&[0x30, 69], 33, &[&[0], &number(0x80, 32)[..]].concat(), 32, &number(0x7f, 32)),
            ),
        ];
        for (length, numbers, (head, r_length, r, s_length, s)) in cases {
            let signature = jose(length, numbers);
            assert_eq!(signature.len(), length);
            let expected = [head, &[2, r_length], r, &[2, s_length], s].concat();
            assert_eq!(ecdsa_der(&signature), Some(expected), "{numbers:02x?}");
        }
    }

    #[test]
    fn a_key_is_a_point_of_its_own_curve_in_uncompressed_form() {
        let of = |jwk: [&str; 2]| jwk.map(|text| crate::jose::base64url(text.as_bytes()).unwrap()).concat();
        // The test key ec-521, whose x begins with a zero byte.
        let p521 = of([
            "AA-ls5z01mPpfu4zXmDSJVDhDsTeeX-uW45gKdffGrXHkCP_3TMaCI-xuHk6UfK9g4VdSa6nEF3hw8eFMMHxf-Uv",
            "AUC8YqlC4gHvtOmJEBLSUzHdzdAwK7NqFobnBvUYwEPzBFhm9JIhg7nV9caVog2LACl6mfW_1svznWcQn8-6OB1m",
        ]);
        // RFC 7515 appendix A.3.
        let p256 = of([
            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        ]);
        let (x, y) = p521.split_at(66);
        let point = |tag: u8, rest: &[&[u8]]| [&[tag][..], &rest.concat()].concat();
        let ec = |family, point: &[u8]| {
            let read = VerifyingKey::ec(family, point);
            // By the curve's own crate, and by what stands in for it.
            assert_eq!(read.is_ok(), curve::holds(family, point), "{point:02x?}");
            // As a SubjectPublicKeyInfo says it, whose curve and point nothing has compared yet.
            let curve = if family == Family::P521 { &P521 } else { &P256 };
            let spki = spki(EC_PUBLIC_KEY, Some(AnyRef::from(curve)), point).unwrap();
            let again = VerifyingKey::from_spki(&spki);
            let bytes = |key: Result<VerifyingKey, Unusable>| key.map(|key| key.spki().to_vec());
            assert_eq!(bytes(read.clone()), bytes(again), "{point:02x?}");
            read.map(|key| key.signature_length(Algorithm::Es512))
        };
        assert_eq!(ec(Family::P521, &point(4, &[&p521])), Ok(132));
        assert_eq!(ec(Family::P256, &point(4, &[&p256])), Ok(64));

        for tag in [0, 2, 3, 6, 7] {
            assert!(ec(Family::P521, &point(tag, &[x])).is_err(), "compressed, {tag}");
            assert!(ec(Family::P521, &point(tag, &[&p521])).is_err(), "uncompressed, {tag}");
        }
        let longer = [&[0], x].concat();
        let off_curve = [y, x].concat();
        // The same x, and p = 2^521 - 1 once more.
        let mut unreduced = x.to_vec();
        *unreduced.first_mut().unwrap() |= 0x02;
        *unreduced.last_mut().unwrap() -= 1;
        let mut raised = y.to_vec();
        *raised.first_mut().unwrap() |= 0x02;
        *raised.last_mut().unwrap() -= 1;
        for (what, refused) in [
            ("infinity", vec![0]),
            ("infinity as a point of zeros", point(4, &[&[0; 132]])),
            ("no point", vec![]),
            ("a tag alone", vec![4]),
            ("x without its zero byte", point(4, &[x.get(1..).unwrap(), y])),
            ("x with another zero byte", point(4, &[&longer, y])),
            ("a byte more", point(4, &[&p521, &[0]])),
            ("a byte less", point(4, &[p521.split_last().unwrap().1])),
            ("x alone", point(4, &[x])),
            ("a point off the curve", point(4, &[&off_curve])),
            ("an x outside the field", point(4, &[&unreduced, y])),
            ("a y outside the field", point(4, &[x, &raised])),
            ("a point of another curve", point(4, &[&p256])),
        ] {
            assert!(ec(Family::P521, &refused).is_err(), "{what}");
        }
        assert!(ec(Family::P256, &point(4, &[&p521])).is_err(), "P-521 as P-256");
    }
}
