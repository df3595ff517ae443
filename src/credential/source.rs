//! Where one issuer's tokens may stand, and what becomes of them there.
//!
//! How each kind of place is read is the business of its own module.

use std::fmt;

use super::bearer::Bearer;
use super::cookie::{self, Cookie};
use super::query::Query;
use super::whole_header::WholeHeader;
use crate::denial::Code;
use crate::request::Request;

/// A place where a token may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Behind a scheme in a header.
    Bearer(Bearer),
    /// A header's whole value.
    Header(WholeHeader),
    /// A cookie.
    Cookie(Cookie),
    /// A parameter of the query.
    Query(Query),
}

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

/// One of an issuer's places, by its number among [`super::places::Places`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    pub(crate) place: usize,
    pub(crate) forward: Forward,
}

/// What an item of a request is to a place.
pub(super) enum Reading<'v> {
    /// Its token.
    Ours(&'v [u8]),
    /// Something else.
    Another,
    /// Something in which its token may be read, but not in one way only.
    Unclear,
}

/// The one token among what was read.
pub(super) fn one<'v>(readings: impl Iterator<Item = Reading<'v>>) -> Result<Option<&'v [u8]>, Code> {
    let mut token = None;
    for reading in readings {
        match reading {
            Reading::Another => {}
            Reading::Ours(value) if token.is_none() => token = Some(value),
            Reading::Ours(_) | Reading::Unclear => return Err(Code::HeaderMalformed),
        }
    }
    Ok(token)
}

impl Place {
    /// The header that carries it; none where it is no header of its own.
    #[must_use]
    pub fn header(&self) -> Option<&str> {
        match self {
            Self::Bearer(bearer) => Some(bearer.header.as_str()),
            Self::Header(whole) => Some(whole.header.as_str()),
            Self::Cookie(_) => Some(cookie::HEADER),
            Self::Query(_) => None,
        }
    }

    pub(super) fn token<'a>(&self, request: &Request<'a>) -> Result<Option<&'a [u8]>, Code> {
        match self {
            Self::Bearer(bearer) => bearer.token(request),
            Self::Header(whole) => whole.token(request),
            Self::Cookie(cookie) => cookie.token(request),
            Self::Query(query) => query.token(request),
        }
    }
}

/// In words, for the operator.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer(bearer) => write!(f, "header {}, scheme {}", bearer.header, bearer.scheme),
            Self::Header(whole) => write!(f, "header {}", whole.header),
            Self::Cookie(cookie) => write!(f, "cookie {}", cookie.name()),
            Self::Query(query) => write!(f, "query parameter {}", query.name()),
        }
    }
}
