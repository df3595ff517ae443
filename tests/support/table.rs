//! The table of `istio/requests.json`: what is sent at both doors, and what must become of it.
//!
//! It knows neither where the doors are nor how a request gets there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::http::Response;

/// The headers whose arrival at a service says whether the doors did their work.
const TELLING: [&str; 5] =
    ["x-user-id", "x-tenant-id", "x-user-permissions", "authorization", "x-gateway-key"];

/// The whole of it.
pub struct Table {
    /// What is different from a good token, by name.
    pub tokens: Map<String, Value>,
    requests: Vec<Row>,
}

/// One request.
pub struct Row {
    pub name: String,
    pub from: String,
    pub method: String,
    pub path: String,
    /// The name of a token.
    pub token: Option<String>,
    headers: Vec<(String, String)>,
    pub expect: Value,
}

/// What the words with a `$` stand for.
pub trait Words {
    fn gateway_key(&self) -> String;
    fn context(&self) -> String;
    /// The token of this name.
    fn token(&self, name: &str) -> String;
}

impl Table {
    /// Reads it.
    pub fn read() -> Self {
        let table: Value = serde_json::from_str(include_str!("../../istio/requests.json"))
            .unwrap_or_else(|error| panic!("istio/requests.json: {error}"));
        let tokens = table["tokens"].as_object().expect("there are tokens").clone();
        let requests: Vec<Row> =
            table["requests"].as_array().expect("there are requests").iter().map(Row::parse).collect();
        for row in &requests {
            let known = row.token.as_ref().is_none_or(|name| tokens.contains_key(name));
            assert!(known, "{}: there is no token {:?}", row.name, row.token);
        }
        let names: BTreeSet<&str> = requests.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names.len(), requests.len(), "each request has a name of its own");
        assert!(names.len() > 30);
        Self { tokens, requests }
    }

    /// The requests, in their order.
    pub fn requests(&self) -> &[Row] {
        &self.requests
    }

    /// Sends every request, and says which came to something else than is expected.
    pub fn differences(&self, send: impl Fn(&Row) -> Value) -> Vec<String> {
        let mut differences = Vec::new();
        for row in &self.requests {
            let outcome = send(row);
            println!("{:50} {outcome}", row.name);
            if outcome != row.expect {
                differences.push(format!("{}: expected {}, got {outcome}", row.name, row.expect));
            }
        }
        differences
    }
}

impl Row {
    fn parse(row: &Value) -> Self {
        let known = ["name", "from", "method", "path", "token", "headers", "expect"];
        let members = row.as_object().unwrap_or_else(|| panic!("{row} is no request"));
        let unknown: Vec<_> = members.keys().filter(|name| !known.contains(&name.as_str())).collect();
        assert!(unknown.is_empty(), "{row}: what is {unknown:?}?");
        let text = |name: &str| {
            members.get(name).map(|value| {
                value.as_str().unwrap_or_else(|| panic!("{row}: `{name}` is no text")).to_owned()
            })
        };
        let needed = |name: &str| text(name).unwrap_or_else(|| panic!("{row}: there is no `{name}`"));
        let headers = row["headers"].as_array().into_iter().flatten();
        let headers = headers.map(|header| {
            serde_json::from_value(header.clone()).unwrap_or_else(|error| panic!("{header}: {error}"))
        });
        Self {
            name: needed("name"),
            from: needed("from"),
            method: text("method").unwrap_or_else(|| "GET".to_owned()),
            path: text("path").unwrap_or_else(|| "/blog/1".to_owned()),
            token: text("token"),
            headers: headers.collect(),
            expect: row["expect"].clone(),
        }
    }

    /// The headers, in the order in which they are sent.
    pub fn headers(&self, words: &impl Words) -> Vec<(String, String)> {
        let token = self.token.as_ref().map(|name| format!("Bearer {}", words.token(name)));
        let mut headers: Vec<_> =
            token.into_iter().map(|value| ("authorization".to_owned(), value)).collect();
        for (name, value) in &self.headers {
            let mut value = value.clone();
            if value.contains("$gatewayKey") {
                value = value.replace("$gatewayKey", &words.gateway_key());
            }
            if value.contains("$context") {
                value = value.replace("$context", &words.context());
            }
            if value.contains("$token") {
                value = value.replace("$token", &words.token("good"));
            }
            headers.push((name.clone(), value));
        }
        headers
    }
}

/// That a service got the request, with these headers.
pub fn served(headers: impl Iterator<Item = (String, String)>) -> Value {
    let mut telling = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in headers {
        let name = name.to_lowercase();
        if TELLING.contains(&name.as_str()) || value.contains("evil") {
            telling.entry(name).or_default().push(value);
        }
    }
    // Of a header that came twice both copies count.
    let telling: BTreeMap<_, _> =
        telling.into_iter().map(|(name, values)| (name, values.join(", "))).collect();
    json!({ "served": telling })
}

/// That a door, or whoever stands before it, answered.
pub fn denied(response: &Response) -> Value {
    json!({ "status": response.status, "code": response.code() })
}

/// That TLS ended before there was a request.
pub fn refused() -> Value {
    json!({ "connection": "refused" })
}
