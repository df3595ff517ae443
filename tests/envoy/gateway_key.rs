//! The gateway key goes to the clusters that `to` names, and nowhere else; and how often which key was used.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::mesh::{Door, ENVIRONMENT, GATEWAY_KEY, good_token, now, outer_configuration};
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

/// How often each key let a request in.
fn uses(door: &Door) -> BTreeMap<String, u64> {
    let counters = door.envoy.stats("wasmcustom.name=.=");
    let name = |stat: &str| {
        let name = stat.strip_prefix("wasmcustom.name=.=")?;
        name.strip_suffix(";.;vestibule_gateway_key_total").map(str::to_owned)
    };
    counters.into_iter().filter_map(|(stat, count)| Some((name(&stat)?, count))).collect()
}

fn inner_with_keys(more: &Value) -> Value {
    let mut configuration = json!({
        "door": "inner",
        "entrances": {
            "gateway": {
                "keys": {
                    "current": { "env": "VESTIBULE_GATEWAY_KEY" },
                    "next": { "sha256": "0".repeat(64) },
                },
                "trust": { "subject": "x-user-id", "tenant": "x-tenant-id" },
            },
            "scraper": { "keys": { "scraper": { "sha256": "1".repeat(64) } }, "header": "x-scrape-key", "trust": "none" },
        },
        "routes": {
            "health": { "paths": ["/health"], "access": "public", "entrance": "exempt" },
            "closed": { "paths": ["/closed"], "access": "deny" },
            "admin": { "paths": ["/admin"], "access": { "permissions": ["admin"] } },
        },
    });
    let members = more.as_object().expect("members").clone();
    configuration.as_object_mut().expect("an object").extend(members);
    configuration
}

#[test]
fn every_request_that_a_key_let_in_is_counted_once_by_the_key_whatever_became_of_it() {
    let door = Door::inner(&inner_with_keys(&json!({})));
    let counted = |current: u64| {
        [("current", current), ("next", 0), ("scraper", 0)]
            .map(|(name, count)| (name.to_owned(), count))
            .into()
    };
    assert_eq!(uses(&door), counted(0), "every key is there from the start");
    let with_key = |path: &str| {
        get(path)
            .header("x-gateway-key", GATEWAY_KEY)
            .header("x-user-id", "alice")
            .header("x-tenant-id", "acme")
    };
    door.permitted(&with_key("/"));
    door.permitted(&with_key("/"));
    door.denied(&with_key("/admin"), "permission_missing");
    assert_eq!(uses(&door), counted(3));
    // These come in by no key.
    door.permitted(&with_key("/health"));
    door.denied(&with_key("/closed"), "route_denied");
    door.denied(&get("/"), "gateway_key_missing");
    door.denied(
        &get("/").header("x-gateway-key", "not-the-gateway-key-0123456789abcdef"),
        "gateway_key_invalid",
    );
    door.denied(&with_key("/").header("x-gateway-key", GATEWAY_KEY), "gateway_key_invalid");
    assert_eq!(uses(&door), counted(3));
}

#[test]
fn a_request_of_which_a_denial_is_only_reported_is_counted_by_its_key() {
    let until = jiff::Timestamp::from_second(i64::try_from(now() + 3600).expect("a time")).expect("a time");
    let door = Door::inner(&inner_with_keys(&json!({ "report": { "until": until.to_string() } })));
    door.permitted(&get("/admin").header("x-gateway-key", GATEWAY_KEY));
    door.permitted(&get("/admin"));
    assert_eq!(uses(&door).get("current"), Some(&1));
}
