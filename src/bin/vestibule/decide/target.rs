//! What a request is sent to: a URL or a path, taken apart without repairing it.

/// A request's target.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Scheme, user information and authority, where a URL gives them.
    pub(crate) origin: Option<Origin>,
    /// Path and query, as they are sent.
    pub(crate) path: String,
}

/// What stands before a URL's path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) scheme: &'static str,
    pub(crate) user: Option<String>,
    pub(crate) authority: String,
}

impl Target {
    /// The target of a URL, or of a path; a fragment is never sent. The message has nothing of the text.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.starts_with('/') {
            return Ok(Self { origin: None, path: text.to_owned() });
        }
        let (scheme, rest) = text.split_once("://").ok_or(
            "what the request is sent to is neither a URL nor a path that begins with `/` \
             (a header is one argument: -H 'name: value')",
        )?;
        let scheme = ["http", "https"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known));
        let scheme = scheme.ok_or("a URL begins with http:// or https://")?;
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (user, authority) = match authority.rsplit_once('@') {
            Some((user, authority)) => (Some(user.to_owned()), authority),
            None => (None, authority),
        };
        if authority.is_empty() {
            return Err("the URL has no host");
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { origin: Some(Origin { scheme, user, authority: authority.to_owned() }), path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_an_origin_and_a_path_and_nothing_is_repaired() {
        for (text, scheme, user, authority, path) in [
            ("https://a.test", "https", None, "a.test", "/"),
            ("HTTP://A.test:80/x/../y?z=1#frag", "http", None, "A.test:80", "/x/../y?z=1"),
            ("https://a.test?x=/", "https", None, "a.test", "/?x=/"),
            ("https://u:p@a.test/%2e", "https", Some("u:p"), "a.test", "/%2e"),
            ("https://[::1]:8/", "https", None, "[::1]:8", "/"),
        ] {
            let origin = Some(Origin { scheme, user: user.map(str::to_owned), authority: authority.into() });
            assert_eq!(Target::parse(text), Ok(Target { origin, path: path.into() }), "{text}");
        }
        assert_eq!(Target::parse("/a?b#c"), Ok(Target { origin: None, path: "/a?b#c".into() }));
        for bad in ["", "a.test", "ftp://a", "https:///x", "https://", "Bearer"] {
            assert!(Target::parse(bad).is_err(), "{bad}");
        }
    }
}
