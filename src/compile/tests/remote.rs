//! `issuers.NAME.keys[].remote`.

use std::time::Duration;

use super::*;

const REMOTE: &str = "issuers.main.keys[0].remote";

fn remote(remote: Value) -> Value {
    with(outer(), "/issuers/main/keys", json!([{ "remote": remote }]))
}

#[test]
fn a_source_has_its_times_and_the_cluster_of_its_url() {
    let source = |document: &Value| {
        let policy = compile(document, &Secrets::From(&environment)).unwrap().value;
        policy.remote_sources().next().unwrap().clone()
    };
    let default = source(&remote(json!({ "url": "https://issuer.example/keys" })));
    assert_eq!(default.cluster(), "outbound|443||issuer.example");
    let seconds = Duration::from_secs;
    assert_eq!(
        (default.refresh, default.timeout, default.max_stale),
        (seconds(600), seconds(5), seconds(86_400))
    );
    let written = source(&remote(json!({
        "url": "http://issuer.example:8080/keys", "cluster": "issuer", "refresh": "1m", "timeout": "500ms",
        "maxStale": "2h",
    })));
    assert_eq!(written.cluster(), "issuer");
    assert_eq!(
        (written.refresh, written.timeout, written.max_stale),
        (seconds(60), Duration::from_millis(500), seconds(7_200))
    );
    let port = source(&remote(json!({ "url": "http://issuer.example:8080/keys" })));
    assert_eq!(port.cluster(), "outbound|8080||issuer.example");
}

#[test]
fn what_cannot_be_fetched_is_refused() {
    let url = "https://issuer.example/keys";
    for (bad, path) in [
        (json!({ "cluster": "issuer" }), "url"),
        (json!({ "url": "issuer.example/keys" }), "url"),
        (json!({ "url": "https://user@issuer.example/keys" }), "url"),
        (json!({ "url": url, "cluster": "a b" }), "cluster"),
        (json!({ "url": url, "cluster": "" }), "cluster"),
        (json!({ "url": url, "refresh": "999ms" }), "refresh"),
        (json!({ "url": url, "refresh": "25h" }), "refresh"),
        (json!({ "url": url, "timeout": "0s" }), "timeout"),
        (json!({ "url": url, "timeout": "61s" }), "timeout"),
        (json!({ "url": url, "maxStale": "0s" }), "maxStale"),
        (json!({ "url": url, "maxStale": "169h" }), "maxStale"),
        (json!({ "url": url, "maxStale": "9m" }), "maxStale"),
        (json!({ "url": url, "maxStale": "604s" }), "maxStale"),
        (json!({ "url": url, "every": "1m" }), "every"),
    ] {
        let found = errors(&remote(bad.clone()));
        assert_eq!(found.len(), 1, "{bad}: {found:?}");
        assert!(found[0].starts_with(&format!("{REMOTE}.{path}: ")), "{bad}: {found:?}");
    }
    assert_eq!(errors(&remote(json!({ "url": url, "maxStale": "605s" }))), [""; 0]);
    assert!(errors(&remote(json!({})))[0].starts_with(&format!("{REMOTE}: ")));
}

#[test]
fn one_set_is_fetched_once_for_an_issuer() {
    let source = |refresh| json!({ "remote": { "url": "https://issuer.example/keys", "refresh": refresh } });
    let twice = with(outer(), "/issuers/main/keys", json!([source("10m"), source("20m")]));
    assert_eq!(errors(&twice), ["issuers.main.keys: fetches https://issuer.example/keys twice: remove one"]);
}

#[test]
#[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
fn algorithms_may_be_those_of_keys_that_are_not_known_yet_but_no_hmac() {
    let with_algorithms = |algorithms| {
        with(remote(json!({ "url": "https://issuer.example/keys" })), "/issuers/main/algorithms", algorithms)
    };
    assert_eq!(errors(&with_algorithms(json!(["ES256", "PS512"]))), [""; 0]);
    assert!(
        errors(&with_algorithms(json!(["HS256"])))[0]
            .starts_with("issuers.main.algorithms: HS256 goes with none")
    );
}

#[test]
fn limits_of_waiting_are_bounded() {
    for (limit, good, bad) in [
        ("pause", json!("10ms"), json!("9ms")),
        ("pause", json!("10s"), json!("11s")),
        ("pausedRequests", json!(1), json!(0)),
        ("pausedRequests", json!(10_000), json!(10_001)),
        ("denialLines", json!(1), json!(0)),
        ("denialLines", json!(6000), json!(6001)),
        ("tokenCacheBytes", json!(0), json!(-1)),
        ("tokenCacheBytes", json!(268_435_456), json!(268_435_457)),
    ] {
        let limits = |value| with(outer(), "/limits", json!({ limit: value }));
        assert_eq!(errors(&limits(good)), [""; 0], "{limit}");
        assert!(errors(&limits(bad))[0].starts_with(&format!("limits.{limit}: ")), "{limit}");
    }
}
