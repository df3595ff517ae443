//! The fields of every object.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::specimen::{SPECIMENS, error_at};
use super::walk::visits;
use super::{SCHEMA, takes};

/// Every field of every definition, as `#/$defs/NAME` and the field's name.
fn written() -> BTreeSet<(String, String)> {
    let definitions = SCHEMA["$defs"].as_object().unwrap();
    let named = definitions.iter().map(|(name, definition)| (format!("#/$defs/{name}"), definition));
    let mut written = BTreeSet::new();
    for (at, definition) in named.chain([("#".to_owned(), &*SCHEMA)]) {
        let fields = definition.get("properties").and_then(Value::as_object).into_iter().flatten();
        written.extend(fields.map(|(field, _)| (at.clone(), field.clone())));
    }
    written
}

/// What an unknown member is told there can be, is what the schema has.
#[test]
fn the_schema_has_the_fields_that_the_parser_reads_and_no_others() {
    let mut read: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for specimen in SPECIMENS.iter() {
        for visit in visits(&specimen.document).iter().filter(|visit| visit.properties().is_some()) {
            let unknown = visit.place.member("unknown");
            let document = unknown.set(&specimen.document, json!(1));
            let message = error_at(&document, &unknown.to_string()).unwrap_or_else(|| panic!("{unknown}"));
            let (_, known) = message.split_once("correct it to one of ").expect("the fields that there are");
            read.entry(visit.at.clone()).or_default().extend(known.split(", ").map(str::to_owned));
            assert!(!takes(&document), "{unknown}");
        }
    }
    let read: BTreeSet<(String, String)> = read
        .into_iter()
        .flat_map(|(at, fields)| fields.into_iter().map(move |field| (at.clone(), field)))
        .collect();
    assert_eq!(read, written());
}

/// So that what is tried on all of them is tried on every field.
#[test]
fn the_specimens_have_every_field_and_every_kind_of_value() {
    let mut seen = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    for specimen in SPECIMENS.iter() {
        for visit in visits(&specimen.document) {
            if visit.properties().is_some() {
                let fields = visit.value.as_object().unwrap().keys();
                seen.extend(fields.map(|field| (visit.at.clone(), field.clone())));
            }
            let names = visit.definition.get("propertyNames").and_then(|names| names["$ref"].as_str());
            kinds.extend(names.map(str::to_owned));
            kinds.insert(visit.at);
        }
    }
    assert_eq!(seen, written());
    for (name, definition) in SCHEMA["$defs"].as_object().unwrap() {
        let at = format!("#/$defs/{name}");
        let alternatives = definition.get("oneOf").filter(|_| definition.get("type").is_none());
        let alternatives = alternatives.map_or(0, |all| all.as_array().unwrap().len());
        for position in 0..alternatives {
            let at = definition["oneOf"][position]["$ref"]
                .as_str()
                .map_or_else(|| format!("{at}/oneOf/{position}"), str::to_owned);
            assert!(kinds.contains(&at), "{at}");
        }
        assert!(alternatives > 0 || kinds.contains(&at), "{at}");
    }
}
