//! The one form in which a host is compared: lower-case, without a port and without the root's dot.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;

/// The most characters of a host name, its dots among them (RFC 1035 section 2.3.4).
const MAX: usize = 253;
/// The most characters between two dots.
const MAX_LABEL: usize = 63;

/// A host that can be read in one way only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalHost<'a>(Cow<'a, str>);

/// The hosts that a route is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPattern {
    /// This one.
    Exact(Box<str>),
    /// Every one that ends so and has labels before; it begins with a dot.
    Suffix(Box<str>),
}

impl<'a> CanonicalHost<'a> {
    /// The host of an authority (RFC 9110 section 7.2): a name of letters, digits, `-` and `_`, or an IP
    /// address, and perhaps a port. None for anything else, user information and escapes among it.
    #[must_use]
    pub fn parse(authority: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(authority).ok()?;
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, after)) => {
                let address: Ipv6Addr = address.parse().ok()?;
                (
                    Cow::Owned(format!("[{address}]")),
                    if after.is_empty() { "" } else { after.strip_prefix(':')? },
                )
            }
            None => {
                let (name, port) = text.split_once(':').unwrap_or((text, ""));
                let name = name.strip_suffix('.').unwrap_or(name);
                if name.len() > MAX || !name.split('.').all(is_label) {
                    return None;
                }
                let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
                (if is_lower { Cow::Borrowed(name) } else { Cow::Owned(name.to_ascii_lowercase()) }, port)
            }
        };
        (port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(Self(host))
    }

    /// The host.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Every suffix that begins with a dot, the longest first.
    pub fn suffixes(&self) -> impl Iterator<Item = &str> {
        // A name begins with a label, so something stands before each of its dots.
        self.0.match_indices('.').filter_map(|(dot, _)| self.0.get(dot..))
    }
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl HostPattern {
    /// The pattern of a host, or of `*.` and the end of one. A port is no part of it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, make): (_, fn(Box<str>) -> Self) = match text.strip_prefix("*.") {
            None => (text, Self::Exact),
            Some(name) => (name, |name| Self::Suffix(format!(".{name}").into())),
        };
        let is_address = name.starts_with('[');
        let has_port = if is_address { !name.ends_with(']') } else { name.contains(':') };
        if has_port || (is_address && name.len() != text.len()) {
            return None;
        }
        let host = CanonicalHost::parse(name.as_bytes())?;
        // The least that a suffix has before it is a letter and a dot.
        let is_matched = name.len() == text.len() || host.as_str().len() + 2 <= MAX;
        is_matched.then(|| make(host.as_str().into()))
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => f.write_str(host),
            Self::Suffix(suffix) => write!(f, "*{suffix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(authority: &str) -> Option<String> {
        CanonicalHost::parse(authority.as_bytes()).map(|host| host.as_str().to_owned())
    }

    #[test]
    fn a_host_has_no_case_no_port_and_no_last_dot() {
        for (authority, host) in [
            ("api.test", "api.test"),
            ("API.Test", "api.test"),
            ("api.test:80", "api.test"),
            ("api.test:", "api.test"),
            ("api.test.", "api.test"),
            ("Api.Test.:8443", "api.test"),
            ("a_b-c.x", "a_b-c.x"),
            ("localhost", "localhost"),
            ("127.0.0.1:8080", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[0:0::0:1]:443", "[::1]"),
            ("[FE80::A]", "[fe80::a]"),
        ] {
            assert_eq!(canonical(authority).as_deref(), Some(host), "{authority}");
        }
    }

    #[test]
    fn what_could_be_another_host_to_somebody_is_none() {
        let long = format!("{}.test", "a".repeat(64));
        let longer = "a.".repeat(128);
        for bad in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a..",
            ":80",
            "a:b",
            "a:80:80",
            "a:123456",
            "user@a",
            "a/b",
            "a b",
            "a%2eb",
            "é",
            "a,b",
            "a?b",
            "a\\b",
            "[::1",
            "::1",
            "[::1]x",
            "[::1]80",
            "[fe80::1%25eth0]",
            "[a]",
            "[]",
            "*.a",
            &long,
            &longer,
        ] {
            assert_eq!(canonical(bad), None, "{bad}");
        }
        assert!(CanonicalHost::parse(b"a\xff").is_none());
    }

    #[test]
    fn a_suffix_has_labels_before_it() {
        let host = CanonicalHost::parse(b"a.b.test");
        assert_eq!(host.as_ref().map(|host| host.suffixes().collect()), Some(vec![".b.test", ".test"]));
    }

    #[test]
    fn a_pattern_is_a_host_or_the_end_of_one() {
        let pattern = |text: &str| HostPattern::parse(text).map(|pattern| pattern.to_string());
        let suffix = |length: usize| format!("{}{}", "a.".repeat(100), "a".repeat(length - 200));
        for (text, shown) in [("A.test.", "a.test"), ("*.A.test", "*.a.test"), ("[::0001]", "[::1]")] {
            assert_eq!(pattern(text).as_deref(), Some(shown), "{text}");
        }
        for bad in [
            "*",
            "*.",
            "*a.test",
            "a.*.test",
            "a.test:80",
            "*.a.test:80",
            "[::1]:80",
            "*.[::1]",
            "*.*.a",
            "a:",
            // With a label before it, it would be longer than any name.
            &format!("*.{}", suffix(252)),
        ] {
            assert_eq!(pattern(bad), None, "{bad}");
        }
        assert!(pattern(&format!("*.{}", suffix(251))).is_some());
        assert!(CanonicalHost::parse(format!("a.{}", suffix(251)).as_bytes()).is_some());
    }
}
