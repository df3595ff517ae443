//! JSON Object Signing and Encryption, the part that a verifier needs, and who signs a little: compact JWS (RFC
//! 7515), JWK (RFC 7517), JWA (RFC 7518) and the registered claims of JWT (RFC 7519).
//!
//! It knows keys and tokens, not issuers: who is believed is decided in [`crate::credential`].

pub mod algorithm;
pub mod claims;
pub mod compact;
#[cfg(any(test, not(feature = "software")))]
mod curve;
pub mod header;
pub mod jwk;
pub mod key;
pub mod known_answers;
pub mod module;
pub mod signature;
mod signer;
pub mod signing;
#[cfg(feature = "software")]
pub mod software;
#[cfg(not(feature = "software"))]
#[path = "jose/without_software.rs"]
pub mod software;
pub mod thumbprint;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Decodes base64url as RFC 7515 section 2 has it: no padding, no white space, no other alphabet, and no
/// stray bits at the end, so that one sequence of bytes has one spelling.
#[must_use]
pub fn base64url(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "a test stops where it fails")]
    use super::base64url;

    #[test]
    fn one_sequence_of_bytes_has_one_spelling() {
        assert_eq!(base64url(b"_-8").as_deref(), Some(&b"\xff\xef"[..]));
        for bad in [&b"_-8="[..], b"_-9", b"/+8", b"_-8\n", b" _-8", b"_", b"_-\xff"] {
            assert_eq!(base64url(bad), None, "{}", bad.escape_ascii());
        }
    }

    /// 3 bytes take 4 characters: a length is 0, 2 or 3 over a multiple of 4.
    #[test]
    fn a_text_of_every_length_is_as_many_bytes_as_it_spells() {
        for length in (0..=70).chain([49_149, 49_150, 49_151, 49_152, 65_535, 65_536]) {
            let bytes = base64url(&b"A".repeat(length)).map(|bytes| bytes.len());
            assert_eq!(
                bytes,
                (length % 4 != 1).then_some(length / 4 * 3 + [0, 0, 1, 2][length % 4]),
                "{length}"
            );
        }
    }
}
