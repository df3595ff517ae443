//! Where credentials may stand, and the one way in which a request is looked through for them.
//!
//! Every place that any issuer reads is read on every request whose access rule looks at a credential. So one
//! issuer's token beside another's is found, and is refused whatever each of them is worth. Who judges a token is
//! not decided here.

use super::bearer::Bearer;
use super::cookie::{self, Cookie};
use super::query::{self, Query};
use super::whole_header::WholeHeader;
use crate::denial::Code;
use crate::header::OwnedHeaders;
use crate::mutation::Mutation;
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

/// One of an issuer's places, by its number among [`Places`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    pub(crate) place: usize,
    pub(crate) forward: Forward,
}

/// A token and where it was found. The token is unverified: only the issuers that read this place may judge it.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    pub(crate) place: usize,
    pub(crate) token: &'a [u8],
}

/// The places that the issuers of a door read, each once.
#[derive(Clone, Debug, Default)]
pub struct Places {
    places: Vec<Shared>,
    /// The headers that carry a credential, `cookie` among them where a cookie does.
    headers: OwnedHeaders,
}

#[derive(Clone, Debug)]
struct Shared {
    place: Place,
    /// Whether every issuer that reads it forwards always.
    always: bool,
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

    fn token<'a>(&self, request: &Request<'a>) -> Result<Option<&'a [u8]>, Code> {
        match self {
            Self::Bearer(bearer) => bearer.token(request),
            Self::Header(whole) => whole.token(request),
            Self::Cookie(cookie) => cookie.token(request),
            Self::Query(query) => query.token(request),
        }
    }
}

impl Places {
    /// Adds a place of an issuer, if no other issuer reads it already.
    pub(crate) fn add(&mut self, place: &Place, forward: Forward) {
        let always = forward == Forward::Always;
        if let Some(known) = self.places.iter_mut().find(|known| known.place == *place) {
            known.always &= always;
            return;
        }
        self.places.push(Shared { place: place.clone(), always });
        if let Some(header) = place.header() {
            self.headers.add(header);
        }
    }

    /// The number of a place.
    pub(crate) fn number(&self, place: &Place) -> Option<usize> {
        self.places.iter().position(|known| known.place == *place)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.places.len()
    }

    /// The one token that the request presents.
    ///
    /// # Errors
    /// [`Code::HeaderMalformed`] where any place can be read in more than one way; then
    /// [`Code::CredentialMultiple`] where several hold a token, even the same one.
    pub fn find<'a>(&self, request: &Request<'a>) -> Result<Option<Found<'a>>, Code> {
        let mut found = None;
        let mut several = false;
        for (place, shared) in self.places.iter().enumerate() {
            if let Some(token) = shared.place.token(request)? {
                several |= found.is_some();
                found = Some(Found { place, token });
            }
        }
        if several { Err(Code::CredentialMultiple) } else { Ok(found) }
    }

    /// Whether this header, in any spelling, carries a credential.
    #[must_use]
    pub fn guards(&self, header: &[u8]) -> bool {
        self.headers.owns(header)
    }

    /// Whether what a route matches on may be another when the request is forwarded.
    #[must_use]
    pub fn changes(&self, matched: Matched<'_>) -> bool {
        let is_matched = |place: &Place| match (place, matched) {
            (Place::Cookie(cookie), Matched::Cookie(name)) => cookie.name() == name,
            (Place::Query(query), Matched::Parameter(name)) => query.name() == name,
            (Place::Query(_), Matched::Header(name)) => name == query::HEADER,
            (place, Matched::Header(name)) => {
                place.header().is_some_and(|header| header.eq_ignore_ascii_case(name))
            }
            (_, Matched::Cookie(_) | Matched::Parameter(_)) => false,
        };
        let respelt = matches!(matched, Matched::Header(name) if self.respells(name.as_bytes()));
        respelt || self.places.iter().any(|shared| !shared.always && is_matched(&shared.place))
    }

    /// What must be changed so that no credential is forwarded that must not be. The one that was verified stays
    /// where its issuer lets it; another stays where every issuer that reads its place always lets it, for nobody
    /// knows whose it is.
    pub(crate) fn strip(&self, request: &Request<'_>, verified: Option<Source>) -> Vec<Mutation> {
        let mut mutations: Vec<Mutation> = Vec::new();
        let mut remove = |name: &[u8]| {
            let is_known =
                |known: &Mutation| matches!(known, Mutation::Remove { name: removed } if removed == name);
            if !mutations.iter().any(is_known) {
                mutations.push(Mutation::Remove { name: name.to_vec() });
            }
        };
        for (name, _) in request.headers().filter(|(name, _)| self.respells(name)) {
            remove(name);
        }
        let going = self.places.iter().enumerate().filter(|(place, shared)| match verified {
            Some(source) if source.place == *place => source.forward == Forward::Nothing,
            Some(_) | None => !shared.always,
        });
        let going = going.map(|(_, shared)| &shared.place);
        for place in going.clone() {
            match place {
                Place::Bearer(bearer) if bearer.is_in(request) => remove(bearer.header.as_bytes()),
                Place::Header(whole) if whole.is_in(request) => remove(whole.header.as_bytes()),
                Place::Bearer(_) | Place::Header(_) | Place::Cookie(_) | Place::Query(_) => {}
            }
        }
        let cookies = going.clone().filter_map(|place| match place {
            Place::Cookie(cookie) => Some(cookie),
            Place::Bearer(_) | Place::Header(_) | Place::Query(_) => None,
        });
        let queries = going.filter_map(|place| match place {
            Place::Query(query) => Some(query),
            Place::Bearer(_) | Place::Header(_) | Place::Cookie(_) => None,
        });
        mutations.extend(cookie::without(request, cookies));
        mutations.extend(query::without(request, queries));
        mutations
    }

    /// Whether a server like CGI takes this header for one that carries a credential, although no issuer reads
    /// it.
    fn respells(&self, header: &[u8]) -> bool {
        let is_read = |shared: &Shared| {
            shared.place.header().is_some_and(|known| known.as_bytes().eq_ignore_ascii_case(header))
        };
        self.headers.owns(header) && !self.places.iter().any(is_read)
    }
}

/// What a route may match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matched<'n> {
    /// A header, or a pseudo-header.
    Header(&'n str),
    /// A cookie.
    Cookie(&'n str),
    /// A parameter of the query.
    Parameter(&'n str),
}
