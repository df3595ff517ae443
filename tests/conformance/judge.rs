//! How an engine is judged: each case of a set becomes questions, and each answer is held against what
//! Wycheproof says.

use std::collections::BTreeSet;
use std::fmt;

use vestibule::jose::algorithm::Algorithm;
use vestibule::jose::key::VerifyingKey;
use vestibule::jose::signature::Outcome;
use wycheproof::TestResult;

use super::cases::{self, Case};
use super::engine::{Engine, Question};
use super::exceptions::Exceptions;
use super::sets::Sets;

/// Why a key is passed over: Vestibule has no use for it, whatever it signed.
const REFUSED_EXPONENT: &str = "its RSA exponent is not 65537";

/// What became of a set's cases.
#[derive(Default)]
pub(crate) struct Tally {
    valid: usize,
    /// The invalid ones, with the next two.
    refused: usize,
    acceptable: usize,
    /// Those that no JWS can carry.
    not_convertible: usize,
    /// Valid under parameters that no algorithm of a JWS has.
    foreign: usize,
    skipped_exponent: usize,
    /// Those of which the engine says, and may say, that it cannot tell.
    unavailable: usize,
}

/// Judges an engine by sets that it serves, and shows everything that is wrong, not the first.
pub(crate) fn judge(engine: &dyn Engine, sets: Sets) {
    let exceptions = Exceptions::load();
    let mut wrong = Vec::new();
    for (set, valid, refused) in sets {
        let mut tally = Tally::default();
        let mut needed = BTreeSet::new();
        for trial in trials(engine, &cases::load(set), &mut tally) {
            match trial.difference(&mut tally) {
                None => {}
                Some(Difference::Excusable(_)) if exceptions.names(engine.name(), set, trial.case.id) => {
                    needed.insert(trial.case.id);
                }
                Some(Difference::Excusable(what) | Difference::Never(what)) => {
                    wrong.push(format!("{set} {}: {what} ({})", trial.case.id, trial.case.comment));
                }
            }
        }
        let unneeded = exceptions.of(engine.name(), set).filter(|id| !needed.contains(id));
        wrong.extend(unneeded.map(|id| format!("{set} {id}: the exception is not needed")));
        println!("{}: {set}: {tally}, {} excepted", engine.name(), needed.len());
        if tally.valid + needed.len() < *valid || tally.refused + needed.len() < *refused {
            wrong.push(format!("{set}: fewer cases than {valid} valid and {refused} refused: {tally}"));
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

/// Tries sets of parameters that no algorithm of a JWS has: nothing in them may verify.
pub(crate) fn judge_foreign(engine: &dyn Engine, sets: &[&str]) {
    for set in sets {
        let mut tally = Tally::default();
        let cases = cases::load(set);
        let wrong: Vec<String> = trials(engine, &cases, &mut tally)
            .iter()
            .filter_map(|trial| {
                assert_eq!(trial.case.algorithm, None, "{set} has an algorithm");
                trial.foreign(&mut tally)
            })
            .collect();
        println!("{}: {set}: {tally}", engine.name());
        assert!(wrong.is_empty(), "{set}:\n{}", wrong.join("\n"));
        assert!(tally.foreign > 0, "{set}: nothing was tried");
    }
}

/// Makes sure that an engine says of whole sets that it cannot tell.
pub(crate) fn judge_unavailable(engine: &dyn Engine, sets: Sets) {
    for (set, valid, refused) in sets {
        let mut tally = Tally::default();
        for trial in trials(engine, &cases::load(set), &mut tally) {
            match trial.own {
                Some(Outcome::Unavailable) => tally.unavailable += 1,
                // Of a length that no key can have signed: the engine is not asked.
                Some(Outcome::Invalid) if trial.case.result != TestResult::Valid => tally.refused += 1,
                said => panic!("{set} {}: {said:?}", trial.case.id),
            }
        }
        println!("{}: {set}: {tally}", engine.name());
        let judged = tally.unavailable + tally.refused;
        assert!(judged >= valid + refused && tally.unavailable > tally.refused, "{set}: {tally}");
    }
}

/// A case, and what the engine said of it.
struct Trial<'c> {
    case: &'c Case,
    /// Of the case's own algorithm, if it has one.
    own: Option<Outcome>,
    /// Of the others. One that is not valid under its own parameters is not worth the time.
    others: Vec<(Algorithm, Outcome)>,
}

/// Asks about every case whose key Vestibule does not refuse by design, in one go.
fn trials<'c>(engine: &dyn Engine, cases: &'c [Case], tally: &mut Tally) -> Vec<Trial<'c>> {
    let usable: Vec<(&Case, &VerifyingKey)> =
        cases.iter().filter_map(|case| Some((case, usable(case, tally)?))).collect();
    let asked: Vec<Question> = usable
        .iter()
        .flat_map(|(case, key)| tries(case).filter_map(|as_| question(case, key, as_)))
        .collect();
    let mut outcomes = engine.outcomes(&asked).into_iter();
    let mut outcome = |case: &Case, key: &VerifyingKey, algorithm: Algorithm| {
        let Some(_) = question(case, key, algorithm) else { return Outcome::Invalid };
        let outcome = outcomes.next().expect("an outcome for each question");
        let unavailable = outcome == Outcome::Unavailable;
        assert_eq!(unavailable, !engine.serves(algorithm, key), "{}: {algorithm} is {outcome:?}", case.id);
        outcome
    };
    let trials = usable.iter().map(|&(case, key)| {
        let mut said = tries(case).map(|algorithm| (algorithm, outcome(case, key, algorithm)));
        let own = case.algorithm.map(|_| said.next().expect("the case's own algorithm comes first").1);
        Trial { case, own, others: said.collect() }
    });
    let trials = trials.collect();
    assert!(outcomes.next().is_none(), "more outcomes than questions");
    trials
}

/// The algorithms that a case is tried with, its own first.
fn tries(case: &Case) -> impl Iterator<Item = Algorithm> {
    let others = Algorithm::ALL.into_iter().filter(|_| case.result == TestResult::Valid);
    case.algorithm.into_iter().chain(others.filter(|algorithm| Some(*algorithm) != case.algorithm))
}

/// What an engine is asked when a token comes with this signature; `signature::verify` compares the length
/// before it asks.
fn question(case: &Case, key: &VerifyingKey, algorithm: Algorithm) -> Option<Question> {
    let signature = case.signature.clone()?;
    (signature.len() == key.signature_length(algorithm)).then(|| Question {
        algorithm,
        key: key.clone(),
        text: case.message.clone(),
        signature,
    })
}

/// The key, unless Vestibule refuses it by design.
fn usable<'c>(case: &'c Case, tally: &mut Tally) -> Option<&'c VerifyingKey> {
    match &case.key {
        Err(REFUSED_EXPONENT) => {
            tally.skipped_exponent += 1;
            None
        }
        Err(reason) => panic!("the key of {} is refused: {reason}", case.id),
        Ok(key) => Some(key),
    }
}

/// How an engine differs from Wycheproof.
enum Difference {
    /// An exception may name it.
    Excusable(String),
    /// What must not verify does: no exception helps.
    Never(String),
}

impl Trial<'_> {
    fn difference(&self, tally: &mut Tally) -> Option<Difference> {
        let Some(own) = self.own else { return self.foreign(tally).map(Difference::Never) };
        if own == Outcome::Valid && self.case.result == TestResult::Invalid {
            return Some(Difference::Never("an invalid signature verifies".into()));
        }
        if let Some(other) = self.verifying() {
            return Some(Difference::Never(format!("it verifies as {other}, too")));
        }
        tally.not_convertible += usize::from(self.case.signature.is_none());
        match (self.case.result, own) {
            (_, Outcome::Unavailable) => {
                tally.unavailable += 1;
                return None;
            }
            (TestResult::Valid, Outcome::Valid) => tally.valid += 1,
            (TestResult::Valid, Outcome::Invalid) => {
                return Some(Difference::Excusable("a valid signature does not verify".into()));
            }
            (TestResult::Acceptable, Outcome::Valid) => {
                return Some(Difference::Excusable("an acceptable signature verifies".into()));
            }
            (TestResult::Acceptable, Outcome::Invalid) => {
                tally.acceptable += 1;
                tally.refused += 1;
            }
            (TestResult::Invalid, Outcome::Valid | Outcome::Invalid) => tally.refused += 1,
        }
        None
    }

    /// Of a case without an algorithm: what it verifies as.
    fn foreign(&self, tally: &mut Tally) -> Option<String> {
        tally.foreign += usize::from(self.case.result == TestResult::Valid);
        let Case { id, comment, .. } = self.case;
        self.verifying().map(|algorithm| format!("{id} ({comment}) verifies as {algorithm}"))
    }

    /// An algorithm other than its own as which it verifies.
    fn verifying(&self) -> Option<Algorithm> {
        self.others.iter().find(|(_, outcome)| *outcome == Outcome::Valid).map(|(algorithm, _)| *algorithm)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.valid, "verify"),
            (self.refused, "do not"),
            (self.acceptable, "of these acceptable"),
            (self.not_convertible, "of these in no JWS"),
            (self.foreign, "verify as no algorithm"),
            (self.skipped_exponent, "passed over for the key's exponent"),
            (self.unavailable, "not this engine's to tell"),
        ];
        let counted = counts.into_iter().filter(|(count, _)| *count > 0);
        f.write_str(&counted.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", "))
    }
}
