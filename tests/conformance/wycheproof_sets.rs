//! Project Wycheproof's signatures, judged by the engine in the module.

use std::collections::BTreeSet;

use crate::conformance::engine::Native;
use crate::conformance::exceptions::Exceptions;
use crate::conformance::judge::{judge, judge_foreign, judge_unavailable};
use crate::conformance::sets;

#[test]
fn rsassa_pkcs1_signatures_are_judged_as_wycheproof_says() {
    judge(&Native, sets::PKCS1);
}

#[test]
fn of_a_signature_by_a_key_that_it_cannot_hold_the_module_cannot_tell() {
    judge_unavailable(&Native, sets::PKCS1_LARGE);
}

#[test]
fn rsassa_pss_signatures_are_judged_as_wycheproof_says() {
    judge(&Native, sets::PSS);
}

#[test]
fn ecdsa_signatures_are_judged_as_wycheproof_says() {
    judge(&Native, sets::ECDSA);
}

#[test]
fn ed25519_signatures_are_judged_as_wycheproof_says() {
    judge(&Native, sets::ED25519);
}

#[test]
fn a_signature_with_parameters_that_no_algorithm_has_does_not_verify() {
    judge_foreign(&Native, sets::FOREIGN);
}

#[test]
fn every_exception_is_of_an_engine_and_a_set_that_is_judged() {
    let judged: BTreeSet<&str> = sets::ALL.into_iter().flatten().map(|set| set.0).collect();
    for (engine, set) in Exceptions::load().listed() {
        assert!(["host", "module"].contains(&engine), "an exception for {engine}, which is no engine");
        assert!(judged.contains(set), "an exception for {set}, which is not judged");
    }
}
