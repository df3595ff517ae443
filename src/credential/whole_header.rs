//! A header whose whole value is the token.

use crate::denial::Code;
use crate::header::HeaderName;
use crate::request::Request;

/// A header that holds nothing but a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeHeader {
    pub(crate) header: HeaderName,
}

impl WholeHeader {
    /// The token, if the request presents one here. An empty value is presented too, and is no good token.
    ///
    /// # Errors
    /// [`Code::HeaderMalformed`] where the header is there several times, or joins several values: a comma is
    /// how a proxy joins copies (RFC 9110 section 5.3), and no token has one.
    pub fn token<'a>(&self, request: &Request<'a>) -> Result<Option<&'a [u8]>, Code> {
        let mut values = request.values(self.header.as_bytes());
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) if !value.contains(&b',') => Ok(Some(value)),
            (Some(_), _) => Err(Code::HeaderMalformed),
        }
    }

    /// Whether the header is there at all.
    #[must_use]
    pub fn is_in(&self, request: &Request<'_>) -> bool {
        request.values(self.header.as_bytes()).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    fn token(values: &[&[u8]]) -> Result<Option<Vec<u8>>, Code> {
        let request = Request::new(values.iter().map(|value| (&b"x-api-token"[..], *value)).collect());
        let header = WholeHeader { header: HeaderName::parse("x-api-token").unwrap() };
        assert_eq!(header.is_in(&request), !values.is_empty());
        header.token(&request).map(|token| token.map(<[u8]>::to_vec))
    }

    #[test]
    fn the_whole_value_is_the_token_even_an_empty_one() {
        for value in [&b"a.b.c"[..], b"Bearer a.b.c", b"", b"\xff"] {
            assert_eq!(token(&[value]), Ok(Some(value.to_vec())));
        }
        assert_eq!(token(&[]), Ok(None));
    }

    #[test]
    fn copies_and_joined_values_are_malformed() {
        for values in [&[&b"a"[..], b"a"][..], &[b"a,a"], &[b"a, b"], &[b"a,"], &[b","]] {
            assert_eq!(token(values), Err(Code::HeaderMalformed), "{values:?}");
        }
    }
}
