//! The doors that are measured: configurations as their operators would write them.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::support::keys;
use super::tokens::{AUDIENCE, CONTEXT_KEY, Form, GATEWAY, ISSUER, MESH, RSA_KEY, WORKLOAD, numbered_issuer};
use super::variants::{Filter, Requests, Variant, over};

/// What the inner door knows the gateway by.
pub const GATEWAY_KEY: &str = "a-gateway-key-for-the-benchmark-which-guards-nothing";
/// The variable of Envoy's environment that holds the key by which contexts are signed.
pub const MINT_KEY: &str = "VESTIBULE_MINT_KEY";
/// The clusters that a context is sent to.
pub const UPSTREAMS: [&str; 2] = ["upstream", "witness"];

/// The most routes that a door can have.
pub const MANY_ROUTES: usize = 10_000;
/// The most issuers.
const MANY_ISSUERS: usize = 100;

/// An outer door with one issuer and nothing else: three headers are injected.
pub fn outer() -> Value {
    json!({ "door": "outer", "issuers": { "main": issuer(ISSUER) } })
}

/// The same, with a permission to have on the route.
pub fn access() -> Value {
    let mut door = outer();
    let access = json!({ "permissions": ["orders:read"] });
    door["routes"] = json!({ "orders": { "paths": ["/v1/{service}/orders/{id}"], "access": access } });
    door
}

/// An inner door that the gateway key opens, as in `envoy/inner.yaml`: it believes the three headers.
pub fn entrance() -> Value {
    let digest: String = Sha256::digest(GATEWAY_KEY).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "door": "inner", "entrances": { "gateway": { "keys": { "first": { "sha256": digest } } } } })
}

/// An inner door that asks for a context.
pub fn require() -> Value {
    json!({ "door": "inner", "context": { "require": {
        "issuer": GATEWAY, "audience": MESH, "keys": [{ "pem": keys::named(CONTEXT_KEY).public_pem() }],
    } } })
}

/// The variants that there are more than one of: routes, issuers, and with a context to sign or without.
pub fn many() -> Vec<Variant> {
    let warm = Requests::Seen(Form::Rs256);
    let of =
        |name: &str, title: &str, door, requests| over("none", name, title, Filter::Outer(door), requests);
    let from = |number| Requests::Seen(Form::Rs256From(number));
    let routes_10000 = Variant {
        path: "/v1/service-5006/orders/17",
        ..of("routes-10000", "door, 10,000 routes, warm", routes(MANY_ROUTES), warm)
    };
    let forward =
        Variant { forwards: true, base: None, ..of("forward", "door, warm, to an upstream", outer(), warm) };
    let mint =
        over("forward", "mint", "door, warm, minting ES256, to an upstream", Filter::Outer(mint()), warm);
    vec![
        of("routes-10", "door, 10 routes, warm", routes(10), warm),
        routes_10000,
        of("issuers-1", "door, 1 issuer with a prefix, warm", issuers(1), from(0)),
        of("issuers-100", "door, 100 issuers, warm", issuers(MANY_ISSUERS), from(MANY_ISSUERS / 2)),
        forward,
        Variant { forwards: true, ..mint },
    ]
}

/// What stands before the subjects of the issuer of this number.
pub fn prefix(number: usize) -> String {
    format!("i{number}:")
}

fn mint() -> Value {
    let mut door = outer();
    door["context"]["mint"] = json!({
        "issuer": GATEWAY, "audience": MESH, "workload": WORKLOAD, "key": { "env": MINT_KEY }, "to": UPSTREAMS,
    });
    door
}

fn issuer(name: &str) -> Value {
    json!({ "issuer": name, "audiences": [AUDIENCE], "keys": [{ "jwks": keys::jwks(&[RSA_KEY]) }] })
}

fn issuers(count: usize) -> Value {
    let named = |number| {
        let mut issuer = issuer(&numbered_issuer(number));
        issuer["tenants"] = json!("*");
        issuer["subjectPrefix"] = json!(prefix(number));
        (format!("issuer-{number}"), issuer)
    };
    let issuers: Map<String, Value> = (0..count).map(named).collect();
    json!({ "door": "outer", "issuers": issuers })
}

/// An outer door with routes such as a large mesh has; that of each number that ends in 6 is measured.
pub fn routes(count: usize) -> Value {
    let mut door = outer();
    let routes: Map<String, Value> = (0..count)
        .map(|number| {
            let path = match number % 10 {
                0 | 2 => format!("/static-{number}/{{*rest}}"),
                3 => format!("/v1/{{tenant}}/report-{number}"),
                _ => format!("/v1/service-{number}/orders/{{id}}"),
            };
            let mut route = json!({ "paths": [path], "access": { "permissions": ["orders:read"] } });
            match number % 10 {
                0 => route["hosts"] = json!([format!("t{number}.example.com")]),
                1 => route["hosts"] = json!([format!("*.r{number}.example.com")]),
                2..6 => route["methods"] = json!(["GET"]),
                _ => {}
            }
            (format!("r{number}"), route)
        })
        .collect();
    door["routes"] = Value::Object(routes);
    door
}
