//! `make demo`: both doors in a real Envoy, and what becomes of one request after another.
//!
//! Starts `envoy/mesh.yaml` with an issuer key, a gateway key and certificates made for this run and known to
//! nobody else, sends the requests of [`cases`], and shows for each what came back and what the service
//! behind the doors saw. Ends with 1 if anything is not as expected.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a demo that cannot go on ends with the reason"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};
use support::bootstrap::Bootstrap;
use support::certificates::{self, Authority};
use support::envoy::Envoy;
use support::http::{Call, Response, call, get};
use support::keys::{self, TestKey};
use support::token;

/// One request and what is to become of it.
struct Case {
    sent: &'static str,
    to: &'static str,
    request: fn(&World) -> Call,
    expected: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// The service answered, and of the headers in [`TELLING`], and of those with a forged value, exactly
    /// these had reached it.
    Served(Vec<(String, String)>),
    /// A door answered, with this status and code; nothing reached the service.
    Refused(u16, String),
    /// No door answered: the connection ended as the certificate was looked at.
    TurnedAway,
}

/// The headers whose arrival at the service says whether the doors did their work.
const TELLING: [&str; 5] =
    ["x-user-id", "x-tenant-id", "x-user-permissions", "authorization", "x-gateway-key"];

#[rustfmt::skip] // a table
fn cases() -> Vec<Case> {
    let alice = || Outcome::Served(
        [("x-tenant-id", "acme"), ("x-user-id", "alice"), ("x-user-permissions", "blog:read")]
            .map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
    );
    let nobody = || Outcome::Served(Vec::new());
    let refused = |status, code: &str| Outcome::Refused(status, code.to_owned());
    let case = |sent, to, expected, request: fn(&World) -> Call| Case { sent, to, request, expected };
    vec![
        case("no token",                             "outer", refused(401, "credential_missing"),    |_| get("/")),
        case("a good token",                         "outer", alice(),                               |w| w.good()),
        case("a good token, X-Tenant-ID: evil",      "outer", alice(),                               |w| w.good().header("X-Tenant-ID", "evil")),
        case("a good token, x_tenant_id: evil",      "outer", alice(),                               |w| w.good().header("x_tenant_id", "evil")),
        case("a good token, x.tenant.id: evil",      "outer", alice(),                               |w| w.good().header("x.tenant.id", "evil")),
        case("a good token, x-tenant-id: evil twice", "outer", alice(),                               |w| w.good().header("x-tenant-id", "evil").header("x-tenant-id", "evil")),
        case("two authorization headers",            "outer", refused(400, "header_malformed"),      |w| w.good().bearer(&w.token(&json!({})))),
        case("an expired token",                     "outer", refused(401, "token_expired"),         |w| w.with(&json!({ "payload": { "exp": { "$now": -3600 } } }))),
        case("a token for another audience",         "outer", refused(401, "audience_mismatch"),     |w| w.with(&json!({ "payload": { "aud": "https://shop.example.com" } }))),
        case("a token of another issuer",            "outer", refused(401, "issuer_unknown"),        |w| w.with(&json!({ "payload": { "iss": "https://elsewhere.example.com" } }))),
        case("alg: none and no signature",           "outer", refused(401, "token_malformed"),       |w| w.with(&json!({ "header": { "alg": "none" }, "signatureBase64": "" }))),
        case("alg: none and the signature left on",  "outer", refused(401, "algorithm_not_allowed"), |w| w.with(&json!({ "header": { "alg": "none" } }))),
        case("HS256 with the public key as secret",  "outer", refused(401, "algorithm_not_allowed"), |w| w.with(&json!({ "header": { "alg": "HS256" }, "sign": { "alg": "HS256", "secretPem": "demo" } }))),
        case("a tampered signature",                 "outer", refused(401, "signature_invalid"),     |w| w.with(&json!({ "tamper": "signature" }))),
        case("a tampered payload",                   "outer", refused(401, "signature_invalid"),     |w| w.with(&json!({ "tamper": "payload" }))),
        case("a token without a tenant",             "outer", refused(403, "tenant_missing"),        |w| w.with(&json!({ "payload": { "tenant_id": null } }))),
        case("GET /blog/1 with blog:read",           "outer", alice(),                               |w| get("/blog/1").bearer(&w.token(&json!({})))),
        case("DELETE /blog/1 with blog:read",        "outer", refused(403, "permission_missing"),    |w| call("DELETE", "/blog/1").bearer(&w.token(&json!({})))),
        case("PATCH /blog/1, of which no route is",  "outer", refused(403, "route_denied"),          |w| call("PATCH", "/blog/1").bearer(&w.token(&json!({})))),
        case("GET /blog/1;x=/healthz",               "outer", refused(400, "path_ambiguous"),        |w| get("/blog/1;x=/healthz").bearer(&w.token(&json!({})))),
        case("GET /healthz without a token",         "outer", nobody(),                              |_| get("/healthz").header("x-user-id", "evil")),
        case("to the inner door, no gateway key",    "peer", refused(403, "gateway_key_missing"),    |_| as_gateway()),
        case("to the inner door, a wrong one",       "peer", refused(403, "gateway_key_invalid"),    |_| as_gateway().header("x-gateway-key", "0123456789012345678901234567890123456789012")),
        case("to the inner door, a good token",      "peer", refused(403, "gateway_key_missing"),    |w| as_gateway().bearer(&w.token(&json!({})))),
        case("the gateway key, but no certificate",  "stranger", Outcome::TurnedAway,                |w| as_gateway().header("x-gateway-key", &w.gateway_key)),
        case("the gateway key, a forged certificate", "forger", Outcome::TurnedAway,                 |w| as_gateway().header("x-gateway-key", &w.gateway_key)),
    ]
}

/// What somebody would send who has found the way past the gateway.
fn as_gateway() -> Call {
    get("/")
        .header("x-user-id", "alice")
        .header("x-tenant-id", "acme")
        .header("x-user-permissions", "blog:write")
}

fn main() -> ExitCode {
    if let Some(name) = ["ENVOY", "VESTIBULE_WASM"].into_iter().find(|name| std::env::var_os(name).is_none())
    {
        eprintln!("{name} is not set: run `make demo`");
        return ExitCode::FAILURE;
    }
    let world = World::start();
    let cases = cases();
    let mut differences = Vec::new();
    let mut rows = vec![["", "SENT", "STATUS", "CODE", "WHAT THE SERVICE SAW"].map(str::to_owned)];
    for case in &cases {
        let (response, outcome) = world.play(case);
        let (code, seen) = match &outcome {
            Outcome::Refused(_, code) => (code.clone(), "nothing".to_owned()),
            Outcome::Served(headers) => (String::new(), show(headers)),
            Outcome::TurnedAway => ("no connection".to_owned(), "nothing".to_owned()),
        };
        let agrees = outcome == case.expected;
        let mark = if agrees { "ok" } else { "DIFFERS" };
        // Where no connection came about, the caller's own Envoy answers.
        let status =
            if outcome == Outcome::TurnedAway { "-".to_owned() } else { response.status.to_string() };
        rows.push([mark, case.sent, &status, &code, &seen].map(str::to_owned));
        if !agrees {
            differences.push(format!("{}\n  expected {}\n  got      {outcome}", case.sent, case.expected));
        }
    }
    print_table(&rows);
    world.finish(cases.len(), &differences)
}

/// Both doors and a service in one Envoy, and the issuer whose tokens the outer door believes.
struct World {
    envoy: Envoy,
    issuer: Arc<TestKey>,
    gateway_key: String,
    payload: Value,
}

impl World {
    fn start() -> Self {
        println!("Making an issuer key, a gateway key and certificates for this run.");
        let issuer = keys::fresh_rsa("demo");
        let gateway_key = keys::random_text();

        // The file as it stands but for the issuer's key, the certificates, and ports that are free on this
        // machine.
        let mut mesh = Bootstrap::of("mesh.yaml");
        let mut outer = mesh.configuration("outer");
        outer["issuers"]["main"]["keys"] = json!([{ "jwks": { "keys": [issuer.public_jwk()] } }]);
        let main = &outer["issuers"]["main"];
        let payload = json!({
            "iss": main["issuer"], "aud": main["audiences"], "sub": "alice", "tenant_id": "acme",
            "permissions": ["blog:read"], "iat": { "$now": 0 }, "exp": { "$now": 300 },
        });
        // Who goes past the gateway: another service of the mesh, somebody without a certificate, and
        // somebody with one that only says that it is the gateway's.
        let authority = &certificates::of_this_run().authority;
        let mesh = mesh
            .configure("outer", &outer)
            .caller("peer", "inner", Some(&authority.peer(certificates::ORDERS)))
            .caller("stranger", "inner", None)
            .caller("forger", "inner", Some(&Authority::fresh().peer(certificates::GATEWAY)));

        println!("Starting Envoy with envoy/mesh.yaml.");
        let envoy = Envoy::start(&mesh, &[("VESTIBULE_GATEWAY_KEY", &gateway_key)]);
        let port = |name| envoy.port(name);
        println!(
            "\n  client ──> :{} outer door ══ mTLS ══> :{} inner door ──> :{} service\n",
            port("outer"),
            port("inner"),
            port("upstream")
        );
        Self { envoy, issuer, gateway_key, payload }
    }

    /// A request with a good token.
    fn good(&self) -> Call {
        self.with(&json!({}))
    }

    /// A request with a token that differs from a good one in this.
    fn with(&self, changes: &Value) -> Call {
        get("/").bearer(&self.token(changes))
    }

    fn token(&self, changes: &Value) -> String {
        let mut spec = json!({ "key": self.issuer.name(), "payload": self.payload });
        for (name, change) in changes.as_object().into_iter().flatten() {
            match (spec.get_mut(name).and_then(Value::as_object_mut), change.as_object()) {
                (Some(members), Some(changes)) => members.extend(changes.clone()),
                _ => spec[name] = change.clone(),
            }
        }
        // A claim that is null would be there; what the cases mean by null is that it is not.
        spec["payload"].as_object_mut().expect("a payload is an object").retain(|_, value| !value.is_null());
        token::mint_with(&spec, now(), &|_| Arc::clone(&self.issuer))
    }

    /// Sends a case's request, and looks at both ends: the client's and the service's.
    fn play(&self, case: &Case) -> (Response, Outcome) {
        let before = self.served();
        let response = (case.request)(self).send(self.envoy.port(case.to));
        let outcome = if self.served() > before {
            // The service answers with the headers that reached it.
            let seen = response.json();
            let headers = seen.as_object().into_iter().flatten();
            let copies = headers.flat_map(|(name, values)| {
                values.as_array().into_iter().flatten().map(|value| (name.clone(), text(value)))
            });
            let telling = copies.filter(|(name, value)| TELLING.contains(&&**name) || value.contains("evil"));
            Outcome::Served(telling.collect())
        } else if response.status == 503 && response.text().starts_with("upstream connect error") {
            Outcome::TurnedAway
        } else {
            Outcome::Refused(response.status, response.code().unwrap_or_default())
        };
        (response, outcome)
    }

    /// How many requests have reached the service.
    fn served(&self) -> u64 {
        self.envoy.stats("http.upstream.downstream_rq_total").into_values().sum()
    }

    fn finish(self, sent: usize, differences: &[String]) -> ExitCode {
        if differences.is_empty() {
            println!("\n{sent} requests, each as expected. Next: envoy/README.md does the same by hand.");
            return ExitCode::SUCCESS;
        }
        println!("\n{}", differences.join("\n"));
        println!(
            "\n{} of {sent} requests were not answered as expected. Envoy's log: {}",
            differences.len(),
            self.envoy.log_path().display()
        );
        ExitCode::FAILURE
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Served(headers) => write!(f, "served, with {}", show(headers)),
            Self::Refused(status, code) => write!(f, "{status} {code}"),
            Self::TurnedAway => f.write_str("no connection"),
        }
    }
}

fn show(headers: &[(String, String)]) -> String {
    if headers.is_empty() {
        return "no identity".to_owned();
    }
    // A token would fill the screen.
    let short = |value: &String| match value.char_indices().nth(24) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.clone(),
    };
    headers.iter().map(|(name, value)| format!("{name}={}", short(value))).collect::<Vec<_>>().join(" ")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn print_table(rows: &[[String; 5]]) {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [0, 1, 2, 3, 4].map(width);
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        println!("{}", cells.join("  ").trim_end());
    }
}

fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("the clock is past 1970")
        .as_secs()
}
