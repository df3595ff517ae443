//! Random keys and texts, signed by a library that neither engine is made of, before both engines in Envoy.
//! `tests/round_trip.rs` has whole tokens before the module's.

#[path = "../round_trip/signer.rs"]
#[allow(dead_code, reason = "nobody here has a use for a shared secret")]
mod signer;
#[path = "../round_trip/token.rs"]
pub mod token;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use vestibule::jose::jwk::Key;
use vestibule::jose::signature::Outcome;

use super::probe::Probe;
use crate::conformance::engine::{Engine, Question};

/// Each is three questions to each engine.
const TOKENS: usize = 150;

#[test]
fn what_another_library_signed_verifies_by_either_engine_and_changed_by_neither() {
    let tokens = token::tokens();
    let mut runner = TestRunner::default();
    let mut asked = Vec::new();
    while asked.len() < 3 * TOKENS {
        let token = tokens.new_tree(&mut runner).expect("a random token").current();
        // A shared secret has no public form in which the probe could be told of it.
        let Some(jwk) = token.signer().jwk() else { continue };
        let key = Key::from_jwk(&jwk, None).expect("a usable key").material().clone();
        let [_, payload, _] = token.parts();
        let signature = token.signer().sign(&payload);
        let good = Question { algorithm: token.algorithm, key, text: payload, signature };
        let (mut text, mut signature) = (good.clone(), good.clone());
        flip(&mut text.text, asked.len());
        flip(&mut signature.signature, asked.len());
        asked.extend([(good, Outcome::Valid), (text, Outcome::Invalid), (signature, Outcome::Invalid)]);
    }
    let (questions, expected): (Vec<Question>, Vec<Outcome>) = asked.into_iter().unzip();
    let probe = Probe::start();
    let engines: [&dyn Engine; 2] = [&probe.host(), &probe.module()];
    for engine in engines {
        let mut told = 0;
        for ((question, expected), said) in questions.iter().zip(&expected).zip(engine.outcomes(&questions)) {
            let serves = engine.serves(question.algorithm, &question.key);
            told += usize::from(serves);
            let expected = if serves { *expected } else { Outcome::Unavailable };
            assert_eq!(said, expected, "{} about {question:?}", engine.name());
        }
        println!("{}: {told} of {} questions told", engine.name(), questions.len());
        assert!(told > questions.len() / 4, "{} had nothing to tell", engine.name());
    }
}

/// Changes one bit, of another place each time.
fn flip(bytes: &mut [u8], number: usize) {
    let bit = number * 7919 % (8 * bytes.len());
    bytes[bit / 8] ^= 1 << (bit % 8);
}
