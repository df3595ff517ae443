//! What `entrances` may not say.

use serde_json::json;

use super::*;
use crate::time::UnixTime;

#[test]
fn several_entrances_say_each_what_they_are_trusted_with() {
    let sha256 = "0".repeat(64);
    let scraper = json!({ "header": "x-scrape-key", "keys": { "k": { "sha256": sha256 } } });
    let two = with(inner(), "/entrances/scraper", scraper);
    assert_eq!(paths(&two), ["entrances.gateway.trust", "entrances.scraper.trust"]);
    let two = with(two, "/entrances/scraper/trust", json!("none"));
    let two = with(two, "/entrances/gateway/trust", json!({ "subject": "x-user-id" }));
    assert_eq!(errors(&two), [""; 0]);
}

fn mesh(peers: Value) -> Value {
    json!({ "peers": peers })
}

/// The paths of the errors.
fn paths(document: &Value) -> Vec<String> {
    errors(document).iter().map(|error| error.split(": ").next().unwrap().into()).collect()
}

#[test]
fn an_entrance_has_keys_or_peers_or_both() {
    let (mesh_path, peers) = ("/entrances/mesh", json!(["spiffe://a/b"]));
    assert_eq!(errors(&with(inner(), mesh_path, mesh(peers.clone()))), [""; 0]);
    assert_eq!(errors(&with(inner(), "/entrances/gateway/peers", peers)), [""; 0]);
    refused(inner(), mesh_path, json!({ "trust": "none" }), "entrances.mesh");
    refused(inner(), mesh_path, mesh(json!([])), "entrances.mesh.peers");
    refused(inner(), "/entrances/gateway/keys", json!({}), "entrances.gateway.keys");
    refused(inner(), mesh_path, json!({ "peers": "spiffe://a/b" }), "entrances.mesh.peers");
}

#[test]
fn a_peer_is_a_spiffe_id_to_the_letter_and_listed_once() {
    for bad in [
        json!("spiffe://a/*"),
        json!("*"),
        json!("spiffe://*/b"),
        json!("spiffe://a"),
        json!("spiffe://a/"),
        json!("spiffe://A/b"),
        json!("https://a/b"),
        json!("cluster.local/ns/a/sa/b"),
        json!(1),
        json!(""),
    ] {
        let peers = json!(["spiffe://a/b", bad]);
        refused(inner(), "/entrances/mesh", mesh(peers), "entrances.mesh.peers[1]");
    }
    let twice = mesh(json!(["spiffe://a/b", "spiffe://a/c", "spiffe://a/b"]));
    refused(inner(), "/entrances/mesh", twice, "entrances.mesh.peers[2]");
}

#[test]
fn what_is_about_a_key_is_an_error_where_there_is_none() {
    for (name, value) in [("header", json!("x-mesh-key")), ("forward", json!(false))] {
        let mut entrance = mesh(json!(["spiffe://a/b"]));
        entrance[name] = value;
        refused(inner(), "/entrances/mesh", entrance, &format!("entrances.mesh.{name}"));
    }
}

#[test]
fn keys_are_counted_by_name_so_no_two_entrances_have_one_of_the_same_name() {
    let of = |name: &str, digit: &str| json!({ "keys": { name: { "sha256": digit.repeat(64) } }, "header": "x-scrape-key", "trust": "none" });
    let document = with(inner(), "/entrances/gateway/trust", json!({ "subject": "x-user-id" }));
    assert_eq!(errors(&with(document.clone(), "/entrances/scraper", of("second", "0"))), [""; 0]);
    refused(document, "/entrances/scraper", of("first", "0"), "entrances.scraper.keys.first");
}

#[test]
fn peers_alone_are_believed_in_nothing_that_is_not_written() {
    let peers = json!(["spiffe://a/b"]);
    let only = json!({ "door": "inner", "entrances": { "mesh": mesh(peers.clone()) } });
    assert_eq!(paths(&only), ["default"]);
    let policy = |document: &Value| compile(document, &Secrets::From(&environment)).unwrap().value;
    let trusts = |policy: &Policy| -> Vec<(String, bool)> {
        policy.entrances.iter().map(|one| (one.name().to_owned(), one.trust.is_some())).collect()
    };
    let both = with(inner(), "/entrances/another", mesh(peers.clone()));
    assert_eq!(trusts(&policy(&both)), [("gateway".into(), true), ("another".into(), false)]);
    let in_one = with(inner(), "/entrances/gateway/peers", peers);
    assert_eq!(trusts(&policy(&in_one)), [("gateway".into(), true)]);
    // Who is trusted beside it is another's credential, so nothing goes without saying.
    let trusted = with(both, "/entrances/another/trust", json!({ "subject": "x-service" }));
    assert_eq!(paths(&trusted), ["entrances.gateway.trust"]);
}

#[test]
fn one_peer_is_believed_in_the_same_things_wherever_nothing_tells_entrances_apart() {
    let trusted =
        |subject: &str| json!({ "peers": ["spiffe://a/b", "spiffe://a/c"], "trust": { "subject": subject } });
    let document = with(inner(), "/entrances/gateway/trust", json!("none"));
    let document = with(document, "/entrances/a", trusted("x-service"));
    assert_eq!(errors(&with(document.clone(), "/entrances/b", trusted("x-service"))), [""; 0]);
    let two = ["entrances.b.peers[0]", "entrances.b.peers[1]"];
    assert_eq!(paths(&with(document.clone(), "/entrances/b", trusted("x-other"))), two);
    refused(document.clone(), "/entrances/b", mesh(json!(["spiffe://a/c"])), "entrances.b.peers[0]");
    // A key tells it from one that wants none.
    let keyed = json!({
        "keys": { "k": { "sha256": "0".repeat(64) } }, "peers": ["spiffe://a/b"], "trust": { "subject": "x-other" },
    });
    assert_eq!(errors(&with(document, "/entrances/b", keyed)), [""; 0]);
}

#[test]
fn entrances_are_tried_in_one_order_whatever_they_are_called() {
    let document = json!({
        "door": "inner", "default": "public", "entrances": {
            "a": mesh(json!(["spiffe://a/b"])),
            "b": mesh(json!(["spiffe://a/b"])),
            "c": { "keys": { "one": { "sha256": "1".repeat(64) } }, "trust": "none" },
            "d": { "keys": { "two": { "sha256": "2".repeat(64) } }, "trust": "none", "peers": ["spiffe://a/b"] },
        },
    });
    let policy = compile(&document, &Secrets::From(&environment)).unwrap().value;
    let names: Vec<&str> = policy.entrances().iter().map(|entrance| entrance.name()).collect();
    assert_eq!(names, ["d", "c", "a", "b"]);
    assert!(policy.reads_peer());
    let keys = policy.gateway_keys().map(|name| &**name).collect::<Vec<_>>();
    assert_eq!(keys, ["two", "one"]);
    assert!(!compile(&inner(), &Secrets::From(&environment)).unwrap().value.reads_peer());
}

#[test]
fn keys_and_peers_of_all_entrances_are_bounded_together() {
    let keys = |from: usize, count: usize| -> Value {
        let key = |number: usize| (format!("k{number}"), json!({ "sha256": format!("{number:064x}") }));
        json!({ "keys": Value::Object((from..from + count).map(key).collect()), "trust": "none" })
    };
    let two = |more| json!({ "door": "inner", "default": "public", "entrances": { "a": keys(0, 60), "b": keys(60, more) } });
    assert_eq!(errors(&two(40)), [""; 0]);
    assert_eq!(errors(&two(41)), ["entrances: have 101 keys together, and at most 100 are accepted"]);

    let peers = |from: usize, count: usize| {
        (from..from + count).map(|number| json!(format!("spiffe://a/{number}"))).collect::<Value>()
    };
    let eleven = |more| {
        let entrances = (0..10).map(|number| (format!("e{number}"), mesh(peers(number * 100, 100))));
        let last = ("last".to_owned(), mesh(peers(1_000, more)));
        let entrances = entrances.chain((more > 0).then_some(last)).collect();
        json!({ "door": "inner", "default": "public", "entrances": Value::Object(entrances) })
    };
    assert_eq!(errors(&eleven(0)), [""; 0]);
    assert_eq!(errors(&eleven(1)), ["entrances: have 1001 peers together, and at most 1000 are accepted"]);
}

#[test]
fn a_time_is_rfc_3339_to_the_second() {
    let path = "entrances.gateway.keys.first.notAfter";
    for bad in [
        "20300101T000000Z",
        "2030-01-01 00:00:00Z",
        "2030-01-01T00:00:00.5Z",
        "2030-13-01T00:00:00Z",
        "2030-01-01T00:00:00",
        "2030-01-01T00:00:00-05[America/New_York]",
        "1969-01-01T00:00:00Z",
        "soon",
    ] {
        refused(inner(), "/entrances/gateway/keys/first/notAfter", json!(bad), path);
    }
    let good = with(inner(), "/entrances/gateway/keys/first/notAfter", json!("2030-01-01T00:00:00+01:00"));
    assert_eq!(errors(&good), [""; 0]);
    refused(good, "/entrances/gateway/keys/first/notBefore", json!("2030-01-01T00:00:00Z"), path);
}

#[test]
fn a_time_past_32_bits_is_that_time() {
    let from_2107 = json!("2107-01-01T00:00:00Z");
    let document = with(inner(), "/entrances/gateway/keys/first/notBefore", from_2107);
    let policy = compile(&document, &Secrets::From(&environment)).unwrap().value;
    let keys = policy.entrances[0].keys().unwrap();
    assert_eq!(keys.accepted[0].not_before, Some(UnixTime::from_secs(4_323_283_200)));
}

#[test]
fn a_check_without_secrets_finds_every_other_fault() {
    let sha256 = "0".repeat(64);
    let keys = json!({ "a": { "env": "ABSENT" }, "b": { "sha256": sha256 }, "c": { "sha256": sha256 } });
    let document = with(inner(), "/entrances/gateway/keys", keys);
    let found = check(&document, &Secrets::Unchecked).unwrap_err();
    assert_eq!(found.iter().map(|error| error.path()).collect::<Vec<_>>(), ["entrances.gateway.keys.c"]);
    assert!(check(&inner(), &Secrets::Unchecked).is_ok());
}
