//! The tenant: the one name that separates one customer's data from another's.

use std::fmt;

use crate::denial::Code;
use crate::json::Tree;

/// A tenant's name: 1 to 64 ASCII letters, digits, `.`, `_`, `-`; it begins and ends with a letter or digit
/// and has no `..`. So it is safe as a header, a path segment, a host label or a file name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant(String);

/// Whether a principal must have a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantRule {
    /// Without one the request is denied.
    Required,
    /// It may be absent. One that is present must still be well-formed.
    Optional,
}

impl Tenant {
    /// The tenant of a text.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let ends_well = |end: Option<&u8>| end.is_some_and(u8::is_ascii_alphanumeric);
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let good = text.len() <= 64
            && ends_well(text.first())
            && ends_well(text.last())
            && text.iter().all(allowed)
            && !text.windows(2).any(|pair| pair == b"..");
        good.then(|| String::from_utf8(text.to_vec()).ok()).flatten().map(Self)
    }

    /// The tenant that a claim holds; an absent claim is no tenant.
    ///
    /// # Errors
    /// [`Code::TenantMalformed`] for anything but a well-formed string.
    pub fn from_claim(claim: Option<&Tree<'_>>) -> Result<Option<Self>, Code> {
        match claim {
            None => Ok(None),
            Some(Tree::String(text)) => Self::parse(text.as_bytes()).map(Some).ok_or(Code::TenantMalformed),
            Some(_) => Err(Code::TenantMalformed),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TenantRule {
    /// Whether a principal with this tenant, or with none, satisfies the rule.
    ///
    /// # Errors
    /// [`Code::TenantMissing`].
    pub fn check(self, tenant: Option<&Tenant>) -> Result<(), Code> {
        match (self, tenant) {
            (Self::Required, None) => Err(Code::TenantMissing),
            (Self::Required, Some(_)) | (Self::Optional, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_a_label_that_needs_no_escaping() {
        for good in ["a", "A1", "acme", "acme-eu.1_x", &"a".repeat(64)] {
            assert!(Tenant::parse(good.as_bytes()).is_some(), "{good}");
        }
        for bad in ["", "-a", "a-", ".a", "a.", "a..b", "a b", "a/b", "a,b", "é", "a\n", &"a".repeat(65)] {
            assert!(Tenant::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn null_is_malformed_and_not_absent() {
        assert_eq!(Tenant::from_claim(Some(&Tree::Null)), Err(Code::TenantMalformed));
        assert_eq!(Tenant::from_claim(None), Ok(None));
    }
}
