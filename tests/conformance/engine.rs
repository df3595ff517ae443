//! An engine on trial, wherever it runs.

use vestibule::jose::algorithm::{Algorithm, Family};
use vestibule::jose::key::VerifyingKey;
use vestibule::jose::signature::{Engine as _, Outcome};
use vestibule::jose::software::Software;

/// What an engine is asked.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: VerifyingKey,
    pub(crate) text: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// An engine that answers many questions at once, for it may be far away.
pub(crate) trait Engine {
    /// How `exceptions.json` names it.
    fn name(&self) -> &'static str;

    /// Whether it claims to verify this. Where it does not, it must say that it cannot tell.
    fn serves(&self, algorithm: Algorithm, key: &VerifyingKey) -> bool;

    /// One outcome for each question, in their order.
    fn outcomes(&self, questions: &[Question]) -> Vec<Outcome>;
}

/// The engine in the module, compiled for this machine.
pub(crate) struct Native;

impl Engine for Native {
    fn name(&self) -> &'static str {
        "module"
    }

    fn serves(&self, _: Algorithm, key: &VerifyingKey) -> bool {
        module_serves(key)
    }

    fn outcomes(&self, questions: &[Question]) -> Vec<Outcome> {
        let outcome =
            |asked: &Question| Software.verify(asked.algorithm, &asked.key, &asked.text, &asked.signature);
        questions.iter().map(outcome).collect()
    }
}

/// The module has every algorithm, but holds no RSA key of more than 4096 bits.
pub(crate) fn module_serves(key: &VerifyingKey) -> bool {
    key.family() != Family::Rsa || key.signature_length(Algorithm::Rs256) <= 4096 / 8
}
