//! The engines where they run, against signatures that others made (`tests/conformance`): the host's, which
//! only a real Envoy has, and the module's, which is 32 bits wide there.
//!
//! The probe asks them through the shipped files. Where both can tell, they must also say the same, whatever
//! they are asked (`probe::Host`), so that no decision depends on which one serves.

use serde_json::{Map, json};
use vestibule::jose::algorithm::Algorithm;
use vestibule::jose::signature::Outcome;

use super::abilities::verifies;
use super::mesh::{ENVIRONMENT, outer_configuration};
use super::probe::Probe;
use crate::conformance::engine::{Engine, Question};
use crate::conformance::examples;
use crate::conformance::judge::{judge, judge_foreign};
use crate::conformance::sets;
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;

/// The door itself says who serves what; it is by this that the others here are of any weight.
#[test]
fn envoy_serves_pkcs1_and_ecdsa_and_the_module_the_rest() {
    let envoy =
        Envoy::start(&Bootstrap::of("outer.yaml").configure("outer", &outer_configuration()), &ENVIRONMENT);
    let served = Algorithm::ALL
        .map(|algorithm| (algorithm.to_string(), json!(if verifies(algorithm) { "host" } else { "module" })));
    let served = json!({ "algorithms": Map::from_iter(served) });
    assert!(envoy.wait_until_told("crypto", &served), "no line says {served}");
}

#[test]
fn envoy_and_the_module_judge_rsassa_pkcs1_signatures_as_wycheproof_says() {
    let probe = Probe::start();
    judge(&probe.host(), sets::PKCS1);
    judge(&probe.host(), sets::PKCS1_LARGE);
}

#[test]
fn envoy_and_the_module_judge_ecdsa_signatures_as_wycheproof_says() {
    judge(&Probe::start().host(), sets::ECDSA);
}

#[test]
fn envoy_and_the_module_verify_no_signature_with_parameters_that_no_algorithm_has() {
    judge_foreign(&Probe::start().host(), sets::FOREIGN);
}

#[test]
fn the_module_in_envoy_judges_rsassa_pss_and_ed25519_signatures_as_wycheproof_says() {
    let probe = Probe::start();
    judge(&probe.module(), sets::PSS);
    judge(&probe.module(), sets::ED25519);
}

#[test]
fn envoy_and_the_module_verify_the_examples_of_the_rfcs_and_nothing_that_resembles_them() {
    let probe = Probe::start();
    let engines: [&dyn Engine; 2] = [&probe.host(), &probe.module()];
    for engine in engines {
        let (mut questions, mut expected) = (Vec::new(), Vec::new());
        let mut ask = |question: Question, outcome| {
            let serves = engine.serves(question.algorithm, &question.key);
            expected.push(if serves { outcome } else { Outcome::Unavailable });
            questions.push(question);
        };
        for example in examples::load() {
            ask(example.question(example.signature.clone()), Outcome::Valid);
            for byte in 0..example.signature.len() {
                let mut signature = example.signature.clone();
                signature[byte] ^= 1 << (byte % 8);
                ask(example.question(signature), Outcome::Invalid);
            }
            for other in examples::load() {
                let question = example.question(example.signature.clone());
                if other.key.material().spki() != question.key.spki() {
                    ask(Question { key: other.key.material().clone(), ..question }, Outcome::Invalid);
                }
            }
        }
        let outcomes = engine.outcomes(&questions);
        for (question, (said, expected)) in questions.iter().zip(outcomes.iter().zip(&expected)) {
            assert_eq!(said, expected, "{} about {question:?}", engine.name());
        }
        let verified = outcomes.iter().filter(|outcome| **outcome == Outcome::Valid).count();
        println!("{}: {verified} examples verify, {} questions in all", engine.name(), outcomes.len());
        assert!(verified >= 5 && outcomes.len() > 1000, "{verified} of {}", outcomes.len());
    }
}
