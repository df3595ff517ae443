//! The least and the most of numbers, durations, lists, maps and texts.

use std::time::Duration;

use serde_json::{Value, json};

use super::specimen::{SPECIMENS, error_at};
use super::takes;
use super::walk::{Visit, visits};

/// Whether the parser says of this value that it is too small or too large, whatever else it says.
fn is_out_of_range(document: &Value, path: &str) -> bool {
    let message = error_at(document, path).unwrap_or_default();
    message.contains(" is accepted")
        || message.contains(" are accepted")
        || message.contains("must be a whole number")
}

#[test]
fn a_number_of_the_schemas_range_is_in_the_parsers_and_its_neighbours_are_not() {
    let mut tried = 0;
    for specimen in SPECIMENS.iter() {
        for visit in visits(&specimen.document) {
            let Some(least) = visit.keyword("minimum").and_then(Value::as_i64) else { continue };
            let most = visit.keyword("maximum").and_then(Value::as_i64).expect("both ends");
            let path = visit.place.to_string();
            for (number, is_in) in [(least, true), (most, true), (least - 1, false), (most + 1, false)] {
                let document = visit.place.set(&specimen.document, json!(number));
                assert_eq!(!is_out_of_range(&document, &path), is_in, "{path}: {number}");
                assert_eq!(takes(&document), is_in, "{path}: {number}");
            }
            tried += 1;
        }
    }
    assert!(tried >= 8, "{tried}");
}

/// In milliseconds, as the parser reads it.
fn milliseconds(text: &str) -> u128 {
    let (number, unit) = text.split_at(text.find(|digit: char| !digit.is_ascii_digit()).unwrap());
    let unit = match unit {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3600),
        other => panic!("{other}"),
    };
    unit.as_millis() * number.parse::<u128>().unwrap()
}

#[test]
fn a_duration_of_the_schemas_range_is_in_the_parsers_and_its_neighbours_are_not() {
    let mut tried = 0;
    for specimen in SPECIMENS.iter() {
        for visit in visits(&specimen.document).iter().filter(|visit| visit.at == "#/$defs/duration") {
            let bound = |name| milliseconds(visit.field[name].as_str().expect("a bound"));
            let (least, most) = (bound("x-minimum"), bound("x-maximum"));
            let path = visit.place.to_string();
            let is_in = |text: &str| {
                let document = visit.place.set(&specimen.document, json!(text));
                assert!(takes(&document), "{path}: {text}");
                !is_out_of_range(&document, &path)
            };
            for bound in [visit.field["x-minimum"].as_str(), visit.field["x-maximum"].as_str()] {
                assert!(is_in(bound.unwrap()), "{path}: {bound:?}");
            }
            assert!(!is_in(&format!("{}ms", most + 1)), "{path}");
            assert!(least == 0 || !is_in(&format!("{}ms", least - 1)), "{path}");
            tried += 1;
        }
    }
    assert!(tried >= 8, "{tried}");
}

/// With this many entries, most of them nothing: that there are too many is said first.
fn filled(visit: &Visit<'_>, count: u64) -> Value {
    match visit.value {
        Value::Array(_) => (0..count).map(|_| Value::Null).collect(),
        Value::Object(_) => (0..count).map(|number| (format!("n{number}"), Value::Null)).collect(),
        other => panic!("{other}"),
    }
}

/// Whether the schema minds the count, whatever it says of the entries.
fn schema_minds_the_count(visit: &Visit<'_>, value: &Value) -> bool {
    let counts = ["maxItems", "maxProperties"].map(|name| (name, visit.keyword(name)));
    let counts: serde_json::Map<String, Value> =
        counts.into_iter().filter_map(|(name, most)| Some((name.to_owned(), most?.clone()))).collect();
    !jsonschema::draft202012::new(&Value::Object(counts)).unwrap().is_valid(value)
}

#[test]
fn a_list_or_map_has_as_many_entries_as_the_schema_says_and_no_more() {
    let mut tried = 0;
    for specimen in SPECIMENS.iter() {
        for visit in visits(&specimen.document) {
            let most = visit.keyword("maxItems").or_else(|| visit.keyword("maxProperties"));
            let Some(most) = most.and_then(Value::as_u64) else { continue };
            let path = visit.place.to_string();
            for (count, is_in) in [(most, true), (most + 1, false)] {
                let entries = filled(&visit, count);
                assert_eq!(!schema_minds_the_count(&visit, &entries), is_in, "{path}: {count}");
                // Keys that are announced are counted once all of them are there.
                let entries = if visit.place.name() == Some("announce") {
                    (0..count).map(|_| visit.value[0].clone()).collect()
                } else {
                    entries
                };
                let document = visit.place.set(&specimen.document, entries);
                assert_eq!(!is_out_of_range(&document, &path), is_in, "{path}: {count}");
            }
            tried += 1;
        }
    }
    assert!(tried >= 40, "{tried}");
}

#[test]
fn a_text_has_as_many_characters_as_the_schema_says_and_no_more() {
    let mut tried = 0;
    for specimen in SPECIMENS.iter() {
        for visit in visits(&specimen.document) {
            let most = visit.keyword("maxLength").and_then(Value::as_u64);
            let (Some(most), Some(text)) = (most, visit.value.as_str()) else { continue };
            let path = visit.place.to_string();
            // What is put before the last character leaves the ends as they are.
            let last = text.len() - 1;
            let letter = if visit.place.to_string().contains("methods") { "A" } else { "a" };
            for (count, is_in) in [(most, true), (most + 1, false)] {
                let missing = usize::try_from(count).unwrap() - text.len();
                let long = [&text[..last], &letter.repeat(missing), &text[last..]].concat();
                let document = visit.place.set(&specimen.document, json!(long));
                assert_eq!(takes(&document), is_in, "{path}: {count}");
                let message = error_at(&document, &path);
                assert_eq!(message.is_none(), is_in, "{path}: {count}: {message:?}");
            }
            tried += 1;
        }
    }
    assert!(tried >= 30, "{tried}");
}
