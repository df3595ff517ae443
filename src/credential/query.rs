//! A token in a parameter of the query (RFC 6750 section 2.3): which one it is, and whether the request says
//! so in one way only.
//!
//! Parameters are separated by `&`, and their values are taken as they stand, for a token needs no escapes.
//! The query begins at the first `?` and ends with the path: a `#`, which no client sends, hides nothing.

use super::source::{Reading, one};
use super::spelling::{self, Encoding};
use crate::denial::Code;
use crate::mutation::Mutation;
use crate::request::Request;

/// The pseudo-header that carries the query.
pub const HEADER: &str = ":path";

/// A parameter that holds nothing but a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    name: String,
}

impl Query {
    /// The parameter of this name, which compares with its case; none where it has other than unreserved
    /// characters (RFC 3986 section 2.3).
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let good = (1..=128).contains(&name.len()) && name.bytes().all(unreserved);
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
    /// [`Code::HeaderMalformed`] where the parameter is there several times, without a `=`, or in a spelling
    /// or behind a separator that only some servers read.
    pub fn token<'a>(&self, request: &Request<'a>) -> Result<Option<&'a [u8]>, Code> {
        let queries = request.values(HEADER.as_bytes()).filter_map(|path| Some(split(path)?.1));
        one(queries.flat_map(parameters).map(|parameter| self.reads(parameter)))
    }

    fn reads<'v>(&self, parameter: &'v [u8]) -> Reading<'v> {
        let mut parts = parts(parameter).map(|part| self.is_named(part));
        let (first, joined) = (parts.next().unwrap_or_default(), parts.next());
        if !first && joined != Some(true) && !parts.any(|named| named) {
            return Reading::Another;
        }
        let value = parameter.strip_prefix(self.name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
        match (joined, value) {
            (None, Some(value)) => Reading::Ours(value),
            (Some(_), _) | (None, None) => Reading::Unclear,
        }
    }

    /// Whether some server takes this for the parameter. Some that cut the query out by themselves leave a
    /// separator at its front.
    fn is_named(&self, part: &[u8]) -> bool {
        let end = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
        let start = part.iter().take_while(|byte| matches!(byte, b'?' | b'#')).count();
        part.get(start..end).is_some_and(|name| spelling::may_be(name, &self.name, Encoding::Form))
    }
}

/// What stands before the first `?`, and what behind it.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let (before, query) = path.split_at_checked(path.iter().position(|byte| *byte == b'?')?)?;
    Some((before, query.get(1..)?))
}

fn parameters(query: &[u8]) -> impl Iterator<Item = &[u8]> {
    query.split(|byte| *byte == b'&')
}

/// A parameter as it is, or the several that it is to servers that also separate at `;`.
fn parts(parameter: &[u8]) -> impl Iterator<Item = &[u8]> {
    parameter.split(|byte| *byte == b';')
}

/// What becomes of the path where some of these parameters are in its query: everything else stays as it is.
/// None where none is, and then nothing is allocated.
#[inline(never)]
pub(super) fn without<'q>(
    request: &Request<'_>,
    queries: impl Iterator<Item = &'q Query> + Clone,
) -> Option<Mutation> {
    queries.clone().next()?;
    let path = request.single(HEADER.as_bytes()).ok()?;
    let (before, query) = split(path)?;
    let goes = |part: &[u8]| queries.clone().any(|query| query.is_named(part));
    if !parameters(query).flat_map(parts).any(goes) {
        return None;
    }
    let mut stays: Vec<Vec<u8>> = Vec::new();
    for parameter in parameters(query) {
        // What begins with the name is its value up to the next `&`.
        if !parts(parameter).next().is_some_and(goes) {
            let parts: Vec<&[u8]> = parts(parameter).filter(|part| !goes(part)).collect();
            stays.push(parts.join(&b';'));
        }
    }
    let mut rest = before.to_vec();
    if stays.iter().any(|parameter| !parameter.is_empty()) {
        rest.push(b'?');
        rest.extend(stays.join(&b'&'));
    }
    Some(Mutation::Set { name: HEADER.into(), value: rest.into() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    fn request(path: &str) -> Request<'_> {
        Request::new(vec![(b":path", path.as_bytes())])
    }

    fn token(path: &str) -> Result<Option<&[u8]>, Code> {
        Query::new("jwt").unwrap().token(&request(path))
    }

    /// The path that is left; none where it was not touched.
    fn rest(path: &str) -> Option<String> {
        let queries = ["jwt", "alt"].map(|name| Query::new(name).unwrap());
        without(&request(path), queries.iter()).map(|mutation| match mutation {
            Mutation::Remove { .. } => "removed".into(),
            Mutation::Set { value, .. } => String::from_utf8(value.to_vec()).unwrap(),
        })
    }

    #[test]
    fn a_value_is_taken_as_it_stands() {
        for (path, value) in [
            ("/?jwt=t", "t"),
            ("/a?b&jwt=%74&c", "%74"),
            ("/?jwt=", ""),
            ("/?jwt=a=b", "a=b"),
            ("/#?jwt=t#f", "t#f"),
        ] {
            assert_eq!(token(path), Ok(Some(value.as_bytes())), "{path}");
        }
    }

    #[test]
    fn what_only_some_servers_read_as_the_parameter_is_malformed() {
        for query in [
            "jwt",
            "jwt&a",
            "jwt=t&jwt=t",
            "jwt=t&jwt",
            "%6Awt=t",
            "jwt=t&j%77t=t",
            "+jwt=t",
            "jwt+=t",
            "jwt[]=t",
            "a;jwt=t",
            "jwt=t;a",
            "jwt;a=t",
            "a;b;%6awt",
            "?jwt=t",
            "#jwt=t",
        ] {
            assert_eq!(token(&format!("/?{query}")), Err(Code::HeaderMalformed), "{query}");
        }
        for path in [
            "/jwt=t",
            "/;jwt=t",
            "/?",
            "/?a=jwt",
            "/?a=?jwt=t",
            "/?JWT=t",
            "/?jwtx=t&xjwt=t&j%2577t=t",
            "/?a#jwt=t",
        ] {
            assert_eq!(token(path), Ok(None), "{path}");
        }
    }

    #[test]
    fn what_stays_stays_as_it_is_without_a_separator_too_many() {
        for (path, left) in [
            ("/a%2F?jwt=t", "/a%2F"),
            ("/a?jwt=t&alt=t&jwt", "/a"),
            ("/a?jwt=t&x=%31", "/a?x=%31"),
            ("/a?x&jwt=t", "/a?x"),
            ("/a?x&&jwt=t&y=+;", "/a?x&&y=+;"),
            ("/a?x;jwt=t;y&z", "/a?x;y&z"),
            ("/a?jwt=t;x&y", "/a?y"),
            ("/a?&jwt&", "/a"),
            ("/a?b?c&j%77t=t#d&e", "/a?b?c&e"),
        ] {
            assert_eq!(rest(path).as_deref(), Some(left), "{path}");
        }
    }

    #[test]
    fn without_the_parameter_the_path_is_not_touched() {
        for path in ["/", "/?", "/a?&", "/jwt?x=jwt&;y&", "/?JWT=t", "*", ""] {
            assert_eq!(rest(path), None, "{path}");
        }
    }

    #[test]
    fn a_name_needs_no_escapes() {
        for bad in ["", "a b", "a+b", "a%62", "a[]", "a=", "a&b", "a;b", "\u{e9}", &"a".repeat(129)] {
            assert_eq!(Query::new(bad), None, "{bad}");
        }
        assert!(Query::new("access_token-1.~").is_some());
    }
}
