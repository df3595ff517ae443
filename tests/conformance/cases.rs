//! Wycheproof's sets, brought to one form: a key, a message, a signature as a JWS has it, and the algorithm
//! of RFC 7518 whose parameters they have, if any.

use der::Decode as _;
use der::asn1::UintRef;
use vestibule::jose::algorithm::{Algorithm, Family};
use vestibule::jose::key::{Unusable, VerifyingKey};
use wycheproof::{EdwardsCurve, EllipticCurve, HashFunction, Mgf, TestResult};
use wycheproof::{ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

/// A signature and what Wycheproof says of it.
pub(crate) struct Case {
    /// `tcId`, unique within the set.
    pub(crate) id: usize,
    pub(crate) comment: String,
    pub(crate) result: TestResult,
    /// None where no algorithm of a JWS has these parameters.
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) key: Result<VerifyingKey, Unusable>,
    pub(crate) message: Vec<u8>,
    /// None where it is no DER, or one whose integers do not fit, so that no JWS can carry it.
    pub(crate) signature: Option<Vec<u8>>,
}

macro_rules! cases {
    ($kind:ident, $name:expr, $group:ident => $algorithm:expr, $key:expr, $jose:expr) => {{
        let set = $kind::TestSet::load($name.parse().expect("a set of this crate")).expect("a readable set");
        let mut cases = Vec::new();
        for $group in set.test_groups {
            let (algorithm, key, jose) = ($algorithm, $key, $jose);
            cases.extend($group.tests.into_iter().map(|test| Case {
                id: test.tc_id,
                comment: test.comment,
                result: test.result,
                algorithm,
                key: key.clone(),
                message: test.msg.to_vec(),
                signature: jose(&test.sig),
            }));
        }
        cases
    }};
}

/// The cases of a set, by its file's name.
pub(crate) fn load(name: &str) -> Vec<Case> {
    let as_it_is = |signature: &[u8]| Some(signature.to_vec());
    if name.starts_with("rsa_signature_") {
        cases!(rsa_pkcs1_verify, name, group =>
            pkcs1(group.hash), rsa(&group.key.n, &group.key.e, Some(&group.der)), as_it_is)
    } else if name.starts_with("rsa_pss_") {
        // RFC 4055 section 1.2: the sets with parameters have them in the key, which no JWK can say.
        let with_parameters = name.ends_with("_params");
        cases!(rsa_pss_verify, name, group => pss(&group),
            rsa(&group.key.n, &group.key.e, (!with_parameters).then_some(&group.der[..])), as_it_is)
    } else if name.starts_with("ecdsa_") && name.ends_with("_p1363") {
        cases!(ecdsa, name, group => ec(&group), ec_key(&group), as_it_is)
    } else if name.starts_with("ecdsa_") {
        cases!(ecdsa, name, group => ec(&group), ec_key(&group), jose_form(group.key.curve))
    } else {
        cases!(eddsa, name, group =>
            (group.key.curve == EdwardsCurve::Ed25519).then_some(Algorithm::EdDsa),
            both(VerifyingKey::from_spki(&group.der), VerifyingKey::ed25519(&group.key.pk)),
            as_it_is)
    }
}

/// RFC 7518 section 3.3.
fn pkcs1(hash: HashFunction) -> Option<Algorithm> {
    match hash {
        HashFunction::Sha2_256 => Some(Algorithm::Rs256),
        HashFunction::Sha2_384 => Some(Algorithm::Rs384),
        HashFunction::Sha2_512 => Some(Algorithm::Rs512),
        _ => None,
    }
}

/// RFC 7518 section 3.5: one hash for message and mask, and a salt as long as its output.
fn pss(group: &rsa_pss_verify::TestGroup) -> Option<Algorithm> {
    if group.mgf != Mgf::Mgf1 || group.mgf_hash != Some(group.hash) {
        return None;
    }
    match (group.hash, group.salt_size) {
        (HashFunction::Sha2_256, 32) => Some(Algorithm::Ps256),
        (HashFunction::Sha2_384, 48) => Some(Algorithm::Ps384),
        (HashFunction::Sha2_512, 64) => Some(Algorithm::Ps512),
        _ => None,
    }
}

/// RFC 7518 section 3.4: the hash goes with the curve.
fn ec(group: &ecdsa::TestGroup) -> Option<Algorithm> {
    match (group.key.curve, group.hash) {
        (EllipticCurve::Secp256r1, HashFunction::Sha2_256) => Some(Algorithm::Es256),
        (EllipticCurve::Secp384r1, HashFunction::Sha2_384) => Some(Algorithm::Es384),
        (EllipticCurve::Secp521r1, HashFunction::Sha2_512) => Some(Algorithm::Es512),
        _ => None,
    }
}

fn ec_key(group: &ecdsa::TestGroup) -> Result<VerifyingKey, Unusable> {
    both(VerifyingKey::from_spki(&group.der), VerifyingKey::ec(family(group.key.curve), &group.key.key))
}

fn family(curve: EllipticCurve) -> Family {
    match curve {
        EllipticCurve::Secp256r1 => Family::P256,
        EllipticCurve::Secp384r1 => Family::P384,
        EllipticCurve::Secp521r1 => Family::P521,
        curve => panic!("{curve:?} is not asked for"),
    }
}

fn rsa(n: &[u8], e: &[u8], spki: Option<&[u8]>) -> Result<VerifyingKey, Unusable> {
    let key = VerifyingKey::rsa(n, e);
    match spki {
        Some(spki) => both(VerifyingKey::from_spki(spki), key),
        None => key,
    }
}

/// One key read in two ways must be one key, or refused for one reason.
fn both(
    one: Result<VerifyingKey, Unusable>,
    other: Result<VerifyingKey, Unusable>,
) -> Result<VerifyingKey, Unusable> {
    let spki =
        |key: &Result<VerifyingKey, Unusable>| key.as_ref().map(|key| key.spki().to_vec()).map_err(|e| *e);
    assert_eq!(spki(&one), spki(&other), "a key depends on the form in which it is given");
    one
}

/// From DER to the form of a JWS (RFC 7518 section 3.4): both integers as long as the curve's field.
fn jose_form(curve: EllipticCurve) -> impl Fn(&[u8]) -> Option<Vec<u8>> {
    let length = family(curve).scalar_length().expect("a curve has a field");
    move |signature| {
        let integers = Vec::<UintRef<'_>>::from_der(signature).ok()?;
        let [r, s] = integers.as_slice() else { return None };
        let mut jose = Vec::new();
        for integer in [r, s] {
            let bytes = integer.as_bytes();
            jose.resize(jose.len() + length.checked_sub(bytes.len())?, 0);
            jose.extend(bytes);
        }
        Some(jose)
    }
}
