//! Routes: the table that finds them, and what two of them may not be to each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::access::Compiler;
use super::example::Examples;
use crate::access::Access;
use crate::config::Config;
use crate::config::node::Named;
use crate::config::route as written;
use crate::policy::Door;
use crate::route::host::HostPattern;
use crate::route::method::Methods;
use crate::route::rule::Rule;
use crate::route::table::{Table, Tie};
use crate::route::{EntranceRule, Route, Routes};

/// The most pairs of a host and a path that all routes together are for: each is a way through the table.
const MAX_PAIRS: usize = 50_000;

/// The most nodes of a table that are visited to find a route, whatever the path.
const MAX_STEPS: usize = 1_000;

/// The most methods that all routes together name.
const MAX_METHODS: usize = 100;

type Written<'v> = Named<'v, written::Route<'v>>;

#[inline(never)]
pub(super) fn compile(
    config: &Config<'_>,
    default: Option<Access>,
    access: &mut Compiler<'_, '_>,
) -> Option<Routes> {
    let table = check_count(config).and_then(|()| table(config));
    // Every route is compiled before the first that failed is given up on, so that all errors are found.
    let routes: Vec<_> = config.routes.iter().map(|route| self::route(config, route, access)).collect();
    Some(Routes {
        table: table?,
        routes: routes.into_iter().collect::<Option<_>>()?,
        default: Route {
            name: None,
            access: default?,
            entrance: EntranceRule::Required,
            names_options: false,
            audience: None,
        },
        reads_host: config.routes.iter().any(|route| route.entry.hosts.is_some()),
        preflight: config.preflight,
    })
}

/// A table too large to be made is none.
#[inline(never)]
fn check_count(config: &Config<'_>) -> Option<()> {
    let pairs =
        |route: &Written<'_>| route.entry.hosts.as_ref().map_or(1, Vec::len) * route.entry.paths.len();
    let count: usize = config.routes.iter().map(pairs).sum();
    if count > MAX_PAIRS {
        return config.node.below("routes").refuse(format!(
            "are for {count} pairs of a host and a path, and at most {MAX_PAIRS} are accepted: merge some by \
             `{{name}}`, `{{*rest}}` or `*.host`"
        ));
    }
    let mut methods = BTreeSet::new();
    methods.extend(config.routes.iter().flat_map(|route| route.entry.methods.iter().flatten().copied()));
    let methods = methods.len();
    if methods > MAX_METHODS {
        return config.node.below("routes").refuse(format!(
            "name {methods} different methods, and at most {MAX_METHODS} are accepted: leave `methods` out where \
             all are meant"
        ));
    }
    Some(())
}

/// The table of all routes; none where two of them can tie.
#[inline(never)]
fn table(config: &Config<'_>) -> Option<Table> {
    let mut table = Table::default();
    let mut ties = 0_usize;
    let mut examples = None;
    for (position, named) in config.routes.iter().enumerate() {
        let (hosts, methods) = hosts_and_methods(&named.entry);
        for (node, template) in &named.entry.paths {
            for host in &hosts {
                let Err(Tie(other)) = table.insert(*host, template, &methods, position) else { continue };
                ties += 1;
                if other == position {
                    node.error("is a path that this route has already: remove one");
                } else if let Some(other) = config.routes.get(other) {
                    let examples = examples.get_or_insert_with(|| Examples::of(config));
                    let example = examples.of_tie(*host, template, (&rule(named), &rule(other)));
                    named.node.error(format!(
                        "ties with the route `{}`: `{example}` matches both, and neither is nearer by host, path or \
                         method: change one, or make them one",
                        other.name
                    ));
                }
                break;
            }
        }
    }
    if ties > 0 {
        return None;
    }
    let steps = table.most_steps();
    if steps > MAX_STEPS {
        return config.node.below("routes").refuse(format!(
            "have text and `{{name}}` in so many of the same places that finding one may take {steps} steps, and \
             at most {MAX_STEPS} are accepted: let fewer paths have `{{name}}` where others have text"
        ));
    }
    warn_of_idle_paths(config, &table);
    Some(table)
}

/// The hosts of a route, of which none is any, and its methods.
fn hosts_and_methods<'c>(route: &'c written::Route<'_>) -> (Vec<Option<&'c HostPattern>>, Methods) {
    let hosts = route.hosts.as_ref().map_or(vec![None], |hosts| hosts.iter().map(Some).collect());
    (hosts, route.methods.as_ref().map_or(Methods::Any, |methods| Methods::named(methods)))
}

#[inline(never)]
fn warn_of_idle_paths(config: &Config<'_>, table: &Table) {
    for named in &config.routes {
        let (hosts, methods) = hosts_and_methods(&named.entry);
        for (node, template) in &named.entry.paths {
            if hosts.iter().all(|host| table.is_idle(*host, template, &methods)) {
                node.warn(
                    "is the path of no request: nearer ones stand for all that its `{*name}` does, for nothing \
                     and for more: remove it, or them",
                );
            }
        }
    }
}

/// A route, as it is written.
pub(super) fn rule(named: &Written<'_>) -> Rule {
    let written::Route { hosts, methods, paths, .. } = &named.entry;
    Rule {
        name: Arc::clone(&named.name),
        hosts: hosts.clone(),
        methods: methods.as_ref().map_or(Methods::Any, |methods| Methods::named(methods)),
        paths: paths.iter().map(|(_, template)| template.clone()).collect(),
    }
}

#[inline(never)]
fn route(config: &Config<'_>, named: &Written<'_>, compiler: &mut Compiler<'_, '_>) -> Option<Route> {
    let Named { name, entry, .. } = named;
    let written::Route { access, entrance, methods, audience, .. } = entry;
    if let Some((node, _)) = audience.as_ref().filter(|_| config.mint.is_none()) {
        node.error("is the audience of a context, and this door mints none: remove it");
    }
    if let Some((node, rule)) = entrance {
        let has_entrances = config.node.value().get("entrances").is_some();
        match (config.door, rule) {
            (Some(Door::Outer), _) => node.error("belongs to an inner door: remove it"),
            (Some(Door::Inner), EntranceRule::Exempt) if !has_entrances => {
                node.error("is said of a door without `entrances`: remove it");
            }
            (Some(Door::Inner) | None, _) => {}
        }
    }
    Some(Route {
        name: Some(Arc::clone(name)),
        access: compiler.compile(access.as_ref()?)?,
        entrance: entrance.as_ref().map_or(EntranceRule::Required, |(_, rule)| *rule),
        audience: audience.as_ref().map(|(_, audience)| (*audience).into()),
        names_options: methods.iter().flatten().any(|method| *method == "OPTIONS"),
    })
}
