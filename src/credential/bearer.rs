//! A token behind a scheme in a header (RFC 6750 section 2.1, RFC 9110 section 11.4), and whether the header
//! can be read in one way only.
//!
//! It looks at the header's shape; what the token says is [`crate::jose`]'s business.

use crate::denial::Code;
use crate::header::HeaderName;
use crate::octets;
use crate::request::Request;

/// A header that holds a token behind a scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    pub(crate) header: HeaderName,
    /// In lower case: schemes compare without it (RFC 9110 section 11.1).
    pub(crate) scheme: String,
}

impl Bearer {
    /// The token behind this scheme; none where the scheme is no token of HTTP's (RFC 9110 section 5.6.2).
    #[must_use]
    pub fn new(header: HeaderName, scheme: &str) -> Option<Self> {
        let good = !scheme.is_empty() && self::scheme(scheme.as_bytes()).len() == scheme.len();
        good.then(|| Self { header, scheme: scheme.to_ascii_lowercase() })
    }

    /// The token, if the request presents one here. Another scheme is nobody's credential.
    ///
    /// # Errors
    /// [`Code::HeaderMalformed`] where the header is there several times, joins several values, or holds
    /// anything but the scheme, spaces, and one word.
    pub fn token<'a>(&self, request: &Request<'a>) -> Result<Option<&'a [u8]>, Code> {
        let mut values = request.values(self.header.as_bytes());
        let (first, second) = (values.next(), values.next());
        let Some(value) = first else { return Ok(None) };
        if second.is_some() {
            return Err(Code::HeaderMalformed);
        }
        match self.reads(value) {
            Reading::Ours(token) => Ok(Some(token)),
            Reading::Another => Ok(None),
            Reading::Others | Reading::Unclear => Err(Code::HeaderMalformed),
        }
    }

    /// Whether the header holds this credential, or may be read so.
    #[must_use]
    pub fn is_in(&self, request: &Request<'_>) -> bool {
        let is_ours = |value| matches!(self.reads(value), Reading::Ours(_) | Reading::Unclear);
        request.values(self.header.as_bytes()).any(is_ours)
    }

    fn reads<'v>(&self, value: &'v [u8]) -> Reading<'v> {
        if let Some(token) = self.behind_scheme(value) {
            return Reading::Ours(token);
        }
        let parts = || value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii_start);
        let is_ours = |part: &[u8]| scheme(part).eq_ignore_ascii_case(self.scheme.as_bytes());
        if scheme(value.trim_ascii_start()).is_empty() || parts().any(is_ours) {
            Reading::Unclear
        } else if joins_parameters_only(value) {
            Reading::Another
        } else {
            Reading::Others
        }
    }

    /// The one word behind the scheme and spaces.
    fn behind_scheme<'v>(&self, value: &'v [u8]) -> Option<&'v [u8]> {
        let (scheme, rest) = value.split_at_checked(self.scheme.len())?;
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        let token = rest.get(spaces..).filter(|token| !token.is_empty() && spaces > 0)?;
        (scheme.eq_ignore_ascii_case(self.scheme.as_bytes()) && octets::is_one_word(token)).then_some(token)
    }
}

/// What a value of the header is.
enum Reading<'v> {
    /// This source's token.
    Ours(&'v [u8]),
    /// One credential of another scheme.
    Another,
    /// Several credentials, none of them this source's. Envoy joins copies of this header with a comma, so
    /// they count as copies do.
    Others,
    /// Something in which this source's token may be read, but not in one way only.
    Unclear,
}

/// Whether what follows each comma outside quotes is an auth-param (`name = value`, RFC 9110 section 11.2),
/// and so not another credential.
fn joins_parameters_only(value: &[u8]) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    let mut parts = value.split(|byte| {
        let separates = *byte == b',' && !quoted;
        quoted ^= *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && quoted && !escaped;
        separates
    });
    parts.next();
    parts.map(<[u8]>::trim_ascii).all(|part| {
        let rest = part.get(scheme(part).len()..).unwrap_or_default();
        rest.len() < part.len() && rest.trim_ascii_start().starts_with(b"=")
    })
}

/// The authentication scheme that a value begins with: a token (RFC 9110 section 11.1), perhaps an empty one.
fn scheme(value: &[u8]) -> &[u8] {
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let length = value.iter().take_while(|byte| token(byte)).count();
    value.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    fn bearer() -> Bearer {
        Bearer::new(HeaderName::parse("authorization").unwrap(), "Bearer").unwrap()
    }

    fn token(values: &[&[u8]]) -> Result<Option<Vec<u8>>, Code> {
        let request = Request::new(values.iter().map(|value| (&b"authorization"[..], *value)).collect());
        bearer().token(&request).map(|token| token.map(<[u8]>::to_vec))
    }

    #[test]
    fn the_scheme_compares_without_case() {
        for value in [&b"Bearer a.b.c"[..], b"bearer a.b.c", b"BEARER  a.b.c"] {
            assert_eq!(token(&[value]), Ok(Some(b"a.b.c".to_vec())));
        }
    }

    #[test]
    fn another_scheme_is_no_credential() {
        for value in [
            &b"Basic YTpi"[..],
            b"Digest username=\"a, \\\", b\", realm = \"b\"",
            b"BearerX a",
            b"Bearer-Token a",
        ] {
            assert_eq!(token(&[value]), Ok(None), "{}", value.escape_ascii());
        }
    }

    #[test]
    fn a_header_that_can_be_read_twice_is_malformed() {
        for values in [
            &[&b"Bearer a"[..], b"Bearer a"][..],
            &[b"Bearer a", b"Basic b"],
            &[b"Bearer a,Bearer b"],
            &[b"Bearer a, Basic b"],
            &[b"Basic a, Bearer b"],
            &[b"Basic YTpi,Basic Yzpk"],
            &[b"Basic YTpi,Negotiate"],
            &[b"Digest a=\"b, Bearer c\""],
            &[b"Basic a,\tbearer b"],
            &[b"Bearer a b"],
            &[b"Bearer"],
            &[b"Bearer "],
            &[b"Bearer\ta"],
            &[b"Bearer \ta"],
            &[b" Bearer a"],
            &[b"Bearer=a"],
            &[b"Bearer a\xff"],
            &[b"Bearer ,a"],
            &[b""],
            &[b"\xffBearer a"],
            &[b", Bearer a"],
        ] {
            assert_eq!(token(values), Err(Code::HeaderMalformed), "{values:?}");
        }
    }

    #[test]
    fn what_may_be_read_as_the_credential_is_one_and_another_scheme_is_none() {
        let is_in = |value: &[u8]| bearer().is_in(&Request::new(vec![(b"authorization", value)]));
        assert!(is_in(b"Bearer a") && is_in(b"Basic a, Bearer b"));
        assert!(!is_in(b"Basic YTpi") && !is_in(b"Basic YTpi,Basic Yzpk"));
    }

    #[test]
    fn a_scheme_is_a_token_of_http() {
        let header = || HeaderName::parse("x-auth").unwrap();
        for bad in ["", " ", "a b", "Bearer ", "a,b", "a=b", "a:", "\u{e9}"] {
            assert_eq!(Bearer::new(header(), bad), None, "{bad}");
        }
        assert_eq!(Bearer::new(header(), "DPoP"), Bearer::new(header(), "dpop"));
    }
}
