//! The kinds of values, and what may be left out.

use serde_json::{Value, json};

use super::specimen::{SPECIMENS, errors};
use super::takes;
use super::walk::visits;

/// What the schema cannot know of a value that it takes.
fn only_the_parser_knows(path: &str, value: &Value) -> bool {
    // Whether an object is a key set or a key.
    let is_key = path.ends_with(".jwks") || path.contains(".announce[");
    is_key && value == &json!({ "unknown": 1 })
}

/// Each value of each specimen becomes something else: the schema takes it just where the parser does.
#[test]
fn a_value_of_another_kind_is_refused_by_both_or_by_none() {
    let others = [
        json!(null),
        json!(true),
        json!(7),
        json!(7.0),
        json!(7.5),
        json!(-1),
        json!(""),
        json!([]),
        json!({}),
        json!([null]),
        json!([[]]),
        json!({ "unknown": 1 }),
    ];
    let (mut taken, mut refused) = (0, 0);
    for specimen in SPECIMENS.iter() {
        for visit in visits(&specimen.document) {
            let path = visit.place.to_string();
            for other in others.iter().filter(|other| !only_the_parser_knows(&path, other)) {
                let document = visit.place.set(&specimen.document, other.clone());
                let errors = errors(&document);
                assert_eq!(takes(&document), errors.is_empty(), "{path}: {other}: {errors:?}");
                *if errors.is_empty() { &mut taken } else { &mut refused } += 1;
            }
        }
    }
    assert!(taken >= 8 && refused >= 2_000, "{taken} {refused}");
}

/// What is required where there is something else, which the schema does not say.
fn only_the_parser_misses(place: &str) -> bool {
    [
        // Beside another issuer, each has both.
        "issuers.main.tenants",
        "issuers.second.tenants",
        "issuers.main.subjectPrefix",
        "issuers.second.subjectPrefix",
        // Where nothing proves a principal, `default` is required.
        "entrances.gateway.keys",
        "context",
        // An algorithm goes with a key, and a key with an algorithm.
        "issuers.main.keys[2]",
        "issuers.main.algorithms[0]",
        "issuers.main.algorithms[1]",
        // The other issuer reads that header with a scheme.
        "issuers.main.sources[0].scheme",
        // An entrance's route is exempt from something.
        "entrances",
        // What requirements name, and what is injected of tokens.
        "issuers",
        "issuers.main",
        // What the variable holds.
        "context.mint.key.encoding",
    ]
    .contains(&place)
}

/// Each value of each specimen is left out: the schema minds just where the parser does.
#[test]
fn what_is_left_out_is_missed_by_both_or_by_none() {
    let (mut missed, mut unmissed) = (0, 0);
    let mut differing = Vec::new();
    for specimen in SPECIMENS.iter() {
        for visit in visits(&specimen.document).iter().filter(|visit| visit.place.parent().is_some()) {
            let place = visit.place.to_string();
            let document = visit.place.removed(&specimen.document);
            let errors = errors(&document);
            if takes(&document) && only_the_parser_misses(&place) {
                continue;
            }
            if takes(&document) != errors.is_empty() {
                differing.push((place, specimen.name, errors));
                continue;
            }
            *if errors.is_empty() { &mut unmissed } else { &mut missed } += 1;
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
    assert!(missed >= 60 && unmissed >= 80, "{missed} {unmissed}");
}

/// Each entry of each list is written once more: the schema minds just where the parser does.
#[test]
fn an_entry_that_is_there_twice_is_minded_by_both_or_by_none() {
    let (mut minded, mut unminded) = (0, 0);
    for specimen in SPECIMENS.iter() {
        for visit in visits(&specimen.document) {
            let Some(entries) = visit.value.as_array() else { continue };
            for entry in entries {
                let twice: Vec<Value> = entries.iter().chain([entry]).cloned().collect();
                let document = visit.place.set(&specimen.document, Value::Array(twice));
                let errors = errors(&document);
                // Of keys and audiences two of one kind alone are too many: fetched ones of one url, and `*`.
                let only_the_parser_minds = entry.get("remote").is_some() || entry == "*";
                if !only_the_parser_minds {
                    assert_eq!(takes(&document), errors.is_empty(), "{}: {entry}: {errors:?}", visit.place);
                }
                *if errors.is_empty() { &mut unminded } else { &mut minded } += 1;
            }
        }
    }
    assert!(minded >= 12 && unminded >= 30, "{minded} {unminded}");
}
