//! Keys that a scenario has issuers publish.

use serde_json::{Value, json};

use super::test::{fails, scenario, test, test_keys};

/// A scenario with an issuer whose keys are remote, and with a folder of keys.
fn remote(published: Value) -> Value {
    let mut scenario = scenario();
    scenario["keys"] = json!(test_keys());
    scenario["config"]["issuers"]["main"]["keys"] =
        json!([{ "remote": { "url": "https://issuer.test/keys", "cluster": "issuer" } }]);
    scenario["tokens"]["good"] = json!({ "key": "ec-256", "payload": scenario["tokens"]["good"]["payload"] });
    scenario["published"] = published;
    scenario
}

#[test]
fn published_keys_are_those_of_a_fetch_just_before_the_case() {
    let mut scenario = remote(json!({ "main": { "$jwks": ["ec-256"] } }));
    let passing = scenario["cases"][0].clone();
    let with = |name: &str, changes: Value| {
        let mut case = passing.clone();
        case["name"] = json!(name);
        case.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        case
    };
    let denied = |code: &str| json!({ "code": code });
    scenario["cases"] = json!([
        with("published", json!({})),
        with("ten years later", json!({ "now": 2_100_000_000 })),
        // Had the door remembered what the token proved before, it would pass.
        with(
            "rotated",
            json!({ "published": { "main": { "$jwks": ["ec-256b"] } }, "expect": denied("key_unknown") })
        ),
        with("published again", json!({})),
        with("out of reach", json!({ "published": { "main": null }, "expect": denied("keys_unavailable") })),
        with(
            "restricted",
            json!({
                "config": { "issuers": { "main": { "denyKids": ["ec-256"] } } }, "expect": denied("key_unknown"),
            })
        ),
    ]);
    assert_eq!(test(&scenario).succeeded(), "6 passed, 0 failed\n");
}

#[test]
fn a_case_that_lacks_keys_is_told_where_to_give_them() {
    let line = "expected a permit, got keys_unavailable: give the keys of `main` under `published`";
    fails(&remote(json!({})), line);
    let mut no_member = remote(json!({}));
    no_member.as_object_mut().unwrap().remove("published");
    fails(&no_member, line);
}

#[test]
fn what_is_published_has_to_be_what_somebody_asks_for_and_can_use() {
    let faulty = |scenario: &Value, fault: &str| {
        let run = test(scenario);
        assert!(
            run.err.starts_with(&format!("standard input: alice gets in: published.{fault}")),
            "{}",
            run.err
        );
        assert_eq!((run.code, run.out.as_str()), (1, "0 passed, 0 failed, 1 not run\n"));
    };
    faulty(&remote(json!({ "other": { "$jwks": ["ec-256"] } })), "other: is no issuer with `remote` keys");
    let mut not_remote = scenario();
    not_remote["published"] = json!({ "main": { "keys": [] } });
    faulty(&not_remote, "main: is no issuer with `remote` keys");
    for (set, fault) in [
        (json!({ "keys": [] }), "main: brings no keys: the answer has no usable key"),
        (json!("text"), "main: brings no keys: of the answer: "),
        (
            json!({ "$jwks": [{ "$key": "ec-256", "use": "enc" }] }),
            "main: brings no keys: the answer has no usable",
        ),
    ] {
        faulty(&remote(json!({ "main": set })), fault);
    }
    let mut two = remote(json!({ "main": { "$jwks": ["ec-256"] }, "second": { "$jwks": ["ec-256b"] } }));
    let issuers = two["config"]["issuers"].as_object_mut().unwrap();
    let mut second = issuers["main"].clone();
    second["issuer"] = json!("https://second.test");
    for (issuer, prefix) in [(&mut issuers["main"], "a:"), (&mut second, "b:")] {
        issuer["subjectPrefix"] = json!(prefix);
        issuer["tenants"] = json!(["acme"]);
    }
    issuers.insert("second".into(), second);
    faulty(&two, "main: differs from what `second` publishes");
}
