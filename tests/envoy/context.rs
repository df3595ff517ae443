//! The context on its way from one Envoy to the next, signed by whoever signs there.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use der::SecretDocument;
use der::pem::LineEnding;
use serde_json::{Value, json};
use vestibule::jose::signature::{Engine as _, Outcome};
use vestibule::jose::signing::SigningKey;
use vestibule::jose::software::Software;

use super::abilities::signs;
use super::mesh::{good_payload, good_token, outer_configuration, signed};
use super::probe::Probe;
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::{Envoy, Refusal};
use crate::support::http::get;
use crate::support::keys;
use crate::support::upstream::{Arrival, Upstream};

/// The keys by which contexts are signed in this Envoy, and who signs.
fn signers() -> Vec<(&'static str, &'static str, &'static str)> {
    if signs() {
        vec![("ec-256", "ES256", "host"), ("rsa-1", "RS256", "host"), ("ed-1", "EdDSA", "module")]
    } else {
        vec![("ec-256", "ES256", "module"), ("ed-1", "EdDSA", "module")]
    }
}

/// Both doors, which know each other by contexts alone.
struct Doors {
    outer: Envoy,
    inner: Envoy,
    upstream: Upstream,
}

impl Doors {
    fn start(key: &str) -> Self {
        let (upstream, key) = (Upstream::start(), keys::named(key));
        let names = json!({ "issuer": "https://gateway.test", "audience": "mesh.test" });
        let with = |more: Value| {
            let mut all = names.clone();
            all.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            all
        };
        let require = with(json!({ "keys": [{ "pem": key.public_pem() }] }));
        let inner = json!({
            "door": "inner", "context": { "require": require },
            "routes": { "write": { "paths": ["/write"], "access": { "permissions": ["blog:write"], "issuers": ["main"] } } },
        });
        let inner = Bootstrap::of("inner.yaml").environment("inner", [].iter()).configure("inner", &inner);
        let inner = Envoy::start(&inner.cluster("service", upstream.port()), &[]);
        let mut outer = outer_configuration();
        outer.as_object_mut().expect("an object").remove("gatewayKey");
        outer["context"]["mint"] = with(json!({
            "key": { "env": "MINT_KEY" }, "to": ["upstream"], "workload": "spiffe://mesh.test/ns/edge/sa/gateway",
        }));
        let outer = Bootstrap::of("outer.yaml")
            .environment("outer", ["MINT_KEY".to_owned()].iter())
            .configure("outer", &outer);
        let environment = [("MINT_KEY", key.private_pem())];
        let outer = Envoy::start(&outer.cluster("upstream", inner.port("inner")), &environment);
        Self { outer, inner, upstream }
    }

    fn permitted(&self, path: &str) -> Arrival {
        let response =
            get(path).bearer(&good_token()).header("txn-token", "forged").send(self.outer.port("outer"));
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(response.header("txn-token"), None, "a context in a response");
        self.upstream.arrival(&response).expect("the service answered")
    }
}

fn claims(context: &str) -> Value {
    let payload = context.split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
    serde_json::from_slice(&payload.expect("base64url")).expect("JSON")
}

#[test]
fn a_context_takes_the_principal_from_door_to_door_whoever_signs() {
    for (key, algorithm, place) in signers() {
        let doors = Doors::start(key);
        let signer = json!({ "signs": algorithm, "signs_in": place });
        assert!(doors.outer.wait_until_told("configuration", &signer), "no line says {signer}");
        for path in ["/write", "/read?secret=1"] {
            let arrival = doors.permitted(path);
            assert_eq!(arrival.values("x-user-id"), ["alice"]);
            assert_eq!(arrival.values("x-user-permissions"), ["blog:read,blog:write"]);
            let contexts = arrival.values("txn-token");
            let [context] = contexts.as_slice() else { panic!("{key}: {contexts:?}") };
            let claims = claims(context);
            assert_eq!(
                claims["rctx"],
                json!({ "method": "GET", "path": path.split('?').next(), "req_ip": "127.0.0.1" })
            );
            assert_eq!(arrival.values("x-request-id"), [claims["txn"].as_str().expect("an id")]);
        }
        for (request, code) in [
            (get("/"), "context_missing"),
            (get("/").header("txn-token", good_token()), "context_invalid"),
            (get("/").bearer(&good_token()), "context_missing"),
        ] {
            let response = request.send(doors.inner.port("inner"));
            assert_eq!((response.status, response.code().as_deref()), (403, Some(code)));
        }
    }
}

/// The id of a request is Envoy's to give, and where it gives none the filter draws one, in every VM others.
#[test]
fn a_request_without_an_id_of_envoys_has_a_transaction_of_its_own() {
    let upstream = Upstream::start();
    let mut configuration = outer_configuration();
    configuration.as_object_mut().expect("an object").remove("gatewayKey");
    configuration["context"]["mint"] = json!({
        "issuer": "https://gateway.test", "audience": "mesh.test", "key": { "env": "MINT_KEY" }, "to": ["upstream"],
        "workload": "gateway",
    });
    let mut outer = Bootstrap::of("outer.yaml")
        .environment("outer", ["MINT_KEY".to_owned()].iter())
        .configure("outer", &configuration)
        .cluster("upstream", upstream.port());
    outer.connection_manager("outer")["generate_request_id"] = json!(false);
    let environment = [("MINT_KEY", keys::named("ec-256").private_pem())];
    let envoys = [0, 1].map(|_| Envoy::start(&outer, &environment));
    let mut transactions = BTreeSet::new();
    let token = signed(&json!({ "key": "ec-256", "payload": good_payload() }));
    for number in 0..60 {
        let response = get("/").bearer(&token).send(envoys[number % 2].port("outer"));
        let arrival = upstream.arrival(&response).expect("the service answered");
        let contexts = arrival.values("txn-token");
        let transaction = claims(contexts.first().expect("a context"))["txn"].as_str().map(str::to_owned);
        let transaction = transaction.expect("a transaction");
        assert!(transaction.len() == 36 && transaction.as_bytes()[14] == b'4', "{transaction}");
        assert!(transactions.insert(transaction), "one came twice");
    }
}

#[test]
fn envoy_and_the_module_in_it_sign_what_the_module_verifies() {
    let probe = Probe::start();
    let text = b"a text that is signed";
    // By RSA keys the module signs where there is no Envoy, and not in one.
    let host = signs();
    for (key, by_host, in_module) in [("ec-256", host, true), ("rsa-1", host, false), ("ed-1", false, true)] {
        let pem = keys::named(key).private_pem();
        let key = SigningKey::from_pem(pem).expect("a key");
        let verify =
            |signature: &[u8], text: &[u8]| Software.verify(key.algorithm(), key.public(), text, signature);
        // ECDSA by the host is random: some numbers begin with zeros.
        for _ in 0..if by_host { 40 } else { 1 } {
            let signature = probe.signature("host", pem, text);
            assert_eq!(signature.is_some(), by_host, "{}", key.algorithm());
            if let Some(signature) = signature {
                assert_eq!(verify(&signature, text), Outcome::Valid, "{} by the host", key.algorithm());
                assert_eq!(verify(&signature, b"another"), Outcome::Invalid);
            }
        }
        let signature = probe.signature("module", pem, text);
        assert_eq!(signature.is_some(), in_module, "{} in the module", key.algorithm());
        if let Some(signature) = signature {
            assert_eq!(verify(&signature, text), Outcome::Valid, "{} in the module", key.algorithm());
            // Neither is random in the module, so 32 bits and 64 make the same.
            assert_eq!(Software.sign(&key, text), Some(signature));
        }
    }
}

/// How a configuration with this key of a mint is refused.
fn refusal_with(pem: &str) -> Refusal {
    let mut configuration = outer_configuration();
    configuration["context"]["mint"] = json!({
        "issuer": "https://gateway.test", "audience": "mesh.test", "key": { "env": "MINT_KEY" }, "workload": "gateway",
    });
    let variables = ["MINT_KEY", "VESTIBULE_GATEWAY_KEY"].map(str::to_owned);
    let bootstrap =
        Bootstrap::of("outer.yaml").environment("outer", variables.iter()).configure("outer", &configuration);
    let environment = [("MINT_KEY", pem), ("VESTIBULE_GATEWAY_KEY", super::mesh::GATEWAY_KEY)];
    super::configuration::refusal(&bootstrap, &environment)
}

/// No secret of the mint in the filter's log, whatever is wrong with it.
#[test]
fn a_key_that_cannot_sign_refuses_the_configuration_and_stays_out_of_the_log() {
    let pem = keys::named("ec-384").private_pem();
    let refusal = refusal_with(pem);
    let (faults, log) = (refusal.faults(), &refusal.log);
    assert!(
        faults.contains("context.mint.key.env: names a variable with no usable key: its curve is not P-256"),
        "{faults}"
    );
    assert!(
        pem.lines().filter(|line| !line.starts_with("-----")).all(|line| !log.contains(line)),
        "the key is in the log"
    );
}

/// By RSA the host signs or nobody; whether the numbers of a key go together the module does not look at.
#[test]
fn an_rsa_key_with_which_the_host_does_not_sign_refuses_the_configuration() {
    let sound = keys::named("rsa-1").private_pem();
    let (_, document) = SecretDocument::from_pem(sound).expect("a PEM");
    let mut bytes = document.as_bytes().to_vec();
    // In `d`, which begins behind the modulus and the exponent.
    bytes[400] ^= 2;
    let damaged = SecretDocument::try_from(bytes).expect("DER");
    let damaged = damaged.to_pem("PRIVATE KEY", LineEnding::LF).expect("a PEM");
    let refused = if signs() { vec![damaged.as_str()] } else { vec![damaged.as_str(), sound] };
    for pem in refused {
        let log = refusal_with(pem).faults();
        assert!(
            log.contains("context.mint.key: is a key with which nothing here signs RS256 rightly"),
            "{log}"
        );
        assert!(log.contains("an Envoy with `sign` (1.37 or later)"), "{log}");
    }
}
