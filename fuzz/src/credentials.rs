//! Where credentials may stand, told from the configuration as it is written, and that none goes on that must
//! not.

use serde_json::{Value, json};

use super::door::Headers;
use super::invariants::{fold, values};

/// A place and the issuers that read it, each with its `forward`.
struct Place {
    source: Source,
    readers: Vec<(String, String)>,
}

#[derive(PartialEq, Eq)]
enum Source {
    Bearer { header: String, scheme: String },
    Header(String),
    Cookie(String),
    Query(String),
}

/// All of them.
pub struct Credentials(Vec<Place>);

impl Source {
    fn of(source: &Value) -> Self {
        let text = |name: &str| source[name].as_str().map(str::to_owned);
        match (text("header"), text("scheme"), text("cookie"), text("query")) {
            (Some(header), Some(scheme), ..) => Self::Bearer { header: header.to_lowercase(), scheme },
            (Some(header), None, ..) => Self::Header(header.to_lowercase()),
            (_, _, Some(cookie), _) => Self::Cookie(cookie),
            (_, _, _, Some(query)) => Self::Query(query),
            _ => panic!("{source} compiled"),
        }
    }

    fn header(&self) -> Option<&str> {
        match self {
            Self::Bearer { header, .. } | Self::Header(header) => Some(header),
            Self::Cookie(_) => Some("cookie"),
            Self::Query(_) => None,
        }
    }

    /// A header by which a client presents this token here.
    fn present(&self, token: &str) -> (Vec<u8>, Vec<u8>) {
        let (name, value) = match self {
            Self::Bearer { header, scheme } => (header.as_str(), format!("{scheme} {token}")),
            Self::Header(header) => (header.as_str(), token.to_owned()),
            Self::Cookie(cookie) => ("cookie", format!("a=1; {cookie}={token}; b=2")),
            Self::Query(query) => (":path", format!("/?a=1&{query}={token}&b=2")),
        };
        (name.as_bytes().to_vec(), value.into_bytes())
    }

    fn is_in(&self, headers: &Headers) -> bool {
        let is_named = |part: &[u8], name: &str| {
            let part = part.trim_ascii();
            part.split(|byte| *byte == b'=').next().is_some_and(|given| given.trim_ascii() == name.as_bytes())
        };
        match self {
            Self::Bearer { header, scheme } => values(headers, header.as_bytes()).iter().any(|value| {
                value.split(|byte| *byte == b',').any(|part| {
                    let part = part.trim_ascii_start();
                    let behind = part.get(scheme.len()..);
                    part.get(..scheme.len())
                        .is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
                        && behind.is_some_and(|rest| rest.first().is_none_or(|byte| b" \t".contains(byte)))
                })
            }),
            Self::Header(header) => !values(headers, header.as_bytes()).is_empty(),
            Self::Cookie(cookie) => values(headers, b"cookie")
                .iter()
                .any(|value| value.split(|byte| *byte == b';').any(|part| is_named(part, cookie))),
            Self::Query(query) => values(headers, b":path").iter().any(|path| {
                let start = path.iter().position(|byte| *byte == b'?').unwrap_or(path.len());
                let behind = path.get(start + 1..).unwrap_or_default();
                behind.split(|byte| *byte == b'&').any(|part| is_named(part, query))
            }),
        }
    }
}

impl Credentials {
    pub fn of(config: &Value) -> Self {
        let default = json!([{ "header": "authorization", "scheme": "Bearer" }]);
        let mut places: Vec<Place> = Vec::new();
        for (name, issuer) in config["issuers"].as_object().into_iter().flatten() {
            for written in issuer.get("sources").unwrap_or(&default).as_array().into_iter().flatten() {
                let source = Source::of(written);
                let reader = (name.clone(), written["forward"].as_str().unwrap_or("none").to_owned());
                match places.iter_mut().find(|place| place.source == source) {
                    Some(place) => place.readers.push(reader),
                    None => places.push(Place { source, readers: vec![reader] }),
                }
            }
        }
        Self(places)
    }

    /// A header by which a client presents this token at the first place of an issuer.
    pub fn present(issuer: &Value, token: &str) -> (Vec<u8>, Vec<u8>) {
        let default = json!({ "header": "authorization", "scheme": "Bearer" });
        Source::of(issuer.pointer("/sources/0").unwrap_or(&default)).present(token)
    }

    /// Whether a header of this name carries a credential, or is one to servers that fold names.
    pub fn guards(&self, name: &[u8]) -> bool {
        !name.starts_with(b":")
            && self
                .0
                .iter()
                .filter_map(|place| place.source.header())
                .any(|header| fold(header.as_bytes()) == fold(name))
    }

    /// Whether the door may write what a client sent there, without its credential.
    pub fn rewrites(&self, name: &str) -> bool {
        self.0.iter().any(|place| match place.source {
            Source::Cookie(_) => name == "cookie",
            Source::Query(_) => name == ":path",
            Source::Bearer { .. } | Source::Header(_) => false,
        })
    }

    /// What goes on, where this issuer, if any, has verified the request's token.
    pub fn check(&self, by: Option<&str>, forwarded: &Headers) {
        for Place { source, readers } in &self.0 {
            let lets_pass =
                |(name, forward): &(String, String)| Some(name.as_str()) == by && forward != "none";
            let stays =
                readers.iter().any(lets_pass) || readers.iter().all(|(_, forward)| forward == "always");
            assert!(stays || !source.is_in(forwarded), "a credential goes on");
        }
        for (name, _) in forwarded.iter().filter(|(name, _)| self.guards(name)) {
            let is_read =
                |place: &Place| place.source.header().is_some_and(|header| header.as_bytes() == name);
            assert!(self.0.iter().any(is_read), "{} goes on, which no issuer reads", name.escape_ascii());
        }
    }
}
