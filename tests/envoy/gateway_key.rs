//! The gateway key goes to the clusters that `to` names, and nowhere else.

use serde_json::json;

use super::mesh::{ENVIRONMENT, GATEWAY_KEY, good_token, outer_configuration};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::get;
use crate::support::upstream::Upstream;

#[test]
fn the_key_is_attached_only_where_the_cluster_matches_a_whole_pattern() {
    let upstream = Upstream::start();
    let mut configuration = outer_configuration();
    configuration["gatewayKey"]["to"] = json!(["upstream", "orders-*"]);
    let mut bootstrap =
        Bootstrap::of("outer.yaml").configure("outer", &configuration).cluster("upstream", upstream.port());
    let clusters = [
        "orders-v1",
        "orders-",
        "orders",
        "upstream-2",
        "an-upstream",
        "UPSTREAM",
        "partner",
        "orders-v1|subset",
    ];
    for (number, cluster) in clusters.into_iter().enumerate() {
        bootstrap = bootstrap.cluster(cluster, upstream.port()).route_prefix(
            "outer",
            &format!("/{number}/"),
            cluster,
        );
    }
    let envoy = Envoy::start(&bootstrap, &ENVIRONMENT);
    let keys_at = |path: &str| {
        let response = get(path)
            .bearer(&good_token())
            .header("x-gateway-key", "from-the-client")
            .send(envoy.port("outer"));
        let arrival = upstream
            .arrival(&response)
            .unwrap_or_else(|| panic!("{path}: {} {}", response.status, response.text()));
        assert_eq!(arrival.values("x-tenant-id"), ["acme"], "{path}");
        assert!(
            !response.headers().iter().any(|(_, value)| value.contains(GATEWAY_KEY)),
            "{path}: the key is in the response"
        );
        arrival.values("x-gateway-key")
    };
    assert_eq!(keys_at("/"), [GATEWAY_KEY]);
    for (number, cluster) in clusters.into_iter().enumerate() {
        let expected: &[&str] = if matches!(cluster, "orders-v1" | "orders-") { &[GATEWAY_KEY] } else { &[] };
        assert_eq!(keys_at(&format!("/{number}/")), expected, "{cluster}");
    }
}

#[test]
fn a_denied_request_takes_the_key_nowhere() {
    let upstream = Upstream::start();
    let envoy = Envoy::start(
        &Bootstrap::of("outer.yaml")
            .configure("outer", &outer_configuration())
            .cluster("upstream", upstream.port()),
        &ENVIRONMENT,
    );
    let response = get("/").send(envoy.port("outer"));
    assert_eq!(response.status, 401);
    assert!(
        !response.text().contains(GATEWAY_KEY) && !format!("{:?}", response.headers()).contains(GATEWAY_KEY)
    );
    assert_eq!(upstream.all(), []);
}
