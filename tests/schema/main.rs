//! The schema of configurations, `docs/configuration.schema.json`, against the parser, which knows nothing of
//! it.
//!
//! What the schema refuses the parser must refuse, and where the schema can say what the parser wants it must
//! say the same: fields, types, words, bounds, defaults. All of it is tried on a few specimens that have every
//! field between them, each with another value than its default.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops where it fails"
)]

mod bounds;
#[path = "../support/command.rs"]
mod command;
mod defaults;
// The reader of the command, of which these tests use a part.
#[path = "../../src/bin/vestibule/document.rs"]
#[allow(dead_code, reason = "the command uses the rest")]
mod document;
mod doors;
mod examples;
mod faults;
mod fields;
mod place;
mod reference;
mod specimen;
mod texts;
mod values;
mod walk;

use std::sync::LazyLock;

use serde_json::Value;

/// The file.
const TEXT: &str = include_str!("../../docs/configuration.schema.json");

static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).expect("the schema is JSON"));

static JUDGE: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&SCHEMA).expect("the schema is one"));

/// Whether the schema takes a document.
fn takes(document: &Value) -> bool {
    JUDGE.is_valid(document)
}

#[test]
fn the_schema_is_one_of_the_2020_12_form() {
    jsonschema::draft202012::meta::validate(&SCHEMA).expect("by its own schema");
    assert_eq!(SCHEMA["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

/// Editors differ about what stands beside a `$ref`: before 2019-09 it did not count, some still pass over it, and
/// some let it take the place of what the reference is to.
#[test]
fn beside_a_reference_stands_nothing_that_a_value_is_judged_by() {
    let mut references = 0;
    let mut open = vec![&*SCHEMA];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                if members.get("$ref").is_some_and(Value::is_string) {
                    references += 1;
                    let beside = members.keys().find(|name| {
                        !matches!(name.as_str(), "$ref" | "description" | "default")
                            && !name.starts_with("x-")
                    });
                    assert_eq!(beside, None, "{value}");
                }
                open.extend(members.values());
            }
            Value::Array(elements) => open.extend(elements),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    assert!(references >= 60, "{references}");
}
