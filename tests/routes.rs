//! Which route a request is on, by the compiled table and by the rule itself (`fuzz/src/nearest.rs`): random
//! tables of a few words, so that everything that can meet does, each with every request of those words.
//!
//! The table must find what the rule finds; it must refuse the tables that have a request with two nearest
//! routes, and no other; and each path must be that of some request, unless there is a warning of it.

#![allow(unreachable_pub, dead_code, reason = "what is included here is also a part of the fuzz targets")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails where it stands"
)]

#[path = "routes/kinds.rs"]
mod kinds;
#[path = "../fuzz/src/nearest.rs"]
mod nearest;
#[path = "routes/random.rs"]
mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use kinds::Kinds;
use nearest::{Nearness, Target, Written, by_host, by_method, by_path};
use random::Random;
use serde_json::{Value, json};
use vestibule::compile::{self, Secrets};
use vestibule::config::error::ConfigErrors;
use vestibule::decision::Decision;
use vestibule::denial::Code;
use vestibule::keyring::Keys;
use vestibule::path::CanonicalPath;
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::route::host::{CanonicalHost, HostPattern};
use vestibule::route::method::Methods;
use vestibule::route::table::{Position, Table};
use vestibule::route::template::Template;
use vestibule::time::UnixTime;

const SEED: u64 = 0x0076_6573_7469_6275;
const TABLES: u64 = 700;
/// Requests of tables without a tie, each asked of both.
const AT_LEAST: usize = 1_000_000;

/// Hosts as requests spell them, and as they are compared: of each pattern some, almost some, and none.
const HOSTS: [(&str, &str); 8] = [
    ("t", "t"),
    ("a.t", "a.t"),
    ("B.a.T:8080", "b.a.t"),
    ("z.a.t", "z.a.t"),
    ("c.b.a.t.", "c.b.a.t"),
    ("ca.t", "ca.t"),
    ("b.t:", "b.t"),
    ("other", "other"),
];
const METHODS: [&str; 4] = ["GET", "HEAD", "PUT", "PATCH"];
/// Segments of requests. The last one stands in no template.
const SEGMENTS: [&str; 3] = ["a", "b", "z"];
/// One more than any template has, for what is left over.
const LONGEST: u32 = 4;

struct Universe {
    hosts: Vec<CanonicalHost<'static>>,
    /// Canonical, and parsed.
    paths: Vec<(String, CanonicalPath<'static>)>,
}

impl Universe {
    fn new() -> Self {
        let hosts = HOSTS.map(|(authority, _)| CanonicalHost::parse(authority.as_bytes()).expect("a host"));
        let path = |(length, mut number): (u32, usize)| {
            let segment = |_| {
                let segment = SEGMENTS[number % SEGMENTS.len()];
                number /= SEGMENTS.len();
                format!("/{segment}")
            };
            let path: String = (0..length).map(segment).collect();
            let path = if path.is_empty() { "/".into() } else { path };
            // Every other one is spelt in another way.
            let target = if number_of(&path).is_multiple_of(2) { path.clone() } else { spelt(&path) };
            let parsed = CanonicalPath::parse(target.leak().as_bytes()).expect("a path");
            (path, parsed)
        };
        let paths =
            (0..=LONGEST).flat_map(|length| (0..SEGMENTS.len().pow(length)).map(move |n| (length, n)));
        Self { hosts: hosts.into(), paths: paths.map(path).collect() }
    }
}

fn number_of(path: &str) -> usize {
    path.bytes().map(usize::from).sum()
}

/// The same path to a server: a letter encoded, a slash at the end, and a query.
fn spelt(path: &str) -> String {
    format!("{}/?a=/b", path.strip_suffix('/').unwrap_or(path).replacen('a', "%61", 1))
}

/// A route by one of its hosts and one of its paths, and how near it is to each host, path and method.
struct Way {
    route: Position,
    /// Where the path stands in the configuration.
    node: String,
    template: String,
    pattern: Option<String>,
    names_head: bool,
    hosts: Vec<Option<nearest::ByHost>>,
    paths: Vec<Option<Vec<nearest::Step>>>,
    methods: Vec<Option<nearest::ByMethod>>,
}

impl Way {
    fn all(routes: &[Written], universe: &Universe) -> Vec<Self> {
        let mut ways = Vec::new();
        for (position, route) in routes.iter().enumerate() {
            let methods: Vec<&str> = route.methods.iter().map(String::as_str).collect();
            for pattern in &route.hosts {
                for (index, template) in route.paths.iter().enumerate() {
                    ways.push(Self {
                        route: position,
                        node: format!("routes.{}.paths[{index}]", route.name),
                        template: template.clone(),
                        pattern: pattern.clone(),
                        names_head: methods.contains(&"HEAD"),
                        hosts: HOSTS.map(|(_, host)| by_host(pattern.as_deref(), host)).into(),
                        paths: universe.paths.iter().map(|(path, _)| by_path(template, path)).collect(),
                        methods: METHODS.map(|method| by_method(&methods, method)).into(),
                    });
                }
            }
        }
        ways
    }

    fn nearness(&self, (host, path, method): (usize, usize, usize)) -> Option<Borrowed<'_>> {
        Some((self.hosts[host]?, self.paths[path].as_deref()?, self.methods[method]?))
    }
}

/// As [`Nearness`], and compared alike.
type Borrowed<'w> = (nearest::ByHost, &'w [nearest::Step], nearest::ByMethod);

/// The nearest ways of one request: none, one, or more that tie. What matches is left in `matching`.
fn nearest_of<'w>(
    ways: &'w [Way],
    request: (usize, usize, usize),
    matching: &mut Vec<(Borrowed<'w>, &'w Way)>,
) -> (Option<&'w Way>, bool) {
    matching.clear();
    matching.extend(ways.iter().filter_map(|way| Some((way.nearness(request)?, way))));
    let best = matching.iter().map(|(nearness, _)| *nearness).min();
    let mut winners = matching.iter().filter(|(nearness, _)| Some(*nearness) == best).map(|(_, way)| *way);
    (winners.next(), winners.next().is_some())
}

#[test]
fn the_table_finds_what_the_rule_finds_and_refuses_what_can_tie() {
    println!("seed {SEED:#x}");
    let threads = thread::available_parallelism().map_or(1, usize::from) as u64;
    let tally = thread::scope(|scope| {
        let part = |first: u64| (first..TABLES).step_by(usize::try_from(threads).unwrap_or(1));
        let parts: Vec<_> = (0..threads).map(|first| scope.spawn(move || run(part(first)))).collect();
        let mut whole = Tally::default();
        parts.into_iter().for_each(|part| whole.add(part.join().expect("each table is as it must be")));
        whole
    });
    println!("{tally:?}");
    assert!(tally.requests >= AT_LEAST, "{tally:?}");
    assert!(
        tally.ties >= 200 && tally.idle_ties < 20 && tally.tie_free >= 300 && tally.idle >= 3,
        "{tally:?}"
    );
    tally.kinds.assert_all_occurred();
}

#[derive(Debug, Default)]
struct Tally {
    tie_free: usize,
    ties: usize,
    /// Ties of paths of no request.
    idle_ties: usize,
    /// Paths of no request.
    idle: usize,
    requests: usize,
    kinds: Kinds,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.tie_free += other.tie_free;
        self.ties += other.ties;
        self.idle_ties += other.idle_ties;
        self.idle += other.idle;
        self.requests += other.requests;
        self.kinds.add(other.kinds);
    }
}

fn run(numbers: impl Iterator<Item = u64>) -> Tally {
    let (universe, keys) = (Universe::new(), Keys::in_module());
    let mut tally = Tally::default();
    for number in numbers {
        let mut random = Random::new(SEED, number);
        let routes = random.routes();
        let ways = Way::all(&routes, &universe);
        let document = document(&routes);
        let compiled = compile::compile(&document, &Secrets::Unchecked, UnixTime::from_secs(0));
        match (table(&routes), compiled) {
            (Err(()), Err(errors)) => {
                tally.ties += 1;
                let mut matching = Vec::new();
                if !requests(&universe).any(|request| nearest_of(&ways, request, &mut matching).1) {
                    // Both paths are of no request, and that they are one path twice is refused all the same.
                    tally.idle_ties += 1;
                    let alike = |request| {
                        nearest_of(&ways, request, &mut matching);
                        let nearness: BTreeSet<_> = matching.iter().map(|(nearness, _)| nearness).collect();
                        nearness.len() < matching.len()
                    };
                    assert!(requests(&universe).any(alike), "table {number} has no tie: {document}");
                }
                check_examples(&routes, &errors);
            }
            (Ok(table), Ok(compiled)) => {
                tally.tie_free += 1;
                let found = check_table(&table, &ways, &universe, &mut tally.kinds);
                let (requests, idle) =
                    found.unwrap_or_else(|fault| panic!("table {number}: {fault}: {document}"));
                tally.requests += requests;
                tally.idle += idle.len();
                let warned: BTreeSet<String> =
                    compiled.warnings.iter().map(|warning| warning.path().to_owned()).collect();
                assert_eq!(warned, idle, "table {number}: {document}");
                check_door(&compiled.value, &keys, &routes, &mut random);
            }
            (table, compiled) => panic!("table {number}: {table:?}, compiled: {compiled:?}: {document}"),
        }
    }
    tally
}

fn requests(universe: &Universe) -> impl Iterator<Item = (usize, usize, usize)> {
    let paths = 0..universe.paths.len();
    (0..HOSTS.len())
        .flat_map(move |host| paths.clone().map(move |path| (host, path)))
        .flat_map(|(host, path)| (0..METHODS.len()).map(move |method| (host, path, method)))
}

/// The compiled table; none where two routes, or two paths of one, can tie.
fn table(routes: &[Written]) -> Result<Table, ()> {
    let mut table = Table::default();
    for (position, route) in routes.iter().enumerate() {
        let methods: Vec<&str> = route.methods.iter().map(String::as_str).collect();
        let methods = if methods.is_empty() { Methods::Any } else { Methods::named(&methods) };
        for host in &route.hosts {
            let host = host.as_ref().map(|host| HostPattern::parse(host).expect("a pattern"));
            for path in &route.paths {
                let template = Template::parse(path).expect("a template");
                table.insert(host.as_ref(), &template, &methods, position).map_err(drop)?;
            }
        }
    }
    Ok(table)
}

/// Asks both about every request, and says how many there were, and which paths are of none of them.
fn check_table(
    table: &Table,
    ways: &[Way],
    universe: &Universe,
    kinds: &mut Kinds,
) -> Result<(usize, BTreeSet<String>), String> {
    let mut paths: BTreeMap<&str, bool> = ways.iter().map(|way| (way.node.as_str(), false)).collect();
    let mut matching = Vec::new();
    let mut count = 0;
    for request in requests(universe) {
        count += 1;
        let (host, path, method) = request;
        let spelt = || format!("{} {}{}", METHODS[method], HOSTS[host].0, universe.paths[path].0);
        let (nearest, ties) = nearest_of(ways, request, &mut matching);
        if ties {
            return Err(format!("{} ties, and the table was let in", spelt()));
        }
        let found =
            table.find(Some(&universe.hosts[host]), &universe.paths[path].1, METHODS[method].as_bytes());
        if found != nearest.map(|way| way.route) {
            return Err(format!("{} is on {found:?}", spelt()));
        }
        if let Some(nearest) = nearest {
            paths.insert(&nearest.node, true);
        }
        let target = Target { host: HOSTS[host].1, path: &universe.paths[path].0, method: METHODS[method] };
        kinds.count(target, ways, nearest, &matching);
    }
    let idle = paths.into_iter().filter(|(_, wins)| !wins).map(|(node, _)| node.to_owned());
    Ok((count, idle.collect()))
}

fn document(routes: &[Written]) -> Value {
    let route = |route: &Written| {
        let mut document = json!({ "paths": route.paths, "access": "public" });
        let hosts: Vec<&String> = route.hosts.iter().flatten().collect();
        if !hosts.is_empty() {
            document["hosts"] = json!(hosts);
        }
        if !route.methods.is_empty() {
            document["methods"] = json!(route.methods);
        }
        (route.name.clone(), document)
    };
    let routes: serde_json::Map<_, _> = routes.iter().map(route).collect();
    json!({ "door": "outer", "default": "deny", "routes": routes })
}

/// A message about a tie has a request that both routes match, equally well.
fn check_examples(routes: &[Written], errors: &ConfigErrors) {
    for error in errors {
        let message = error.message();
        let Some(rest) = message.strip_prefix("ties with the route `") else {
            assert!(message.contains("is a path that this route has already"), "{message}");
            continue;
        };
        let (other, rest) = rest.split_once("`: `").expect("an example follows");
        let (example, _) = rest.split_once("` matches both").expect("the example ends");
        let (method, url) = example.split_once(' ').expect("a method");
        let (host, path) = url.split_at(url.find('/').expect("a path"));
        let name = error.path().rsplit_once('.').expect("the error stands at a route").1;
        let target = Target { host, path, method };
        // Each path by itself: where a route has a nearer one for the example, the two tie no less.
        let nearness = |name: &str| -> BTreeSet<Nearness> {
            let route = routes.iter().find(|route| route.name == name).expect("the route is there");
            let by = |path: &String| Written { paths: vec![path.clone()], ..route.clone() }.nearness(target);
            route.paths.iter().filter_map(by).collect()
        };
        let both = nearness(name).intersection(&nearness(other)).count();
        assert!(both > 0, "{example} is not on both, or one is nearer: {message}");
    }
}

/// The whole door decides by the same route.
fn check_door(policy: &Policy, keys: &Keys, routes: &[Written], random: &mut Random) {
    for _ in 0..20 {
        let (authority, host) = *random.one_of(&HOSTS);
        let (path, method) = (random.path(), *random.one_of(&METHODS));
        let target = spelt(&path);
        let headers: Vec<(&[u8], &[u8])> = vec![
            (b":authority", authority.as_bytes()),
            (b":method", method.as_bytes()),
            (b":path", target.as_bytes()),
        ];
        let decision = policy::decide(policy, keys, &Request::new(headers), UnixTime::from_secs(0));
        let found = match &decision {
            Decision::Permit(permit) => permit.route(),
            Decision::Denial(denial) if denial.code() == Code::RouteDenied => None,
            other => panic!("{other:?}"),
        };
        let nearest = nearest::nearest(routes, Target { host, path: &path, method });
        let names: Vec<&str> = nearest.iter().map(|route| route.name.as_str()).collect();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), names, "{method} {host}{path}");
    }
}
