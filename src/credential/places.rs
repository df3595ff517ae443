//! Every place that some issuer of a door reads, and the one way in which a request is looked through for
//! credentials.
//!
//! All places are read on every request whose access rule looks at a credential. So one issuer's token beside
//! another's is found, and is refused whatever each of them is worth. Who judges a token is not decided here.

use super::cookie;
use super::query;
use super::source::{Forward, Place, Source};
use crate::denial::Code;
use crate::header::{HeaderName, OwnedHeaders};
use crate::mutation::Mutation;
use crate::request::Request;

/// A token and where it was found. The token is unverified: only the issuers that read this place may judge
/// it.
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

    /// The place of this number.
    #[must_use]
    pub fn place(&self, number: usize) -> Option<&Place> {
        self.places.get(number).map(|shared| &shared.place)
    }

    /// Every place.
    pub fn each(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().map(|shared| &shared.place)
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

    /// What must be changed so that no credential is forwarded that must not be. The one that was verified
    /// stays where its issuer lets it; another stays where every issuer that reads its place always lets it,
    /// for nobody knows whose it is.
    #[inline(never)]
    pub(crate) fn strip(
        &self,
        request: &Request<'_>,
        verified: Option<Source>,
        mutations: &mut Vec<Mutation>,
    ) {
        let mut remove = |name: &[u8], shared: Option<&HeaderName>| {
            if !mutations.iter().any(|earlier| earlier.removes(name)) {
                let name = shared.map_or_else(|| name.into(), |header| header.shared().into());
                mutations.push(Mutation::Remove { name });
            }
        };
        for (name, _) in request.headers().filter(|(name, _)| self.respells(name)) {
            remove(name, None);
        }
        let going = self.places.iter().enumerate().filter(|(place, shared)| match verified {
            Some(source) if source.place == *place => source.forward == Forward::Nothing,
            Some(_) | None => !shared.always,
        });
        let going = going.map(|(_, shared)| &shared.place);
        for place in going.clone() {
            match place {
                Place::Bearer(bearer) if bearer.is_in(request) => {
                    remove(bearer.header.as_bytes(), Some(&bearer.header))
                }
                Place::Header(whole) if whole.is_in(request) => {
                    remove(whole.header.as_bytes(), Some(&whole.header))
                }
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
    }

    /// Whether a server like CGI takes this header for one that carries a credential, although no issuer
    /// reads it.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;
    use crate::credential::cookie::Cookie;
    use crate::credential::query::Query;
    use crate::credential::whole_header::WholeHeader;
    use crate::header::HeaderName;

    fn header(name: &str) -> Place {
        Place::Header(WholeHeader { header: HeaderName::parse(name).unwrap() })
    }

    fn cookie() -> Place {
        Place::Cookie(Cookie::new("sid").unwrap())
    }

    fn query() -> Place {
        Place::Query(Query::new("jwt").unwrap())
    }

    fn places(forwards: [Forward; 3]) -> Places {
        let mut places = Places::default();
        for (place, forward) in [header("x-api-token"), cookie(), query()].iter().zip(forwards) {
            places.add(place, forward);
        }
        places
    }

    fn request<'a>(headers: &[(&'a str, &'a str)]) -> Request<'a> {
        Request::new(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect())
    }

    fn strip(places: &Places, headers: &[(&str, &str)], verified: Option<Source>) -> Vec<Mutation> {
        let mut mutations = Vec::new();
        places.strip(&request(headers), verified, &mut mutations);
        mutations
    }

    #[test]
    fn one_token_is_found_with_its_place_and_several_never() {
        let find = |headers: &[(&str, &str)]| {
            let found = places([Forward::Nothing; 3]).find(&request(headers))?;
            Ok::<_, Code>(found.map(|found| (found.place, String::from_utf8(found.token.to_vec()).unwrap())))
        };
        let (api, sid, jwt) = (("x-api-token", "a"), ("cookie", "sid=b"), (":path", "/?jwt=c"));
        assert_eq!(find(&[api]), Ok(Some((0, "a".into()))));
        assert_eq!(find(&[sid]), Ok(Some((1, "b".into()))));
        assert_eq!(find(&[jwt]), Ok(Some((2, "c".into()))));
        assert_eq!(find(&[("x-other", "a"), (":path", "/"), ("cookie", "a=1")]), Ok(None));
        for several in [&[api, sid][..], &[sid, jwt], &[api, jwt], &[api, sid, jwt]] {
            assert_eq!(find(several), Err(Code::CredentialMultiple), "{several:?}");
        }
        for malformed in [("x-api-token", "a,b"), ("cookie", "sid"), (":path", "/?jwt")] {
            for others in [&[][..], &[api, sid, jwt]] {
                let all = [
                    others.iter().filter(|(name, _)| *name != malformed.0).copied().collect(),
                    vec![malformed],
                ];
                assert_eq!(find(&all.concat()), Err(Code::HeaderMalformed), "{malformed:?}, {others:?}");
            }
        }
    }

    #[test]
    fn the_verified_one_stays_as_its_issuer_says_and_the_others_as_all_say() {
        let all = [("x-api-token", "a"), ("cookie", "sid=b"), (":path", "/?jwt=c")];
        let removed = |forwards, verified| {
            let mutations = strip(&places(forwards), &all, verified);
            mutations.iter().map(|mutation| format!("{mutation:?}")).collect::<Vec<_>>().join(" ")
        };
        let verified = |place, forward| Some(Source { place, forward });
        let none = [Forward::Nothing; 3];
        assert_eq!(removed(none, None), "Remove(x-api-token) Remove(cookie) Set(:path)");
        assert_eq!(removed([Forward::Verified; 3], None), "Remove(x-api-token) Remove(cookie) Set(:path)");
        assert_eq!(removed([Forward::Always; 3], None), "");
        assert_eq!(removed(none, verified(1, Forward::Verified)), "Remove(x-api-token) Set(:path)");
        assert_eq!(removed([Forward::Always; 3], verified(2, Forward::Nothing)), "Set(:path)");
    }

    #[test]
    fn a_place_of_several_issuers_stays_where_all_of_them_always_forward_it() {
        for (forwards, stays) in [
            ([Forward::Always, Forward::Always], true),
            ([Forward::Always, Forward::Verified], false),
            ([Forward::Nothing, Forward::Always], false),
        ] {
            let mut places = Places::default();
            forwards.iter().for_each(|forward| places.add(&cookie(), *forward));
            assert_eq!(places.count(), 1);
            let left = strip(&places, &[("cookie", "sid=b")], None).is_empty();
            assert_eq!(left, stays, "{forwards:?}");
        }
    }

    #[test]
    fn another_spelling_of_a_header_goes_even_where_the_header_stays() {
        let places = places([Forward::Always; 3]);
        let sent = [("x-api-token", "a"), ("x_api_token", "b"), ("x.api-token", "c"), ("x_api_token", "d")];
        let verified = Some(Source { place: 0, forward: Forward::Always });
        let removed =
            [b"x_api_token", b"x.api-token"].map(|name| Mutation::Remove { name: name.as_slice().into() });
        assert_eq!(strip(&places, &sent, verified), removed);
    }

    #[test]
    fn a_route_may_match_on_what_does_not_change() {
        let going = places([Forward::Nothing; 3]);
        let staying = places([Forward::Always; 3]);
        for changing in [
            Matched::Header("x-api-token"),
            Matched::Header("X-API-Token"),
            Matched::Header("cookie"),
            Matched::Header(":path"),
            Matched::Cookie("sid"),
            Matched::Parameter("jwt"),
        ] {
            assert!(going.changes(changing) && !staying.changes(changing), "{changing:?}");
        }
        assert!(
            going.changes(Matched::Header("x_api_token")) && staying.changes(Matched::Header("x_api_token"))
        );
        for other in [
            Matched::Header("x-other"),
            Matched::Header("sid"),
            Matched::Header(":method"),
            Matched::Cookie("jwt"),
            Matched::Parameter("sid"),
            Matched::Cookie("x-api-token"),
        ] {
            assert!(!going.changes(other), "{other:?}");
        }
    }

    #[test]
    fn trailers_and_connection_are_guarded_by_every_spelling_of_a_credential_header() {
        let places = places([Forward::Always; 3]);
        for name in ["x-api-token", "x_api.token", "cookie"] {
            assert!(places.guards(name.as_bytes()), "{name}");
        }
        for name in ["x-api", "sid", "jwt", ":path"] {
            assert!(!places.guards(name.as_bytes()), "{name}");
        }
    }
}
