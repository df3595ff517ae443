//! Which route a request is on.
//!
//! All routes that match by host, method and path are candidates. Of these wins the one whose host is nearest
//! (exact, then the longest suffix, then any), then whose path is (literal before `{x}` before `{*x}`, segment
//! by segment), then the one that names the method. Two that can tie are not let in, so the order in which
//! they are written means nothing.
//!
//! Finding costs by the length of host and path, not by the number of routes: hosts and literals are looked up
//! by hash. Where both a literal and `{x}` match and what follows the literal does not, the search comes back
//! to the `{x}`; no node of a tree is visited twice, and [`Table::most_steps`] bounds how many are.

use std::collections::HashMap;

use super::host::{CanonicalHost, HostPattern};
use super::method::Methods;
use super::template::{Segment, Template};
use crate::path::CanonicalPath;

/// The position of a route in the list that a table was made of.
pub type Position = usize;

/// Routes by host, path and method.
#[derive(Clone, Debug, Default)]
pub struct Table {
    exact: HashMap<Box<str>, Tree>,
    suffix: HashMap<Box<str>, Tree>,
    any: Tree,
}

/// Two routes match one request and neither is nearer; the other one's position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tie(pub Position);

/// Where a path has come to after some segments.
#[derive(Clone, Debug, Default)]
struct Tree {
    literals: HashMap<Box<str>, Tree>,
    any: Option<Box<Tree>>,
    /// Of templates that end here.
    here: At,
    /// Of templates that have `{*rest}` here.
    rest: At,
}

/// The routes of one host and one path.
#[derive(Clone, Debug, Default)]
struct At {
    /// A few at most: a route names its methods, and no two routes the same one.
    named: Vec<(Box<[u8]>, Position)>,
    any: Option<Position>,
}

impl Table {
    /// Lets a route in, by one of its hosts (none is any) and one of its paths.
    ///
    /// # Errors
    /// [`Tie`], by the first method of which it is found.
    pub fn insert(
        &mut self,
        host: Option<&HostPattern>,
        template: &Template,
        methods: &Methods,
        route: Position,
    ) -> Result<(), Tie> {
        let mut tree = match host {
            None => &mut self.any,
            Some(HostPattern::Exact(host)) => self.exact.entry(host.clone()).or_default(),
            Some(HostPattern::Suffix(suffix)) => self.suffix.entry(suffix.clone()).or_default(),
        };
        for segment in &template.segments {
            tree = match segment {
                Segment::Literal(text) => tree.literals.entry(text.clone()).or_default(),
                Segment::Any => tree.any.get_or_insert_default(),
            };
        }
        if template.has_rest { &mut tree.rest } else { &mut tree.here }.insert(methods, route)
    }

    /// The route of a request. Where its host could not be read, none that names hosts is a candidate.
    #[must_use]
    pub fn find(
        &self,
        host: Option<&CanonicalHost<'_>>,
        path: &CanonicalPath<'_>,
        method: &[u8],
    ) -> Option<Position> {
        let exact = host.and_then(|host| self.exact.get(host.as_str()));
        let suffixes = host.into_iter().flat_map(CanonicalHost::suffixes);
        let suffixes = suffixes.filter_map(|suffix| self.suffix.get(suffix));
        let mut trees = exact.into_iter().chain(suffixes).chain([&self.any]);
        trees.find_map(|tree| tree.find(path.segments(), method))
    }

    /// The most nodes that are visited for a path among the routes of one host, whatever the path: a literal
    /// and `{x}` in one place are two ways, and in each of ten places a thousand.
    #[must_use]
    pub fn most_steps(&self) -> usize {
        let trees = self.exact.values().chain(self.suffix.values()).chain([&self.any]);
        trees.map(Tree::most_steps).max().unwrap_or_default()
    }

    /// Whether no request is on a route by this host and path, both let in before, for nearer ones take them
    /// all: `/{*rest}` stands for nothing beside `/` and `/{x}/{*rest}`.
    #[must_use]
    pub fn is_idle(&self, host: Option<&HostPattern>, template: &Template, methods: &Methods) -> bool {
        let mut tree = match host {
            None => Some(&self.any),
            Some(HostPattern::Exact(host)) => self.exact.get(host),
            Some(HostPattern::Suffix(suffix)) => self.suffix.get(suffix),
        };
        for segment in &template.segments {
            tree = tree.and_then(|tree| match segment {
                Segment::Literal(text) => tree.literals.get(text),
                Segment::Any => tree.any.as_deref(),
            });
        }
        let Some(tree) = tree.filter(|_| template.has_rest) else { return false };
        match methods {
            Methods::Any => tree.leaves_nothing(None),
            Methods::Named(methods) => methods.iter().all(|method| tree.leaves_nothing(Some(method))),
        }
    }
}

impl Tree {
    /// A path follows one literal at most, and `{x}` besides.
    fn most_steps(&self) -> usize {
        let literal = self.literals.values().map(Self::most_steps).max().unwrap_or_default();
        let any = self.any.as_deref().map_or(0, Self::most_steps);
        literal.saturating_add(any).saturating_add(1)
    }

    /// Whether nothing is left for `{*rest}` here: another template takes the path that ends here, and others
    /// every longer one, whatever its segments are. No method is one that no route names.
    fn leaves_nothing(&self, method: Option<&[u8]>) -> bool {
        let longer = || self.any.as_deref();
        self.here.takes(method) && longer().is_some_and(|longer| longer.takes_all(method))
    }

    fn takes_all(&self, method: Option<&[u8]>) -> bool {
        self.rest.takes(method) || self.leaves_nothing(method)
    }

    /// The nearest route below for the segments that are left. It calls itself as often as a template has
    /// segments, and no more.
    fn find(&self, path: Option<&str>, method: &[u8]) -> Option<Position> {
        let found = match path {
            None => self.here.of(method),
            Some(path) => {
                let (segment, left) = match path.split_once('/') {
                    Some((segment, left)) => (segment, Some(left)),
                    None => (path, None),
                };
                let literal = self.literals.get(segment).and_then(|tree| tree.find(left, method));
                literal.or_else(|| self.any.as_ref()?.find(left, method))
            }
        };
        found.or_else(|| self.rest.of(method))
    }
}

impl At {
    fn insert(&mut self, methods: &Methods, route: Position) -> Result<(), Tie> {
        match methods {
            Methods::Any => match self.any.replace(route) {
                Some(other) => Err(Tie(other)),
                None => Ok(()),
            },
            Methods::Named(methods) => {
                for method in methods {
                    if let Some((_, other)) = self.named.iter().find(|(named, _)| named == method) {
                        return Err(Tie(*other));
                    }
                    self.named.push((method.clone(), route));
                }
                Ok(())
            }
        }
    }

    fn of(&self, method: &[u8]) -> Option<Position> {
        let named = self.named.iter().find(|(named, _)| **named == *method);
        named.map(|(_, route)| *route).or(self.any)
    }

    fn takes(&self, method: Option<&[u8]>) -> bool {
        method.map_or(self.any, |method| self.of(method)).is_some()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    type Written<'a> = (Option<&'a str>, &'a str, &'a [&'a str]);

    fn insert(table: &mut Table, (host, path, methods): Written<'_>, route: Position) -> Result<(), Tie> {
        let host = host.map(|host| HostPattern::parse(host).unwrap());
        let methods = match methods {
            [] => Methods::Any,
            methods => Methods::named(methods),
        };
        table.insert(host.as_ref(), &Template::parse(path).unwrap(), &methods, route)
    }

    fn table(routes: &[Written<'_>]) -> Table {
        let mut table = Table::default();
        for (position, route) in routes.iter().enumerate() {
            insert(&mut table, *route, position).unwrap();
        }
        table
    }

    fn find(table: &Table, host: &str, path: &str, method: &str) -> Option<Position> {
        let host = CanonicalHost::parse(host.as_bytes());
        table.find(host.as_ref(), &CanonicalPath::parse(path.as_bytes()).unwrap(), method.as_bytes())
    }

    #[test]
    fn a_literal_is_nearer_than_a_name_and_a_name_than_the_rest() {
        let routes = ["/{*all}", "/a/{*rest}", "/a/{x}", "/a/b", "/a", "/{x}/b", "/{x}/{y}/c"];
        let table = table(&routes.map(|path| (None, path, &[][..])));
        for (path, route) in [
            ("/", Some(0)),
            ("/z", Some(0)),
            ("/a", Some(4)),
            ("/a/", Some(4)),
            ("/a/b", Some(3)),
            ("/a/c", Some(2)),
            ("/a/b/c", Some(1)),
            ("/z/b", Some(5)),
            ("/z/z", Some(0)),
            ("/z/z/c", Some(6)),
            ("/z/b/c", Some(6)),
        ] {
            assert_eq!(find(&table, "", path, "GET"), route, "{path}");
        }
    }

    #[test]
    fn the_rest_may_be_nothing() {
        let table = table(&[(None, "/static/{*rest}", &[])]);
        assert_eq!(find(&table, "", "/static", "GET"), Some(0));
        assert_eq!(find(&table, "", "/static/", "GET"), Some(0));
        assert_eq!(find(&table, "", "/static/a/b", "GET"), Some(0));
        assert_eq!(find(&table, "", "/statics", "GET"), None);
    }

    #[test]
    fn a_nearer_host_wins_over_a_nearer_path_and_that_over_a_named_method() {
        let table = table(&[
            (Some("a.b.test"), "/{*all}", &[]),
            (Some("*.b.test"), "/x", &[]),
            (Some("*.test"), "/x", &["GET"]),
            (None, "/x", &[]),
            (None, "/{y}", &["GET"]),
        ]);
        for (host, path, method, route) in [
            ("a.b.test", "/x", "GET", Some(0)),
            ("c.b.test", "/x", "GET", Some(1)),
            ("b.test", "/x", "GET", Some(2)),
            ("b.test", "/x", "PUT", Some(3)),
            ("test", "/x", "GET", Some(3)),
            ("evilb.test", "/x", "GET", Some(2)),
            ("other", "/z", "GET", Some(4)),
            ("other", "/z", "PUT", None),
        ] {
            assert_eq!(find(&table, host, path, method), route, "{method} {host}{path}");
        }
    }

    #[test]
    fn a_candidate_matches_by_host_path_and_method_together() {
        let table = table(&[
            (Some("a.test"), "/x", &["PUT"]),
            (None, "/x", &["POST"]),
            (None, "/{any}", &["DELETE"]),
            (None, "/{*rest}", &[]),
        ]);
        for (method, route) in [("PUT", 0), ("POST", 1), ("DELETE", 2), ("PATCH", 3)] {
            assert_eq!(find(&table, "a.test", "/x", method), Some(route), "{method}");
        }
    }

    #[test]
    fn a_route_for_get_is_one_for_head() {
        let table = table(&[(None, "/x", &["GET"]), (None, "/x", &[])]);
        for (method, route) in [("GET", 0), ("HEAD", 0), ("POST", 1), ("get", 1)] {
            assert_eq!(find(&table, "", "/x", method), Some(route), "{method}");
        }
    }

    #[test]
    fn routes_that_can_tie_are_not_let_in() {
        let first: Written<'_> = (Some("*.test"), "/a/{x}/b", &["GET", "PUT"]);
        for (other, ties) in [
            (first, true),
            ((Some("*.TEST."), "/a/{y}/b/", &["PUT"][..]), true),
            ((Some("*.test"), "/a/{x}/b", &["HEAD"]), true),
            ((Some("*.test"), "/a/{x}/b", &["POST"]), false),
            ((Some("*.test"), "/a/{x}/b", &[]), false),
            ((Some("a.test"), "/a/{x}/b", &["GET"]), false),
            ((None, "/a/{x}/b", &["GET"]), false),
            ((Some("*.test"), "/a/{x}/{y}", &["GET"]), false),
            ((Some("*.test"), "/a/{x}/b/{*rest}", &["GET"]), false),
        ] {
            let mut table = table(&[first]);
            assert_eq!(insert(&mut table, other, 1), if ties { Err(Tie(0)) } else { Ok(()) }, "{other:?}");
        }
    }

    #[test]
    fn the_most_steps_double_with_each_place_of_a_literal_and_a_name() {
        let places = |count: u32| {
            let mut paths = vec![String::new()];
            for _ in 0..count {
                paths =
                    paths.iter().flat_map(|path| [format!("{path}/a"), format!("{path}/{{x}}")]).collect();
            }
            let named = |path: &String| {
                let names = path.split("{x}").enumerate();
                let names = names.map(
                    |(place, text)| if place == 0 { text.into() } else { format!("{{x{place}}}{text}") },
                );
                names.collect::<String>()
            };
            let paths: Vec<String> = paths.iter().map(named).collect();
            let routes: Vec<Written<'_>> = paths.iter().map(|path| (None, path.as_str(), &[][..])).collect();
            table(&routes).most_steps()
        };
        assert_eq!([1, 2, 3, 9].map(places), [3, 7, 15, 1023]);
        let siblings: Vec<String> = (0..100).map(|number| format!("/r{number}/{{id}}")).collect();
        let routes: Vec<Written<'_>> = siblings.iter().map(|path| (None, path.as_str(), &[][..])).collect();
        assert_eq!(table(&routes).most_steps(), 3);
    }

    #[test]
    fn a_rest_is_idle_where_nearer_templates_take_all_that_it_stands_for() {
        let is_idle = |routes: &[Written<'_>]| {
            let &[(host, path, methods), ..] = routes else { return false };
            let host = host.map(|host| HostPattern::parse(host).unwrap());
            let methods = if methods.is_empty() { Methods::Any } else { Methods::named(methods) };
            table(routes).is_idle(host.as_ref(), &Template::parse(path).unwrap(), &methods)
        };
        let all: Written<'_> = (None, "/a/{*rest}", &[]);
        let get: Written<'_> = (None, "/a/{*rest}", &["GET"]);
        for (routes, idle) in [
            (vec![all], false),
            (vec![all, (None, "/a", &[])], false),
            (vec![all, (None, "/a/{x}/{*rest}", &[])], false),
            (vec![all, (None, "/a", &[]), (None, "/a/{x}/{*rest}", &[])], true),
            (vec![all, (None, "/a", &[]), (None, "/a/{x}", &[])], false),
            (vec![all, (None, "/a", &[]), (None, "/a/{x}", &[]), (None, "/a/{x}/{y}/{*z}", &[])], true),
            (vec![all, (None, "/a", &[]), (None, "/a/b/{*rest}", &[])], false),
            (vec![all, (None, "/a", &["GET"]), (None, "/a/{x}/{*rest}", &[])], false),
            (vec![get, (None, "/a", &["GET"]), (None, "/a/{x}/{*rest}", &[])], true),
            (vec![get, (None, "/a", &["HEAD"]), (None, "/a/{x}/{*rest}", &[])], false),
            (vec![all, (Some("a.test"), "/a", &[]), (Some("a.test"), "/a/{x}/{*rest}", &[])], false),
            (vec![(None, "/a", &[]), (None, "/{x}", &[])], false),
        ] {
            assert_eq!(is_idle(&routes), idle, "{routes:?}");
        }
    }
}
