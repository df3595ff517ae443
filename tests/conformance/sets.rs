//! Which of Wycheproof's sets an engine is judged by.

/// Sets, each with how many of its cases must at least be judged: valid ones, and those that must not verify.
pub(crate) type Sets = &'static [(&'static str, usize, usize)];

/// RSASSA-PKCS1-v1_5.
pub(crate) const PKCS1: Sets = &[
    ("rsa_signature_2048_sha256", 7, 250),
    ("rsa_signature_2048_sha384", 7, 251),
    ("rsa_signature_2048_sha512", 7, 251),
    ("rsa_signature_3072_sha256", 7, 251),
    ("rsa_signature_3072_sha384", 7, 252),
    ("rsa_signature_3072_sha512", 7, 252),
    ("rsa_signature_4096_sha256", 7, 251),
    ("rsa_signature_4096_sha384", 7, 252),
    ("rsa_signature_4096_sha512", 7, 252),
];

/// RSASSA-PKCS1-v1_5 with keys that are too large for the module.
pub(crate) const PKCS1_LARGE: Sets = &[
    ("rsa_signature_8192_sha256", 7, 251),
    ("rsa_signature_8192_sha384", 7, 252),
    ("rsa_signature_8192_sha512", 7, 252),
];

/// RSASSA-PSS. In the last two, three groups have the parameters of RFC 7518.
pub(crate) const PSS: Sets = &[
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
pub(crate) const ECDSA: Sets = &[
    ("ecdsa_secp256r1_sha256_p1363", 173, 89),
    ("ecdsa_secp256r1_sha256", 174, 310),
    ("ecdsa_secp384r1_sha384_p1363", 193, 87),
    ("ecdsa_secp384r1_sha384", 194, 310),
    ("ecdsa_secp521r1_sha512_p1363", 231, 87),
    ("ecdsa_secp521r1_sha512", 232, 310),
];

pub(crate) const ED25519: Sets = &[("ed25519", 88, 63)];

/// Every set that some engine is judged by.
pub(crate) const ALL: [Sets; 5] = [PKCS1, PKCS1_LARGE, PSS, ECDSA, ED25519];

/// Sets whose parameters no algorithm of a JWS has: nothing in them may verify.
pub(crate) const FOREIGN: &[&str] = &[
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
