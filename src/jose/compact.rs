//! A compact JWS, split, sized and strictly decoded (RFC 7515 section 7.1), and believed in nothing.

use std::fmt;

use serde_json::Value;

use super::base64url;
use super::header::Header;
use crate::denial::Code;
use crate::json::{self, Bounds};

/// How large a token may be.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// The whole token, in bytes.
    pub bytes: usize,
    /// Nesting of its JSON; the outermost object counts as one.
    pub depth: usize,
}

/// A well-formed token whose signature nobody has checked. It gives away what chooses the issuer and the key;
/// the claims stay inside until [`super::signature::verify`] has seen them signed.
pub struct Compact<'t> {
    pub(super) signing_input: &'t [u8],
    pub(super) header: Header,
    pub(super) payload: Value,
    pub(super) signature: Vec<u8>,
}

/// The header only: the rest, put together, is the token.
impl fmt::Debug for Compact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compact").field("header", &self.header).finish_non_exhaustive()
    }
}

impl<'t> Compact<'t> {
    /// Splits and decodes a token: three non-empty parts of strict base64url, the first two of them JSON
    /// objects without duplicate members.
    ///
    /// # Errors
    /// [`Code::TokenTooLarge`], [`Code::TokenMalformed`], and what [`Header::parse`] finds.
    pub fn parse(token: &'t [u8], size: Size) -> Result<Self, Code> {
        if token.len() > size.bytes {
            return Err(Code::TokenTooLarge);
        }
        let mut parts = token.split(|byte| *byte == b'.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Code::TokenMalformed);
        };
        if header.is_empty() || payload.is_empty() || signature.is_empty() {
            return Err(Code::TokenMalformed);
        }
        let signing_input = token.get(..header.len() + 1 + payload.len()).ok_or(Code::TokenMalformed)?;
        let signature = base64url(signature).ok_or(Code::TokenMalformed)?;
        let header = Header::parse(&object(header, size.depth)?)?;
        let payload = object(payload, size.depth)?;
        Ok(Self { signing_input, header, payload, signature })
    }

    /// The claims and the part of the token that they stand in, for [`super::signature::verify`], which alone
    /// may let them out.
    pub(super) fn into_claims(self) -> (Value, &'t [u8]) {
        let part = self.signing_input.split(|byte| *byte == b'.').nth(1).unwrap_or_default();
        (self.payload, part)
    }

    /// The header: it says which key to try, and of what type the token claims to be.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What the token claims, to tell of; nothing is decided by it.
    #[must_use]
    pub fn unverified_claims(&self) -> &Value {
        &self.payload
    }

    /// The `iss` that the token claims, to choose whose keys to try and for nothing else.
    ///
    /// # Errors
    /// [`Code::ClaimMalformed`] where it is no string (RFC 7519 section 4.1.1).
    pub fn unverified_issuer(&self) -> Result<Option<&str>, Code> {
        match self.payload.get("iss") {
            None => Ok(None),
            Some(Value::String(issuer)) => Ok(Some(issuer)),
            Some(_) => Err(Code::ClaimMalformed),
        }
    }
}

fn object(part: &[u8], depth: usize) -> Result<Value, Code> {
    let text = base64url(part).ok_or(Code::TokenMalformed)?;
    json::parse(&text, Bounds { depth, duplicates: 1 })
        .ok()
        .filter(Value::is_object)
        .ok_or(Code::TokenMalformed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    const SIZE: Size = Size { bytes: 1000, depth: 4 };

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.AA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    fn code(token: &str) -> Code {
        Compact::parse(token.as_bytes(), SIZE).unwrap_err()
    }

    #[test]
    fn three_non_empty_parts_and_no_other_number() {
        let good = token(r#"{"alg":"RS256"}"#, "{}");
        assert!(Compact::parse(good.as_bytes(), SIZE).is_ok());
        let part = URL_SAFE_NO_PAD.encode("{}");
        for bad in [
            String::new(),
            ".".into(),
            "..".into(),
            part.clone(),
            format!("{part}.{part}"),
            format!("{part}..{part}"),
            format!("{good}."),
            format!("{good}.AA"),
            format!(".{good}"),
        ] {
            assert_eq!(code(&bad), Code::TokenMalformed, "{bad}");
        }
    }

    #[test]
    fn the_signing_input_is_what_stands_before_the_last_dot() {
        let token = token(r#"{"alg":"RS256"}"#, r#"{"a":1}"#);
        let compact = Compact::parse(token.as_bytes(), SIZE).unwrap();
        assert_eq!(compact.signing_input, token.strip_suffix(".AA").unwrap().as_bytes());
    }

    #[test]
    fn a_token_one_byte_over_the_limit_is_too_large() {
        let token = token(r#"{"alg":"RS256"}"#, "{}");
        let at = |bytes| Compact::parse(token.as_bytes(), Size { bytes, depth: 4 }).map(drop);
        assert_eq!((at(token.len()), at(token.len() - 1)), (Ok(()), Err(Code::TokenTooLarge)));
    }

    #[test]
    fn a_token_as_long_as_any_limit_is_read_whole() {
        let short = token(r#"{"alg":"RS256"}"#, "{}");
        let unsigned = short.strip_suffix("AA").unwrap();
        let signature = "A".repeat(65_536 - unsigned.len());
        let token = format!("{unsigned}{signature}");
        let compact = Compact::parse(token.as_bytes(), Size { bytes: 65_536, depth: 4 }).unwrap();
        assert_eq!(compact.signature, base64url(signature.as_bytes()).unwrap());
        assert_eq!(compact.signing_input.len() + 1 + signature.len(), 65_536);
    }

    #[test]
    fn header_and_payload_are_objects_without_duplicates() {
        for payload in [
            "[]",
            "1",
            "null",
            "\"x\"",
            "{",
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":[[[[1]]]]}"#,
        ] {
            assert_eq!(code(&token(r#"{"alg":"RS256"}"#, payload)), Code::TokenMalformed, "{payload}");
        }
        for header in ["[]", r#"{"alg":"RS256","alg":"RS256"}"#, r#"{"alg":"RS256","x":{"y":1,"y":1}}"#] {
            assert_eq!(code(&token(header, "{}")), Code::TokenMalformed, "{header}");
        }
    }

    #[test]
    fn an_issuer_that_is_no_string_is_malformed_and_not_absent() {
        let token = token(r#"{"alg":"RS256"}"#, r#"{"iss":null}"#);
        assert_eq!(
            Compact::parse(token.as_bytes(), SIZE).unwrap().unverified_issuer(),
            Err(Code::ClaimMalformed)
        );
    }
}
