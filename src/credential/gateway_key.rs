//! The gateway key: what the outer door attaches so that an inner door knows where a request came in.

use std::fmt;
use std::sync::Arc;

use crate::header::HeaderName;

/// The shortest gateway key, in bytes: 32 bytes of randomness cannot be guessed.
pub const MIN_BYTES: usize = 32;
/// The longest, in bytes; every request's is hashed.
pub const MAX_BYTES: usize = 1024;

/// A gateway key as it travels: visible ASCII without `"`, `,`, `\`, so that no proxy trims, joins or splits
/// it. It never shows itself in `Debug` output.
#[derive(Clone, PartialEq, Eq)]
pub struct GatewayKey(Arc<[u8]>);

impl fmt::Debug for GatewayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatewayKey")
    }
}

impl GatewayKey {
    /// A key of its bytes.
    ///
    /// # Errors
    /// What [`Self::check`] finds.
    pub fn new(bytes: &[u8]) -> Result<Self, &'static str> {
        Self::check(bytes).map(|()| Self(bytes.into()))
    }

    /// Whether bytes can be a key at all.
    ///
    /// # Errors
    /// What is wrong with them; never the bytes themselves.
    pub fn check(bytes: &[u8]) -> Result<(), &'static str> {
        if bytes.len() < MIN_BYTES {
            return Err("a gateway key has at least 32 bytes: make one with `vestibule keygen gateway-key`");
        }
        if bytes.len() > MAX_BYTES {
            return Err("a gateway key has at most 1024 bytes: make one with `vestibule keygen gateway-key`");
        }
        if !bytes.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b'\\')) {
            return Err(
                "a gateway key travels in a header, so it is visible ASCII without `\"`, `,` and `\\`: \
                        make one with `vestibule keygen gateway-key`",
            );
        }
        Ok(())
    }

    pub(crate) fn shared(&self) -> Arc<[u8]> {
        Arc::clone(&self.0)
    }

    /// The bytes, to be hashed or sent.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What the outer door attaches, and towards whom.
#[derive(Clone, Debug)]
pub struct Attachment {
    pub(crate) header: HeaderName,
    pub(crate) key: GatewayKey,
    pub(crate) to: Vec<ClusterPattern>,
}

/// A pattern of cluster names: `*` stands for any run of characters without `|`, and the whole name must
/// match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterPattern(String);

impl ClusterPattern {
    /// A pattern of a non-empty text. One that is `*` alone would let the key out to every cluster, and is
    /// none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.bytes().any(|byte| byte != b'*') && text.bytes().all(|byte| byte.is_ascii_graphic()))
            .then(|| Self(text.to_owned()))
    }

    /// Whether the whole of `cluster` matches. Time is proportional to the product of the lengths.
    #[must_use]
    pub fn matches(&self, cluster: &[u8]) -> bool {
        let pattern = self.0.as_bytes();
        let (mut at, mut star) = (0, None);
        let mut position = 0;
        while let Some(byte) = cluster.get(position) {
            match pattern.get(at) {
                Some(b'*') => {
                    star = Some((at, position));
                    at += 1;
                }
                Some(expected) if expected == byte => {
                    at += 1;
                    position += 1;
                }
                Some(_) | None => match star {
                    // Let the last star take one character more; it takes no `|`.
                    Some((star_at, taken)) if cluster.get(taken) != Some(&b'|') => {
                        star = Some((star_at, taken + 1));
                        at = star_at + 1;
                        position = taken + 1;
                    }
                    Some(_) | None => return false,
                },
            }
        }
        pattern.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
    }
}

impl Attachment {
    /// Whether the key may go to this cluster. An unknown cluster gets nothing.
    #[must_use]
    pub fn goes_to(&self, cluster: Option<&[u8]>) -> bool {
        go_to(&self.to, cluster)
    }
}

/// Whether what goes to clusters of these patterns may go to this one. An unknown cluster gets nothing.
#[must_use]
pub fn go_to(patterns: &[ClusterPattern], cluster: Option<&[u8]>) -> bool {
    cluster.is_some_and(|cluster| patterns.iter().any(|pattern| pattern.matches(cluster)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    fn matches(pattern: &str, cluster: &str) -> bool {
        ClusterPattern::parse(pattern).unwrap().matches(cluster.as_bytes())
    }

    #[test]
    fn a_star_takes_any_run_without_a_bar() {
        let mesh = "outbound|*|*|*.svc.cluster.local";
        assert!(matches(mesh, "outbound|8080||orders.shop.svc.cluster.local"));
        assert!(matches(mesh, "outbound|8080|v2|orders.shop.svc.cluster.local"));
        assert!(!matches(mesh, "outbound|443||api.example.com"));
        assert!(!matches(mesh, "outbound|443||evil.com|x.svc.cluster.local.evil.com"));
        assert!(!matches(mesh, "outbound|443||x.svc.cluster.local|y"));
        assert!(!matches(mesh, "outbound|1|2|3|x.svc.cluster.local"));
    }

    #[test]
    fn the_whole_name_must_match_and_everything_else_is_literal() {
        assert!(
            matches("inner", "inner")
                && matches("in*", "inner")
                && matches("*ner", "inner")
                && matches("i*n*r", "inner")
                && matches("in**", "in")
        );
        assert!(
            !matches("inner", "inner2")
                && !matches("inner", "xinner")
                && !matches("i.ner", "inner")
                && !matches("in*x", "inner")
        );
    }

    #[test]
    fn a_pattern_for_every_cluster_is_none() {
        assert_eq!(
            (ClusterPattern::parse("*"), ClusterPattern::parse("**"), ClusterPattern::parse("")),
            (None, None, None)
        );
    }

    #[test]
    fn a_key_shows_itself_nowhere() {
        assert_eq!(format!("{:?}", GatewayKey::new(&[b'a'; 32]).unwrap()), "GatewayKey");
    }

    #[test]
    fn a_key_is_long_and_cannot_be_trimmed_or_split() {
        assert!(GatewayKey::new(&[b'a'; 31]).is_err());
        for bad in [b' ', b',', b'"', b'\\', b'\n', 0xff] {
            assert!(GatewayKey::new(&[[b'a'; 32].as_slice(), &[bad]].concat()).is_err());
        }
    }
}
