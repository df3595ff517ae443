//! A route as it is written, and how it stands to a request: for whoever asks why it won or did not.
//!
//! Nothing is decided here; the table decides, and a test holds the two together.

use std::cmp::Ordering;
use std::sync::Arc;

use super::Target;
use super::host::{CanonicalHost, HostPattern};
use super::method::Methods;
use super::template::{Segment, Template};
use crate::path::CanonicalPath;

/// What a route says of the requests that it is for.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The route's name.
    pub name: Arc<str>,
    /// None is any.
    pub hosts: Option<Vec<HostPattern>>,
    /// The methods.
    pub methods: Methods,
    /// The paths.
    pub paths: Vec<Template>,
}

/// How near a rule is to a request that it matches; the nearer is the greater.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearness {
    host: HostNearness,
    path: Vec<SegmentNearness>,
    names_method: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum HostNearness {
    Any,
    /// By this many characters.
    Suffix(usize),
    Exact,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SegmentNearness {
    Rest,
    Any,
    Literal,
}

/// What sets one thing apart from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differs {
    /// The host.
    Host,
    /// The path.
    Path,
    /// The method.
    Method,
}

impl Rule {
    /// How near the rule is to a request.
    ///
    /// # Errors
    /// What of the request it does not match.
    pub fn nearness(&self, target: &Target<'_>) -> Result<Nearness, Differs> {
        let host = match &self.hosts {
            None => Some(HostNearness::Any),
            Some(hosts) => {
                let host = target.host.as_ref();
                hosts.iter().filter_map(|pattern| host_nearness(pattern, host?)).max()
            }
        };
        let paths = self.paths.iter().filter_map(|template| path_nearness(template, &target.path));
        let path = paths.max();
        let names_method = match &self.methods {
            Methods::Any => Some(false),
            Methods::Named(named) => named.iter().any(|method| **method == *target.method).then_some(true),
        };
        Ok(Nearness {
            host: host.ok_or(Differs::Host)?,
            path: path.ok_or(Differs::Path)?,
            names_method: names_method.ok_or(Differs::Method)?,
        })
    }
}

impl Nearness {
    /// What makes the other one nearer; none where it is not.
    #[must_use]
    pub fn outdone_by(&self, other: &Self) -> Option<Differs> {
        match (
            self.host.cmp(&other.host),
            self.path.cmp(&other.path),
            self.names_method.cmp(&other.names_method),
        ) {
            (Ordering::Less, _, _) => Some(Differs::Host),
            (Ordering::Equal, Ordering::Less, _) => Some(Differs::Path),
            (Ordering::Equal, Ordering::Equal, Ordering::Less) => Some(Differs::Method),
            _ => None,
        }
    }
}

fn host_nearness(pattern: &HostPattern, host: &CanonicalHost<'_>) -> Option<HostNearness> {
    match pattern {
        HostPattern::Exact(exact) => (host.as_str() == &**exact).then_some(HostNearness::Exact),
        HostPattern::Suffix(suffix) => {
            host.suffixes().any(|end| end == &**suffix).then_some(HostNearness::Suffix(suffix.len()))
        }
    }
}

/// Of each segment in turn; a path that ends where the template does is nearer than one that ends where a
/// rest begins.
fn path_nearness(template: &Template, path: &CanonicalPath<'_>) -> Option<Vec<SegmentNearness>> {
    let mut segments = path.segments().into_iter().flat_map(|segments| segments.split('/'));
    let mut nearness = Vec::new();
    for segment in &template.segments {
        let given = segments.next()?;
        nearness.push(match segment {
            Segment::Literal(text) if **text == *given => SegmentNearness::Literal,
            Segment::Literal(_) => return None,
            Segment::Any => SegmentNearness::Any,
        });
    }
    match (template.has_rest, segments.next()) {
        (true, _) => nearness.push(SegmentNearness::Rest),
        (false, None) => nearness.push(SegmentNearness::Literal),
        (false, Some(_)) => return None,
    }
    Some(nearness)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]
    use super::super::table::Table;
    use super::*;

    fn rules() -> Vec<Rule> {
        let mut rules = Vec::new();
        for host in [None, Some("a.t"), Some("*.t"), Some("*.a.t")] {
            for path in ["/", "/{*r}", "/a", "/{x}", "/a/{x}", "/{x}/a", "/a/{*r}", "/{x}/a/{*r}"] {
                for methods in [Methods::Any, Methods::named(&["GET"])] {
                    rules.push(Rule {
                        name: "route".into(),
                        hosts: host.map(|host| vec![HostPattern::parse(host).unwrap()]),
                        methods,
                        paths: vec![Template::parse(path).unwrap()],
                    });
                }
            }
        }
        rules
    }

    fn winner(rules: &[Rule], target: &Target<'_>) -> Option<usize> {
        let mut table = Table::default();
        for (position, rule) in rules.iter().enumerate() {
            let host = rule.hosts.as_ref().map(|hosts| &hosts[0]);
            table.insert(host, &rule.paths[0], &rule.methods, position).unwrap();
        }
        table.find(target.host.as_ref(), &target.path, target.method)
    }

    /// Whoever won is taken away, until nobody is left.
    #[test]
    fn the_rule_that_none_outdoes_is_the_one_that_the_table_finds() {
        for host in ["a.t", "b.t", "b.a.t", "t", "z"] {
            for path in ["/", "/a", "/b", "/a/a", "/a/b", "/b/a", "/b/b", "/a/a/a", "/b/a/b"] {
                for method in ["GET", "HEAD", "PUT"] {
                    let target = Target {
                        host: CanonicalHost::parse(host.as_bytes()),
                        path: CanonicalPath::parse(path.as_bytes()).unwrap(),
                        method: method.as_bytes(),
                    };
                    let mut rules = rules();
                    while let Some(winner) = winner(&rules, &target) {
                        let of_winner = rules[winner].nearness(&target).unwrap();
                        let candidates = rules.iter().enumerate().filter(|(position, _)| *position != winner);
                        for nearness in candidates.filter_map(|(_, rule)| rule.nearness(&target).ok()) {
                            assert!(nearness.outdone_by(&of_winner).is_some(), "{method} {host}{path}");
                            assert!(of_winner.outdone_by(&nearness).is_none(), "{method} {host}{path}");
                        }
                        rules.remove(winner);
                    }
                    assert!(
                        rules.iter().all(|rule| rule.nearness(&target).is_err()),
                        "{method} {host}{path}"
                    );
                }
            }
        }
    }
}
