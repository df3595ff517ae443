//! The requests of `istio/requests.json`, which pass or are refused as it says.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::mesh::{HOST, Mesh, mesh, token_with};
use crate::support::http::{Call, call as call_to};

/// The headers whose arrival at a service says whether the doors did their work.
const TELLING: [&str; 5] =
    ["x-user-id", "x-tenant-id", "x-user-permissions", "authorization", "x-gateway-key"];

/// Whom blog calls.
const ORDERS: &str = "orders.shop.svc.cluster.local";

fn table() -> Value {
    serde_json::from_str(include_str!("../../istio/requests.json")).expect("the requests are JSON")
}

fn text<'v>(value: &'v Value, member: &str) -> Option<&'v str> {
    value[member].as_str()
}

/// The request that a row describes.
fn call(mesh: &Mesh, tokens: &Value, row: &Value) -> Call {
    let path = text(row, "path").unwrap_or("/blog/1");
    let host = if row["from"] == "blog" { ORDERS } else { HOST };
    let mut call = call_to(text(row, "method").unwrap_or("GET"), path).header("host", host);
    if let Some(name) = text(row, "token") {
        assert!(tokens[name].is_object(), "there is no token {name}");
        call = call.bearer(&token_with(&tokens[name]));
    }
    for header in row["headers"].as_array().into_iter().flatten() {
        let [name, value] = [0, 1].map(|at| header[at].as_str().expect("a header is a name and a value"));
        let mut value = value.replace("$gatewayKey", &mesh.gateway_key);
        if value.contains("$context") {
            value = value.replace("$context", &mesh.context());
        }
        call = call.header(name, value.replace("$token", &token_with(&json!({}))));
    }
    call
}

/// What came of it, in the words of the file.
fn outcome(mesh: &Mesh, from: &str, call: &Call) -> Value {
    let response = mesh.send(from, call);
    if let Some(arrival) = mesh.arrival(&response) {
        let headers = arrival.headers.iter().map(|(name, value)| {
            (String::from_utf8_lossy(name).to_lowercase(), String::from_utf8_lossy(value).into_owned())
        });
        let telling: BTreeMap<String, String> = headers
            .filter(|(name, value)| TELLING.contains(&name.as_str()) || value.contains("evil"))
            .collect();
        return json!({ "served": telling });
    }
    // The caller's own Envoy answers where it gets no connection.
    match response.code() {
        None if response.status == 503 && response.text().starts_with("upstream connect error") => {
            json!({ "connection": "refused" })
        }
        code => json!({ "status": response.status, "code": code }),
    }
}

#[test]
fn every_request_of_the_table_passes_or_is_refused_as_it_says() {
    let mesh = mesh();
    let table = table();
    let rows = table["requests"].as_array().expect("there are requests");
    let mut differences = Vec::new();
    for row in rows {
        let from = text(row, "from").expect("a request is from somebody");
        let outcome = outcome(&mesh, from, &call(&mesh, &table["tokens"], row));
        println!("{:50} {outcome}", text(row, "name").unwrap_or_default());
        if outcome != row["expect"] {
            differences.push(format!("{}: expected {}, got {outcome}", row["name"], row["expect"]));
        }
    }
    assert!(differences.is_empty(), "{}\n{}", differences.join("\n"), mesh.logs());
    assert!(rows.len() > 30);
}
