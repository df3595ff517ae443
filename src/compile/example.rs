//! Example requests, so that what is said of routes can be tried.

use crate::config::Config;
use crate::path::CanonicalPath;
use crate::route::Target;
use crate::route::host::{CanonicalHost, HostPattern};
use crate::route::method::Methods;
use crate::route::rule::Rule;
use crate::route::template::{Segment, Template};

/// What no route of a configuration names, and so stands for everything that none does.
pub(super) struct Examples {
    label: String,
    domain: String,
    segment: String,
    method: String,
}

/// Methods that people know, to be taken before others.
const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"];

impl Examples {
    pub(super) fn of(config: &Config<'_>) -> Self {
        let routes = || config.routes.iter().map(|named| &named.entry);
        let hosts = || routes().flat_map(|route| route.hosts.iter().flatten());
        let is_label =
            |text: &str| hosts().any(|host| host.to_string().split('.').any(|label| label == text));
        let templates = || routes().flat_map(|route| &route.paths).map(|(_, template)| template);
        let is_literal = |text: &str| {
            let mut segments = templates().flat_map(|template| &template.segments);
            segments.any(|segment| matches!(segment, Segment::Literal(literal) if **literal == *text))
        };
        let is_method =
            |text: &str| routes().any(|route| route.methods.iter().flatten().any(|method| *method == text));
        // Where GET is named, so is HEAD.
        let is_named = |method: &str| is_method(method) || method == "HEAD" && is_method("GET");
        let known = KNOWN.into_iter().find(|method| !is_named(method));
        Self {
            label: fresh("any", &is_label),
            domain: fresh("example", &is_label),
            segment: fresh("x", &is_literal),
            method: known.map_or_else(|| fresh("ANY", &is_method), str::to_owned),
        }
    }

    /// A host that the pattern is for, and none that is nearer.
    pub(super) fn host(&self, pattern: Option<&HostPattern>) -> String {
        match pattern {
            None => format!("{}.{}", self.label, self.domain),
            Some(HostPattern::Exact(host)) => host.to_string(),
            Some(HostPattern::Suffix(suffix)) => format!("{}{suffix}", self.label),
        }
    }

    /// A path that the template is for, and no other unless it has a `{name}` in the same place.
    pub(super) fn path(&self, template: &Template) -> String {
        let segments = template.segments.iter().map(|segment| match segment {
            Segment::Literal(text) => &**text,
            Segment::Any => self.segment.as_str(),
        });
        let rest = template.has_rest.then_some(self.segment.as_str());
        format!("/{}", segments.chain(rest).collect::<Vec<_>>().join("/"))
    }

    /// A path one segment longer than those that the template, which has no rest, is for.
    pub(super) fn below(&self, template: &Template) -> String {
        let longer = Template { segments: template.segments.clone(), has_rest: true };
        self.path(&longer)
    }

    /// A method that no route names.
    pub(super) fn method(&self) -> &str {
        &self.method
    }

    /// A request to which the host and the path of both rules are as near, in words.
    pub(super) fn of_tie(
        &self,
        host: Option<&HostPattern>,
        template: &Template,
        (one, other): (&Rule, &Rule),
    ) -> String {
        let method = match (&one.methods, &other.methods) {
            (Methods::Named(methods), Methods::Named(others)) => methods
                .iter()
                .find(|method| others.contains(method))
                .map(|method| String::from_utf8_lossy(method)),
            _ => None,
        };
        let method = method.unwrap_or(self.method().into());
        let host = self.host(host);
        // One of them may have another path that is nearer to some of what this one stands for.
        let path = self.path(template);
        let paths = [path.clone(), self.shortest(template), format!("{path}/{}", self.segment)];
        let ties = |path: &&String| {
            let target = CanonicalPath::parse(path.as_bytes()).map(|path| Target {
                host: CanonicalHost::parse(host.as_bytes()),
                path,
                method: method.as_bytes(),
            });
            target.is_ok_and(|target| {
                one.nearness(&target).ok().is_some_and(|near| other.nearness(&target) == Ok(near))
            })
        };
        let path = paths.iter().find(ties).unwrap_or(&path);
        format!("{method} {host}{path}")
    }

    /// The shortest path that the template is for.
    fn shortest(&self, template: &Template) -> String {
        self.path(&Template { segments: template.segments.clone(), has_rest: false })
    }
}

/// A text that is not taken.
fn fresh(text: &str, is_taken: &dyn Fn(&str) -> bool) -> String {
    let mut fresh = text.to_owned();
    while is_taken(&fresh) {
        fresh.push_str(text);
    }
    fresh
}
