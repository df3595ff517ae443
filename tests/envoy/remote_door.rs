//! The fixture: an outer door whose issuer publishes its keys, and the server that publishes them.

use std::sync::LazyLock;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::mesh::{AUDIENCE, ENVIRONMENT, GATEWAY_KEY, ISSUER, good_payload, signed};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Call, Response, get};
use crate::support::jwks_server::JwksServer;
use crate::support::upstream::{Arrival, Upstream};
use crate::support::{keys, secrets};

/// How long a test waits for what must happen before it fails. No test is about this time.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How soon after the first good answer requests pass: the acceptance of the whole feature, and no promise.
pub const HEALED: Duration = Duration::from_secs(2);

/// Stands in the query of the issuer's URL and in no line of the filter's log.
static QUERY_SECRET: LazyLock<String> = LazyLock::new(|| {
    let secret = keys::random_text();
    secrets::remember(secret.as_bytes());
    secret
});

/// A door, its issuer, and the service behind it.
pub struct RemoteDoor {
    pub envoy: Envoy,
    pub issuer: JwksServer,
    pub upstream: Upstream,
}

impl RemoteDoor {
    /// A door whose requests wait for up to ten seconds, so that a loaded machine is no reason for a denial.
    pub fn start(issuer: JwksServer) -> Self {
        Self::configured(issuer, |_| {})
    }

    /// The same with a changed configuration.
    pub fn configured(issuer: JwksServer, change: impl FnOnce(&mut Value)) -> Self {
        let upstream = Upstream::start();
        let mut configuration = configuration(issuer.port());
        change(&mut configuration);
        let bootstrap = bootstrap(&configuration, issuer.port(), upstream.port());
        Self { envoy: Envoy::start(&bootstrap, &ENVIRONMENT), issuer, upstream }
    }

    /// Where clients connect.
    pub fn port(&self) -> u16 {
        self.envoy.port("outer")
    }

    /// Waits until so many requests are under way.
    pub fn wait_for_active(&self, count: usize) {
        wait_for_active(&self.envoy, "outer", count);
    }

    /// What reached the service of a request that was answered so.
    pub fn arrival(&self, response: &Response) -> Arrival {
        self.upstream
            .arrival(response)
            .unwrap_or_else(|| panic!("it was answered {} {}", response.status, response.text()))
    }
}

/// The configuration of the door.
pub fn configuration(issuer: u16) -> Value {
    json!({
        "door": "outer",
        "issuers": { "main": { "issuer": ISSUER, "audiences": [AUDIENCE], "keys": [remote(issuer)] } },
        "gatewayKey": { "key": { "env": "VESTIBULE_GATEWAY_KEY" }, "to": ["upstream"] },
        "limits": { "pause": "10s" },
    })
}

/// The keys of the issuer at this port, which may take its time.
pub fn remote(issuer: u16) -> Value {
    let url = format!("http://127.0.0.1:{issuer}/keys?access={}", *QUERY_SECRET);
    json!({ "remote": { "url": url, "cluster": "issuer", "timeout": "60s" } })
}

/// The door, the cluster of its issuer and the cluster of the service.
pub fn bootstrap(configuration: &Value, issuer: u16, upstream: u16) -> Bootstrap {
    Bootstrap::of("outer.yaml")
        .configure("outer", configuration)
        .cluster("issuer", issuer)
        .cluster("upstream", upstream)
}

/// A request with a good token by this key.
pub fn by(key: &str) -> Call {
    get("/").bearer(&token_by(key))
}

/// A good token by this key.
pub fn token_by(key: &str) -> String {
    signed(&json!({ "key": key, "payload": good_payload() }))
}

/// Whom the service behind the door must see.
pub fn assert_is_alice(arrival: &Arrival) {
    for (name, value) in
        [("x-user-id", "alice"), ("x-tenant-id", "acme"), ("x-user-permissions", "blog:read,blog:write")]
    {
        assert_eq!(arrival.values(name), [value], "{name}");
    }
    assert_eq!(arrival.values("x-gateway-key"), [GATEWAY_KEY]);
    assert_eq!(arrival.values("authorization"), [""; 0]);
}

/// That a request was refused for want of keys.
pub fn assert_unavailable(response: &Response) {
    assert_eq!(
        (response.status, response.code().as_deref()),
        (503, Some("keys_unavailable")),
        "{response:?}"
    );
    assert_eq!(response.header("retry-after").as_deref(), Some("1"));
    assert_eq!(response.header("www-authenticate"), None, "nothing is wrong with the credential");
}

/// That nothing happened to the filter which ought not to happen.
pub fn assert_no_errors(envoy: &Envoy) {
    let records = envoy.filter_log();
    let errors: Vec<&String> = records.iter().filter(|record| record.contains("][error][")).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// Waits until so many requests are under way at this door.
pub fn wait_for_active(envoy: &Envoy, door: &str, count: usize) {
    let name = format!("http.{door}.downstream_rq_active");
    let is_active = || envoy.stats(&name).into_values().sum::<u64>() == count as u64;
    until(&format!("{count} requests under way at the {door} door"), || is_active().then_some(()));
}

/// Requests that were sent at once, each by a client of its own.
pub struct Sent(Vec<JoinHandle<Response>>);

/// Sends these requests at once.
pub fn send_all(calls: impl IntoIterator<Item = Call>, port: u16) -> Sent {
    Sent(calls.into_iter().map(|call| thread::spawn(move || call.send(port))).collect())
}

impl Sent {
    /// Waits for the answers; they stand in the order of the requests.
    pub fn answers(self) -> Vec<Response> {
        self.0.into_iter().map(|client| client.join().expect("every request is answered")).collect()
    }
}

/// Tries until it succeeds.
///
/// # Panics
/// Where it does not.
pub fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(outcome) = attempt() {
            return outcome;
        }
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
