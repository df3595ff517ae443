//! Header names: which may be configured, and which belong to Vestibule however a client spells them.

pub mod map;

use std::fmt;
use std::sync::Arc;

/// A header's name, lower-case (RFC 9110 section 5.1: a token).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeaderName(Arc<str>);

impl HeaderName {
    /// The name of a text in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        (!text.is_empty() && text.len() <= 128 && text.bytes().all(token))
            .then(|| Self(text.to_ascii_lowercase().into()))
    }

    /// The name, lower-case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name as servers fold it: CGI and its heirs make one name of `x-user-id`, `X_User_Id` and `x.user.id`, so
/// they are one here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Folded(Vec<u8>);

fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

impl Folded {
    /// The folded form of a name or of the beginning of one.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.bytes().map(fold).collect())
    }

    fn is(&self, name: &[u8]) -> bool {
        self.0.len() == name.len() && self.begins(name)
    }

    fn begins(&self, name: &[u8]) -> bool {
        self.0.len() <= name.len() && self.0.iter().zip(name).all(|(own, given)| *own == fold(*given))
    }
}

/// The headers that no client may set.
#[derive(Clone, Debug, Default)]
pub struct OwnedHeaders {
    names: Vec<Folded>,
    /// A bit for the length of each name: most headers of a request are told by theirs not to be among them.
    lengths: u64,
    prefixes: Vec<Folded>,
}

/// The bit of a length; all that are past the last one have that.
fn length_bit(name: &[u8]) -> u64 {
    1 << name.len().min(63)
}

impl OwnedHeaders {
    /// Own this name in every spelling.
    pub(crate) fn add(&mut self, name: &str) {
        let folded = Folded::new(name);
        self.lengths |= length_bit(&folded.0);
        if !self.names.contains(&folded) {
            self.names.push(folded);
        }
    }

    /// Own every name that begins so, in every spelling.
    pub(crate) fn add_prefix(&mut self, prefix: &str) {
        self.prefixes.push(Folded::new(prefix));
    }

    /// Whether a client may not set this header. Pseudo-headers (`:path`) are the protocol's, never owned.
    #[must_use]
    pub fn owns(&self, name: &[u8]) -> bool {
        let may_be_named = self.lengths & length_bit(name) != 0;
        !name.starts_with(b":")
            && (may_be_named && self.names.iter().any(|owned| owned.is(name))
                || self.prefixes.iter().any(|owned| owned.begins(name)))
    }
}

/// Headers that carry the message itself or the proxy's own state: injecting or removing one breaks HTTP or
/// Envoy.
const UNTOUCHABLE: [&str; 12] = [
    "host",
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-envoy-",
    "x-forwarded-",
];

/// Why neither this name nor, for a prefix, names that begin so may be owned.
#[must_use]
pub fn untouchable(name: &str, is_prefix: bool) -> Option<&'static str> {
    let folded = Folded::new(name).0;
    UNTOUCHABLE.into_iter().find(|untouchable| {
        let covers = untouchable.ends_with('-') && folded.starts_with(untouchable.as_bytes());
        covers
            || folded == untouchable.as_bytes()
            || (is_prefix && untouchable.as_bytes().starts_with(&folded))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owned_header_is_owned_in_every_spelling() {
        let mut owned = OwnedHeaders::default();
        owned.add("x-user-id");
        for name in ["x-user-id", "x_user_id", "x.user.id", "x_user.id", "X-User-ID", "x~user!id"] {
            assert!(owned.owns(name.as_bytes()), "{name}");
        }
        for name in ["x-user-i", "x-user-idx", "xx-user-id", "x--user-id", ":x-user-id"] {
            assert!(!owned.owns(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_name_of_any_length_is_owned_and_its_neighbours_are_not() {
        for length in 1..=128 {
            let mut owned = OwnedHeaders::default();
            owned.add(&"x".repeat(length));
            for other in 1..=129 {
                assert_eq!(owned.owns("X".repeat(other).as_bytes()), other == length, "{length} {other}");
            }
        }
    }

    #[test]
    fn a_name_of_any_bytes_is_compared_and_not_decoded() {
        let mut owned = OwnedHeaders::default();
        owned.add("x-user-id");
        assert!(owned.owns(b"x\xffuser\xffid"));
    }

    #[test]
    fn a_prefix_owns_all_that_begins_so() {
        let mut owned = OwnedHeaders::default();
        owned.add_prefix("x-acme-");
        assert!(owned.owns(b"x-acme-anything") && owned.owns(b"x_acme.role") && owned.owns(b"x-acme-"));
        assert!(!owned.owns(b"x-acm") && !owned.owns(b"x-acme"));
    }

    #[test]
    fn what_carries_the_message_cannot_be_owned() {
        for name in [
            "host",
            "Host",
            "content-length",
            "content_length",
            "transfer-encoding",
            "x-envoy-peer",
            "x_forwarded_for",
        ] {
            assert!(untouchable(name, false).is_some(), "{name}");
        }
        for name in ["x-user-id", "hosts", "x-envoyed"] {
            assert!(untouchable(name, false).is_none(), "{name}");
        }
        for prefix in ["x-f", "x-env", "hos", "con", "x-forwarded-"] {
            assert!(untouchable(prefix, true).is_some(), "{prefix}");
        }
        assert!(untouchable("x-acme-", true).is_none());
    }
}
