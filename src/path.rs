//! The one form in which a path is compared: query cut, percent-decoded once, no slash at the end.
//!
//! What a proxy and a server could read differently is refused, not repaired: a repaired path is one that
//! only this proxy repairs so. Which route a path is on is not known here.

use std::borrow::Cow;
use std::fmt;

/// A path that can be read in one way only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalPath<'a>(Cow<'a, str>);

/// The path can be read in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

impl<'a> CanonicalPath<'a> {
    /// The path of a request target in origin form (RFC 9112 section 3.2.1), which may have a query.
    ///
    /// # Errors
    /// [`Ambiguous`] for what does not begin with `/`; for `\`, `#`, `;`, controls, as they are or encoded; a
    /// space as it is; an encoded `/`, `?` or `%`, which another decoding would make something else of; a `%`
    /// without two hexadecimal digits; an empty segment before the last; a segment `.` or `..`; and for what
    /// is not UTF-8.
    pub fn parse(target: &'a [u8]) -> Result<Self, Ambiguous> {
        let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
        let text = decode(path)?;
        let text = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.strip_suffix('/').unwrap_or(text)),
            Cow::Owned(mut text) => {
                text.truncate(text.strip_suffix('/').unwrap_or(&text).len());
                Cow::Owned(text)
            }
        };
        if path.first() == Some(&b'/') && text.split('/').skip(1).all(is_segment) {
            Ok(Self(text))
        } else {
            Err(Ambiguous)
        }
    }

    /// What follows the first slash, segments with a slash between; none for `/`.
    #[must_use]
    pub fn segments(&self) -> Option<&str> {
        self.0.strip_prefix('/')
    }
}

impl fmt::Display for CanonicalPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

/// Whether a text can be one segment of a canonical path.
#[must_use]
pub fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && text.chars().all(is_plain)
}

/// Whether a character may stand in a segment. What may not is a separator to somebody, or seen by nobody.
fn is_plain(character: char) -> bool {
    !matches!(character, '/' | '\\' | '?' | '#' | '%' | ';') && !character.is_control()
}

/// The path with its escapes decoded, once. A slash is decoded from nothing but a slash.
fn decode(path: &[u8]) -> Result<Cow<'_, str>, Ambiguous> {
    if path.contains(&b' ') {
        return Err(Ambiguous);
    }
    if !path.contains(&b'%') {
        return str::from_utf8(path).map(Cow::Borrowed).map_err(|_| Ambiguous);
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.iter();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'%' => match (rest.next().and_then(hex), rest.next().and_then(hex)) {
                (Some(high), Some(low)) => match high << 4 | low {
                    b'/' => return Err(Ambiguous),
                    decoded => decoded,
                },
                _ => return Err(Ambiguous),
            },
            byte => *byte,
        });
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| Ambiguous)
}

fn hex(digit: &u8) -> Option<u8> {
    char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    fn canonical(target: &str) -> String {
        CanonicalPath::parse(target.as_bytes()).unwrap().to_string()
    }

    fn is_refused(target: &[u8]) -> bool {
        CanonicalPath::parse(target).is_err()
    }

    #[test]
    fn a_path_is_decoded_once_and_loses_query_and_last_slash() {
        for (target, path) in [
            ("/", "/"),
            ("/?a=/b", "/"),
            ("/a", "/a"),
            ("/a/", "/a"),
            ("/a/b/?c", "/a/b"),
            ("/%61dmin", "/admin"),
            ("/a%20b", "/a b"),
            ("/caf%C3%A9", "/café"),
            ("/caf%c3%a9/", "/café"),
            ("/a?x#y", "/a"),
            ("/a?%zz", "/a"),
            ("/...", "/..."),
            ("/.a/a./a..b", "/.a/a./a..b"),
            ("/a+b=c&d,e:f@g!$'()*~_-", "/a+b=c&d,e:f@g!$'()*~_-"),
        ] {
            assert_eq!(canonical(target), path, "{target}");
        }
    }

    #[test]
    fn what_separates_for_some_servers_is_refused_as_it_is_and_encoded() {
        for byte in (0..=0x20).chain([0x7f]).chain(*b"\\#;") {
            assert!(is_refused(&[b"/a", &[byte][..], b"b"].concat()), "{byte:#x}");
            let encoded = format!("/a%{byte:02x}b");
            assert_eq!(is_refused(encoded.as_bytes()), byte != b' ', "{encoded}");
        }
        for encoded in ["/a%2fb", "/a%2Fb", "/a%3fb", "/a%25b", "/%252e", "/a%c2%85"] {
            assert!(is_refused(encoded.as_bytes()), "{encoded}");
        }
    }

    #[test]
    fn bad_escapes_are_refused() {
        for bad in ["/%", "/%2", "/%zz", "/a%2", "/%+1", "/% 1", "/%u0041", "/a%?b"] {
            assert!(is_refused(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn empty_and_dot_segments_are_refused_however_they_are_spelt() {
        for bad in [
            "//",
            "//a",
            "/a//",
            "/a//b",
            "/.",
            "/..",
            "/a/./b",
            "/a/../b",
            "/a/..",
            "/%2e",
            "/.%2E/a",
            "/a/%2e%2e/",
        ] {
            assert!(is_refused(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn what_is_no_path_or_no_utf_8_is_refused() {
        for bad in
            [&b""[..], b"*", b"a", b"?", b"http://a/b", b"/\xff", b"/%ff", b"/%c3", b"/%c0%af", b"/%ed%a0%80"]
        {
            assert!(is_refused(bad), "{}", bad.escape_ascii());
        }
    }
}
