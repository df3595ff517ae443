//! The requests of `istio/requests.json`, which pass or are refused as it says.

use serde_json::Value;

use super::mesh::{HOST, Mesh, mesh, token_with};
use crate::support::http::call as call_to;
use crate::support::table::{Row, Table, Words, denied, refused, served};

/// Whom blog calls.
const ORDERS: &str = "orders.shop.svc.cluster.local";

/// What the words of the table stand for in this mesh.
struct MeshWords<'m> {
    mesh: &'m Mesh,
    table: &'m Table,
}

impl Words for MeshWords<'_> {
    fn gateway_key(&self) -> String {
        self.mesh.gateway_key.clone()
    }

    fn context(&self) -> String {
        self.mesh.context()
    }

    fn token(&self, name: &str) -> String {
        token_with(&self.table.tokens[name])
    }
}

/// What comes of a request, in the words of the file.
fn outcome(words: &MeshWords<'_>, row: &Row) -> Value {
    let host = if row.from == "blog" { ORDERS } else { HOST };
    let call = call_to(&row.method, &row.path).header("host", host);
    let call = row.headers(words).into_iter().fold(call, |call, (name, value)| call.header(name, value));
    let response = words.mesh.send(&row.from, &call);
    if let Some(arrival) = words.mesh.arrival(&response) {
        return served(arrival.headers.iter().map(|(name, value)| {
            (String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned())
        }));
    }
    // The caller's own Envoy answers where it gets no connection.
    match response.code() {
        None if response.status == 503 && response.text().starts_with("upstream connect error") => refused(),
        _ => denied(&response),
    }
}

#[test]
fn every_request_of_the_table_passes_or_is_refused_as_it_says() {
    let mesh = mesh();
    let table = Table::read();
    let words = MeshWords { mesh: &mesh, table: &table };
    let differences = table.differences(|row| outcome(&words, row));
    assert_eq!(differences, Vec::<String>::new(), "{}", mesh.logs());
}
