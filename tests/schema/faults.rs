//! Configurations with one fault each, which an editor shows where it is made.

use serde_json::json;

use super::place::Place;
use super::specimen::{errors, specimen};
use super::takes;

#[test]
fn a_fault_is_one_by_the_schema_and_by_the_parser() {
    for (name, path, value) in [
        ("outer-key", &["Door"][..], json!("outer")),
        ("outer-key", &["door"], json!("Outer")),
        ("outer-key", &["apiKeys"], json!({ "a": 1 })),
        ("outer-key", &["default"], json!("allow")),
        ("outer-key", &["default"], json!({ "permission": ["a"] })),
        ("outer-key", &["default"], json!({ "permissions": "a" })),
        ("outer-key", &["default"], json!({ "permissions": ["orders:*"] })),
        ("outer-key", &["gatewayKey", "key"], json!("0123456789abcdef0123456789abcdef")),
        ("outer-key", &["gatewayKey", "key"], json!({ "env": "KEY", "encoding": "Base64" })),
        ("outer-key", &["gatewayKey", "to"], json!("inner")),
        ("outer-key", &["gatewayKey", "to"], json!(["*"])),
        ("outer-key", &["limits", "pause"], json!("1")),
        ("outer-key", &["limits", "pause"], json!(1)),
        ("outer-key", &["limits", "pause"], json!("1.5s")),
        ("outer-key", &["limits", "tokenBytes"], json!("8192")),
        ("outer-key", &["report"], json!({ "until": "2026-01-15" })),
        ("outer-key", &["report"], json!(true)),
        ("outer-key", &["strip"], json!(["x*"])),
        ("outer-key", &["strip"], json!(["x-*-b"])),
        ("outer-key", &["inject", "x-user-id"], json!("sub")),
        ("outer-key", &["inject", "x-user-id"], json!({ "claim": "sub" })),
        ("outer-key", &["inject", "x-user-id"], json!({ "value": " a" })),
        (
            "outer-key",
            &["issuers", "Main"],
            json!({ "issuer": "a", "audiences": ["b"], "keys": [{ "pem": "c" }] }),
        ),
        ("outer-key", &["issuers", "main", "audience"], json!("api")),
        ("outer-key", &["issuers", "main", "audiences"], json!("api")),
        ("outer-key", &["issuers", "main", "algorithms"], json!(["none"])),
        ("outer-key", &["issuers", "main", "algorithms"], json!(["rs256"])),
        ("outer-key", &["issuers", "main", "tenants"], json!(["*"])),
        ("outer-key", &["issuers", "main", "keys"], json!([{ "jwksUri": "https://issuer.test/jwks" }])),
        ("outer-key", &["issuers", "main", "keys"], json!([{ "remote": "https://issuer.test/jwks" }])),
        ("outer-key", &["issuers", "main", "keys"], json!([{ "remote": { "url": "issuer.test/jwks" } }])),
        ("outer-key", &["issuers", "main", "keys"], json!([{ "jwks": { "keys": [] }, "kid": "a" }])),
        ("outer-key", &["issuers", "main", "keys"], json!([{ "pem": "a", "secret": { "env": "HMAC" } }])),
        ("outer-key", &["issuers", "main", "sources"], json!([{ "cookie": "a", "query": "b" }])),
        ("outer-key", &["issuers", "main", "sources"], json!([{ "cookie": "a", "scheme": "b" }])),
        ("outer-key", &["routes", "orders", "path"], json!("/a")),
        ("outer-key", &["routes", "orders", "paths"], json!("/a")),
        ("outer-key", &["routes", "orders", "paths"], json!(["a"])),
        ("outer-key", &["routes", "orders", "paths"], json!(["/a?b=c"])),
        ("outer-key", &["routes", "orders", "methods"], json!(["get"])),
        ("outer-key", &["routes", "orders", "methods"], json!(["TRACE"])),
        ("outer-key", &["routes", "orders", "hosts"], json!(["api.example.com:443"])),
        ("outer-key", &["routes", "orders", "hosts"], json!(["*"])),
        ("outer-key", &["routes", "orders", "access"], json!({ "tenant": "required" })),
        ("outer-mint", &["gatewayKey"], json!({ "key": { "env": "KEY" } })),
        ("outer-mint", &["context", "mint", "audience"], json!("*")),
        ("outer-mint", &["context", "mint", "publish"], json!("/a/../b")),
        ("inner-key", &["entrances", "mesh", "peers"], json!(["cluster.local/ns/shop/sa/orders"])),
        ("inner-key", &["entrances", "mesh", "peers"], json!(["spiffe://cluster.local/ns/shop/sa/*"])),
        ("inner-key", &["entrances", "mesh", "forward"], json!(true)),
        (
            "inner-key",
            &["entrances", "gateway", "keys", "2026-11"],
            json!("0123456789abcdef0123456789abcdef"),
        ),
        ("inner-key", &["entrances", "gateway", "keys", "2026-11"], json!({ "sha256": "3eb1bd" })),
        ("inner-key", &["entrances", "gateway", "trust"], json!({ "tenant": "x-ten" })),
        (
            "inner-context",
            &["issuers"],
            json!({ "a": { "issuer": "a", "audiences": ["b"], "keys": [{ "pem": "c" }] } }),
        ),
        ("inner-context", &["context", "require", "keys"], json!([{ "secret": { "env": "HMAC" } }])),
    ] {
        let place = path.iter().fold(Place::default(), |place, name| place.member(name));
        let document = place.set(specimen(name), value.clone());
        assert!(!errors(&document).is_empty(), "{place}: {value} by the parser");
        assert!(!takes(&document), "{place}: {value} by the schema");
    }
    for document in [
        json!(null),
        json!({}),
        json!([]),
        json!("outer"),
        json!({ "door": "outer" }),
        json!({ "door": "inner" }),
    ] {
        assert!(!takes(&document) && !errors(&document).is_empty(), "{document}");
    }
}
