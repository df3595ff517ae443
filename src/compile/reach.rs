//! What passes beside a guarded route: requests much like its own that a broader route, or the default, lets
//! through. It may be meant, so it is a warning; every example is tried on the table itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::example::Examples;
use crate::access::Access;
use crate::config::Config;
use crate::config::node::Named;
use crate::config::route as written;
use crate::path::CanonicalPath;
use crate::route::host::{CanonicalHost, HostPattern};
use crate::route::method::Methods;
use crate::route::rule::Rule;
use crate::route::template::Template;
use crate::route::{Route, Routes, Target};

/// What passes by one open route, or by the default: the first example in words, and how many guarded routes
/// there are that have one.
struct Passing {
    example: String,
    beside: BTreeSet<Arc<str>>,
}

/// A request beside those that a guarded route is for.
struct Neighbour {
    host: String,
    path: String,
    method: String,
    relation: Relation,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    OtherMethod,
    OtherHost,
    Below,
}

/// Warns of each open route by which something passes beside a guarded one.
pub(super) fn warn(config: &Config<'_>, routes: &Routes) {
    let rules: Vec<Rule> = config.routes.iter().map(super::route::rule).collect();
    let guarded =
        || config.routes.iter().zip(&routes.routes).zip(&rules).filter(|((_, route), _)| !is_open(route));
    if !routes.routes.iter().chain([&routes.default]).any(is_open) || guarded().next().is_none() {
        return;
    }
    let examples = Examples::of(config);
    let methods = methods(config, &examples);
    let mut passing: BTreeMap<Option<usize>, Passing> = BTreeMap::new();
    for ((written, route), rule) in guarded() {
        for neighbour in neighbours(&written.entry, rule, &examples, &methods) {
            let Some(by) = lets_through(&neighbour, rule, routes, &rules) else { continue };
            let passing = passing.entry(by).or_insert_with(|| Passing {
                example: neighbour.describe(&written.name, &written.entry),
                beside: BTreeSet::new(),
            });
            passing.beside.extend(route.name.clone());
        }
    }
    for (by, Passing { example, beside }) in passing {
        let others = match beside.len() {
            0 | 1 => String::new(),
            count => format!(" (and {} more routes have such neighbours)", count - 1),
        };
        let node = match by.and_then(|by| config.routes.get(by)) {
            Some(Named { node, .. }) => node.clone(),
            None => config.node.below("default"),
        };
        node.warn(format!("lets {example}{others}"));
    }
}

fn is_open(route: &Route) -> bool {
    match route.access {
        Access::Public | Access::Optional => true,
        Access::Authenticated | Access::Requires(_) | Access::Deny => false,
    }
}

/// Every method that some route names, and one that none does.
fn methods(config: &Config<'_>, examples: &Examples) -> BTreeSet<String> {
    let named = config.routes.iter().flat_map(|route| route.entry.methods.iter().flatten());
    named.map(|method| (*method).to_owned()).chain([examples.method().to_owned()]).collect()
}

fn neighbours(
    route: &written::Route<'_>,
    rule: &Rule,
    examples: &Examples,
    methods: &BTreeSet<String>,
) -> Vec<Neighbour> {
    let is_own = |method: &String| match &rule.methods {
        Methods::Any => true,
        Methods::Named(named) => named.iter().any(|own| **own == *method.as_bytes()),
    };
    // An open route may name any of them; the plainest example is one that no route names.
    let (mut own, other): (Vec<&String>, Vec<&String>) = methods.iter().partition(|method| is_own(method));
    own.sort_by_key(|method| *method != examples.method());
    let hosts: Vec<Option<&HostPattern>> =
        rule.hosts.as_ref().map_or(vec![None], |hosts| hosts.iter().map(Some).collect());
    let mut neighbours = Vec::new();
    let mut add = |relation, methods: &[&String], host: &str, path: &str| {
        neighbours.extend(methods.iter().map(|method| Neighbour {
            host: host.to_owned(),
            path: path.to_owned(),
            method: (*method).clone(),
            relation,
        }));
    };
    for (_, template) in &route.paths {
        let path = examples.path(template);
        for host in &hosts {
            let host = examples.host(*host);
            add(Relation::OtherMethod, &other, &host, &path);
            // Below the root lies everything.
            if !template.has_rest && !template.segments.is_empty() {
                add(Relation::Below, &own, &host, &examples.below(template));
            }
        }
        if rule.hosts.is_some() {
            add(Relation::OtherHost, &own, &examples.host(None), &path);
        }
    }
    neighbours
}

/// The open route, or the default, by which the neighbour of a guarded route passes without anybody having
/// said so of just such requests.
fn lets_through(
    neighbour: &Neighbour,
    guarded: &Rule,
    routes: &Routes,
    rules: &[Rule],
) -> Option<Option<usize>> {
    let host = CanonicalHost::parse(neighbour.host.as_bytes());
    let path = CanonicalPath::parse(neighbour.path.as_bytes()).ok()?;
    let target = Target { host, path, method: neighbour.method.as_bytes() };
    let found = routes.table.find(target.host.as_ref(), &target.path, target.method);
    let Some(position) = found else { return is_open(&routes.default).then_some(None) };
    if !routes.routes.get(position).is_some_and(is_open) {
        return None;
    }
    let open = rules.get(position)?;
    let depth = |rule: &Rule| rule.paths.iter().filter_map(|path| explicit(path, &target)).max();
    let is_meant = match neighbour.relation {
        // Whoever names the method for this path, or for what is below a part of it, means it; not so whoever
        // names it for all paths.
        Relation::OtherMethod => {
            depth(open) >= depth(guarded).min(Some(1)) && matches!(open.methods, Methods::Named(_))
        }
        // Whoever writes the same path for any host means it.
        Relation::OtherHost => depth(open) >= depth(guarded),
        // Whoever writes a path that leads as far as the guarded one means what lies below it.
        Relation::Below => depth(open).is_some_and(|open| {
            let guarded = guarded.paths.iter().map(|path| path.segments.len()).filter(|depth| *depth <= open);
            guarded.max().is_some()
        }),
    };
    (!is_meant).then_some(Some(position))
}

/// How many segments of a path the template says something about, if it matches.
fn explicit(template: &Template, target: &Target<'_>) -> Option<usize> {
    let rule = Rule { name: "".into(), hosts: None, methods: Methods::Any, paths: vec![template.clone()] };
    rule.nearness(target).ok().map(|_| template.segments.len())
}

impl Neighbour {
    fn describe(&self, guarded: &str, route: &written::Route<'_>) -> String {
        let Self { host, path, method, relation } = self;
        let request = format!("`{method} {host}{path}` through");
        match relation {
            Relation::OtherMethod => {
                let methods = route.methods.iter().flatten().copied().collect::<Vec<_>>().join(", ");
                format!(
                    "{request}, where the route `{guarded}` guards {methods} only: guard it there \
                     too, or say by an open route for that method and path that it is meant"
                )
            }
            Relation::OtherHost => format!(
                "{request}, which the route `{guarded}` guards for its own hosts only: name hosts here, or none \
                 there"
            ),
            Relation::Below => format!(
                "{request}, below a path that the route `{guarded}` guards: let that route guard what is below \
                 too, as in `/path/{{*rest}}`"
            ),
        }
    }
}
