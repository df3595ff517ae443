//! A compact JWS, split, sized and strictly decoded (RFC 7515 section 7.1), and believed in nothing.

use std::fmt;

use super::base64url;
use super::header::Header;
use crate::denial::Code;
use crate::json::Tree;

/// How large a token may be.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// The whole token, in bytes.
    pub bytes: usize,
    /// Nesting of its JSON; the outermost object counts as one.
    pub depth: usize,
}

/// The parts of a token, decoded: what [`Compact`] reads, and borrows from.
pub struct Decoded<'t> {
    signing_input: &'t [u8],
    header: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
    depth: usize,
}

/// Nothing of it: put together, it is the token.
impl fmt::Debug for Decoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoded").finish_non_exhaustive()
    }
}

/// A well-formed token whose signature nobody has checked. It gives away what chooses the issuer and the key;
/// the claims stay inside until [`super::signature::verify`] has seen them signed.
pub struct Compact<'t> {
    pub(super) signing_input: &'t [u8],
    pub(super) header: Header,
    pub(super) payload: Tree<'t>,
    pub(super) signature: &'t [u8],
}

/// The header only: the rest, put together, is the token.
impl fmt::Debug for Compact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compact").field("header", &self.header).finish_non_exhaustive()
    }
}

impl<'t> Decoded<'t> {
    /// Splits and decodes a token: three non-empty parts of strict base64url.
    ///
    /// # Errors
    /// [`Code::TokenTooLarge`] and [`Code::TokenMalformed`].
    pub fn of(token: &'t [u8], size: Size) -> Result<Self, Code> {
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
        let decoded = |part| base64url(part).ok_or(Code::TokenMalformed);
        Ok(Self {
            signing_input,
            header: decoded(header)?,
            payload: decoded(payload)?,
            signature: decoded(signature)?,
            depth: size.depth,
        })
    }
}

impl<'t> Compact<'t> {
    /// Reads a token whose first two parts are JSON objects without duplicate members.
    ///
    /// # Errors
    /// [`Code::TokenMalformed`], and what [`Header::parse`] finds.
    pub fn read(decoded: &'t Decoded<'_>) -> Result<Self, Code> {
        let Decoded { signing_input, header, payload, signature, depth } = decoded;
        let header = Header::parse(&object(header, *depth)?)?;
        Ok(Self { signing_input, header, payload: object(payload, *depth)?, signature })
    }

    /// The claims and the part of the token that they stand in, for [`super::signature::verify`], which alone
    /// may let them out.
    pub(super) fn into_claims(self) -> (Tree<'t>, &'t [u8]) {
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
    pub fn unverified_claims(&self) -> &Tree<'t> {
        &self.payload
    }

    /// The `iss` that the token claims, to choose whose keys to try and for nothing else.
    ///
    /// # Errors
    /// [`Code::ClaimMalformed`] where it is no string (RFC 7519 section 4.1.1).
    pub fn unverified_issuer(&self) -> Result<Option<&str>, Code> {
        match self.payload.get("iss") {
            None => Ok(None),
            Some(Tree::String(issuer)) => Ok(Some(issuer)),
            Some(_) => Err(Code::ClaimMalformed),
        }
    }
}

fn object(text: &[u8], depth: usize) -> Result<Tree<'_>, Code> {
    Tree::parse(text, depth).filter(|tree| matches!(tree, Tree::Object(_))).ok_or(Code::TokenMalformed)
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

    fn parse(token: &str, size: Size) -> Result<(), Code> {
        Compact::read(&Decoded::of(token.as_bytes(), size)?).map(drop)
    }

    fn code(token: &str) -> Code {
        parse(token, SIZE).unwrap_err()
    }

    #[test]
    fn three_non_empty_parts_and_no_other_number() {
        let good = token(r#"{"alg":"RS256"}"#, "{}");
        assert!(parse(&good, SIZE).is_ok());
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
        let decoded = Decoded::of(token.as_bytes(), SIZE).unwrap();
        let compact = Compact::read(&decoded).unwrap();
        assert_eq!(compact.signing_input, token.strip_suffix(".AA").unwrap().as_bytes());
    }

    #[test]
    fn a_token_one_byte_over_the_limit_is_too_large() {
        let token = token(r#"{"alg":"RS256"}"#, "{}");
        let at = |bytes| parse(&token, Size { bytes, depth: 4 });
        assert_eq!((at(token.len()), at(token.len() - 1)), (Ok(()), Err(Code::TokenTooLarge)));
    }

    #[test]
    fn a_token_as_long_as_any_limit_is_read_whole() {
        let short = token(r#"{"alg":"RS256"}"#, "{}");
        let unsigned = short.strip_suffix("AA").unwrap();
        let signature = "A".repeat(65_536 - unsigned.len());
        let token = format!("{unsigned}{signature}");
        let decoded = Decoded::of(token.as_bytes(), Size { bytes: 65_536, depth: 4 }).unwrap();
        let compact = Compact::read(&decoded).unwrap();
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
        let decoded = Decoded::of(token.as_bytes(), SIZE).unwrap();
        assert_eq!(Compact::read(&decoded).unwrap().unverified_issuer(), Err(Code::ClaimMalformed));
    }
}
