//! The keys of an outer door's contexts, published by the door itself: for whoever asks, and for inner doors.

use serde_json::{Value, json};

use super::mesh::{GATEWAY_KEY, good_token, issuer, signed};
use super::remote_door::until;
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Call, Response, call, get};
use crate::support::upstream::Upstream;
use crate::support::{keys, secrets};

const PATH: &str = "/.well-known/jwks.json";
/// RFC 7638 thumbprints, by OpenSSL's SHA-256.
const EC_256: &str = "IQPvSEA-C479tKavaQh0XSdd_BkxTsn0C6lmCXGDvgQ";
const EC_256B: &str = "fbBxJOwX_q3bYtSVuR753hf69nsKiJ8-L0KtvcKGWv8";
const PEM: &str = include_str!("../support/keys/ec-256.pem");
const AUDIENCE: &str = "mesh.test";
const GATEWAY: &str = "https://gateway.test";

/// An outer door that publishes, with a second way in that reaches it over HTTP/2, and the service behind it.
struct Publisher {
    envoy: Envoy,
    upstream: Upstream,
}

impl Publisher {
    fn start(more: &Value) -> Self {
        let upstream = Upstream::start();
        let variables = ["VESTIBULE_GATEWAY_KEY", "VESTIBULE_CONTEXT_KEY"].map(str::to_owned);
        let bootstrap = Bootstrap::of("outer.yaml")
            .configure("outer", &configuration(more))
            .environment("outer", variables.iter())
            .cluster("upstream", upstream.port())
            .behind_http2("outer", "front");
        let environment = [("VESTIBULE_GATEWAY_KEY", GATEWAY_KEY), ("VESTIBULE_CONTEXT_KEY", PEM.trim())];
        Self { envoy: Envoy::start(&bootstrap, &environment), upstream }
    }

    /// What the door answers, over HTTP/1.1 and over HTTP/2; nothing reaches the service.
    fn answers(&self, call: &Call) -> [Response; 2] {
        ["outer", "front"].map(|listener| {
            let response = call.send(self.envoy.port(listener));
            assert_eq!(self.upstream.arrival(&response), None, "{call:?} reached the service");
            response
        })
    }
}

/// The door's configuration: all other paths need a token.
fn configuration(more: &Value) -> Value {
    let mut configuration = json!({
        "door": "outer",
        "issuers": { "main": issuer() },
        "gatewayKey": { "key": { "env": "VESTIBULE_GATEWAY_KEY" }, "to": ["upstream"] },
        "context": { "mint": {
            "issuer": GATEWAY, "audience": AUDIENCE, "workload": "spiffe://mesh.test/gateway",
            "key": { "env": "VESTIBULE_CONTEXT_KEY" }, "announce": [public("ec-256b", EC_256B)], "publish": PATH,
        } },
        "routes": {
            "posted": { "methods": ["POST", "OPTIONS"], "paths": [PATH], "access": "authenticated" },
            "rest": { "paths": ["/{*rest}"], "access": "authenticated" },
        },
    });
    let members = more.as_object().expect("members").clone();
    configuration.as_object_mut().expect("an object").extend(members);
    configuration
}

fn public(name: &str, kid: &str) -> Value {
    let mut jwk = keys::named(name).public_jwk();
    for (member, value) in [("kid", kid), ("alg", "ES256"), ("use", "sig")] {
        jwk[member] = json!(value);
    }
    jwk
}

fn published() -> Value {
    json!({ "keys": [public("ec-256", EC_256), public("ec-256b", EC_256B)] })
}

/// What a client may bring that has no say here.
fn brought() -> Vec<(&'static str, Call)> {
    vec![
        ("nothing", get(PATH)),
        ("a query", get(format!("{PATH}?token=secret"))),
        ("a bad token", get(PATH).bearer("not.a.token")),
        ("two tokens", get(PATH).bearer("a").bearer("b")),
        ("a good token", get(PATH).bearer(&good_token())),
        (
            "forged headers",
            get(PATH).header("x-user-id", "root").header("X_Tenant_Id", "acme").header("txn-token", "a"),
        ),
        ("bytes that are no text", get(PATH).header("x-any", b"\xff\xfe")),
        ("another host", get(PATH).header("host", "elsewhere.test:1234")),
        ("a body", get(PATH).header("content-length", "5").body("hello")),
    ]
}

#[test]
fn get_and_head_are_answered_alike_over_both_protocols_whatever_else_they_bring() {
    let door = Publisher::start(&json!({}));
    for (what, call) in brought() {
        let got = door.answers(&call);
        let told = door.answers(&call.method("HEAD"));
        for (got, told) in got.iter().zip(&told) {
            assert_eq!((got.status, got.json()), (200, published()), "{what}: {}", got.text());
            assert_eq!((told.status, told.text().as_str()), (200, ""), "{what}");
            let length = got.text().len().to_string();
            for response in [got, told] {
                assert_eq!(
                    response.header("content-type").as_deref(),
                    Some("application/jwk-set+json"),
                    "{what}"
                );
                assert_eq!(
                    response.header("cache-control").as_deref(),
                    Some("public, max-age=300"),
                    "{what}"
                );
                assert_eq!(response.header("content-length"), Some(length.clone()), "{what}");
                assert_eq!(response.header("grpc-status"), None, "{what}");
            }
            assert!(!got.text().contains("\"d\""), "{what}");
        }
    }
    assert!(door.envoy.wait_for_log(&format!("outer GET {PATH} 200 vestibule_published")));
}

/// Envoy gives its own form to every answer to what says that it is gRPC, be it a GET: the body becomes the message.
/// A cache that took it for the set would give everybody an empty one.
#[test]
fn who_says_that_it_is_grpc_gets_no_error_and_nothing_that_a_cache_may_keep() {
    let door = Publisher::start(&json!({}));
    for content_type in ["application/grpc", "application/grpc+proto"] {
        for response in door.answers(&get(PATH).header("content-type", content_type)) {
            let header = |name: &str| response.header(name).unwrap_or_default();
            assert_eq!((response.status, header("grpc-status").as_str()), (200, "0"), "{content_type}");
            assert_eq!(serde_json::from_str::<Value>(&header("grpc-message")).ok(), Some(published()));
            assert_eq!(header("cache-control"), "no-store", "{content_type}");
        }
    }
    for response in door.answers(&get(PATH).header("content-type", "application/grpc-web")) {
        assert_eq!(response.json(), published());
    }
}

#[test]
fn another_method_and_another_path_are_on_a_route() {
    let door = Publisher::start(&json!({}));
    let permitted = |call: &Call| {
        let response = call.send(door.envoy.port("outer"));
        door.upstream
            .arrival(&response)
            .unwrap_or_else(|| panic!("{call:?}: {} {}", response.status, response.text()))
    };
    let denied = |call: &Call| {
        for response in door.answers(call) {
            assert_eq!(
                (response.status, response.code().as_deref()),
                (401, Some("credential_missing")),
                "{call:?}"
            );
        }
    };
    for method in ["POST", "OPTIONS", "PUT", "DELETE", "PATCH"] {
        let call = call(method, PATH).header("content-length", "0");
        denied(&call);
        assert_eq!(permitted(&call.bearer(&good_token())).values("x-user-id"), ["alice"], "{method}");
    }
    for path in [
        "/.well-known/jwks.jso",
        "/.well-known/jwks.json/a",
        "/.well-known/JWKS.json",
        "/a?/.well-known/jwks.json",
    ] {
        denied(&get(path));
        // No body says why.
        door.answers(&call("HEAD", path))
            .iter()
            .for_each(|response| assert_eq!(response.status, 401, "{path}"));
    }
}

#[test]
fn a_publication_is_counted_as_one_and_nothing_else() {
    let door = Publisher::start(&json!({ "report": { "until": until_tomorrow() } }));
    for response in door.answers(&get(PATH).bearer("not.a.token")) {
        assert_eq!(response.json(), published());
    }
    let counters = door.envoy.stats("wasmcustom.door=.=outer;.;decision=.=");
    let counted: Vec<_> = counters.into_iter().filter(|(_, count)| *count > 0).collect();
    let name = "wasmcustom.door=.=outer;.;decision=.=publish;.;code=.=_none;.;route=.=_none;.;issuer=.=_none;.;vestibule_decisions_total";
    assert_eq!(counted, [(name.to_owned(), 2)]);
}

fn until_tomorrow() -> String {
    let tomorrow = i64::try_from(super::mesh::now()).expect("the clock is not far ahead") + 24 * 60 * 60;
    jiff::Timestamp::from_second(tomorrow).expect("tomorrow is a date").to_string()
}

/// An inner door whose contexts' keys are those that the outer door publishes. It believes the key that signs, and the
/// one that is announced, before any token was signed by it.
#[test]
fn an_inner_door_believes_the_keys_that_the_outer_door_publishes() {
    let outer = Publisher::start(&json!({}));
    let service = Upstream::start();
    let remote = json!({ "url": format!("http://gateway.test{PATH}"), "cluster": "gateway" });
    let configuration = json!({
        "door": "inner",
        "context": { "require": { "issuer": GATEWAY, "audience": AUDIENCE, "keys": [{ "remote": remote }] } },
    });
    let bootstrap = Bootstrap::of("inner.yaml")
        .configure("inner", &configuration)
        .cluster("gateway", outer.envoy.port("outer"))
        .cluster("service", service.port());
    let inner = Envoy::start(&bootstrap, &[]);
    let send = |key: &str, kid: &str| {
        let header = json!({ "alg": "ES256", "typ": "txntoken+jwt", "kid": kid });
        let payload = json!({
            "iss": GATEWAY, "aud": AUDIENCE, "sub": "alice", "txn": "7b1f", "scope": "", "iat": { "$now": 0 },
            "exp": { "$now": 60 }, "tctx": { "tenant": "acme", "issuer": "main" },
        });
        let context = signed(&json!({ "key": key, "header": header, "payload": payload }));
        secrets::remember(context.as_bytes());
        get("/orders").header("txn-token", context).send(inner.port("inner"))
    };
    // The doors start at the same time.
    let arrival = until("the inner door has the keys", || service.arrival(&send("ec-256", EC_256)));
    assert_eq!(
        (arrival.values("x-user-id"), arrival.values("x-tenant-id")),
        (vec!["alice".to_owned()], vec!["acme".to_owned()])
    );
    let announced = service.arrival(&send("ec-256b", EC_256B)).expect("an announced key is believed");
    assert_eq!(announced.values("x-user-id"), ["alice"]);
    let response = get("/orders").bearer(&good_token()).send(outer.envoy.port("outer"));
    let minted = outer.upstream.arrival(&response).expect("a good token passes").values("txn-token");
    let [minted] = &minted[..] else { panic!("not one context: {}", minted.len()) };
    let response = get("/orders").header("txn-token", minted).send(inner.port("inner"));
    let arrival = service.arrival(&response).expect("what the outer door minted is believed");
    assert_eq!(arrival.values("x-user-id"), ["alice"]);
    for (key, kid) in [("ec-256b", EC_256), ("rsa-1", EC_256), ("ec-256", "another")] {
        let response = send(key, kid);
        assert_eq!(
            (response.status, response.code().as_deref()),
            (403, Some("context_invalid")),
            "{key} as {kid}"
        );
    }
}
