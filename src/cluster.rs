//! The names of upstream clusters, which say where a request goes.

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
}
