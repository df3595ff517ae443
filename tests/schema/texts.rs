//! Words, and what texts may hold.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::specimen::{SPECIMENS, error_at, errors};
use super::walk::visits;
use super::{SCHEMA, takes};

/// The parser's own list of the words that there are is the schema's, where it gives one; and it takes each of them.
#[test]
fn the_words_of_the_schema_are_the_parsers() {
    let (mut tried, mut listed) = (0, 0);
    for specimen in SPECIMENS.iter() {
        for visit in visits(&specimen.document) {
            let constant = visit.definition.get("const").map(|word| vec![word.clone()]);
            let words = visit.definition.get("enum").and_then(Value::as_array).cloned().or(constant);
            let Some(words) = words else { continue };
            let path = visit.place.to_string();
            for word in &words {
                let document = visit.place.set(&specimen.document, word.clone());
                let message = error_at(&document, &path).unwrap_or_default();
                assert!(!message.starts_with("must be"), "{path}: {word}: {message}");
            }
            let unknown = visit.place.set(&specimen.document, json!("unknown"));
            assert!(!takes(&unknown), "{path}");
            let message = error_at(&unknown, &path).unwrap_or_else(|| panic!("{path}"));
            tried += 1;
            let Some(list) = message.strip_prefix("must be one of ") else { continue };
            let list: BTreeSet<&str> = list.split(", ").map(|word| word.trim_matches('`')).collect();
            let words: BTreeSet<&str> = words.iter().filter_map(Value::as_str).collect();
            assert_eq!(words, list, "{path}");
            listed += 1;
        }
    }
    // Access and its `tenant` are told of in other words.
    assert!(tried >= 30 && listed + 8 >= tried, "{tried} {listed}");
}

/// What breaks texts: at their beginning, in their middle and at their end.
const CHARACTERS: [char; 30] = [
    'a', 'Z', '0', '-', '.', '_', '~', '/', '*', '{', '}', '(', '[', ':', '@', '|', '+', '=', '<', ' ', '\t',
    '\n', '\u{7f}', '%', '?', '#', ';', ',', '"', '\u{e9}',
];

/// Texts of which a pattern says less than the parser: URLs, templates and hosts have more to them, and times
/// are dates besides.
fn is_looser(path: &str) -> bool {
    let ends = |end: &&str| path.ends_with(end);
    let is_in = |list: &&str| path.contains(&format!(".{list}["));
    [".url", ".until", ".notBefore", ".notAfter"].iter().any(ends) || ["paths", "hosts"].iter().any(is_in)
}

/// Texts like those of the specimens.
fn changed(text: &str) -> Vec<String> {
    let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
    let mut texts =
        vec![text.chars().skip(1).collect(), text.to_uppercase(), "*".to_owned(), "..".to_owned()];
    for character in CHARACTERS {
        for at in [0, middle, text.len()] {
            texts.push(format!("{}{character}{}", &text[..at], &text[at..]));
        }
    }
    texts.retain(|changed| !changed.is_empty());
    texts
}

/// What the parser says of texts that the schema cannot judge: of durations, and of what a variable holds.
const BEYOND_TEXT: [&str; 3] = ["is longer than", "is shorter than", "names a variable"];

#[test]
fn a_text_that_the_schema_refuses_the_parser_refuses_and_most_others_it_takes() {
    let (mut taken, mut refused) = (0, 0);
    for specimen in SPECIMENS.iter() {
        for visit in visits(&specimen.document) {
            let Some(text) = visit.value.as_str().filter(|_| visit.definition.get("pattern").is_some())
            else {
                continue;
            };
            let path = visit.place.to_string();
            for text in changed(text) {
                let document = visit.place.set(&specimen.document, json!(text));
                compare(&document, &path, &text, &mut taken, &mut refused);
            }
        }
    }
    assert!(taken >= 1_000 && refused >= 2_000, "{taken} {refused}");
}

#[test]
fn a_name_that_the_schema_refuses_the_parser_refuses_and_most_others_it_takes() {
    let (mut taken, mut refused) = (0, 0);
    for specimen in SPECIMENS.iter() {
        for visit in
            visits(&specimen.document).iter().filter(|visit| visit.definition.get("propertyNames").is_some())
        {
            for name in visit.value.as_object().unwrap().keys() {
                let place = visit.place.member(name);
                let value = place.find(&specimen.document).unwrap().clone();
                let without = place.removed(&specimen.document);
                for name in changed(name) {
                    let place = visit.place.member(&name);
                    let document = place.set(&without, value.clone());
                    compare(&document, &place.to_string(), &name, &mut taken, &mut refused);
                }
            }
        }
    }
    assert!(taken >= 500 && refused >= 500, "{taken} {refused}");
}

fn compare(document: &Value, path: &str, text: &str, taken: &mut u32, refused: &mut u32) {
    if !takes(document) {
        assert!(!errors(document).is_empty(), "{path}: {text:?} is refused by the schema alone");
        *refused += 1;
        return;
    }
    *taken += 1;
    let message = error_at(document, path).filter(|_| !is_looser(path)).unwrap_or_default();
    let is_beyond = BEYOND_TEXT.iter().any(|phrase| message.contains(phrase));
    assert!(message.is_empty() || is_beyond, "{path}: {text:?} is taken by the schema, but: {message}");
}

#[test]
fn no_kind_of_text_has_an_empty_one() {
    let definitions = SCHEMA["$defs"].as_object().unwrap().iter();
    for (name, definition) in definitions.filter(|(_, definition)| definition["type"] == "string") {
        let judge = jsonschema::draft202012::new(definition).unwrap();
        assert!(!judge.is_valid(&json!("")), "{name}");
    }
}
