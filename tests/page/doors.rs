//! The fixture: a mesh in which something of everything goes wrong, Envoy by Envoy.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::mesh::{AUDIENCE, ENVIRONMENT, ISSUER, inner_configuration, now, outer_configuration};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::jwks_server::{JwksServer, Reply};
use crate::support::upstream::Upstream;

/// The issuer `partner`, which answers no fetch of its keys.
pub const PARTNER: &str = "https://partner.example.com";

/// The second gateway key of the inner door.
pub const SECOND_KEY: &str = "the-second-gateway-key-of-the-tests-0123";

/// The Envoys, by the name of their pods.
pub struct Doors {
    envoys: BTreeMap<&'static str, Envoy>,
    pub issuer: JwksServer,
    // Who answers for as long as the Envoys live.
    _partner: JwksServer,
    _upstream: Upstream,
}

/// What Prometheus is to call every tagged Envoy: its pod, namespace, workload and tier.
const PODS: [(&str, &str, &str, Option<&str>); 7] = [
    ("gateway-1", "edge", "gateway", Some("99.99")),
    ("gateway-2", "edge", "gateway", Some("99.99")),
    ("billing-1", "edge", "billing", None),
    ("staging-1", "edge", "staging", None),
    ("orders-1", "shop", "orders", None),
    ("astray-1", "shop", "astray", Some("99.5")),
    ("broken-1", "shop", "broken", None),
];

impl Doors {
    pub fn start() -> Self {
        let (issuer, upstream) = (JwksServer::start(Reply::keys(&["rsa-1"])), Upstream::start());
        let partner_server = JwksServer::start(Reply::keys(&["ec-256"]));
        partner_server.hold();
        let outer = |configuration: &Value| {
            Bootstrap::of("outer.yaml")
                .configure("outer", configuration)
                .cluster("upstream", upstream.port())
                .cluster("issuer", issuer.port())
                .cluster("partner", partner_server.port())
        };
        let gateway = gateway();
        let mut both = gateway.clone();
        both["issuers"]["partner"] = partner();
        both["limits"] = json!({ "pausedRequests": 1, "pause": "500ms" });
        let mut billing = both.clone();
        billing["issuers"].as_object_mut().expect("an object").remove("main");
        let mut staging = gateway.clone();
        let until = i64::try_from(now() + 3600).expect("a time");
        let until = jiff::Timestamp::from_second(until).expect("a time").to_string();
        staging["report"] = json!({ "until": until });
        let mut inner = inner_configuration();
        let keys = &mut inner["entrances"]["gateway"]["keys"];
        keys["second"] = json!({ "env": "VESTIBULE_SECOND_KEY" });
        let variables = ["VESTIBULE_GATEWAY_KEY", "VESTIBULE_SECOND_KEY"].map(str::to_owned);
        let orders = Bootstrap::of("inner.yaml")
            .configure("inner", &inner)
            .environment("inner", variables.iter())
            .cluster("service", upstream.port());
        let mut astray = outer(&outer_configuration());
        astray.document()["node"] =
            json!({ "id": "sidecar~10.0.0.1~astray-1.shop~shop.svc.cluster.local", "cluster": "shop" });

        let bootstraps = [
            ("gateway-1", outer(&gateway)),
            ("gateway-2", outer(&both)),
            ("billing-1", outer(&billing)),
            ("staging-1", outer(&staging)),
            ("orders-1", orders),
            ("astray-1", astray),
            ("broken-1", broken()),
            ("plain", outer(&gateway)),
        ];
        let envoys = bootstraps.map(|(pod, bootstrap)| (pod, start(pod, bootstrap)));
        Self { envoys: envoys.into(), issuer, _partner: partner_server, _upstream: upstream }
    }

    /// Where a listener of a pod takes requests.
    pub fn port(&self, pod: &str, listener: &str) -> u16 {
        self.envoys[pod].port(listener)
    }

    /// What is scraped, with its labels.
    pub fn targets(&self) -> Vec<(u16, Value)> {
        let target = |(pod, namespace, workload, tier): &(&str, &str, &str, Option<&str>)| {
            let mut labels = json!({ "namespace": namespace, "workload": workload, "pod": pod });
            if let Some(tier) = tier {
                labels["tier"] = json!(tier);
            }
            (self.envoys[pod].admin_port(), labels)
        };
        PODS.iter().map(target).collect()
    }

    /// The Envoy that nobody told of labels.
    pub fn untagged(&self) -> &Envoy {
        &self.envoys["plain"]
    }
}

fn start(pod: &str, mut bootstrap: Bootstrap) -> Envoy {
    if pod != "plain" {
        let tags: Value =
            serde_saphyr::from_str(include_str!("../../monitoring/stats-tags.yaml")).expect("tags are YAML");
        let config = &mut bootstrap.document()["stats_config"];
        *config = tags["stats_config"].clone();
        if pod == "broken-1" {
            as_in_istio(config);
        }
    }
    let environment = [ENVIRONMENT.as_slice(), &[("VESTIBULE_SECOND_KEY", SECOND_KEY)]].concat();
    // What is logged at length is written at length.
    Envoy::start_with(&bootstrap, &environment, &["--log-level", "warning"])
}

/// The tags of Istio's bootstrap are not Envoy's own, which would make another name of its counters' (istio:
/// tools/packaging/common/envoy_bootstrap.json).
fn as_in_istio(config: &mut Value) {
    config["use_all_default_tags"] = json!(false);
    let prefix = r"^http\.(((?:[_.[:digit:]\w]*|[_\[\]aAbBcCdDeEfF[:digit:]\w\:]*));\.)";
    let tags = config["stats_tags"].as_array_mut().expect("tags are a list");
    tags.insert(0, json!({ "tag_name": "http_conn_manager_prefix", "regex": prefix }));
}

fn gateway() -> Value {
    let mut configuration = outer_configuration();
    configuration["issuers"] = json!({ "main": issuer(ISSUER, "issuer", "acme") });
    configuration["routes"] = json!({
        "orders": { "paths": ["/orders/{*rest}"], "access": { "permissions": ["orders:read"] } },
        "blog": { "paths": ["/blog/{*rest}"], "access": { "permissions": ["blog:read"] } },
    });
    configuration
}

fn partner() -> Value {
    issuer(PARTNER, "partner", "partner")
}

/// An issuer whose keys are fetched every five seconds.
fn issuer(name: &str, cluster: &str, tenants: &str) -> Value {
    let remote = json!({ "url": format!("http://{cluster}.test/keys"), "cluster": cluster, "refresh": "5s", "timeout": "2s", "maxStale": "1h" });
    json!({
        "issuer": name, "audiences": [AUDIENCE], "keys": [{ "remote": remote }],
        "tenants": [tenants], "subjectPrefix": format!("{tenants}:"),
    })
}

/// An Envoy with a filter that can be made to crash, what Istio's agent puts in the place of one that it could
/// not fetch, and one that Envoy itself cannot fetch.
fn broken() -> Bootstrap {
    let mut bootstrap = Bootstrap::of_probe();
    let remote = json!({
        "http_uri": { "uri": "http://partner.test/module.wasm", "cluster": "partner", "timeout": "1s" },
        "sha256": "0".repeat(64),
        "retry_policy": { "num_retries": 0 },
    });
    bootstrap = bootstrap
        .copy_listener("outer", "unfetched", &json!({}), "upstream")
        .copy_listener("outer", "refused", &json!({}), "upstream")
        .cluster("partner", JwksServer::free_port());
    let filter = |bootstrap: &mut Bootstrap, listener: &str| {
        let filters = bootstrap.connection_manager(listener)["http_filters"].as_array_mut();
        let filters = filters.expect("a listener has filters");
        let place =
            filters.iter().position(|filter| filter["name"] == "vestibule").expect("the door is there");
        (place, filters[place].clone())
    };
    let (place, mut unfetched) = filter(&mut bootstrap, "unfetched");
    unfetched["typed_config"]["config"]["vm_config"]["vm_id"] = json!("unfetched");
    unfetched["typed_config"]["config"]["vm_config"]["code"] = json!({ "remote": remote });
    bootstrap.connection_manager("unfetched")["http_filters"][place] = unfetched;
    // As Istio's agent writes it (istio: pkg/wasm/convert.go), in a listener that istiod calls so.
    bootstrap.connection_manager("refused")["stat_prefix"] = json!("outbound_0.0.0.0_8443;");
    bootstrap.connection_manager("refused")["http_filters"][place] = json!({
        "name": "istio-ingress.outer-door",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {},
            "rules_stat_prefix": "wasm-default-deny",
        },
    });
    bootstrap.on_free_ports()
}
