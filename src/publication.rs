//! A JWK Set that a door publishes at a path of its own, so that other doors can fetch the keys of its contexts.
//!
//! Here stands which requests ask for it, and what they are answered. Public keys are for everybody, so nobody is
//! asked who they are; whose keys these are is not known here.

use crate::path::CanonicalPath;
use crate::request::Request;
use crate::response::{Response, is_grpc};

/// A JWK Set (RFC 7517 section 5) and its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// In its canonical form.
    path: Box<str>,
    jwks: Box<str>,
}

/// How long anybody may keep the set. Who rotates keys waits longer than this, and than the `refresh` of those
/// who fetch, between announcing a key and signing by it.
const KEEPING: &str = "public, max-age=300";

impl Publication {
    /// The text of a JWK Set, at a path in its canonical form.
    pub(crate) fn new(path: &str, jwks: &str) -> Self {
        Self { path: path.into(), jwks: jwks.into() }
    }

    /// The path, in its canonical form.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The set's text.
    #[must_use]
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// Whether a request asks for it: by GET or HEAD, on any host. Its path is read as that of a route is, so
    /// that what is published here is on no route in another spelling; one that can be read in two ways asks
    /// for nothing.
    #[must_use]
    pub fn is_asked_for(&self, request: &Request<'_>) -> bool {
        let reads = request.single(b":method").is_ok_and(|method| matches!(method, b"GET" | b"HEAD"));
        let path = request.single(b":path").ok().filter(|_| reads);
        let path = path.and_then(|target| CanonicalPath::parse(target).ok());
        path.is_some_and(|path| path.segments() == self.path.strip_prefix('/'))
    }

    /// What is answered to GET, and, without the body, to HEAD (RFC 9110 section 9.3.2).
    #[must_use]
    pub fn response(&self, request: &Request<'_>) -> Response {
        // Of what says that it is gRPC, Envoy makes the body a header: no cache may give that to others.
        let keeping = if is_grpc(request) { "no-store" } else { KEEPING };
        Response {
            status: 200,
            grpc_status: 0,
            headers: vec![
                // RFC 7517 section 8.5.2.
                ("content-type", "application/jwk-set+json".into()),
                ("cache-control", keeping.into()),
            ],
            body: self.jwks.as_bytes().to_vec(),
            detail: "vestibule_published",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_asked_for(method: &str, path: &[u8]) -> bool {
        let publication = Publication::new("/.well-known/jwks.json", "{}");
        let headers = vec![(&b":method"[..], method.as_bytes()), (b":path", path), (b":authority", b"any")];
        publication.is_asked_for(&Request::new(headers))
    }

    #[test]
    fn it_is_asked_for_by_get_and_head_in_every_spelling_of_its_path_that_can_be_read_in_one_way() {
        for path in [
            "/.well-known/jwks.json",
            "/.well-known/jwks.json/",
            "/.well-known/jwks.json?a=/b&c=//",
            "/%2ewell-known/jwks%2Ejson",
        ] {
            assert!(is_asked_for("GET", path.as_bytes()) && is_asked_for("HEAD", path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn no_other_path_and_no_other_method_asks_for_it() {
        for path in [
            &b"/"[..],
            b"*",
            b"",
            b"/.well-known",
            b"/.well-known/",
            b"/.well-known/jwks",
            b"/.well-known/jwks.json/a",
            b"/.well-known/JWKS.json",
            b"/a?/.well-known/jwks.json",
            b"//.well-known/jwks.json",
            b"/.well-known//jwks.json",
            b"/.well-known/jwks.json//",
            b"/./.well-known/jwks.json",
            b"/%2e/.well-known/jwks.json",
            b"/a/../.well-known/jwks.json",
            b"/.well-known%2fjwks.json",
            b"/.well-known\\jwks.json",
            b"/.well-known/jwks.json;a",
            b"/.well-known/jwks.json#a",
            b"/.well-known/jwks.json%00",
            b"/%252ewell-known/jwks.json",
            b".well-known/jwks.json",
            b"http://any/.well-known/jwks.json",
        ] {
            assert!(!is_asked_for("GET", path), "{}", path.escape_ascii());
        }
        for method in ["OPTIONS", "POST", "PUT", "DELETE", "get", "Head", "GET ", ""] {
            assert!(!is_asked_for(method, b"/.well-known/jwks.json"), "{method}");
        }
    }

    #[test]
    fn a_request_with_two_methods_or_two_paths_asks_for_nothing() {
        let publication = Publication::new("/keys", "{}");
        for (methods, paths) in [(1, 2), (2, 1), (0, 1), (1, 0)] {
            let method = std::iter::repeat_n((&b":method"[..], &b"GET"[..]), methods);
            let path = std::iter::repeat_n((&b":path"[..], &b"/keys"[..]), paths);
            assert!(!publication.is_asked_for(&Request::new(method.chain(path).collect())));
        }
    }
    /// Envoy would give such a request a header with the set, and everybody else, from a cache, an empty body.
    #[test]
    fn what_is_answered_to_grpc_is_kept_by_no_cache() {
        let publication = Publication::new("/keys", "{}");
        for (content_type, keeping) in [
            (&b"application/json"[..], "public, max-age=300"),
            (b"application/grpc-web", "public, max-age=300"),
            (b"application/grpc", "no-store"),
            (b"application/grpc+proto", "no-store"),
        ] {
            let response = publication.response(&Request::new(vec![(b"content-type", content_type)]));
            assert!(response.headers.contains(&("cache-control", keeping.into())));
            assert_eq!((response.status, response.grpc_status), (200, 0));
        }
    }
}
