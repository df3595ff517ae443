//! Scenarios as `vestibule test` reads them: each fault is an error with its place.

use std::fs;

use serde_json::{Value, json};

use super::test::{scenario, test, test_keys};
use super::{directory, vestibule};

/// A change to the scenario, and the fault that it then has.
type Fault = (Value, &'static str);

/// Lays these changes over the scenario (RFC 7396), whose only case is replaced by `case` with its own.
pub(crate) fn changed(changes: &Value) -> Value {
    let mut whole = scenario();
    let mut changes = changes.clone();
    let case = changes.as_object_mut().unwrap().remove("case");
    merge(&mut whole, &changes);
    if let Some(case) = case {
        merge(&mut whole["cases"][0], &case);
    }
    whole
}

fn merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (name, change) in patch {
                match change {
                    Value::Null => drop(target.remove(name)),
                    change => merge(target.entry(name.clone()).or_insert(Value::Null), change),
                }
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}

#[track_caller]
fn refused(scenario: &Value, fault: &str) {
    let run = test(scenario);
    assert_eq!((run.code, run.out.lines().last()), (1, Some("0 passed, 0 failed")), "{fault}: {}", run.err);
    assert!(run.err.starts_with(&format!("standard input: {fault}")), "{fault} should be\n{}", run.err);
    assert_eq!(run.err.lines().count(), 1, "{}", run.err);
}

#[track_caller]
fn all_refused(faults: &[Fault]) {
    for (changes, fault) in faults {
        refused(&changed(changes), fault);
    }
}

#[test]
fn a_fault_of_a_file_is_an_error_with_its_place() {
    all_refused(&[
        (json!({ "abuot": "x", "about": null }), "abuot: is no member of this; there can be about, "),
        (json!({ "about": null }), "about: is missing"),
        (json!({ "about": 5 }), "about: is a number, and should be text"),
        (json!({ "config": null }), "config: is missing"),
        (json!({ "config": ["x"] }), "config: is a list, and should be a configuration"),
        (
            json!({ "config": { "strip": [{ "$repaet": "x" }] } }),
            "config.strip[0].$repaet: stands for nothing",
        ),
        (json!({ "env": { "SECRET": 5 } }), "env.SECRET: is a number"),
        (json!({ "published": [] }), "published: is a list"),
        (json!({ "request": { "path": "/" }, "tokens": [] }), "tokens: is a list"),
        (json!({ "cases": null }), "cases: is missing"),
        (json!({ "cases": {} }), "cases: is an object"),
        (json!({ "cases": [] }), "cases: is empty"),
        (json!({ "cases": ["x"] }), "cases[0]: is text"),
        (json!({ "case": { "name": null } }), "cases[0].name: is missing"),
        (json!({ "tokens": { "more": { "compact": "x" } } }), "tokens.more: no case presents it"),
    ]);
    let mut twice = scenario();
    let first = twice["cases"][0].clone();
    twice["cases"].as_array_mut().unwrap().push(first);
    refused(&twice, "alice gets in: is the name of two cases");
}

#[test]
fn a_fault_of_a_case_is_an_error_that_names_it() {
    let faults: [Fault; 23] = [
        (json!({ "expcet": {} }), "expcet: is no member of this"),
        (json!({ "expect": null }), "expect: is missing"),
        (json!({ "now": "later" }), "now: is text"),
        (json!({ "now": -1 }), "now: is a number, and should be a number of seconds since the epoch"),
        (json!({ "clock": "about" }), "clock: should be \"exact\""),
        (json!({ "envoy": true }), "envoy: is a boolean"),
        (json!({ "request": { "heaedrs": [] } }), "request.heaedrs: is no member of this"),
        (json!({ "request": { "path": 5 } }), "request.path: is a number"),
        (json!({ "request": { "peer": "" } }), "request.peer: is empty"),
        (json!({ "request": { "method": null } }), "request: no client of Envoy can send this"),
        (
            json!({ "request": { "headers": [["a"]] } }),
            "request.headers[0]: is a list, and should be [name, value]",
        ),
        (
            json!({ "request": { "headers": [["a", "\u{20ac}"]] } }),
            "request.headers[0]: has a character beyond",
        ),
        (json!({ "request": { "headers": [["a", "{{good"]] } }), "request.headers[0]: has `{{` without"),
        (json!({ "request": { "headers": [["a", "{{bad}}"]] } }), "request: there is no token `bad`"),
        (
            json!({ "request": { "headers": [["x-other", "{{good}}"]] } }),
            "expect.upstream: does not say what becomes of the header `x-other`",
        ),
        (
            json!({ "expect": { "upstream": { "X-User-Id": [] } } }),
            "expect.upstream.X-User-Id: is written in lower case",
        ),
        (json!({ "expect": { "upstream": { ":path": ["/"] } } }), "expect.upstream.:path: is for one path"),
        (json!({ "expect": { "upstream": { ":path": [] } } }), "expect.upstream.:path: is for one path"),
        (json!({ "expect": { "upstream": { "x-user-id": "alice" } } }), "expect.upstream.x-user-id: is text"),
        (
            json!({ "expect": { "upstream": { "x-user-id": ["{{bad}}"] } } }),
            "request: there is no token `bad`",
        ),
        (json!({ "expect": { "code": "token_expired" } }), "expect: should give one of"),
        (json!({ "expect": { "upstream": null } }), "expect: should give one of"),
        (
            json!({ "expect": { "upstream": null, "code": "expired" } }),
            "expect.code: there is no code `expired`",
        ),
    ];
    for (changes, fault) in faults {
        let mut changes = changes;
        // What a merge patch would take for a removal.
        let no_method = changes.pointer("/request/method").is_some();
        if no_method {
            changes["request"] = json!({});
        }
        let mut scenario = changed(&json!({ "case": changes }));
        if no_method {
            scenario["cases"][0]["request"]["method"] = Value::Null;
        }
        refused(&scenario, &format!("alice gets in: {fault}"));
    }
}

#[test]
fn every_case_with_a_fault_is_told() {
    let mut scenario = scenario();
    for name in ["second", "third"] {
        scenario["cases"].as_array_mut().unwrap().push(json!({ "name": name }));
    }
    let run = test(&scenario);
    let lines: Vec<&str> = run.err.lines().collect();
    assert_eq!(lines.len(), 2, "{}", run.err);
    for (line, name) in lines.iter().zip(["second", "third"]) {
        assert!(line.starts_with(&format!("standard input: {name}: expect: is missing")), "{line}");
    }
}

#[test]
fn a_fault_of_a_token_is_an_error_that_names_it() {
    let of_file = |spec: Value, fault: &'static str| (json!({ "tokens": { "good": spec } }), fault);
    let keys = json!({ "keys": test_keys() });
    all_refused(&[
        of_file(json!({ "ker": "x" }), "tokens.good.ker: is no member of this"),
        of_file(
            json!({ "key": "ec-256" }),
            "tokens.good.key: names the key `ec-256`, and the file names no folder",
        ),
        of_file(json!({ "header": null, "sign": null }), "tokens.good: has neither `key` nor `header`"),
        of_file(json!({ "headerText": "{}" }), "tokens.good.header: is there in two ways"),
        of_file(json!({ "signatureBase64": "AAAA" }), "tokens.good: has two signatures"),
        of_file(json!({ "compact": "x" }), "tokens.good: `compact` is the whole token"),
        of_file(json!({ "tamper": "header" }), "tokens.good.tamper: should be"),
        of_file(json!({ "payload": { "exp": { "$now": "x" } } }), "tokens.good.payload.exp.$now: is text"),
        of_file(json!({ "sign": { "alg": "RS256" } }), "tokens.good.sign.alg: should be HS256"),
        of_file(json!({ "sign": { "secret": null } }), "tokens.good.sign: is keyed with either"),
        of_file(json!({ "sign": { "more": 1 } }), "tokens.good.sign.more: is no member of this"),
        (
            json!({ "tokens": { "more": { "from": "nothing" } } }),
            "tokens.more.from: names no token of the file",
        ),
    ]);
    for (name, fault) in [
        ("none", "tokens.good.key: there is no key `none`: "),
        ("../keys/ec-256", "tokens.good.key: `../keys/ec-256` is no name of a key"),
        ("", "tokens.good.key: `` is no name of a key"),
    ] {
        let mut scenario = changed(&keys);
        scenario["tokens"]["good"]["key"] = json!(name);
        refused(&scenario, fault);
    }

    let of_case = |spec: Value, fault: &str| {
        let mut scenario = changed(&keys);
        scenario["cases"][0]["tokens"] = json!({ "own": spec });
        scenario["cases"][0]["request"]["headers"][0][1] = json!("Bearer {{own}}");
        refused(&scenario, &format!("alice gets in: {fault}"));
    };
    of_case(json!({ "from": "own" }), "tokens.own.from: names no token of the file");
    of_case(
        json!({ "from": "good", "without": ["azp"] }),
        "tokens.own.without: names `azp`, which the payload",
    );
    of_case(
        json!({ "from": "good", "payloadText": "x", "payload": {} }),
        "tokens.own: gives the payload raw",
    );
    of_case(json!({ "from": "good", "compact": "x" }), "tokens.own: `compact` is the whole token");

    let mut unsent = scenario();
    unsent["cases"][0]["tokens"] = json!({ "own": { "from": "good" } });
    refused(&unsent, "alice gets in: tokens.own: the request does not present it");
    unsent["cases"][0]["tokens"] = json!({ "good": { "from": "good" } });
    refused(&unsent, "alice gets in: tokens.good: is a token of the file already");
}

#[test]
fn a_token_that_cannot_be_made_is_an_error_that_names_it() {
    let mut scenario = changed(&json!({ "keys": test_keys() }));
    for (spec, fault) in [
        (
            json!({ "key": "rsa-weak", "header": { "alg": "PS512" } }),
            "the key is too small to sign by this `alg`",
        ),
        (json!({ "header": {}, "tamper": "signature" }), "there is no signature to tamper with"),
        (json!({ "header": {}, "tamper": "payload" }), "the payload holds no digit to tamper with"),
    ] {
        scenario["tokens"]["good"] = spec;
        let run = test(&scenario);
        assert!(
            run.err.starts_with(&format!("standard input: alice gets in: tokens.good: {fault}")),
            "{}",
            run.err
        );
        assert_eq!((run.code, run.out.as_str()), (1, "0 passed, 0 failed, 1 not run\n"));
    }
}

#[test]
fn a_key_that_is_none_is_refused_and_not_shown() {
    let directory = directory("a_scenario_with_a_key_that_is_none");
    fs::write(directory.join("bad.pem"), "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n")
        .unwrap();
    let scenario = changed(&json!({ "keys": directory, "tokens": { "good": { "key": "bad" } } }));
    let run = test(&scenario);
    assert!(!run.err.contains("hunter2"), "{}", run.err);
    assert!(run.err.starts_with("standard input: tokens.good.key: the key `bad` is not RSA"), "{}", run.err);
}

#[test]
fn a_text_that_is_no_scenario_is_an_error() {
    for (text, fault) in [
        ("", ""),
        ("[]", "is a list"),
        ("{\"about\":\"x\",\"about\":\"x\"}", "about: is there twice"),
        ("{", "is not JSON at line 1"),
        ("about: x\nabout: y\n", "not acceptable YAML: "),
        ("about: on\n", "line 1: "),
    ] {
        let run = vestibule(&["test", "-"]).input(text);
        assert!(run.err.contains("standard input: ") && run.err.contains(fault), "{text}: {}", run.err);
        assert_eq!((run.code, run.out.as_str()), (1, "0 passed, 0 failed\n"), "{text}");
    }
}

#[test]
fn a_scenario_cannot_start_a_line_of_the_report() {
    for name in ["x\nstandard input: y", "x\u{1b}[2J"] {
        let mut scenario = changed(
            &json!({ "case": { "name": name, "expect": { "upstream": null, "permit": { "a": ["b"] } } } }),
        );
        let failed = test(&scenario);
        assert_eq!(failed.out.lines().count(), 2, "{}", failed.out);
        scenario["cases"][0]["more"] = json!(1);
        let faulty = test(&scenario);
        assert_eq!(faulty.err.lines().count(), 1, "{}", faulty.err);
        assert!(!failed.out.contains('\u{1b}') && !faulty.err.contains('\u{1b}'));
    }
}
