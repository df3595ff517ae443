//! The requests of `istio/requests.json`, which pass or are refused as it says.

use std::cell::OnceCell;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cluster::{Answer, Cluster};
use super::tokens;
use crate::support::table::{Row, Table, Words, denied, refused, served};

/// How long a new cluster may take until both doors have their module, and the keys of Keycloak.
const PATIENCE: Duration = Duration::from_secs(180);

/// What `istio/kind/region` says.
pub const ISSUER: &str = "https://login.kind.example.com/realms/kind";

/// What the words of the table stand for in this cluster.
pub struct ClusterWords<'c> {
    cluster: &'c Cluster,
    table: &'c Table,
    password: OnceCell<String>,
    expired: OnceCell<String>,
}

impl<'c> ClusterWords<'c> {
    pub fn new(cluster: &'c Cluster, table: &'c Table) -> Self {
        Self { cluster, table, password: OnceCell::new(), expired: OnceCell::new() }
    }

    /// A token as Keycloak issues it.
    fn issued(&self, name: &str) -> String {
        let (realm, client) = tokens::realm_and_client(name, &self.table.tokens[name]);
        let password =
            self.password.get_or_init(|| self.cluster.secret("keycloak", "keycloak-password", "password"));
        let response = self.cluster.log_in(realm, client, password);
        let token = response.json()["access_token"].as_str().map(str::to_owned);
        token.unwrap_or_else(|| panic!("{realm} {client}: {} {}", response.status, response.text()))
    }

    /// Has the token issued that must be past its end when it is sent.
    fn begin(&self) {
        self.expired.get_or_init(|| self.issued("expired"));
    }
}

impl Words for ClusterWords<'_> {
    fn gateway_key(&self) -> String {
        self.cluster.secret("istio-ingress", "vestibule-outer", "gateway-key-first")
    }

    fn context(&self) -> String {
        let headers = [("authorization".to_owned(), format!("Bearer {}", self.token("good")))];
        match self.cluster.send("client", "GET", "/blog/1", &headers) {
            Answer::Response(response) if response.header("x-echo").as_deref() == Some("blog") => {
                let context = arrived(&response.json()).find(|(name, _)| name == "txn-token");
                context.expect("blog receives a context with a good request").1
            }
            answer => panic!("a good request does not pass: {answer:?}"),
        }
    }

    fn token(&self, name: &str) -> String {
        let token = if name == "expired" {
            let token = self.expired.get_or_init(|| self.issued(name)).clone();
            thread::sleep(Duration::from_secs(tokens::seconds_until_the_end(&token, tokens::now())));
            token
        } else {
            self.issued(name)
        };
        tokens::check(name, &token, &self.table.tokens[name], ISSUER, tokens::now());
        tokens::spoilt(&token, &self.table.tokens[name])
    }
}

/// What comes of a request, in the words of the table.
pub fn outcome(words: &ClusterWords<'_>, row: &Row) -> Value {
    let headers = row.headers(words);
    let response = match words.cluster.send(&row.from, &row.method, &row.path, &headers) {
        Answer::Refused => return refused(),
        Answer::Nothing(why) => return json!({ "no answer": why }),
        Answer::Response(response) => response,
    };
    // Whom a caller calls, or somebody else has answered.
    let service = if matches!(row.from.as_str(), "blog" | "billing-to-orders") { "orders" } else { "blog" };
    if response.status != 200 || response.header("x-echo").as_deref() != Some(service) {
        return denied(&response);
    }
    served(arrived(&response.json()).map(|(name, value)| match name.as_str() {
        // Keycloak has roles in no order.
        "x-user-permissions" => {
            let mut permissions: Vec<_> = value.split(',').collect();
            permissions.sort_unstable();
            (name, permissions.join(","))
        }
        _ => (name, value),
    }))
}

/// The headers that reached the service, as it says.
fn arrived(echo: &Value) -> impl Iterator<Item = (String, String)> {
    let headers: Vec<(String, String)> =
        serde_json::from_value(echo["headers"].clone()).unwrap_or_else(|error| panic!("{echo}: {error}"));
    headers.into_iter()
}

#[test]
#[ignore = "it takes a cluster: make test-kind"]
fn every_request_of_the_table_passes_or_is_refused_as_it_says() {
    let cluster = Cluster::of_environment();
    let table = Table::read();
    let words = ClusterWords::new(&cluster, &table);
    words.begin();
    let good =
        table.requests().iter().find(|row| row.name == "a good token").expect("there is a good request");
    let start = Instant::now();
    while outcome(&words, good) != good.expect && start.elapsed() < PATIENCE {
        thread::sleep(Duration::from_secs(2));
    }
    let differences = table.differences(|row| outcome(&words, row));
    assert_eq!(differences, Vec::<String>::new());
}
