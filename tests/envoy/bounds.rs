//! However a request gets where it goes, the gateway key goes along to the clusters in `to` and to no other.
//!
//! Attached upstream, Envoy may choose the route again, send the request twice, copy it or redirect it. Attached
//! by the route it may not, and `vestibule check` says so of the very same bootstraps.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::abilities::{counts_by_cluster, moves_retries};
use super::configuration::refusal;
use super::mesh::{ENVIRONMENT, GATEWAY_KEY, good_token, outer_configuration};
use crate::command::vestibule;
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Call, Response, get};
use crate::support::upstream::{Arrival, Upstream};

/// The header of the contexts, which go the same way.
const CONTEXT: &str = "txn-token";
const CONTEXT_KEY: &str = include_str!("../support/keys/ec-256.pem");
/// In `to`, and with the door's filter where that attaches upstream.
const WITHIN: [&str; 2] = ["inner-a", "inner-b"];
/// In `to`, without the filter.
const BARE: &str = "inner-bare";
/// Outside of `to`, without the filter and with it.
const OUTSIDE: [&str; 2] = ["partner", "guarded"];

/// A door, and a service behind each of its clusters.
struct Field {
    envoy: Envoy,
    services: BTreeMap<&'static str, Upstream>,
}

impl Field {
    /// The door attaches in this way, and has these routes.
    fn start(attach: &str, routes: &Value) -> Self {
        let services: BTreeMap<_, _> = [WITHIN.as_slice(), &[BARE], &OUTSIDE]
            .concat()
            .into_iter()
            .map(|name| (name, Upstream::answering(answer)))
            .collect();
        let ports = services.iter().map(|(name, service)| (*name, service.port())).collect();
        let environment = [ENVIRONMENT[0], ("VESTIBULE_CONTEXT_KEY", CONTEXT_KEY.trim())];
        Self { envoy: Envoy::start(&bootstrap(attach, routes, &ports), &environment), services }
    }

    fn send(&self, call: Call) -> Response {
        call.send(self.envoy.port("outer"))
    }

    /// Sends it with a good token.
    fn permitted(&self, path: &str) -> Response {
        let response = self.send(get(path).bearer(&good_token()));
        assert_eq!(response.status, 200, "{path}: {} {}", response.status, response.text());
        response
    }

    /// What has arrived at the service of this cluster.
    fn at(&self, cluster: &str) -> Vec<Arrival> {
        self.services[cluster].all()
    }

    /// Waits until so many requests have arrived there: nobody waits for a mirror.
    fn wait_at(&self, cluster: &str, count: usize) -> Vec<Arrival> {
        let end = Instant::now() + Duration::from_secs(5);
        while self.at(cluster).len() < count && Instant::now() < end {
            thread::sleep(Duration::from_millis(10));
        }
        self.at(cluster)
    }

    /// The keys of each request that has arrived there.
    fn keys_at(&self, cluster: &str) -> Vec<Vec<String>> {
        self.at(cluster).iter().map(|arrival| arrival.values("x-gateway-key")).collect()
    }

    /// Nothing that arrived outside holds the key in any of its bytes.
    fn assert_nothing_left(&self) {
        for cluster in [&OUTSIDE[..], &[BARE]].concat() {
            for arrival in self.at(cluster) {
                assert!(!arrival.contains(GATEWAY_KEY), "{cluster} got the key: {arrival:?}");
                assert_eq!(arrival.values("x-gateway-key"), [""; 0], "{cluster}");
                assert_eq!(arrival.values(CONTEXT), [""; 0], "{cluster}");
            }
        }
    }
}

/// What the services say: the first attempt fails at some paths or takes too long, and others are elsewhere.
fn answer(arrival: &Arrival) -> &'static str {
    let path = arrival.path().unwrap_or_default();
    let is_first = arrival.values("x-envoy-attempt-count") == ["1"];
    if path.starts_with(b"/slow") && is_first {
        thread::sleep(Duration::from_secs(3));
    }
    match path {
        path if path.starts_with(b"/redirect") => {
            "302 Found\r\nlocation: http://vestibule.test/public/landing"
        }
        path if path.starts_with(b"/closed") => "302 Found\r\nlocation: http://vestibule.test/landing",
        path if path.starts_with(b"/retry") && is_first => "503 Service Unavailable",
        _ => "200 OK",
    }
}

fn configuration(attach: &str) -> Value {
    let mut configuration = outer_configuration();
    configuration["gatewayKey"]["to"] = json!(["inner-*"]);
    configuration["gatewayKey"]["attach"] = json!(attach);
    configuration["context"] = json!({ "mint": {
        "issuer": "https://gateway.test", "audience": "mesh.test", "workload": "spiffe://mesh.test/gateway",
        "key": { "env": "VESTIBULE_CONTEXT_KEY" },
    } });
    configuration["routes"] = json!({ "open": { "paths": ["/public/{*rest}"], "access": "public" } });
    configuration["issuers"]["main"]["sources"] = json!([{ "header": "authorization", "scheme": "Bearer" }, { "query": "jwt" }, { "cookie": "session" }]);
    configuration
}

fn bootstrap(attach: &str, routes: &Value, ports: &BTreeMap<&str, u16>) -> Bootstrap {
    let variables = ["VESTIBULE_GATEWAY_KEY", "VESTIBULE_CONTEXT_KEY"].map(str::to_owned);
    let mut bootstrap = Bootstrap::of("outer.yaml")
        .configure("outer", &configuration(attach))
        .environment("outer", variables.iter());
    for (name, port) in ports {
        bootstrap = bootstrap.cluster(name, *port);
        if attach == "upstream" && *name != BARE && *name != "partner" {
            bootstrap = bootstrap.filter_upstream("outer", name);
        }
    }
    let host = &mut bootstrap.connection_manager("outer")["route_config"]["virtual_hosts"][0];
    host["routes"] = routes.clone();
    host["include_request_attempt_count"] = json!(true);
    bootstrap.remove_cluster("upstream")
}

/// What the command says of the bootstrap of a door that attaches so: nothing where it is fine.
fn complaints(attach: &str, routes: &Value) -> String {
    let ports = [WITHIN.as_slice(), &OUTSIDE].concat().into_iter().map(|name| (name, 1)).collect();
    let run = vestibule(&["check", "-"]).input(bootstrap(attach, routes, &ports).to_json());
    assert!(run.code == 0 || run.code == 3, "{} {}", run.out, run.err);
    if run.code == 0 { String::new() } else { run.err }
}

fn to(prefix: &str, cluster: &str) -> Value {
    json!({ "match": { "prefix": prefix }, "route": { "cluster": cluster } })
}

/// A route to this cluster for what such a matcher finds.
fn matching(matcher: &str, entry: &Value, cluster: &str) -> Value {
    json!({ "match": { "prefix": "/", matcher: [entry] }, "route": { "cluster": cluster } })
}

#[test]
fn a_request_that_is_routed_again_takes_the_key_to_where_it_goes_in_the_end_and_only_there() {
    let token = good_token();
    let present = |name: &str| json!({ "name": name, "present_match": true });
    let partners = json!({ "name": "x-tenant-id", "string_match": { "exact": "acme" } });
    // What is matched on is set by the door, or removed: a header, and the credential's own place.
    let set = [matching("headers", &partners, "partner"), to("/", "inner-a")];
    let stripped = [matching("headers", &present("x-original-url"), "inner-a"), to("/", "partner")];
    let query = [matching("query_parameters", &present("jwt"), "inner-a"), to("/", "partner")];
    let cookie = [matching("headers", &present("cookie"), "inner-a"), to("/", "partner")];
    let bearer = || get("/").bearer(&token);
    let cases: [(&str, &[Value], Call); 4] = [
        ("a header that is set", &set, bearer()),
        ("a header that is stripped", &stripped, bearer().header("x-original-url", "/")),
        ("a query parameter", &query, get(format!("/?jwt={token}"))),
        ("a cookie", &cookie, get("/").header("cookie", format!("session={token}"))),
    ];
    for (what, routes, call) in cases {
        let away = json!(routes);
        let field = Field::start("upstream", &away);
        assert_eq!(field.send(call.clone()).status, 200, "{what}");
        assert_eq!((field.at("partner").len(), field.at("inner-a").len()), (1, 0), "{what}");
        assert_eq!(field.at("partner")[0].values("x-tenant-id"), ["acme"], "{what}");
        field.assert_nothing_left();
        assert_eq!(complaints("upstream", &away), "", "{what}");
        assert!(complaints("route", &away).contains("the route is chosen again"), "{what}");
        // And the other way round: away from a cluster outside, to one that is to get the key.
        let back = routes.iter().map(|route| match route["route"]["cluster"].as_str() {
            Some("partner") => with_cluster(route, "inner-a"),
            _ => with_cluster(route, "partner"),
        });
        let field = Field::start("upstream", &json!(back.collect::<Vec<_>>()));
        assert_eq!(field.send(call).status, 200, "{what}");
        assert_eq!(field.keys_at("inner-a"), [[GATEWAY_KEY]], "{what}");
        assert_eq!(field.at("inner-a")[0].values(CONTEXT).len(), 1, "{what}");
        assert_eq!(field.at("partner"), [], "{what}");
    }
}

fn with_cluster(route: &Value, cluster: &str) -> Value {
    let mut route = route.clone();
    route["route"]["cluster"] = json!(cluster);
    route
}

#[test]
fn attached_by_the_route_the_key_follows_a_request_that_is_routed_again_or_mirrored() {
    let partners = json!({ "name": "x-tenant-id", "string_match": { "exact": "acme" } });
    let again = json!([matching("headers", &partners, "partner"), to("/", "inner-a")]);
    let field = Field::start("route", &again);
    field.permitted("/");
    assert_eq!(
        field.keys_at("partner"),
        [[GATEWAY_KEY]],
        "Envoy routes otherwise now: `check` may be too strict"
    );
    let mirrored = json!([mirroring("partner")]);
    let field = Field::start("route", &mirrored);
    field.permitted("/");
    field.wait_at("partner", 1);
    assert_eq!(
        field.keys_at("partner"),
        [[GATEWAY_KEY]],
        "Envoy mirrors otherwise now: `check` may be too strict"
    );
    assert!(complaints("route", &mirrored).contains("a mirror gets the gateway key too"));
}

fn mirroring(mirror: &str) -> Value {
    json!({ "match": { "prefix": "/" },
            "route": { "cluster": "inner-a", "request_mirror_policies": [{ "cluster": mirror }] } })
}

#[test]
fn a_mirror_gets_no_key_wherever_it_is() {
    for mirror in ["partner", BARE] {
        let routes = json!([mirroring(mirror)]);
        let field = Field::start("upstream", &routes);
        field.permitted("/");
        let arrivals = field.wait_at(mirror, 1);
        assert_eq!(
            (arrivals.len(), field.keys_at("inner-a")),
            (1, vec![vec![GATEWAY_KEY.to_owned()]]),
            "{mirror}"
        );
        field.assert_nothing_left();
    }
    assert_eq!(complaints("upstream", &json!([mirroring("partner")])), "");
}

#[test]
fn a_mirror_behind_the_filter_is_one_more_request_that_must_bring_a_credential() {
    for mirror in ["inner-b", "guarded"] {
        let field = Field::start("upstream", &json!([mirroring(mirror)]));
        field.permitted("/");
        // Nobody takes its token any more, so it is refused; of a public one nothing was asked.
        field.permitted("/public/page");
        let arrivals = field.wait_at(mirror, 1);
        assert_eq!(arrivals.len(), 1, "{mirror}");
        assert_eq!(arrivals[0].path(), Some(b"/public/page".as_slice()), "{mirror}");
        assert!(!arrivals[0].contains(GATEWAY_KEY), "{mirror}");
        let code = "wasmcustom.door=.=outer;.;decision=.=denial;.;code=.=credential_missing";
        let (names, counts): (Vec<_>, Vec<_>) =
            field.envoy.stats("").into_iter().filter(|(name, _)| name.contains(code)).unzip();
        assert_eq!(counts.iter().sum::<u64>(), 1, "{mirror}");
        assert!(names.iter().all(|name| name.starts_with("cluster.") == counts_by_cluster()), "{names:?}");
        // Envoy is still there: what a mirror has no client for was not asked for.
        field.permitted("/");
    }
}

/// Which `check` refuses, and which may come by xDS. Envoy ends when it is asked for the client that a mirror's
/// request does not have.
#[test]
fn a_mirror_behind_a_filter_that_is_not_meant_for_clusters_ends_nothing() {
    let services = [("inner-a", Upstream::start()), ("guarded", Upstream::start())];
    let ports = services.iter().map(|(name, service)| (*name, service.port())).collect();
    let bootstrap = bootstrap("route", &json!([mirroring("guarded")]), &ports);
    let environment = [ENVIRONMENT[0], ("VESTIBULE_CONTEXT_KEY", CONTEXT_KEY.trim())];
    let envoy = Envoy::start(&bootstrap.filter_upstream("outer", "guarded"), &environment);
    for _ in 0..3 {
        let response = get("/").bearer(&good_token()).send(envoy.port("outer"));
        assert_eq!(response.status, 200, "{}", response.text());
    }
}

#[test]
fn of_weighted_clusters_the_one_that_is_chosen_says_whether_the_key_goes_along() {
    let weights = json!([{ "name": "inner-a", "weight": 50 }, { "name": "partner", "weight": 50 }]);
    let routes =
        json!([{ "match": { "prefix": "/" }, "route": { "weighted_clusters": { "clusters": weights } } }]);
    for attach in ["upstream", "route"] {
        let field = Field::start(attach, &routes);
        for _ in 0..40 {
            field.permitted("/");
        }
        let (within, outside) = (field.keys_at("inner-a"), field.at("partner").len());
        assert_eq!(within.len() + outside, 40);
        assert!(!within.is_empty() && outside > 0, "{attach}: one in 2^39 runs ends here");
        assert!(within.iter().all(|keys| *keys == [GATEWAY_KEY]), "{attach}");
        field.assert_nothing_left();
        assert_eq!(complaints(attach, &routes), "", "{attach}");
    }
}

#[test]
fn an_internal_redirect_is_decided_about_again_and_takes_the_key_nowhere_else() {
    let redirecting = |prefix: &str| {
        json!({ "match": { "prefix": prefix }, "route": { "cluster": "inner-a", "internal_redirect_policy": {
            "redirect_response_codes": [302], "allow_cross_scheme_redirect": true } } })
    };
    let routes = json!([redirecting("/redirect"), redirecting("/closed"), to("/", "partner")]);
    for attach in ["upstream", "route"] {
        let field = Field::start(attach, &routes);
        field.permitted("/redirect");
        assert_eq!(field.keys_at("inner-a"), [[GATEWAY_KEY]], "{attach}");
        assert_eq!(field.at("partner").len(), 1, "{attach}");
        assert_eq!(field.at("partner")[0].path(), Some(b"/public/landing".as_slice()), "{attach}");
        field.assert_nothing_left();
        // Where a credential is needed, there is none left to bring.
        let response = field.send(get("/closed").bearer(&good_token()));
        assert_eq!(response.code().as_deref(), Some("credential_missing"), "{attach}");
        assert_eq!(field.at("partner").len(), 1, "{attach}");
        assert_eq!(complaints(attach, &routes), "", "{attach}");
    }
}

#[test]
fn each_attempt_gets_the_key_that_goes_to_a_cluster_within_the_bounds() {
    let retries = json!({ "cluster": "inner-a", "retry_policy": { "retry_on": "5xx", "num_retries": 2 } });
    // The second attempt is made while the first is under way.
    let hedges = json!({
        "cluster": "inner-a", "hedge_policy": { "hedge_on_per_try_timeout": true },
        "retry_policy": { "retry_on": "5xx", "num_retries": 1, "per_try_timeout": "0.5s" },
    });
    for (attach, path, route) in
        ["upstream", "route"].iter().flat_map(|way| [(way, "/retry", &retries), (way, "/slow", &hedges)])
    {
        let routes = json!([{ "match": { "prefix": "/" }, "route": route }]);
        let field = Field::start(attach, &routes);
        field.permitted(path);
        let arrivals = field.wait_at("inner-a", 2);
        assert_eq!(field.keys_at("inner-a"), [[GATEWAY_KEY], [GATEWAY_KEY]], "{attach} {path}");
        assert!(arrivals.iter().all(|arrival| arrival.values("x-tenant-id") == ["acme"]), "{attach} {path}");
        assert_eq!(arrivals[0].values(CONTEXT).len(), 1, "{attach} {path}");
        assert_eq!(arrivals[0].values(CONTEXT), arrivals[1].values(CONTEXT), "{attach} {path}");
        assert_eq!(complaints(attach, &routes), "", "{attach} {path}");
    }
}

/// The attempts of a request share its headers, so that one finds there what another was given.
#[test]
fn an_attempt_to_another_cluster_finds_no_key_that_was_left_there() {
    let policy = json!({ "retry_on": "5xx", "num_retries": 1, "refresh_cluster_on_retry": true });
    let routes = |other: &str| {
        let weights = json!([{ "name": "inner-a", "weight": 50 }, { "name": other, "weight": 50 }]);
        json!([{ "match": { "prefix": "/" },
                 "route": { "weighted_clusters": { "clusters": weights }, "retry_policy": policy } }])
    };
    if moves_retries() {
        let field = Field::start("upstream", &routes("guarded"));
        for _ in 0..20 {
            field.permitted("/retry");
        }
        let moved = |cluster: &str| {
            let second = |arrival: &&Arrival| arrival.values("x-envoy-attempt-count") == ["2"];
            field.at(cluster).iter().filter(second).count()
        };
        assert!(moved("guarded") > 0 && moved("inner-a") > 0, "one in 2^19 runs ends here");
        assert!(field.keys_at("inner-a").iter().all(|keys| *keys == [GATEWAY_KEY]));
        field.assert_nothing_left();
    } else {
        let ports = ["inner-a", "guarded"].map(|name| (name, 9)).into();
        let environment = [ENVIRONMENT[0], ("VESTIBULE_CONTEXT_KEY", CONTEXT_KEY.trim())];
        let refusal = refusal(&bootstrap("upstream", &routes("guarded"), &ports), &environment);
        assert!(refusal.log.contains("'refresh_cluster_on_retry'"), "{}", refusal.complaints());
    }
    // Where there is no filter nobody removes it, in either way.
    for attach in ["upstream", "route"] {
        let said = complaints(attach, &routes("partner"));
        assert!(said.contains("refresh_cluster_on_retry: a retry takes along"), "{attach}: {said}");
    }
    assert_eq!(complaints("upstream", &routes("guarded")), "");
}

#[test]
fn a_cluster_outside_the_bounds_or_without_the_filter_gets_no_key_and_no_header_of_it() {
    let routes =
        json!([to("/partner", "partner"), to("/guarded", "guarded"), to("/bare", BARE), to("/", "inner-a")]);
    let field = Field::start("upstream", &routes);
    for path in ["/partner", "/guarded", "/bare"] {
        let call =
            get(path).bearer(&good_token()).header("x-gateway-key", "mine").header("x_gateway_key", "mine");
        assert_eq!(field.send(call).status, 200, "{path}");
    }
    for cluster in ["partner", "guarded", BARE] {
        let arrivals = field.at(cluster);
        assert_eq!(arrivals.len(), 1, "{cluster}");
        assert_eq!(arrivals[0].values("x-tenant-id"), ["acme"], "{cluster}");
        assert_eq!(arrivals[0].values("x_gateway_key"), [""; 0], "{cluster}");
    }
    field.assert_nothing_left();
    field.permitted("/");
    assert_eq!(field.keys_at("inner-a"), [[GATEWAY_KEY]]);
    // A denied request goes nowhere, with a key or without.
    assert_eq!(field.send(get("/")).code().as_deref(), Some("credential_missing"));
    assert_eq!(field.at("inner-a").len(), 1);
}
