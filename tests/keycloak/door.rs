//! The fixture: an outer door in Envoy with the configuration of `docs/keycloak.md`, and the service behind
//! it.

use std::thread;

use serde_json::{Value, json};

use super::server::Keycloak;
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Call, Response, get};
use crate::support::upstream::{Arrival, Upstream};

const PAGE: &str = include_str!("../../docs/keycloak.md");

/// The cluster that the documented `url` stands for.
const CLUSTER: &str = "outbound|443||login.shop.example.com";

/// A door and the service behind it.
pub struct Door {
    pub envoy: Envoy,
    pub upstream: Upstream,
}

/// The configuration of the page: its first block of YAML.
fn documented() -> Value {
    let block = PAGE.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    serde_saphyr::from_str(block.expect("the page has a configuration"))
        .expect("the page's configuration is YAML")
}

impl Door {
    /// The documented door. Its requests may wait for as long as a loaded machine may take.
    pub fn start(keycloak: &Keycloak) -> Self {
        Self::configured(keycloak, |_| {})
    }

    /// The same with a changed configuration of its issuer.
    pub fn configured(keycloak: &Keycloak, change: impl FnOnce(&mut Value)) -> Self {
        let upstream = Upstream::start();
        let mut configuration = documented();
        configuration["limits"] = json!({ "pause": "10s" });
        change(&mut configuration["issuers"]["keycloak"]);
        let bootstrap = Bootstrap::of("outer.yaml")
            .configure("outer", &configuration)
            .environment("outer", [].iter())
            // By the name of the cluster that Istio makes of a ServiceEntry, but over plain HTTP.
            .cluster(CLUSTER, keycloak.port())
            .cluster("upstream", upstream.port());
        Self { envoy: Envoy::start_with(&bootstrap, &[], &["--log-level", "info"]), upstream }
    }

    /// Where clients connect.
    pub fn port(&self) -> u16 {
        self.envoy.port("outer")
    }

    /// How many answers with keys it has had, in all of its VMs.
    pub fn fetches(&self) -> u64 {
        let name = format!("cluster.{CLUSTER}.upstream_rq_200");
        self.envoy.stats(&name).into_values().sum()
    }

    /// What reached the service of a request with this token.
    #[track_caller]
    pub fn permitted(&self, request: &Call, token: &str) -> Arrival {
        let response = request.clone().bearer(token).send(self.port());
        let arrival = self.upstream.arrival(&response);
        arrival.unwrap_or_else(|| panic!("{request:?} was answered {} {}", response.status, response.text()))
    }

    /// Sends a request that is to be denied so.
    #[track_caller]
    pub fn denied(&self, request: &Call, token: &str, status: u16, code: &str) -> Response {
        let response = request.clone().bearer(token).send(self.port());
        assert_eq!(self.upstream.arrival(&response), None, "{request:?} reached the service");
        let answer = (response.status, response.code());
        assert_eq!(answer, (status, Some(code.to_owned())), "{request:?}: {}", response.text());
        response
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if thread::panicking() {
            let records = self.envoy.filter_log();
            let last = &records[records.len().saturating_sub(20)..];
            eprintln!(
                "the filter's last words, of {}:\n{}",
                self.envoy.log_path().display(),
                last.join("\n")
            );
        }
    }
}

/// A request that whoever has a tenant may send.
pub fn request() -> Call {
    get("/account")
}
