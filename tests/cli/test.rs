//! `vestibule test`: what it runs, what it reports, and how it ends.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Run, directory, text, vestibule};

pub(crate) const SECRET: &str = "a-secret-of-these-tests-0123456789abcdef";

/// A gateway whose tokens are signed with a secret, and one case that passes.
pub(crate) fn scenario() -> Value {
    json!({
        "about": "A scenario of the tests.",
        "config": { "door": "outer", "issuers": { "main": {
            "issuer": "https://issuer.test", "audiences": ["api"], "keys": [{ "secret": { "env": "SECRET" } }],
        } } },
        "env": { "SECRET": SECRET },
        "tokens": { "good": {
            "sign": { "alg": "HS256", "secret": SECRET }, "header": { "alg": "HS256", "typ": "JWT" },
            "payload": { "iss": "https://issuer.test", "aud": "api", "sub": "alice", "tenant_id": "acme",
                         "exp": { "$now": 300 } },
        } },
        "cases": [{
            "name": "alice gets in",
            "request": { "headers": [["authorization", "Bearer {{good}}"]] },
            "expect": { "upstream": { "authorization": [], "x-user-id": ["alice"], "x-tenant-id": ["acme"] } },
        }],
    })
}

/// The same with another expectation.
fn expecting(expect: Value) -> Value {
    let mut scenario = scenario();
    scenario["cases"][0]["expect"] = expect;
    scenario
}

/// The same with a request without a token.
fn anonymous(expect: Value) -> Value {
    let mut scenario = expecting(expect);
    scenario.as_object_mut().unwrap().remove("tokens");
    scenario["cases"][0]["request"] = json!({});
    scenario
}

pub(crate) fn test_keys() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/keys")
}

pub(crate) fn test(scenario: &Value) -> Run {
    vestibule(&["test", "-"]).input(scenario.to_string())
}

#[track_caller]
pub(crate) fn fails(scenario: &Value, line: &str) {
    let run = test(scenario);
    assert_eq!((run.code, run.err.as_str()), (1, ""), "{}", run.out);
    assert_eq!(run.out.lines().next(), Some(format!("standard input: alice gets in: {line}").as_str()));
    assert_eq!(run.out.lines().last(), Some("0 passed, 1 failed"));
}

/// A door that publishes the key ec-256, and a request for it.
fn asking(expect: Value) -> Value {
    let mut scenario = anonymous(expect);
    scenario["config"]["context"] = json!({ "mint": {
        "issuer": "https://gateway.test", "audience": "mesh", "workload": "gateway", "key": { "env": "SIGNING" },
        "publish": "/keys",
    } });
    scenario["env"]["SIGNING"] = json!(fs::read_to_string(test_keys().join("ec-256.pem")).unwrap().trim());
    scenario["keys"] = json!(test_keys());
    scenario["cases"][0]["request"] = json!({ "path": "/keys" });
    scenario
}

#[test]
fn an_answer_is_the_very_set_and_nothing_else() {
    let kid = "IQPvSEA-C479tKavaQh0XSdd_BkxTsn0C6lmCXGDvgQ";
    let set = |alg: &str| json!({ "$jwks": [{ "$key": "ec-256", "kid": kid, "alg": alg, "use": "sig" }] });
    let run = test(&asking(json!({ "answer": set("ES256") })));
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, "1 passed, 0 failed\n", ""));
    for (expect, said) in [
        (json!({ "answer": set("ES384") }), "expected an answer of {\"keys\":"),
        (
            json!({ "answer": { "keys": [] } }),
            "expected an answer of {\"keys\":[]}, got an answer of {\"keys\":[{",
        ),
        (json!({ "code": "credential_missing" }), "expected credential_missing, got an answer of {"),
        (json!({ "permit": {} }), "expected a permit, got an answer of {"),
    ] {
        let run = test(&asking(expect));
        assert!(run.code == 1 && run.out.contains(said), "{}{}", run.out, run.err);
    }
    fails(
        &anonymous(json!({ "answer": { "keys": [] } })),
        "expected an answer of {\"keys\":[]}, got credential_missing",
    );
    let run = test(&asking(json!({ "answer": set("ES256"), "reported": "path_ambiguous" })));
    assert!(run.code == 1 && run.err.contains("expect.reported"), "{}{}", run.out, run.err);
    let run = test(&asking(json!({ "answer": [] })));
    assert!(run.code == 1 && run.err.contains("expect.answer"), "{}{}", run.out, run.err);
}

#[test]
fn every_vector_of_this_repository_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let cases = |path: &PathBuf| {
        let document: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        document["cases"].as_array().unwrap().len()
    };
    let count: usize = paths.iter().map(cases).sum();
    let arguments: Vec<&str> = ["test"].into_iter().chain(paths.iter().map(|path| text(path))).collect();
    let run = vestibule(&arguments).run();
    assert_eq!(run.err, "");
    assert_eq!(run.succeeded(), format!("{count} passed, 0 failed\n"));
    assert!(count > 1000, "only {count}");
}

#[test]
fn what_comes_out_as_expected_passes() {
    assert_eq!(test(&scenario()).succeeded(), "1 passed, 0 failed\n");
}

#[test]
fn a_wrong_expectation_is_a_failure_that_names_the_case_and_both_outcomes() {
    fails(&expecting(json!({ "code": "token_expired" })), "expected token_expired, got a permit");
    fails(
        &expecting(json!({ "permit": { "x-user-id": ["bob"] } })),
        "x-user-id: expected \"bob\", got \"alice\"",
    );
    let mut denied = scenario();
    denied["cases"][0]["now"] = json!(0);
    denied["config"]["issuers"]["main"]["requiredClaims"] = json!(["azp"]);
    fails(&denied, "expected a permit, got claim_missing");
    fails(&anonymous(json!({ "code": "token_expired" })), "expected token_expired, got credential_missing");
}

#[test]
fn a_permit_accounts_for_every_header_that_the_service_sees() {
    fails(
        &expecting(json!({ "upstream": { "authorization": [], "x-user-id": ["alice"] } })),
        "x-tenant-id: expected nothing, got \"acme\"",
    );
    fails(
        &expecting(json!({ "upstream": {
            "authorization": ["{{good}}"], "x-user-id": ["alice", "bob"], "x-tenant-id": ["acme"], ":path": ["/x"],
        } })),
        ":path: expected \"/x\", got \"/\"; authorization: expected \"{{good}}\", got nothing; \
         x-user-id: expected \"alice\" and \"bob\", got \"alice\"",
    );
}

#[test]
fn a_permit_may_say_of_some_headers_only_what_becomes_of_them() {
    for some in [json!({}), json!({ "x-user-id": ["alice"] }), json!({ "authorization": [], ":path": ["/"] })]
    {
        test(&expecting(json!({ "permit": some }))).succeeded();
    }
    let anonymous = anonymous(json!({ "permit": {} }));
    fails(&anonymous, "expected a permit, got credential_missing");
}

#[test]
fn a_request_that_nobody_brings_keys_for_is_refused_as_the_filter_would_refuse_it() {
    let mut scenario = scenario();
    scenario["config"]["issuers"]["main"]["keys"] =
        json!([{ "remote": { "url": "https://issuer.test/jwks", "cluster": "issuer" } }]);
    scenario["config"]["routes"] = json!({ "one": { "paths": ["/"], "access": "authenticated" } });
    scenario.as_object_mut().unwrap().remove("env");
    scenario["keys"] = json!(test_keys());
    scenario["tokens"]["good"] = json!({ "key": "ec-256", "payload": {
        "iss": "https://issuer.test", "aud": "api", "sub": "alice", "exp": { "$now": 300 },
    } });
    scenario["cases"][0]["expect"] = json!({ "code": "keys_unavailable", "route": "one" });
    assert_eq!(test(&scenario).succeeded(), "1 passed, 0 failed\n");
    scenario["config"]["report"] = json!({ "until": { "$time": 60 } });
    scenario["cases"][0]["expect"] = json!({
        "reported": "keys_unavailable", "route": "one", "permit": { "authorization": ["Bearer {{good}}"] },
    });
    assert_eq!(test(&scenario).succeeded(), "1 passed, 0 failed\n");
}

#[test]
fn no_token_and_no_secret_is_printed() {
    let key = "a-gateway-key-of-these-tests-0123456789";
    let mut scenario = scenario();
    scenario["config"]["gatewayKey"] = json!({ "key": { "env": "KEY" }, "to": ["orders"] });
    scenario["config"]["issuers"]["main"]["sources"] =
        json!([{ "header": "authorization", "scheme": "Bearer", "forward": "always" }, { "query": "jwt" }]);
    scenario["config"]["inject"] = json!({ "x-payload": "payload" });
    scenario["env"]["KEY"] = json!(key);
    scenario["cases"][0]["request"]["cluster"] = json!("orders");
    scenario["cases"][0]["expect"] =
        json!({ "upstream": { "authorization": ["{{good}} "], "x-gateway-key": [format!("{key}-old")] } });
    let mut by_query = scenario["cases"][0].clone();
    by_query["name"] = json!("by query");
    by_query["request"] = json!({ "path": "/?jwt={{good}}&a=1" });
    by_query["expect"] = json!({ "upstream": { ":path": ["/?jwt={{good}}"] } });
    let mut pasted = by_query.clone();
    pasted["name"] = json!("pasted");
    pasted["config"] = json!({ "default": "public" });
    pasted["request"] =
        json!({ "headers": [["x-pasted", "Token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJib2IifQ.c2ln"]] });
    pasted["expect"] = json!({ "upstream": { "x-pasted": [] } });
    scenario["cases"].as_array_mut().unwrap().extend([by_query, pasted]);

    let lines = test(&scenario);
    assert_eq!(lines.code, 1);
    for shown in [
        "authorization: expected \"{{good}} \", got \"Bearer {{good}}\"",
        "x-gateway-key: expected \"{{KEY}}-old\", got \"{{KEY}}\"",
        "x-payload: expected nothing, got \"{{good: payload}}\"",
        ":path: expected \"/?jwt={{good}}\", got \"/?a=1\"",
        "x-pasted: expected nothing, got \"Token {{a token}}\"",
    ] {
        assert!(lines.out.contains(shown), "{shown} in\n{}", lines.out);
    }
    let json = vestibule(&["test", "--json", "-"]).input(scenario.to_string());
    assert_eq!(json.code, 1);
    for text in [lines.out, lines.err, json.out, json.err] {
        assert!(!text.contains(key) && !text.contains(SECRET) && !text.contains("eyJ"), "{text}");
    }
}

#[test]
fn a_secret_is_hidden_in_whatever_form_it_is_written() {
    let key = "a-gateway-key-of-these-tests-0123456789";
    let hex: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key);
    for (encoding, value) in [("hex", hex), ("base64", base64)] {
        let mut scenario = expecting(json!({ "permit": { "x-gateway-key": [] } }));
        scenario["config"]["gatewayKey"] =
            json!({ "key": { "env": "KEY", "encoding": encoding }, "to": ["orders"] });
        scenario["env"]["KEY"] = json!(value);
        scenario["cases"][0]["request"]["cluster"] = json!("orders");
        fails(&scenario, "x-gateway-key: expected nothing, got \"{{KEY}}\"");
    }
}

#[test]
fn json_has_every_case_with_what_was_expected_and_what_came() {
    let mut scenario = expecting(json!({ "code": "token_expired" }));
    scenario["cases"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "name": "nobody gets in", "expect": { "code": "credential_missing" } }));
    let directory = directory("json_has_every_case");
    let missing = directory.join("missing.json");
    let run = vestibule(&["test", "--json", "-", text(&missing)]).input(scenario.to_string());
    assert_eq!((run.code, run.err.as_str()), (1, ""));
    let mut document: Value = serde_json::from_str(&run.out).unwrap();
    let errors = document["files"][1]["errors"].take();
    assert!(errors[0].as_str().unwrap().starts_with(text(&missing)), "{errors}");
    assert_eq!(
        document,
        json!({ "passed": 1, "failed": 1, "notRun": 0, "files": [
            { "file": "standard input", "errors": [], "cases": [
                { "name": "alice gets in", "result": "failed",
                  "difference": "expected token_expired, got a permit",
                  "expected": { "code": "token_expired" },
                  "got": { "route": null, "upstream": { ":path": ["/"], "x-tenant-id": ["acme"], "x-user-id": ["alice"] } } },
                { "name": "nobody gets in", "result": "passed" },
            ] },
            { "file": text(&missing), "errors": null, "cases": [] },
        ] })
    );
}

#[test]
fn json_steers_no_terminal() {
    let mut scenario = expecting(json!({ "upstream": { "authorization": [], "x-a": [] } }));
    let headers = &mut scenario["cases"][0]["request"]["headers"];
    headers.as_array_mut().unwrap().push(json!(["x-a", "\u{9b}31m"]));
    let run = vestibule(&["test", "--json", "-"]).input(scenario.to_string());
    assert!(run.code == 1 && run.out.contains("\\u009b31m") && run.out.trim_end().is_ascii(), "{}", run.out);
}

#[test]
fn an_invalid_configuration_is_told_once_with_its_paths_and_ends_with_3() {
    let mut scenario = scenario();
    scenario["config"]["strip"] = json!(["host"]);
    let again = json!({ "name": "again", "expect": { "code": "credential_missing" } });
    scenario["cases"].as_array_mut().unwrap().push(again);
    let run = test(&scenario);
    assert_eq!((run.code, run.out.as_str()), (3, "0 passed, 0 failed, 2 not run\n"));
    assert!(run.err.starts_with("standard input: alice gets in: config: strip[0]: "), "{}", run.err);
    assert_eq!(run.err.lines().count(), 1, "{}", run.err);

    scenario["cases"][1]["config"] = json!({ "strip": null });
    let run = test(&scenario);
    assert_eq!((run.code, run.out.as_str()), (3, "1 passed, 0 failed, 1 not run\n"));
    scenario["cases"][1]["expect"] = json!({ "permit": {} });
    assert_eq!(test(&scenario).code, 1, "a case that fails is the more urgent");
}

#[test]
fn a_configuration_in_a_file_of_its_own_is_taken_as_it_stands() {
    let directory = directory("a_configuration_in_a_file");
    fs::create_dir(directory.join("scenarios")).unwrap();
    let mut scenario = scenario();
    let config = scenario["config"].take();
    scenario["config"] = json!("../door.yaml");
    scenario["cases"].as_array_mut().unwrap().push(json!({
        "name": "with a change", "config": { "default": "optional" }, "expect": { "upstream": {} },
    }));
    let path = directory.join("scenarios/a.json");
    fs::write(&path, scenario.to_string()).unwrap();
    let run = |door: &str| {
        fs::write(directory.join("door.yaml"), door).unwrap();
        vestibule(&["test", text(&path)]).run()
    };
    assert_eq!(run(&config.to_string()).succeeded(), "2 passed, 0 failed\n");
    let bad = run("door: inner\nstrip: [on]\n");
    assert!(bad.err.starts_with(&format!("{}: config: ", path.display())), "{}", bad.err);
    assert!(bad.err.contains("door.yaml: line 2: "), "{}", bad.err);
    assert_eq!((bad.code, bad.out.as_str()), (3, "0 passed, 0 failed\n"));
    assert_eq!(run("door: [inner\n").code, 3);
    assert_eq!(run(r#"{"door": {"$repeat": ["outer", 1]}}"#).code, 3, "nothing is resolved there");
    fs::remove_file(directory.join("door.yaml")).unwrap();
    let missing = vestibule(&["test", text(&path)]).run();
    assert!(missing.err.contains(": config: ") && missing.err.contains("door.yaml: "), "{}", missing.err);
    assert_eq!(missing.code, 1);
}

#[test]
fn one_file_that_cannot_be_read_keeps_no_other_from_being_run() {
    let missing = directory("one_file_that_cannot_be_read").join("missing.json");
    let run = vestibule(&["test", text(&missing), "-"]).input(scenario().to_string());
    assert_eq!((run.code, run.out.as_str()), (1, "1 passed, 0 failed\n"));
    assert!(run.err.contains(text(&missing)), "{}", run.err);
    vestibule(&["test"]).run().failed(1, "FILE");
}
