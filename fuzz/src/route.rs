//! A few routes and a request, of any bytes: the compiled table finds what the rule finds.
//!
//! The first line is a request: method, authority and target. Each further line is a route: methods, hosts and
//! paths, the methods and the hosts with commas between and `*` for any. What is no such thing is left out.

use vestibule::path::CanonicalPath;
use vestibule::route::host::{CanonicalHost, HostPattern};
use vestibule::route::method::{self, Methods};
use vestibule::route::table::Table;
use vestibule::route::template::Template;

use super::nearest::{self, Target, Written};

/// The most routes.
const MOST: usize = 24;

pub fn run(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut request = lines.next().unwrap_or_default().splitn(3, |byte| *byte == b' ');
    let mut word = || request.next().unwrap_or_default();
    let (method, authority, target) = (word(), word(), word());
    let host = CanonicalHost::parse(authority);
    if let Some(host) = &host {
        assert_eq!(host.as_str(), nearest::host_of(std::str::from_utf8(authority).expect("a host is ASCII")));
        assert_eq!(CanonicalHost::parse(host.as_str().as_bytes()).as_ref(), Some(host));
    }
    let Ok(path) = CanonicalPath::parse(target) else { return };
    let shown = path.to_string();
    assert_eq!(shown.trim_end_matches('/'), nearest::path_of(target).trim_end_matches('/'));
    let Some(method) = std::str::from_utf8(method).ok().filter(|name| method::is_method(name.as_bytes()))
    else {
        return;
    };

    let mut routes: Vec<Written> = Vec::new();
    for route in lines.take(MOST).filter_map(|line| route(line, routes.len())).collect::<Vec<_>>() {
        let ties = routes.iter().chain([&route]).any(|other| can_tie(other, &route));
        routes.push(route);
        assert_eq!(table(&routes).is_none(), ties, "{routes:?}");
        if ties {
            routes.pop();
        }
    }
    let table = table(&routes).expect("no two of them tie");
    let found = table.find(host.as_ref(), &path, method.as_bytes());
    let host = host.as_ref().map_or("", CanonicalHost::as_str);
    let nearest = nearest::nearest(&routes, Target { host, path: &shown, method });
    let names: Vec<&str> = nearest.iter().map(|route| route.name.as_str()).collect();
    let found: Vec<&str> = found.map(|position| routes[position].name.as_str()).into_iter().collect();
    assert_eq!(found, names, "{method} {host}{shown} among {routes:?}");
}

fn route(line: &[u8], number: usize) -> Option<Written> {
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let mut list = || -> Option<Vec<&str>> {
        let word = words.next()?;
        Some(if word == "*" { Vec::new() } else { word.split(',').collect() })
    };
    let (methods, hosts) = (list()?, list()?);
    let is_method = |name: &&str| method::is_method(name.as_bytes()) && !method::is_refused(name.as_bytes());
    let paths: Vec<&str> = words.take(4).collect();
    let is_good = methods.iter().all(is_method)
        && hosts.iter().all(|host| HostPattern::parse(host).is_some())
        && paths.iter().all(|path| Template::parse(path).is_ok())
        && !paths.is_empty();
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let hosts: Vec<Option<String>> = owned(&hosts).into_iter().map(Some).collect();
    is_good.then(|| Written {
        name: format!("{number}: {}", line.escape_ascii()),
        hosts: if hosts.is_empty() { vec![None] } else { hosts },
        methods: owned(&methods),
        paths: owned(&paths),
    })
}

/// Whether some host, path and method of one route are some of another; of one route, whether it has a host
/// and path twice.
fn can_tie(one: &Written, other: &Written) -> bool {
    let host = |host: &Option<String>| host.as_deref().map(nearest::host_of);
    let shape = |path: &String| -> Vec<String> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let nameless = |segment: &str| match segment.get(..2) {
            Some("{*") => "{*}".to_owned(),
            Some(start) if start.starts_with('{') => "{}".to_owned(),
            _ => segment.to_owned(),
        };
        path.split('/').map(nameless).collect()
    };
    let ways = |route: &Written| -> Vec<_> {
        let paths = |host: Option<String>| route.paths.iter().map(move |path| (host.clone(), shape(path)));
        route.hosts.iter().flat_map(|written| paths(host(written))).collect()
    };
    let methods = |route: &Written| -> Vec<String> {
        let head = route.methods.iter().any(|method| method == "GET").then(|| "HEAD".to_owned());
        route.methods.iter().cloned().chain(head).collect()
    };
    if std::ptr::eq(one, other) {
        let (ways, mut methods) = (ways(one), one.methods.clone());
        methods.sort_unstable();
        let is_twice = methods.windows(2).any(|pair| pair[0] == pair[1]);
        return is_twice || ways.iter().enumerate().any(|(position, way)| ways[..position].contains(way));
    }
    let shares_way = ways(one).iter().any(|way| ways(other).contains(way));
    let (of_one, of_other) = (methods(one), methods(other));
    let both_any = of_one.is_empty() && of_other.is_empty();
    shares_way && (both_any || of_one.iter().any(|method| of_other.contains(method)))
}

fn table(routes: &[Written]) -> Option<Table> {
    let mut table = Table::default();
    for (position, route) in routes.iter().enumerate() {
        let methods: Vec<&str> = route.methods.iter().map(String::as_str).collect();
        let methods = if methods.is_empty() { Methods::Any } else { Methods::named(&methods) };
        for host in &route.hosts {
            let host = host.as_deref().map(|host| HostPattern::parse(host).expect("it was parsed before"));
            for path in &route.paths {
                let template = Template::parse(path).expect("it was parsed before");
                table.insert(host.as_ref(), &template, &methods, position).ok()?;
            }
        }
    }
    Some(table)
}
