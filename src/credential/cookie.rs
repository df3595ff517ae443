//! A token in a cookie (RFC 6265 section 4.2): which one it is, and whether the request says so in one way
//! only.
//!
//! Copies of the header are one header (RFC 9113 section 8.2.3: HTTP/2 splits it, and joins it with `; `), so
//! a cookie is there twice wherever its copies stand.

use super::source::{Reading, one};
use super::spelling::{self, Encoding, is_space};
use crate::denial::Code;
use crate::mutation::Mutation;
use crate::request::Request;

/// The header of all cookies.
pub const HEADER: &str = "cookie";

/// A cookie that holds nothing but a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    name: String,
}

impl Cookie {
    /// The cookie of this name, which compares with its case; none where it is no token (RFC 6265 section
    /// 4.1.1).
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let good = (1..=128).contains(&name.len()) && name.bytes().all(token);
        good.then(|| Self { name: name.to_owned() })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The token, if the request presents one here. An empty value is presented too, and is no good token.
    ///
    /// # Errors
    /// [`Code::HeaderMalformed`] where the cookie is there several times, without a `=`, or in a spelling
    /// that only some servers read.
    pub fn token<'a>(&self, request: &Request<'a>) -> Result<Option<&'a [u8]>, Code> {
        one(pairs(request).map(|pair| self.reads(pair)))
    }

    /// Whether a pair holds this credential, or may be read so.
    fn is_in(&self, pair: &[u8]) -> bool {
        match self.reads(pair) {
            Reading::Ours(_) | Reading::Unclear => true,
            Reading::Another => false,
        }
    }

    fn reads<'v>(&self, pair: &'v [u8]) -> Reading<'v> {
        let pair = pair.trim_ascii();
        if self.hides_in(pair) {
            return Reading::Unclear;
        }
        let name = name_of(pair).unwrap_or(pair);
        match pair.get(name.len()..).and_then(|rest| rest.strip_prefix(b"=")) {
            Some(value) if name.trim_ascii_end() == self.name.as_bytes() => Reading::Ours(value),
            Some(_) | None if spelling::may_be(name, &self.name, Encoding::Percent) => Reading::Unclear,
            Some(_) | None => Reading::Another,
        }
    }

    /// Whether a pair has another inside it for servers that also separate at commas (RFC 2965 section 3.3.4)
    /// or at white space. RFC 6265 section 4.1.1 has neither in a value.
    fn hides_in(&self, pair: &[u8]) -> bool {
        if !pair.iter().any(|byte| *byte == b',' || is_space(*byte)) {
            return false;
        }
        let is_ours = |name: &[u8]| spelling::may_be(name, &self.name, Encoding::Percent);
        let mut by_comma = pair.split(|byte| *byte == b',').skip(1);
        if by_comma.any(|part| name_of(part).is_some_and(is_ours)) {
            return true;
        }
        let words = pair.split(|byte| *byte == b',' || is_space(*byte));
        let mut words = words.skip(1).filter(|word| !word.is_empty()).peekable();
        while let Some(word) = words.next() {
            let mut is_followed = || words.peek().is_some_and(|next| next.starts_with(b"="));
            let name = name_of(word).or_else(|| is_followed().then_some(word));
            if name.is_some_and(is_ours) {
                return true;
            }
        }
        false
    }
}

/// What stands before the first `=`; none where there is none.
fn name_of(pair: &[u8]) -> Option<&[u8]> {
    pair.get(..pair.iter().position(|byte| *byte == b'=')?)
}

fn pairs<'r, 'a>(request: &'r Request<'a>) -> impl Iterator<Item = &'a [u8]> + use<'r, 'a> {
    request.values(HEADER.as_bytes()).flat_map(|value| value.split(|byte| *byte == b';'))
}

/// What becomes of the header where some of these cookies are in it: the others stay as they are. None where
/// none is, and then nothing is allocated.
#[inline(never)]
pub(super) fn without<'c>(
    request: &Request<'_>,
    cookies: impl Iterator<Item = &'c Cookie> + Clone,
) -> Option<Mutation> {
    let goes = |pair: &[u8]| cookies.clone().any(|cookie| cookie.is_in(pair));
    if cookies.clone().next().is_none() || !pairs(request).any(goes) {
        return None;
    }
    let mut rest: Vec<u8> = Vec::new();
    for value in request.values(HEADER.as_bytes()) {
        let stays: Vec<&[u8]> = value.split(|byte| *byte == b';').filter(|pair| !goes(pair)).collect();
        if stays.iter().all(|pair| pair.trim_ascii().is_empty()) {
            continue;
        }
        if !rest.is_empty() {
            rest.extend(b"; ");
        }
        rest.extend(stays.join(&b';').trim_ascii());
    }
    Some(if rest.is_empty() {
        Mutation::Remove { name: HEADER.as_bytes().into() }
    } else {
        Mutation::Set { name: HEADER.into(), value: rest.into() }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    fn request<'a>(values: &[&'a str]) -> Request<'a> {
        Request::new(values.iter().map(|value| (&b"cookie"[..], value.as_bytes())).collect())
    }

    fn token<'a>(values: &[&'a str]) -> Result<Option<&'a [u8]>, Code> {
        Cookie::new("sid").unwrap().token(&request(values))
    }

    /// What is left of the header; none where it was not touched.
    fn rest(values: &[&str]) -> Option<String> {
        let cookies = ["sid", "alt"].map(|name| Cookie::new(name).unwrap());
        without(&request(values), cookies.iter()).map(|mutation| match mutation {
            Mutation::Remove { .. } => String::new(),
            Mutation::Set { value, .. } => String::from_utf8(value.to_vec()).unwrap(),
        })
    }

    #[test]
    fn separate_headers_and_joined_cookies_are_read_alike() {
        for values in [&["a=1", "sid=t", "b=2"][..], &["a=1; sid=t; b=2"], &["a=1;sid=t;b=2"], &["sid =t "]] {
            assert_eq!(token(values), Ok(Some(&b"t"[..])), "{values:?}");
        }
        for values in [&["sid=t", "sid=t"][..], &["sid=t; sid=t"], &["sid=t", "a=1; sid"]] {
            assert_eq!(token(values), Err(Code::HeaderMalformed), "{values:?}");
        }
        assert_eq!(token(&[]), Ok(None));
    }

    #[test]
    fn a_pair_is_split_at_its_first_equals_sign_and_may_have_none() {
        assert_eq!(token(&["sid=a=b=="]), Ok(Some(&b"a=b=="[..])));
        assert_eq!(token(&["sid="]), Ok(Some(&b""[..])));
        assert_eq!(token(&["a; ; ;=;==; \t;b=sid; SID=t"]), Ok(None));
        for unclear in [
            "sid",
            " sid ",
            "s%69d=t",
            "%73id",
            "sid[]=t",
            "a=1, sid=t",
            "a=1 sid = t",
            "b sid=t",
            "a, sid %20=t",
        ] {
            assert_eq!(token(&[unclear]), Err(Code::HeaderMalformed), "{unclear}");
        }
        for another in ["sidx=t", "xsid=t", "a=sid=t", "a=sid", "a=1, b sid c", "s%2569d=t", ""] {
            assert_eq!(token(&[another]), Ok(None), "{another}");
        }
    }

    #[test]
    fn what_stays_stays_as_it_is_and_separate_headers_become_one() {
        for (values, left) in [
            (&["sid=t"][..], ""),
            (&["sid=t", "alt=t; sid"], ""),
            (&["a=1; sid=t;  b=\"2\" ;c"], "a=1;  b=\"2\" ;c"),
            (&["sid=t; a=1", "b=2;c=3", " ; sid=t"], "a=1; b=2;c=3"),
            (&["alt=t; a=1; s%69d=t"], "a=1"),
        ] {
            assert_eq!(rest(values).as_deref(), Some(left), "{values:?}");
        }
    }

    #[test]
    fn without_the_cookie_the_header_is_not_touched() {
        for values in [&[][..], &[""], &["a=1;; b"], &["SID=t", "a=sid=t"]] {
            assert_eq!(rest(values), None, "{values:?}");
        }
    }

    #[test]
    fn a_name_is_a_token() {
        for bad in ["", "a b", "a=b", "a;b", "\"a\"", "a,b", "\u{e9}", &"a".repeat(129)] {
            assert_eq!(Cookie::new(bad), None, "{bad}");
        }
        assert!(Cookie::new("__Host-session.1").is_some());
    }
}
