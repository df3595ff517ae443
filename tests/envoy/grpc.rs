//! A refused gRPC client gets the status of its denial in gRPC's own way, over HTTP/1.1 and HTTP/2 alike.

use serde_json::json;

use super::mesh::ENVIRONMENT;
use super::remote_door::{bootstrap, by, configuration};
use crate::support::envoy::Envoy;
use crate::support::http::{Call, call};
use crate::support::jwks_server::{JwksServer, Reply};
use crate::support::upstream::Upstream;

#[test]
fn every_class_of_denials_has_its_grpc_status_over_both_protocols() {
    let (issuer, upstream) = (JwksServer::start(Reply::keys(&["ec-256"])), Upstream::start());
    issuer.hold();
    let mut configuration = configuration(issuer.port());
    configuration["limits"]["pause"] = json!("100ms");
    configuration["routes"] = json!({ "closed": { "paths": ["/shop.Closed/{method}"], "access": "deny" } });
    let bootstrap = bootstrap(&configuration, issuer.port(), upstream.port()).behind_http2("outer", "front");
    let envoy = Envoy::start(&bootstrap, &ENVIRONMENT);
    let to = |path: &str| call("POST", path).header("te", "trailers").header("content-length", "0");
    let open = "/shop.Orders/List";
    let denials: [(Call, &str, &str); 6] = [
        (to(open).header("authorization", "Bearer a, Bearer b"), "3", "header_malformed"),
        (to("/shop.Orders;v=1/List"), "3", "path_ambiguous"),
        (to(open), "16", "credential_missing"),
        (to(open).bearer("no-token"), "16", "token_malformed"),
        (to("/shop.Closed/List"), "7", "route_denied"),
        (by("ec-256").method("POST").header("content-length", "0"), "14", "keys_unavailable"),
    ];
    for listener in ["outer", "front"] {
        for (request, status, code) in &denials {
            let request = request.clone().header("content-type", "application/grpc+proto");
            let response = request.send(envoy.port(listener));
            let at = format!("{listener}: {code}: {response:?}");
            assert_eq!(response.status, 200, "{at}");
            assert_eq!(response.header("grpc-status").as_deref(), Some(*status), "{at}");
            assert_eq!(response.header("grpc-message").as_deref(), Some(*code), "{at}");
            assert_eq!(response.header("content-type").as_deref(), Some("application/grpc"), "{at}");
            assert_eq!(response.header("cache-control").as_deref(), Some("no-store"), "{at}");
            assert_eq!(response.header("retry-after").is_some(), *status == "14", "{at}");
            assert_eq!(response.text(), "", "{at}");
        }
    }
    assert_eq!(upstream.all(), []);
    let over_http2: u64 = envoy.stats("http.outer.downstream_rq_http2_total").into_values().sum();
    assert_eq!(over_http2, denials.len() as u64);
}
