//! The module that leaves signatures to Envoy, where the other would do some itself. That it decides alike
//! besides is shown by the vectors.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use vestibule::jose::algorithm::Algorithm;
use vestibule::jose::signature::{Engine as _, Outcome};
use vestibule::jose::signing::SigningKey;
use vestibule::jose::software::Software;

use super::abilities::{signs, verifies};
use super::configuration::refusal;
use super::mesh::{AUDIENCE, ENVIRONMENT, GATEWAY_KEY, ISSUER, good_payload, outer_configuration, signed};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::get;
use crate::support::keys;
use crate::support::upstream::Upstream;

fn bootstrap(configuration: &Value) -> Bootstrap {
    Bootstrap::of("outer.yaml").by_host_module().configure("outer", configuration)
}

/// A door that believes tokens by these keys.
fn with_keys(names: &[&str]) -> Value {
    let mut configuration = outer_configuration();
    configuration["issuers"]["main"] =
        json!({ "issuer": ISSUER, "audiences": [AUDIENCE], "keys": [{ "jwks": keys::jwks(names) }] });
    configuration
}

#[test]
fn its_log_says_that_nobody_verifies_what_hosts_do_not() {
    let envoy = Envoy::start(&bootstrap(&outer_configuration()), &ENVIRONMENT);
    let served = Algorithm::ALL
        .map(|algorithm| (algorithm.to_string(), json!(if verifies(algorithm) { "host" } else { "nobody" })));
    let served = json!({ "algorithms": Map::from_iter(served) });
    assert!(envoy.wait_until_told("crypto", &served), "no line says {served}");
}

#[test]
fn a_key_that_it_cannot_use_spoils_neither_its_set_nor_a_request_by_another() {
    let upstream = Upstream::start();
    let configuration = with_keys(&["ed-1", "rsa-1", "ec-521"]);
    let envoy = Envoy::start(&bootstrap(&configuration).cluster("upstream", upstream.port()), &ENVIRONMENT);
    let left_out = |told: &Value| {
        told["path"] == "issuers.main.keys[0].jwks"
            && told["message"].as_str().is_some_and(|message| message.contains("hosts do not verify"))
    };
    let warnings = envoy.told("configuration_warning");
    assert!(warnings.iter().any(left_out), "{warnings:?}");
    let answer = |key: &str| {
        let token = signed(&json!({ "key": key, "payload": good_payload() }));
        let response = get("/").bearer(&token).send(envoy.port("outer"));
        (response.status, response.code())
    };
    for key in ["rsa-1", "ec-521"] {
        assert_eq!(answer(key), (200, None), "{key}");
    }
    assert_eq!(answer("ed-1"), (401, Some("algorithm_not_allowed".to_owned())));
    assert_eq!(answer("rsa-2"), (401, Some("key_unknown".to_owned())));
}

#[test]
fn what_only_the_full_module_does_refuses_the_configuration_with_its_place() {
    let mut named = outer_configuration();
    named["issuers"]["main"]["algorithms"] = json!(["RS256", "PS256"]);
    let mut shared = outer_configuration();
    shared["issuers"]["main"]["keys"] = json!([{ "secret": { "env": "VESTIBULE_GATEWAY_KEY" } }]);
    let mut minting = outer_configuration();
    minting["context"]["mint"] = json!({
        "issuer": "https://gateway.test", "audience": "mesh.test", "key": { "env": "MINT_KEY" }, "workload": "gateway",
    });
    for (configuration, place) in [
        (named, "issuers.main.algorithms: PS256 is not verified by hosts: "),
        (shared, "issuers.main.keys[0].secret: is for HMAC, "),
        (with_keys(&["ed-1"]), "issuers.main.keys[0].jwks: has no usable key "),
        (minting, "context.mint.key.env: names a variable with no usable key: it is an Ed25519 key, "),
    ] {
        let variables = ["MINT_KEY", "VESTIBULE_GATEWAY_KEY"].map(str::to_owned);
        let bootstrap = bootstrap(&configuration).environment("outer", variables.iter());
        let environment =
            [("MINT_KEY", keys::named("ed-1").private_pem()), ("VESTIBULE_GATEWAY_KEY", GATEWAY_KEY)];
        let refusal = refusal(&bootstrap, &environment);
        let faults = refusal.faults();
        let line = faults.lines().find(|line| line.contains(place));
        let line = line.unwrap_or_else(|| panic!("no line about {place} in:\n{}", refusal.complaints()));
        assert!(line.contains("dist/vestibule.wasm"), "{line}");
    }
}

#[test]
fn contexts_are_signed_by_envoy_with_the_point_that_stands_in_the_key_or_by_nobody() {
    for (key, algorithm) in [("ec-256", "ES256"), ("rsa-1", "RS256")] {
        let upstream = Upstream::start();
        let mut configuration = outer_configuration();
        configuration["context"]["mint"] = json!({
            "issuer": "https://gateway.test", "audience": "mesh.test", "key": { "env": "MINT_KEY" },
            "workload": "gateway",
        });
        let variables = ["MINT_KEY", "VESTIBULE_GATEWAY_KEY"].map(str::to_owned);
        let bootstrap = bootstrap(&configuration).environment("outer", variables.iter());
        let environment =
            [("MINT_KEY", keys::named(key).private_pem()), ("VESTIBULE_GATEWAY_KEY", GATEWAY_KEY)];
        if !signs() {
            let log = refusal(&bootstrap, &environment).faults();
            let reason =
                format!("context.mint.key: is a key with which nothing here signs {algorithm} rightly");
            assert!(log.contains(&reason) && log.contains("an Envoy with `sign` (1.37 or later)"), "{log}");
            continue;
        }
        let envoy = Envoy::start(&bootstrap.cluster("upstream", upstream.port()), &environment);
        let signer = json!({ "signs": algorithm, "signs_in": "host" });
        assert!(envoy.wait_until_told("configuration", &signer));
        let token = signed(&json!({ "key": "rsa-1", "payload": good_payload() }));
        let response = get("/").bearer(&token).send(envoy.port("outer"));
        let arrival = upstream.arrival(&response).expect("the service answered");
        let [context] = arrival.values("txn-token").try_into().expect("one context");
        let context = context.as_str();
        let (text, signature) = context.rsplit_once('.').expect("three parts");
        let key = SigningKey::from_pem(keys::named(key).private_pem()).expect("a key");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        let outcome = Software.verify(key.algorithm(), key.public(), text.as_bytes(), &signature);
        assert_eq!(outcome, Outcome::Valid, "{algorithm}");
    }
}
