//! The fixture: a door from `envoy/`, or both in a row, in front of a service that remembers what reached it.

use serde_json::{Value, json};

use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Call, Response};
use crate::support::upstream::{Arrival, Upstream};
use crate::support::{keys, token};

pub const ISSUER: &str = "https://issuer.example.com";
pub const AUDIENCE: &str = "https://api.example.com";
pub const GATEWAY_KEY: &str = "the-gateway-key-of-the-tests-0123456789";
/// The key that signs contexts.
pub const CONTEXT_KEY: &str = include_str!("../support/keys/ec-256.pem");
pub const ENVIRONMENT: [(&str, &str); 2] =
    [("VESTIBULE_GATEWAY_KEY", GATEWAY_KEY), ("VESTIBULE_CONTEXT_KEY", CONTEXT_KEY)];

/// One door and the service behind it.
pub struct Door {
    pub envoy: Envoy,
    pub upstream: Upstream,
    listener: &'static str,
}

impl Door {
    /// An outer door with this configuration.
    pub fn outer(configuration: &Value) -> Self {
        let upstream = Upstream::start();
        let bootstrap = Bootstrap::of("outer.yaml")
            .configure("outer", configuration)
            .cluster("upstream", upstream.port());
        Self { envoy: Envoy::start(&bootstrap, &ENVIRONMENT), upstream, listener: "outer" }
    }

    /// An inner door with this configuration.
    pub fn inner(configuration: &Value) -> Self {
        let upstream = Upstream::start();
        let bootstrap = inner_bootstrap(configuration).cluster("service", upstream.port());
        Self { envoy: Envoy::start(&bootstrap, &ENVIRONMENT), upstream, listener: "inner" }
    }

    /// Sends a request, and says what came back and what reached the service.
    pub fn send(&self, call: &Call) -> (Response, Option<Arrival>) {
        let response = call.send(self.envoy.port(self.listener));
        let arrival = self.upstream.arrival(&response);
        (response, arrival)
    }

    /// Sends a request that is to be permitted.
    pub fn permitted(&self, call: &Call) -> Arrival {
        let (response, arrival) = self.send(call);
        arrival.unwrap_or_else(|| panic!("{call:?} was answered {} {}", response.status, response.text()))
    }

    /// Sends a request that is to be denied for this reason.
    pub fn denied(&self, call: &Call, code: &str) -> Response {
        let (response, arrival) = self.send(call);
        assert_eq!(arrival, None, "{call:?} reached the service");
        assert_eq!(
            response.code().as_deref(),
            Some(code),
            "{call:?} was answered {} {}",
            response.status,
            response.text()
        );
        response
    }
}

/// Both doors, each an Envoy of its own, and the service behind them.
pub struct Mesh {
    pub outer: Envoy,
    pub inner: Envoy,
    pub upstream: Upstream,
}

impl Mesh {
    pub fn start() -> Self {
        let upstream = Upstream::start();
        let inner = Envoy::start(
            &inner_bootstrap(&inner_configuration()).cluster("service", upstream.port()),
            &ENVIRONMENT,
        );
        let outer = Bootstrap::of("outer.yaml").configure("outer", &outer_configuration());
        let outer = Envoy::start(&outer.cluster("upstream", inner.port("inner")), &ENVIRONMENT);
        Self { outer, inner, upstream }
    }
}

/// What `envoy/outer.yaml` says, with keys that the tests can sign with.
pub fn outer_configuration() -> Value {
    json!({
        "door": "outer",
        "issuers": { "main": issuer() },
        "gatewayKey": { "key": { "env": "VESTIBULE_GATEWAY_KEY" }, "to": ["upstream"] },
    })
}

pub fn issuer() -> Value {
    json!({ "issuer": ISSUER, "audiences": [AUDIENCE], "keys": [{ "jwks": keys::jwks(&["rsa-1", "ec-256", "ec-384", "ec-521"]) }] })
}

/// What `envoy/inner.yaml` says, with a gateway key that the tests know.
pub fn inner_configuration() -> Value {
    json!({ "door": "inner", "entrances": { "gateway": { "keys": { "first": { "env": "VESTIBULE_GATEWAY_KEY" } } } } })
}

fn inner_bootstrap(configuration: &Value) -> Bootstrap {
    let variables = ENVIRONMENT.map(|(name, _)| name.to_owned());
    Bootstrap::of("inner.yaml").configure("inner", configuration).environment("inner", variables.iter())
}

/// What a good token says.
pub fn good_payload() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "tenant_id": "acme", "permissions": ["blog:read", "blog:write"],
        "iat": { "$now": -10 }, "exp": { "$now": 300 },
    })
}

/// A token that every door here accepts.
pub fn good_token() -> String {
    signed(&json!({ "key": "rsa-1", "payload": good_payload() }))
}

/// A token by its description, for the present.
pub fn signed(spec: &Value) -> String {
    token::mint(spec, now())
}

pub fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("the clock is past 1970")
        .as_secs()
}
