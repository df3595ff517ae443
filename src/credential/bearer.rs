//! Where a bearer token stands (RFC 6750 section 2.1), and whether its header can be read in one way only.
//!
//! It looks at the header's shape; what the token says is [`crate::jose`]'s business.

use crate::denial::Code;
use crate::header::HeaderName;
use crate::request::Request;

/// Whether the credential stays on the forwarded request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// Never.
    Nothing,
    /// Where it was verified.
    Verified,
    /// Always, verified or not.
    Always,
}

/// A header that holds a token behind a scheme.
#[derive(Clone, Debug)]
pub struct Source {
    pub(crate) header: HeaderName,
    pub(crate) scheme: String,
    pub(crate) forward: Forward,
}

impl Source {
    /// The token, if the request presents one here. Another scheme is nobody's credential.
    ///
    /// # Errors
    /// [`Code::HeaderMalformed`] where the header is there several times, joins several values, or holds anything but the scheme,
    /// spaces, and one word.
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
            Reading::Unclear => Err(Code::HeaderMalformed),
        }
    }

    /// Whether the header must go before the request is forwarded: it holds this credential, or may be read so.
    #[must_use]
    pub fn must_go(&self, request: &Request<'_>, verified: bool) -> bool {
        let stays = match self.forward {
            Forward::Nothing => false,
            Forward::Verified => verified,
            Forward::Always => true,
        };
        !stays && request.values(self.header.as_bytes()).any(|value| self.reads(value) != Reading::Another)
    }

    fn reads<'v>(&self, value: &'v [u8]) -> Reading<'v> {
        let mut parts = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii_start);
        let is_ours = |part: &[u8]| scheme(part).eq_ignore_ascii_case(self.scheme.as_bytes());
        let first = parts.next().unwrap_or_default();
        if !is_ours(first) {
            // A list of parameters, as in Digest, is another scheme's; a second credential in the list, or no scheme at all, is not.
            let unclear = scheme(first).is_empty() || parts.any(is_ours);
            return if unclear { Reading::Unclear } else { Reading::Another };
        }
        let rest = value.get(self.scheme.len()..).unwrap_or_default();
        let token = rest.trim_ascii_start();
        let spaces = rest.len() - token.len();
        let one_word = !token.is_empty() && token.iter().all(|byte| byte.is_ascii_graphic() && *byte != b',');
        let well_formed = first.len() == value.len()
            && spaces > 0
            && rest.iter().take(spaces).all(|byte| *byte == b' ')
            && one_word;
        if well_formed { Reading::Ours(token) } else { Reading::Unclear }
    }
}

#[derive(PartialEq, Eq)]
enum Reading<'v> {
    Ours(&'v [u8]),
    Another,
    Unclear,
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

    fn source(forward: Forward) -> Source {
        Source { header: HeaderName::parse("authorization").unwrap(), scheme: "Bearer".into(), forward }
    }

    fn token(values: &[&[u8]]) -> Result<Option<Vec<u8>>, Code> {
        let request = Request::new(values.iter().map(|value| (&b"authorization"[..], *value)).collect());
        source(Forward::Nothing).token(&request).map(|token| token.map(<[u8]>::to_vec))
    }

    #[test]
    fn the_scheme_compares_without_case() {
        for value in [&b"Bearer a.b.c"[..], b"bearer a.b.c", b"BEARER  a.b.c"] {
            assert_eq!(token(&[value]), Ok(Some(b"a.b.c".to_vec())));
        }
    }

    #[test]
    fn another_scheme_is_no_credential() {
        for value in
            [&b"Basic YTpi"[..], b"Digest username=\"a\", realm=\"b\"", b"BearerX a", b"Bearer-Token a"]
        {
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
    fn what_may_be_read_as_the_credential_goes_and_another_scheme_stays() {
        let goes = |forward, value: &[u8], verified| {
            source(forward).must_go(&Request::new(vec![(b"authorization", value)]), verified)
        };
        assert!(
            goes(Forward::Nothing, b"Bearer a", true) && goes(Forward::Nothing, b"Basic a, Bearer b", false)
        );
        assert!(goes(Forward::Verified, b"Bearer a", false) && !goes(Forward::Verified, b"Bearer a", true));
        assert!(!goes(Forward::Always, b"Bearer a", false));
        assert!(!goes(Forward::Nothing, b"Basic YTpi", false));
    }
}
