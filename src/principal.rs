//! Whom a credential proves, with every value already in the form in which it may stand in a header.
//!
//! How the credential proved it is not known here: claims and trusted headers end in the same type.

mod permissions;

use std::sync::Arc;

use crate::tenant::Tenant;
pub use permissions::Permissions;

/// The caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub(crate) issuer: Option<Arc<str>>,
    pub(crate) subject: Subject,
    pub(crate) tenant: Option<Tenant>,
    pub(crate) permissions: Permissions,
    pub(crate) scopes: Vec<Grant>,
    pub(crate) roles: Vec<Grant>,
}

impl Principal {
    /// The configured name of the issuer that vouched for the caller; none where an entrance did.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Who it is.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.subject.as_str()
    }

    /// The tenant for whom the caller acts.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_ref().map(Tenant::as_str)
    }

    /// What the credential says that the caller may do; grants are not added to it.
    #[must_use]
    pub fn permissions(&self) -> &[Grant] {
        self.permissions.as_slice()
    }

    /// What the caller let the client do (RFC 6749 section 3.3).
    #[must_use]
    pub fn scopes(&self) -> &[Grant] {
        &self.scopes
    }

    /// What the caller is.
    #[must_use]
    pub fn roles(&self) -> &[Grant] {
        &self.roles
    }
}

/// A subject: 1 to 256 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject(String);

impl Subject {
    /// The subject of a text.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let good = (1..=256).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic);
        good.then(|| String::from_utf8(text.to_vec()).ok()).flatten().map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One permission, scope or role: 1 to 128 visible ASCII characters without `"`, `,`, `\`. So a list of them,
/// joined with `,` or a space, splits again into the same list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant(String);

impl Grant {
    /// The grant of a text.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let allowed = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b'\\');
        let good = (1..=128).contains(&text.len()) && text.iter().all(allowed);
        good.then(|| String::from_utf8(text.to_vec()).ok()).flatten().map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_visible_ascii_of_at_most_256_characters() {
        assert!(Subject::parse("x".repeat(256).as_bytes()).is_some());
        for bad in [&b""[..], b"a b", b"a\tb", b"\xc3\xa9", b"a\0", "x".repeat(257).as_bytes()] {
            assert!(Subject::parse(bad).is_none());
        }
    }

    #[test]
    fn a_grant_cannot_hold_what_separates_grants() {
        assert!(Grant::parse(b"orders:read").is_some());
        assert!(Grant::parse("x".repeat(128).as_bytes()).is_some());
        for bad in [&b""[..], b"a,b", b"a b", b"a\"b", b"a\\b", b"\xff", "x".repeat(129).as_bytes()] {
            assert!(Grant::parse(bad).is_none());
        }
    }
}
