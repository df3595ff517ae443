//! SPIFFE IDs: the names of workloads, which their certificates prove (SPIFFE-ID, sections 2 and 3).
//!
//! A name is compared to the letter, so there is one way to write each, and no pattern.

use std::fmt;
use std::sync::Arc;

/// The longest, in bytes (section 2.4).
pub const MAX_BYTES: usize = 2048;
/// The longest trust domain, in bytes (section 2.4).
const MAX_TRUST_DOMAIN: usize = 255;

const SCHEME: &str = "spiffe://";

/// `spiffe://trust-domain/path`: a workload's, for one without a path names a trust domain and no workload
/// (X509-SVID section 2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpiffeId(Arc<str>);

impl SpiffeId {
    /// The id that a text is.
    ///
    /// # Errors
    /// What is wrong with the text, and what to write.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains('*') {
            return Err("has a `*`, and a peer is one workload, to the letter: list each");
        }
        let rest = text.strip_prefix(SCHEME).ok_or(
            "is not a SPIFFE ID: write `spiffe://TRUST-DOMAIN/PATH` in lower case up to the path, as the \
             certificate has it",
        )?;
        if text.len() > MAX_BYTES {
            return Err("is longer than 2048 bytes, the most that a SPIFFE ID has: correct it");
        }
        if text.contains(['?', '#']) {
            return Err("has a query or a fragment, and a SPIFFE ID has none: remove it");
        }
        let (trust_domain, path) = rest.split_once('/').ok_or(
            "names a trust domain and no workload in it: add the path, as in `spiffe://TRUST-DOMAIN/PATH`",
        )?;
        check_trust_domain(trust_domain)?;
        check_path(path)?;
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Section 2.1.
fn check_trust_domain(name: &str) -> Result<(), &'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    if name.contains(['@', ':']) {
        return Err("has a user or a port, and a SPIFFE ID has neither: remove it");
    }
    if !(1..=MAX_TRUST_DOMAIN).contains(&name.len()) || !name.bytes().all(is_allowed) {
        return Err("has a trust domain that is not 1 to 255 of a-z, 0-9, `.`, `-` and `_`: correct it");
    }
    Ok(())
}

/// Section 2.2.
fn check_path(path: &str) -> Result<(), &'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    for segment in path.split('/') {
        match segment {
            "" => return Err("has an empty segment, or ends in `/`: remove the slash"),
            "." | ".." => return Err("has a segment `.` or `..`: write the path without"),
            segment if segment.bytes().all(is_allowed) => {}
            _ => {
                return Err(
                    "has in its path something other than A-Z, a-z, 0-9, `.`, `-`, `_` and `/`: a SPIFFE ID \
                     has no escapes either, so write it as the certificate has it",
                );
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_has_a_trust_domain_and_a_path() {
        let longest_domain = format!("spiffe://{}/a", "a".repeat(255));
        let longest = format!("spiffe://a/{}", "a".repeat(2048 - 11));
        for good in [
            "spiffe://cluster.local/ns/shop/sa/orders",
            "spiffe://a/b",
            "spiffe://0-_.9/A.b-C_1/...",
            longest_domain.as_str(),
            longest.as_str(),
        ] {
            assert_eq!(SpiffeId::parse(good).map(|id| id.to_string()), Ok(good.to_owned()));
        }
    }

    #[test]
    fn whatever_is_no_id_of_one_workload_is_refused() {
        let long_domain = format!("spiffe://{}/a", "a".repeat(256));
        let long = format!("spiffe://a/{}", "a".repeat(2048 - 10));
        for bad in [
            "",
            "*",
            "spiffe://*",
            "spiffe://a/*",
            "spiffe://*.a/b",
            "spiffe:",
            "spiffe://",
            "spiffe:///b",
            "spiffe://a",
            "spiffe://a/",
            "spiffe://a/b/",
            "spiffe://a//b",
            "spiffe://a/./b",
            "spiffe://a/../b",
            "spiffe://a/b/..",
            "spiffe://A/b",
            "spiffe://a:1/b",
            "spiffe://a:/b",
            "spiffe://u@a/b",
            "spiffe://@a/b",
            "spiffe://a/b?",
            "spiffe://a/b?c",
            "spiffe://a?c/b",
            "spiffe://a/b#",
            "spiffe://a#c/b",
            "spiffe://a/b%2Fc",
            "spiffe://a/b c",
            " spiffe://a/b",
            "spiffe://a/b\n",
            "spiffe://a/é",
            "spiffe://é/b",
            "spiffe://a/b:c",
            "spiffe://a/b@c",
            "spiffe://a/~b",
            "spiffe://[::1]/b",
            "spiffe:/a/b",
            "SPIFFE://a/b",
            "https://a/b",
            "a/b",
            long_domain.as_str(),
            long.as_str(),
        ] {
            assert!(SpiffeId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
