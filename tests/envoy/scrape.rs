//! What a scrape of both doors shows under mixed traffic: every metric, and the numbers that the clients know.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vestibule::fingerprint::Fingerprint;

use super::mesh::{ENVIRONMENT, good_payload, good_token, issuer, signed};
use super::remote_door::{RemoteDoor, assert_is_alice, by, send_all, until};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Call, call, get};
use crate::support::jwks_server::{JwksServer, Reply};

/// The page's own rules.
fn stats_tags() -> Value {
    let page = include_str!("../../docs/metrics.md");
    let block = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    let block: Value = serde_saphyr::from_str(block).expect("YAML");
    block["stats_config"].clone()
}

/// `envoy/mesh.yaml`, with the outer door's issuer known to the tests.
fn mesh(tagged: bool) -> Envoy {
    let mut mesh = Bootstrap::of("mesh.yaml").on_free_ports();
    let mut outer = mesh.configuration("outer");
    outer["issuers"]["main"] = issuer();
    let mut mesh = mesh.configure("outer", &outer);
    if tagged {
        mesh.document()["stats_config"] = stats_tags();
    }
    let envoy = Envoy::start(&mesh, &ENVIRONMENT);
    // So that no request waits: each service has a VM in the worker and one in the main thread.
    until("the inner doors have the gateway's keys", || (envoy.told("keys").len() >= 4).then_some(()));
    envoy
}

/// The filter's series in a scrape, by name and sorted labels.
fn scrape(envoy: &Envoy) -> BTreeMap<String, u64> {
    let text = envoy.admin("/stats/prometheus").text();
    let lines = text.lines().filter(|line| !line.starts_with('#') && line.contains("vestibule_"));
    let series = lines.filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let mut labels: Vec<_> =
            labels.trim_end_matches('}').split(',').filter(|it| !it.is_empty()).collect();
        labels.sort_unstable();
        Some((format!("{name}{{{}}}", labels.join(",")), value.parse().ok()?))
    });
    series.collect()
}

/// A series as Prometheus reads it, with labels or without.
fn series(tagged: bool, name: &str, labels: &[(&str, &str)]) -> String {
    if tagged {
        let mut labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        labels.sort_unstable();
        return format!("{name}{{{}}}", labels.join(","));
    }
    let before: String = labels.iter().map(|(label, value)| format!("{label}=.={value};.;")).collect();
    let allowed = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    format!("{}{name}{{}}", before.chars().map(allowed).collect::<String>())
}

fn decision<'l>(door: &'l str, code: &'l str, issuer: &'l str) -> [(&'l str, &'l str); 5] {
    let decision = if code == "_none" { "permit" } else { "denial" };
    [("door", door), ("decision", decision), ("code", code), ("route", "_none"), ("issuer", issuer)]
}

/// Sends one kind of request so many times; each is answered with this status.
fn send(envoy: &Envoy, times: u64, call: &Call, status: u16) {
    for _ in 0..times {
        let response = call.send(envoy.port("outer"));
        assert_eq!(response.status, status, "{call:?}: {}", response.text());
    }
}

#[test]
fn a_scrape_has_every_metric_with_the_clients_own_counts_with_tags_and_without() {
    for tagged in [true, false] {
        let envoy = mesh(tagged);
        let mut expired = good_payload();
        expired["exp"] = json!({ "$now": -3600 });
        let expired = signed(&json!({ "key": "rsa-1", "payload": expired }));
        send(&envoy, 5, &get("/").bearer(&good_token()), 200);
        send(&envoy, 3, &get("/"), 401);
        send(&envoy, 2, &get("/").bearer(&expired), 401);
        send(&envoy, 4, &get("/a;b"), 400);
        send(&envoy, 1, &call("TRACE", "/"), 400);

        let decisions = "vestibule_decisions_total";
        let expected = [
            (decisions, decision("outer", "_none", "main").to_vec(), 5),
            (decisions, decision("outer", "credential_missing", "_none").to_vec(), 3),
            (decisions, decision("outer", "token_expired", "main").to_vec(), 2),
            (decisions, decision("outer", "path_ambiguous", "_none").to_vec(), 4),
            (decisions, decision("outer", "method_refused", "_none").to_vec(), 1),
            (decisions, decision("outer", "keys_unavailable", "_none").to_vec(), 0),
            (decisions, decision("inner", "_none", "context").to_vec(), 5),
            (decisions, decision("inner", "peer_not_allowed", "_none").to_vec(), 0),
            ("vestibule_gateway_key_total", vec![("name", "first")], 5),
            // The first of a token, and each context.
            ("vestibule_token_cache_total", vec![("result", "hit")], 4),
            ("vestibule_token_cache_total", vec![("result", "miss")], 1 + 2 + 5),
            ("vestibule_paused_requests", vec![], 0),
            ("vestibule_keys_refresh_seconds", vec![("issuer", "context")], 600),
            ("vestibule_keys_fetch_total", vec![("issuer", "context"), ("result", "timed_out")], 0),
        ];
        let scraped = until("the scrape has the counts that are written every five seconds", || {
            let scraped = scrape(&envoy);
            let looked_up = series(tagged, "vestibule_token_cache_total", &[("result", "miss")]);
            (scraped.get(&looked_up) == Some(&8)).then_some(scraped)
        });
        for (name, labels, count) in expected {
            let series = series(tagged, name, &labels);
            assert_eq!(scraped.get(&series), Some(&count), "{series} of {scraped:#?}");
        }
        let age = series(tagged, "vestibule_keys_age_seconds", &[("issuer", "context")]);
        assert!(scraped.get(&age).is_some_and(|age| *age < 60), "{age} of {scraped:#?}");
        let changed = [("issuer", "context"), ("result", "changed")];
        let changed = scraped.get(&series(tagged, "vestibule_keys_fetch_total", &changed));
        assert!(changed.is_some_and(|count| *count >= 2), "each VM of both services fetched: {scraped:#?}");
        // Three doors, each with a configuration of its own.
        let served = scraped.iter().filter(|(name, _)| name.contains("vestibule_config_info"));
        assert_eq!(served.map(|(_, value)| *value).collect::<Vec<_>>(), [1, 1, 1], "{scraped:#?}");
    }
}

#[test]
fn a_configuration_is_told_by_its_fingerprint_and_who_verifies() {
    let envoy = mesh(true);
    let mut bootstrap = Bootstrap::of("mesh.yaml");
    let mut outer = bootstrap.configuration("outer");
    outer["issuers"]["main"] = issuer();
    let doors = [outer, bootstrap.configuration("inner"), bootstrap.configuration("orders")];
    for configuration in doors {
        let hash = Fingerprint::of(&configuration).to_string();
        // What Envoy serves depends on whether keys are known, and contexts are by any algorithm that is.
        let crypto = if configuration["door"] == "outer" { "host" } else { "both" };
        let told = json!({ "hash": hash, "crypto": crypto, "door": configuration["door"] });
        assert!(envoy.wait_until_told("configuration", &told), "{told} of {:?}", envoy.told("configuration"));
        let labels = [("hash", hash.as_str()), ("version", env!("CARGO_PKG_VERSION")), ("crypto", crypto)];
        let series = series(true, "vestibule_config_info", &labels);
        until("the scrape has it", || (scrape(&envoy).get(&series) == Some(&1)).then_some(()));
    }
}

#[test]
fn requests_that_wait_are_seen_while_they_wait() {
    let issuer = JwksServer::start(Reply::keys(&["ec-256"]));
    issuer.hold();
    let door = RemoteDoor::start(issuer);
    let waiting = send_all(vec![by("ec-256"); 3], door.port());
    let paused = || door.envoy.stats("wasmcustom.vestibule_paused_requests").into_values().sum::<u64>();
    until("three wait", || (paused() == 3).then_some(()));
    door.issuer.release();
    for response in waiting.answers() {
        assert_is_alice(&door.arrival(&response));
    }
    until("nobody waits", || (paused() == 0).then_some(()));
}
