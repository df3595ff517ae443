//! The two doors together: what a request is on its way from a client to a service.

use serde_json::json;

use super::mesh::{GATEWAY_KEY, Mesh, good_payload, good_token, signed};
use crate::support::http::{call, get};

#[test]
fn a_good_token_passes_both_doors_and_the_service_sees_the_principal_and_no_credential() {
    let mesh = Mesh::start();
    for key in ["rsa-1", "ec-256", "ec-384", "ec-521"] {
        let token = signed(&json!({ "key": key, "payload": good_payload() }));
        let response = get("/articles?page=2").bearer(&token).send(mesh.outer.port("outer"));
        assert_eq!(response.status, 200, "{key}: {}", response.text());
        let arrival = mesh.upstream.arrival(&response).expect("the service answered");
        assert_eq!(arrival.request_line, b"GET /articles?page=2 HTTP/1.1");
        assert_eq!(arrival.values("x-user-id"), ["alice"]);
        assert_eq!(arrival.values("x-tenant-id"), ["acme"]);
        assert_eq!(arrival.values("x-user-permissions"), ["blog:read,blog:write"]);
        assert!(arrival.values("authorization").is_empty());
        assert!(arrival.values("x-gateway-key").is_empty());
        assert!(!arrival.contains(&token) && !arrival.contains(GATEWAY_KEY));
    }
}

#[test]
fn a_body_reaches_the_service_whole() {
    let mesh = Mesh::start();
    let body = "y".repeat(300_000);
    let request =
        call("POST", "/").bearer(&good_token()).header("content-length", body.len().to_string()).body(&body);
    let response = request.send(mesh.outer.port("outer"));
    assert_eq!(mesh.upstream.arrival(&response).map(|arrival| arrival.body), Some(body.into_bytes()));
}

#[test]
fn what_the_outer_door_refuses_reaches_neither_the_inner_door_nor_the_service() {
    let mesh = Mesh::start();
    let response = get("/").send(mesh.outer.port("outer"));
    assert_eq!((response.status, response.code().as_deref()), (401, Some("credential_missing")));
    assert_eq!(mesh.upstream.all(), []);
    assert_eq!(mesh.inner.stats("http.inner.downstream_rq_total").into_values().sum::<u64>(), 0);
}

#[test]
fn the_inner_door_opens_for_the_gateway_key_and_for_nothing_else() {
    let mesh = Mesh::start();
    let named = get("/").header("x-user-id", "alice").header("x-tenant-id", "acme");
    let almost = GATEWAY_KEY.replace('9', "8");
    let cases = [
        (named.clone(), 403, Some("gateway_key_missing")),
        (named.clone().bearer(&good_token()), 403, Some("gateway_key_missing")),
        (named.clone().header("x-gateway-key", &almost), 403, Some("gateway_key_invalid")),
        (named.clone().header("x-gateway-key", ""), 403, Some("gateway_key_invalid")),
        (
            named.clone().header("x-gateway-key", GATEWAY_KEY).header("X-Gateway-Key", GATEWAY_KEY),
            403,
            Some("gateway_key_invalid"),
        ),
        (named.clone().header("x_gateway_key", GATEWAY_KEY), 403, Some("gateway_key_missing")),
        (named.header("X-Gateway-Key", GATEWAY_KEY), 200, None),
    ];
    for (request, status, code) in cases {
        let response = request.send(mesh.inner.port("inner"));
        assert_eq!((response.status, response.code().as_deref()), (status, code), "{request:?}");
        assert_eq!(mesh.upstream.arrival(&response).is_some(), code.is_none(), "{request:?}");
    }
}
