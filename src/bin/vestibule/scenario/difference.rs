//! How an outcome differs from what was expected, in words and as data, without anything that a report must
//! not show.

use serde_json::{Value, json};

use super::expect::Expect;
use super::mask::Mask;
use super::outcome::{Outcome, Upstream};

/// What was expected and what came instead, in one line; none where they agree.
pub(crate) fn difference(expected: &Expect, outcome: &Outcome, mask: &Mask) -> Option<String> {
    if outcome.is(expected) {
        return None;
    }
    let values = |values: &[Vec<u8>]| {
        let shown: Vec<String> = values.iter().map(|value| format!("{:?}", mask.show(value))).collect();
        if shown.is_empty() { "nothing".to_owned() } else { shown.join(" and ") }
    };
    let headers: Vec<String> = outcome
        .differences(expected)
        .into_iter()
        .map(|it| format!("{}: expected {}, got {}", it.name, values(it.expected), values(it.got)))
        .collect();
    if !headers.is_empty() {
        return Some(headers.join("; "));
    }
    let expected = match expected {
        Expect::Deny(code) => code.as_str(),
        Expect::Permit(_) | Expect::PermitWith(_) => "a permit",
    };
    let got = match outcome {
        Outcome::Denied(code) => code.as_str(),
        Outcome::Forwarded(_) => "a permit",
    };
    Some(format!("expected {expected}, got {got}"))
}

/// What was expected, as a scenario writes it.
pub(crate) fn expected(expected: &Expect, mask: &Mask) -> Value {
    match expected {
        Expect::Deny(code) => json!({ "code": code.as_str() }),
        Expect::Permit(headers) => json!({ "upstream": shown(headers, mask) }),
        Expect::PermitWith(headers) => json!({ "permit": shown(headers, mask) }),
    }
}

/// What came, as a scenario would write it.
pub(crate) fn got(outcome: &Outcome, mask: &Mask) -> Value {
    match outcome {
        Outcome::Denied(code) => json!({ "code": code.as_str() }),
        Outcome::Forwarded(headers) => json!({ "upstream": shown(headers, mask) }),
    }
}

fn shown(headers: &Upstream, mask: &Mask) -> Value {
    let shown = |values: &Vec<Vec<u8>>| -> Value { values.iter().map(|value| mask.show(value)).collect() };
    headers.iter().map(|(name, values)| (name.clone(), shown(values))).collect()
}
