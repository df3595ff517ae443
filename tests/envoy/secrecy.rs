//! No token, key or signature in what the filter logs, even where Envoy logs everything.
//!
//! Every Envoy of every test is checked as it ends; here are the requests that are most likely to be logged,
//! and the proof that the check can fail.

use serde_json::{Value, json};

use super::mesh::{GATEWAY_KEY, Mesh, good_payload, good_token, signed};
use crate::support::envoy::filter_records;
use crate::support::http::get;
use crate::support::secrets;

#[test]
fn the_filter_logs_no_token_no_key_and_no_signature_whatever_it_is_sent() {
    let mesh = Mesh::start();
    let mut sent = vec![good_token()];
    let variations: [fn(&mut Value); 7] = [
        |spec| spec["payload"]["exp"] = json!({ "$now": -3600 }),
        |spec| spec["payload"]["aud"] = json!("somebody else"),
        |spec| spec["payload"]["iss"] = json!("https://elsewhere.example.com"),
        |spec| spec["payload"]["tenant_id"] = json!("a/b"),
        |spec| spec["header"] = json!({ "alg": "none" }),
        |spec| spec["header"] = json!({ "alg": "RS256", "kid": "a-kid-that-nobody-knows" }),
        |spec| spec["tamper"] = json!("signature"),
    ];
    for vary in variations {
        let mut spec = json!({ "key": "rsa-1", "payload": good_payload() });
        vary(&mut spec);
        sent.push(signed(&spec));
    }
    for token in &sent {
        get("/").bearer(token).send(mesh.outer.port("outer"));
        get("/").bearer(token).bearer(token).send(mesh.outer.port("outer"));
        get("/").header("authorization", token).send(mesh.outer.port("outer"));
        get("/").bearer(token).header("x-gateway-key", token).send(mesh.inner.port("inner"));
    }
    let almost = format!("{GATEWAY_KEY}x");
    for key in [GATEWAY_KEY, &almost] {
        get("/").header("x-gateway-key", key).header("x-user-id", "\u{ff}").send(mesh.inner.port("inner"));
    }
    for envoy in [&mesh.outer, &mesh.inner] {
        let records = envoy.filter_log();
        assert!(!records.is_empty(), "the filter logs nothing at all, so this shows nothing");
        for record in records {
            assert_eq!(secrets::first_in(&record), None, "{record}");
            assert!(!record.contains(GATEWAY_KEY), "{record}");
            for part in sent.iter().flat_map(|token| token.split('.')).filter(|part| !part.is_empty()) {
                assert!(!record.contains(part), "{record}");
            }
        }
    }
}

#[test]
fn the_check_for_secrets_finds_a_token_in_a_line_of_the_filter() {
    let token = good_token();
    secrets::remember_header(b"Authorization", format!("Bearer {token}").as_bytes());
    let signature = token.rsplit_once('.').expect("a token has parts").1;
    let log = format!(
        "[2026-01-01 00:00:00.000][1][debug][http] 'authorization', 'Bearer {token}'\n\
         [2026-01-01 00:00:00.000][1][warning][wasm] [context.cc:1154] wasm log outer: denied\nsignature {signature}\n\
         [2026-01-01 00:00:00.000][1][info][main] {token}\n"
    );
    let records = filter_records(&log);
    assert_eq!(records.len(), 1);
    assert_eq!(secrets::first_in(&records[0]).as_deref(), Some(signature));
}
