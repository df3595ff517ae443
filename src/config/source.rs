//! `sources`: where an issuer's tokens may stand, as written.

use super::header_name;
use super::node::Node;
use super::ownable;
use crate::credential::bearer::Bearer;
use crate::credential::cookie::{self, Cookie};
use crate::credential::query::Query;
use crate::credential::source::{Forward, Place};
use crate::credential::whole_header::WholeHeader;
use crate::header::HeaderName;

/// The most places that one issuer may read: each is looked at on every request.
const MAX: usize = 8;

/// One source.
#[derive(Debug)]
pub struct Source<'v> {
    /// `header`, with `scheme` or without; `cookie`; or `query`.
    pub place: Place,
    /// `forward`.
    pub forward: Forward,
    /// Where it stands, or where it would, if it is the default.
    pub node: Node<'v>,
}

/// The sources of a list.
pub(crate) fn read<'v>(node: &Node<'v>) -> Vec<Source<'v>> {
    let sources = node.each(source);
    let count = node.value().as_array().map_or(0, Vec::len);
    if count > MAX {
        node.error(format!("has {count} sources, and at most {MAX} are accepted: remove some"));
    }
    sources
}

/// RFC 6750 section 2.1, which is what nearly every client does.
pub(crate) fn default<'v>(node: &Node<'v>) -> Vec<Source<'v>> {
    let bearer = HeaderName::parse("authorization").and_then(|header| Bearer::new(header, "Bearer"));
    let source =
        |bearer| Source { place: Place::Bearer(bearer), forward: Forward::Nothing, node: node.clone() };
    bearer.map(source).into_iter().collect()
}

#[inline(never)]
fn source<'v>(node: &Node<'v>) -> Option<Source<'v>> {
    let mut fields = node.object()?;
    let (header, scheme) = (fields.optional("header"), fields.optional("scheme"));
    let (cookie, query) = (fields.optional("cookie"), fields.optional("query"));
    let forward = fields.optional("forward").map(|forward| {
        forward.choice(&[
            ("none", Forward::Nothing),
            ("verified", Forward::Verified),
            ("always", Forward::Always),
        ])
    });
    fields.finish();
    let is_written = |name: &&str| node.value().get(name).is_some();
    if is_written(&"scheme") && !is_written(&"header") {
        node.below("scheme").error("stands in a header: name it as `header`, or remove the scheme");
    }
    let place = match ["header", "cookie", "query"].into_iter().filter(is_written).count() {
        0 => node.refuse("has no place: give `header`, `cookie` or `query`"),
        1 => {
            let header = header.and_then(|header| self::header(&header, scheme, is_written(&"scheme")));
            header
                .or(cookie.and_then(|node| self::cookie(&node)))
                .or(query.and_then(|node| self::query(&node)))
        }
        _ => node.refuse("has places of several kinds: make each a source of its own"),
    };
    Some(Source { place: place?, forward: forward.unwrap_or(Some(Forward::Nothing))?, node: node.clone() })
}

#[inline(never)]
fn header(node: &Node<'_>, scheme: Option<Node<'_>>, with_scheme: bool) -> Option<Place> {
    let is_cookie = |name: &HeaderName| name.as_str() == cookie::HEADER;
    let name = if header_name(node, node.text()?).as_ref().is_some_and(is_cookie) {
        node.refuse("holds all cookies: name the one with the token as `cookie` instead")
    } else {
        ownable(node)
    };
    if !with_scheme {
        return Some(Place::Header(WholeHeader { header: name? }));
    }
    let scheme = scheme?;
    let text = scheme.text()?;
    // The name does not matter to the scheme, which is looked at even where the name is wrong.
    let bearer = Bearer::new(name.clone().or_else(|| HeaderName::parse("authorization"))?, text);
    if bearer.is_none() {
        scheme.error("is not an authentication scheme (RFC 9110 section 11.1): one word, as in `Bearer`");
    }
    name.and(bearer).map(Place::Bearer)
}

fn cookie(node: &Node<'_>) -> Option<Place> {
    let cookie = Cookie::new(node.text()?);
    if cookie.is_none() {
        node.error(
            "is not a cookie's name (RFC 6265 section 4.1.1): 1 to 128 letters, digits and any of \
             `!#$%&'*+-.^_|~` or a backtick",
        );
    }
    cookie.map(Place::Cookie)
}

fn query(node: &Node<'_>) -> Option<Place> {
    let query = Query::new(node.text()?);
    if query.is_none() {
        node.error(
            "is not a parameter's name that needs no escapes (RFC 3986 section 2.3): 1 to 128 letters, digits, \
             `-`, `.`, `_`, `~`",
        );
    }
    query.map(Place::Query)
}
