//! Where an issuer publishes its keys, and how often it is asked. When that is, and what comes of it, is the
//! [keyring's](crate::keyring) business.

use std::net::Ipv6Addr;
use std::time::Duration;

use crate::jose::algorithm::Algorithm;

/// A JWK Set at a URL. Two that are equal are one: they are fetched once, and the keys of one that stays the
/// same outlive a change of the configuration around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteSource {
    /// Scheme, authority and path with query.
    pub(crate) url: Url,
    /// The upstream cluster that the request goes to; TLS is its business.
    pub(crate) cluster: String,
    /// The time from one fetch that brought keys to the next.
    pub(crate) refresh: Duration,
    /// How long an answer may take.
    pub(crate) timeout: Duration,
    /// How long the last good keys serve where no newer ones can be had.
    pub(crate) max_stale: Duration,
    /// What the issuer restricts its keys to.
    pub(crate) algorithms: Option<Vec<Algorithm>>,
}

/// The parts of an absolute URL (RFC 3986 section 3) that a request is made of.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// Host, and port where the URL writes one.
    pub(crate) authority: String,
    /// Path and query, at least `/`.
    pub(crate) target: String,
}

impl std::fmt::Debug for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Whether a text is a name of labels, or an IP address (RFC 3986 section 3.2.2).
fn is_host(text: &str) -> bool {
    let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let in_label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match inside {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            text.len() <= 253 && text.split('.').all(|label| !label.is_empty() && label.bytes().all(in_label))
        }
    }
}

impl RemoteSource {
    /// Where the request for the keys goes.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The upstream cluster.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The time from one fetch that brought keys to the next.
    #[must_use]
    pub fn refresh(&self) -> Duration {
        self.refresh
    }

    /// How long an answer may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}

impl Url {
    /// An absolute `http` or `https` URL without user and fragment.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // What the library drops (a fragment), lets through (a user) or repairs is no part of a request for
        // keys.
        if text.contains('#') || !text.is_ascii() {
            return None;
        }
        let uri: http::Uri = text.parse().ok()?;
        let scheme = ["http", "https"].into_iter().find(|scheme| uri.scheme_str() == Some(scheme))?;
        let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let url = Self {
            scheme,
            authority: uri.authority()?.as_str().to_ascii_lowercase(),
            // A query may follow the authority at once; a request has a path (RFC 9110 section 4.2.3).
            target: if target.starts_with('/') { target.to_owned() } else { format!("/{target}") },
        };
        let (host, port) = url.host_and_port();
        let is_port = port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port);
        (is_host(host) && is_port).then_some(url)
    }

    /// The host as the URL has it, in lower case, and the port that is meant.
    #[must_use]
    pub fn host_and_port(&self) -> (&str, &str) {
        let default = if self.scheme == "https" { "443" } else { "80" };
        match self.authority.rsplit_once(':') {
            // A colon inside brackets belongs to an IPv6 address.
            Some((host, port)) if !port.ends_with(']') => (host, port),
            None | Some(_) => (&self.authority, default),
        }
    }

    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Host, and port where the URL writes one.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }
}

/// Without the query, in which a key to the server may stand.
impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.target.split('?').next().unwrap_or_default();
        write!(f, "{}://{}{path}", self.scheme, self.authority)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn a_url_gives_the_parts_of_a_request() {
        for (text, scheme, authority, target, host_and_port) in [
            ("https://a.example/keys", "https", "a.example", "/keys", ("a.example", "443")),
            ("https://A.Example", "https", "a.example", "/", ("a.example", "443")),
            ("https://a.example?x=1", "https", "a.example", "/?x=1", ("a.example", "443")),
            ("http://my_issuer.ns.svc/", "http", "my_issuer.ns.svc", "/", ("my_issuer.ns.svc", "80")),
            ("http://a.example:8080/k?x=1&y", "http", "a.example:8080", "/k?x=1&y", ("a.example", "8080")),
            ("http://127.0.0.1", "http", "127.0.0.1", "/", ("127.0.0.1", "80")),
            ("https://[::1]/", "https", "[::1]", "/", ("[::1]", "443")),
            ("https://[::1]:8443/", "https", "[::1]:8443", "/", ("[::1]", "8443")),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((url.scheme(), url.authority(), url.target()), (scheme, authority, target), "{text}");
            assert_eq!(url.host_and_port(), host_and_port, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_fetched_is_no_url() {
        for bad in [
            "",
            "a.example",
            "/keys",
            "ftp://a.example",
            "file:///etc/keys",
            "https://",
            "https:///keys",
            "https://user@a.example/",
            "https://user:word@a.example/",
            "https://a.example/#keys",
            "https://a.example:0/",
            "https://a.example:+443/",
            "https://a.example:0443/",
            "https://a.example/\u{e9}",
            "https://*/",
            "https://a..example/",
            "https://.example/",
            "https://a.example./",
            "https://a,b/",
            "https://[zz]/",
            "https://[::1/",
            "https://a.example:65536/",
            "https://a.example:/",
            "https://a.example:x/",
            "https://a b/",
            "https://a.example/k y",
            "https://a.example/\r\n",
            "https://\u{e4}.example/",
            " https://a.example",
            "HTTPS",
            "*",
        ] {
            assert_eq!(Url::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_url_is_shown_without_its_query() {
        let url = Url::parse("https://a.example/keys?token=secret").unwrap();
        assert_eq!(
            (format!("{url}"), format!("{url:?}")),
            ("https://a.example/keys".into(), "https://a.example/keys".into())
        );
    }
}
