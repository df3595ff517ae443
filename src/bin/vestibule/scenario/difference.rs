//! How an outcome differs from what was expected, in words and as data, without anything that a report must
//! not show.

use serde_json::{Value, json};
use vestibule::denial::Code;

use super::case::Exchange;
use super::expect::{Expect, ExpectUnseen};
use super::mask::Mask;
use super::outcome::{Outcome, Unseen, Upstream};

/// What was expected of a decision and what came instead, in one line; none where they agree.
pub(crate) fn of_decision(
    exchange: &Exchange,
    (outcome, unseen): &(Outcome, Unseen),
    mask: &Mask,
) -> Option<String> {
    if let Some(difference) = difference(&exchange.expect, outcome, mask) {
        return Some(match unseen.reported {
            Some(code) => format!("{difference} ({} is reported)", code.as_str()),
            None => difference,
        });
    }
    let ExpectUnseen { route, reported } = &exchange.unseen;
    if *reported != unseen.reported {
        let show = |code: Option<Code>| match code {
            Some(code) => format!("{} to be reported", code.as_str()),
            None => "nothing to be reported".to_owned(),
        };
        let (expected, got) = (show(*reported), unseen.reported.map_or("nothing", Code::as_str));
        return Some(format!("expected {expected}, got {got}"));
    }
    let show = |route: &Option<String>| match route {
        Some(route) => format!("the route `{route}`"),
        None => "no route".to_owned(),
    };
    let expected = route.as_ref().filter(|route| **route != unseen.route)?;
    Some(format!("expected {}, got {}", show(expected), show(&unseen.route)))
}

/// What was expected and what came instead, of what client and upstream see; none where they agree.
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
    let answer = |jwks: &Value| format!("an answer of {jwks}");
    let expected = match expected {
        Expect::Deny(code) => code.as_str().to_owned(),
        Expect::Permit(_) | Expect::PermitWith(_) => "a permit".to_owned(),
        Expect::Answer(jwks) => answer(jwks),
    };
    let got = match outcome {
        Outcome::Denied(code) => code.as_str().to_owned(),
        Outcome::Forwarded(_) => "a permit".to_owned(),
        Outcome::Answered(jwks) => answer(jwks),
    };
    Some(format!("expected {expected}, got {got}"))
}

/// What was expected, as a scenario writes it.
pub(crate) fn expected(exchange: &Exchange, mask: &Mask) -> Value {
    let mut expected = match &exchange.expect {
        Expect::Deny(code) => json!({ "code": code.as_str() }),
        Expect::Permit(headers) => json!({ "upstream": shown(headers, mask) }),
        Expect::PermitWith(headers) => json!({ "permit": shown(headers, mask) }),
        Expect::Answer(jwks) => json!({ "answer": jwks }),
    };
    let ExpectUnseen { route, reported } = &exchange.unseen;
    if let Some(members) = expected.as_object_mut() {
        members.extend(route.as_ref().map(|route| ("route".to_owned(), json!(route))));
        members.extend(reported.map(|code| ("reported".to_owned(), code.as_str().into())));
    }
    expected
}

/// What came, as a scenario would write it.
pub(crate) fn got((outcome, unseen): &(Outcome, Unseen), mask: &Mask) -> Value {
    let mut got = match outcome {
        Outcome::Denied(code) => json!({ "code": code.as_str() }),
        Outcome::Forwarded(headers) => json!({ "upstream": shown(headers, mask) }),
        Outcome::Answered(jwks) => json!({ "answer": jwks }),
    };
    if let Some(members) = got.as_object_mut() {
        members.insert("route".to_owned(), json!(unseen.route));
        members.extend(unseen.reported.map(|code| ("reported".to_owned(), code.as_str().into())));
    }
    got
}

fn shown(headers: &Upstream, mask: &Mask) -> Value {
    let shown = |values: &Vec<Vec<u8>>| -> Value { values.iter().map(|value| mask.show(value)).collect() };
    headers.iter().map(|(name, values)| (name.clone(), shown(values))).collect()
}
