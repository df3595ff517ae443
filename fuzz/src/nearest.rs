//! Which route a request is on, once more: by the rule as operators are told it, from the texts as they are
//! written. All that match are candidates, and the nearest by host, then by path, then by method wins.
//!
//! It shares no code with the door, and takes as long as it takes.

use std::cmp::Reverse;
use std::net::Ipv6Addr;

use serde_json::Value;

/// A route as it is written.
#[derive(Clone, Debug)]
pub struct Written {
    pub name: String,
    /// None is any.
    pub hosts: Vec<Option<String>>,
    /// Empty is any.
    pub methods: Vec<String>,
    pub paths: Vec<String>,
}

/// Host, path and method of a request, each in the one form in which it is compared.
#[derive(Clone, Copy, Debug)]
pub struct Target<'t> {
    pub host: &'t str,
    pub path: &'t str,
    pub method: &'t str,
}

/// How near a route is to a request, the nearest first: by host, else by path, else by method.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nearness {
    pub host: ByHost,
    pub path: Vec<Step>,
    pub method: ByMethod,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ByHost {
    Exact,
    /// The longest first.
    Suffix(Reverse<usize>),
    Any,
}

/// What a segment of a path is by a template; a template that ends is nearer than one with `{*rest}` there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Literal,
    Any,
    Rest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ByMethod {
    Named,
    Any,
}

impl Written {
    /// Every route of a configuration that compiled.
    pub fn all(config: &Value) -> Vec<Self> {
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let route = |(name, route): (&String, &Value)| {
            let hosts = texts(&route["hosts"]);
            Self {
                name: name.clone(),
                hosts: if hosts.is_empty() { vec![None] } else { hosts.into_iter().map(Some).collect() },
                methods: texts(&route["methods"]),
                paths: texts(&route["paths"]),
            }
        };
        config["routes"].as_object().into_iter().flatten().map(route).collect()
    }

    /// How near it is, by the nearest of its hosts and paths; none where it does not match.
    pub fn nearness(&self, target: Target<'_>) -> Option<Nearness> {
        let hosts = self.hosts.iter().filter_map(|pattern| by_host(pattern.as_deref(), target.host));
        let paths = self.paths.iter().filter_map(|template| by_path(template, target.path));
        let methods: Vec<&str> = self.methods.iter().map(String::as_str).collect();
        Some(Nearness { host: hosts.min()?, path: paths.min()?, method: by_method(&methods, target.method)? })
    }
}

/// The nearest of these, of which there is more than one where they tie, or none.
pub fn nearest<'w>(routes: &'w [Written], target: Target<'_>) -> Vec<&'w Written> {
    let candidates: Vec<_> =
        routes.iter().filter_map(|route| Some((route.nearness(target)?, route))).collect();
    let best = candidates.iter().map(|(nearness, _)| nearness).min();
    candidates.iter().filter(|(nearness, _)| Some(nearness) == best).map(|(_, route)| *route).collect()
}

/// How near a pattern of hosts is to a host; none of them is any host.
pub fn by_host(pattern: Option<&str>, host: &str) -> Option<ByHost> {
    match pattern.map(|pattern| pattern.split_at(if pattern.starts_with("*.") { 1 } else { 0 })) {
        None => Some(ByHost::Any),
        Some(("*", suffix)) => {
            let suffix = host_of(suffix);
            let is_longer = host.len() > suffix.len();
            (is_longer && host.ends_with(&suffix)).then_some(ByHost::Suffix(Reverse(suffix.len())))
        }
        Some((_, exact)) => (host_of(exact) == host).then_some(ByHost::Exact),
    }
}

/// How near a template is to a path, whose segments are decoded.
pub fn by_path(template: &str, path: &str) -> Option<Vec<Step>> {
    let segments = |text: &str| -> Vec<String> {
        let text = text.strip_suffix('/').unwrap_or(text);
        text.split('/').skip(1).map(str::to_owned).collect()
    };
    let mut left = segments(path).into_iter();
    let mut steps = Vec::new();
    for wanted in segments(template) {
        if wanted.starts_with("{*") {
            steps.push(Step::Rest);
            return Some(steps);
        }
        let given = left.next()?;
        match wanted.starts_with('{') {
            true => steps.push(Step::Any),
            false if wanted == given => steps.push(Step::Literal),
            false => return None,
        }
    }
    left.next().is_none().then_some(steps)
}

/// How near these methods are to a method. GET is also HEAD.
pub fn by_method(methods: &[&str], method: &str) -> Option<ByMethod> {
    if methods.is_empty() {
        return Some(ByMethod::Any);
    }
    let is_named = |named: &&str| **named == *method || (**named == *"GET" && method == "HEAD");
    methods.iter().any(is_named).then_some(ByMethod::Named)
}

/// The host of an authority: in lower case, without a port and without the root's dot.
pub fn host_of(authority: &str) -> String {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')?.parse::<Ipv6Addr>().ok()) {
        Some(address) => format!("[{address}]"),
        None => host.strip_suffix('.').unwrap_or(host).to_lowercase(),
    }
}

/// The path of a request target, decoded and without its query.
pub fn path_of(target: &[u8]) -> String {
    let path: &[u8] = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let mut decoded = Vec::new();
    let mut parts = path.split(|byte| *byte == b'%');
    decoded.extend(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(byte.expect("an escape has two digits"));
        decoded.extend(&part[2..]);
    }
    String::from_utf8(decoded).expect("a path is UTF-8")
}
