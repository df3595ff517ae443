//! Project Wycheproof's signatures, judged by the engine in the module behind the check of length that every
//! token meets.

use std::collections::BTreeSet;
use std::fmt;

use vestibule::jose::algorithm::Algorithm;
use vestibule::jose::key::VerifyingKey;
use vestibule::jose::signature::{Engine as _, Outcome};
use vestibule::jose::software::Software;
use wycheproof::TestResult;

use crate::cases::{self, Case};
use crate::exceptions::Exceptions;

/// Sets, each with how many of its cases must at least be judged: valid ones, and those that must not verify.
type Sets = &'static [(&'static str, usize, usize)];

/// RSASSA-PKCS1-v1_5. The module verifies no modulus over 4096 bits, so of the last three nothing is judged.
const PKCS1: Sets = &[
    ("rsa_signature_2048_sha256", 7, 250),
    ("rsa_signature_2048_sha384", 7, 251),
    ("rsa_signature_2048_sha512", 7, 251),
    ("rsa_signature_3072_sha256", 7, 251),
    ("rsa_signature_3072_sha384", 7, 252),
    ("rsa_signature_3072_sha512", 7, 252),
    ("rsa_signature_4096_sha256", 7, 251),
    ("rsa_signature_4096_sha384", 7, 252),
    ("rsa_signature_4096_sha512", 7, 252),
    ("rsa_signature_8192_sha256", 0, 0),
    ("rsa_signature_8192_sha384", 0, 0),
    ("rsa_signature_8192_sha512", 0, 0),
];

/// RSASSA-PSS. In the last two, three groups have the parameters of RFC 7518.
const PSS: Sets = &[
    ("rsa_pss_2048_sha256_mgf1_32", 63, 45),
    ("rsa_pss_2048_sha256_mgf1_32_params", 63, 45),
    ("rsa_pss_2048_sha384_mgf1_48", 95, 46),
    ("rsa_pss_3072_sha256_mgf1_32", 63, 45),
    ("rsa_pss_3072_sha256_mgf1_32_params", 63, 45),
    ("rsa_pss_4096_sha256_mgf1_32", 63, 45),
    ("rsa_pss_4096_sha384_mgf1_48", 95, 46),
    ("rsa_pss_4096_sha512_mgf1_64", 132, 47),
    ("rsa_pss_4096_sha512_mgf1_64_params", 132, 47),
    ("rsa_pss_misc", 3, 0),
    ("rsa_pss_misc_params", 3, 0),
];

/// ECDSA, in the form of a JWS and in DER, of which what a JWS can carry is judged.
const ECDSA: Sets = &[
    ("ecdsa_secp256r1_sha256_p1363", 173, 89),
    ("ecdsa_secp256r1_sha256", 174, 310),
    ("ecdsa_secp384r1_sha384_p1363", 193, 87),
    ("ecdsa_secp384r1_sha384", 194, 310),
    ("ecdsa_secp521r1_sha512_p1363", 231, 87),
    ("ecdsa_secp521r1_sha512", 232, 310),
];

const ED25519: Sets = &[("ed25519", 88, 63)];

/// Sets whose parameters no algorithm of a JWS has: nothing in them may verify.
const FOREIGN: &[&str] = &[
    "rsa_signature_2048_sha224",
    "rsa_signature_2048_sha3_224",
    "rsa_signature_2048_sha3_256",
    "rsa_signature_2048_sha3_384",
    "rsa_signature_2048_sha3_512",
    "rsa_signature_2048_sha512_224",
    "rsa_signature_2048_sha512_256",
    "rsa_signature_3072_sha3_256",
    "rsa_signature_3072_sha512_256",
    "rsa_signature_4096_sha512_256",
    "rsa_pss_2048_sha1_mgf1_20",
    "rsa_pss_2048_sha256_mgf1_0",
    "rsa_pss_2048_sha256_mgf1sha1_20",
    "rsa_pss_2048_sha512_224_mgf1_28",
    "rsa_pss_2048_sha512_256_mgf1_32",
    "rsa_pss_2048_sha512_mgf1sha256_32_params",
    "rsa_pss_2048_shake128",
    "rsa_pss_2048_shake256",
    "rsa_pss_4096_sha512_mgf1_32",
    "ecdsa_secp256r1_sha512_p1363",
    "ecdsa_secp256r1_sha3_256",
    "ecdsa_secp256r1_shake128_p1363",
    "ecdsa_secp384r1_sha256",
    "ecdsa_secp384r1_sha512_p1363",
    "ecdsa_secp384r1_sha3_384",
    "ecdsa_secp384r1_shake256_p1363",
    "ecdsa_secp521r1_sha3_512",
    "ecdsa_secp521r1_shake256_p1363",
];

/// Why a key is passed over: Vestibule has no use for it, whatever it signed.
const REFUSED_EXPONENT: &str = "its RSA exponent is not 65537";

/// What became of the cases of a set.
#[derive(Default)]
struct Tally {
    valid: usize,
    /// The invalid ones, with the next two.
    refused: usize,
    acceptable: usize,
    /// Those that no JWS can carry.
    not_convertible: usize,
    /// Valid under parameters that no algorithm of a JWS has.
    foreign: usize,
    skipped_exponent: usize,
    skipped_modulus: usize,
}

#[test]
fn rsassa_pkcs1_signatures_are_judged_as_wycheproof_says() {
    judge(PKCS1);
}

#[test]
fn rsassa_pss_signatures_are_judged_as_wycheproof_says() {
    judge(PSS);
}

#[test]
fn ecdsa_signatures_are_judged_as_wycheproof_says() {
    judge(ECDSA);
}

#[test]
fn ed25519_signatures_are_judged_as_wycheproof_says() {
    judge(ED25519);
}

#[test]
fn a_signature_with_parameters_that_no_algorithm_has_does_not_verify() {
    for set in FOREIGN {
        let mut tally = Tally::default();
        let wrong: Vec<String> = cases::load(set)
            .iter()
            .filter_map(|case| {
                assert_eq!(case.algorithm, None, "{set} has an algorithm");
                foreign(case, &mut tally)
            })
            .collect();
        println!("{set}: {tally}");
        assert!(wrong.is_empty(), "{set}:\n{}", wrong.join("\n"));
        assert!(tally.foreign > 0, "{set}: nothing was tried");
    }
}

#[test]
fn every_exception_is_of_a_set_that_is_judged() {
    let judged: BTreeSet<&str> =
        [PKCS1, PSS, ECDSA, ED25519].into_iter().flatten().map(|set| set.0).collect();
    for set in Exceptions::load().sets() {
        assert!(judged.contains(set), "an exception for {set}, which is not judged");
    }
}

/// Judges sets and shows everything that is wrong, not the first.
fn judge(sets: Sets) {
    let exceptions = Exceptions::load();
    let mut wrong = Vec::new();
    for (set, valid, refused) in sets {
        let mut tally = Tally::default();
        let mut needed = BTreeSet::new();
        for case in cases::load(set) {
            match difference(&case, &mut tally) {
                None => {}
                Some(Difference::Excusable(_)) if exceptions.names(set, case.id) => {
                    needed.insert(case.id);
                }
                Some(Difference::Excusable(what) | Difference::Never(what)) => {
                    wrong.push(format!("{set} {}: {what} ({})", case.id, case.comment));
                }
            }
        }
        let unneeded = exceptions.of(set).filter(|id| !needed.contains(id));
        wrong.extend(unneeded.map(|id| format!("{set} {id}: the exception is not needed")));
        println!("{set}: {tally}, {} excepted", needed.len());
        if tally.valid + needed.len() < *valid || tally.refused + needed.len() < *refused {
            wrong.push(format!("{set}: fewer cases than {valid} valid and {refused} refused: {tally}"));
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

/// How the engine differs from Wycheproof.
enum Difference {
    /// An exception may name it.
    Excusable(String),
    /// What must not verify does: no exception helps.
    Never(String),
}

fn difference(case: &Case, tally: &mut Tally) -> Option<Difference> {
    let Some(algorithm) = case.algorithm else { return foreign(case, tally).map(Difference::Never) };
    let key = usable(case, tally)?;
    let verified = match &case.signature {
        Some(signature) => verifies(algorithm, key, &case.message, signature),
        None => {
            tally.not_convertible += 1;
            false
        }
    };
    if verified && case.result == TestResult::Invalid {
        return Some(Difference::Never("an invalid signature verifies".into()));
    }
    if let Some(other) = verifying(case, key, Some(algorithm)) {
        return Some(Difference::Never(format!("it verifies as {other}, too")));
    }
    match (case.result, verified) {
        (TestResult::Valid, true) => tally.valid += 1,
        (TestResult::Valid, false) => {
            return Some(Difference::Excusable("a valid signature does not verify".into()));
        }
        (TestResult::Acceptable, true) => {
            return Some(Difference::Excusable("an acceptable signature verifies".into()));
        }
        (TestResult::Acceptable, false) => {
            tally.acceptable += 1;
            tally.refused += 1;
        }
        (TestResult::Invalid, _) => tally.refused += 1,
    }
    None
}

/// Tries a case without an algorithm with all of them.
fn foreign(case: &Case, tally: &mut Tally) -> Option<String> {
    let key = usable(case, tally)?;
    tally.foreign += usize::from(case.result == TestResult::Valid);
    verifying(case, key, None)
        .map(|algorithm| format!("{} ({}) verifies as {algorithm}", case.id, case.comment))
}

/// An algorithm other than its own as which a valid signature verifies. One that is not valid under its own
/// parameters is not worth the time.
fn verifying(case: &Case, key: &VerifyingKey, own: Option<Algorithm>) -> Option<Algorithm> {
    let signature = case.signature.as_deref().filter(|_| case.result == TestResult::Valid)?;
    Algorithm::ALL
        .into_iter()
        .filter(|algorithm| Some(*algorithm) != own)
        .find(|algorithm| verifies(*algorithm, key, &case.message, signature))
}

/// The key, unless Vestibule refuses it by design.
fn usable<'c>(case: &'c Case, tally: &mut Tally) -> Option<&'c VerifyingKey> {
    match &case.key {
        Err(REFUSED_EXPONENT) => {
            tally.skipped_exponent += 1;
            None
        }
        Err(reason) => panic!("the key of {} is refused: {reason}", case.id),
        Ok(key) if key.software().is_none() => {
            let length = key.signature_length(Algorithm::Rs256);
            assert!(length > 512, "the module has no use for the key of {}", case.id);
            let said = Software.verify(Algorithm::Rs256, key, &case.message, &vec![0; length]);
            assert_eq!(said, Outcome::Unavailable, "for a key that the module cannot hold");
            tally.skipped_modulus += 1;
            None
        }
        Ok(key) => Some(key),
    }
}

/// As a token would meet it: `signature::verify` compares the length before it asks an engine.
fn verifies(algorithm: Algorithm, key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    key.signature_length(algorithm) == signature.len()
        && Software.verify(algorithm, key, message, signature) == Outcome::Valid
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.valid, "verify"),
            (self.refused, "do not"),
            (self.acceptable, "of these acceptable"),
            (self.not_convertible, "of these in no JWS"),
            (self.foreign, "verify as no algorithm"),
            (self.skipped_exponent, "passed over for the key's exponent"),
            (self.skipped_modulus, "passed over for the key's size"),
        ];
        let counted = counts.into_iter().filter(|(count, _)| *count > 0);
        f.write_str(&counted.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", "))
    }
}
