//! A document and the schema, side by side.

use serde_json::{Map, Value};

use super::SCHEMA;
use super::place::Place;

/// A value of a document, and what the schema says of it.
pub(crate) struct Visit<'d> {
    pub(crate) place: Place,
    pub(crate) value: &'d Value,
    /// What is said where it stands: its default, its bounds.
    pub(crate) field: &'static Value,
    /// What is said of all values of its kind; the field itself, where it has no name.
    pub(crate) definition: &'static Value,
    /// Where the definition stands in the schema.
    pub(crate) at: String,
}

impl Visit<'_> {
    /// A keyword of the field, or of its definition.
    pub(crate) fn keyword(&self, name: &str) -> Option<&'static Value> {
        self.field.get(name).or_else(|| self.definition.get(name))
    }

    /// The fields that the schema knows of an object.
    pub(crate) fn properties(&self) -> Option<&'static Map<String, Value>> {
        self.definition.get("properties").and_then(Value::as_object)
    }
}

/// Every value of a document, with what the schema says of it.
pub(crate) fn visits(document: &Value) -> Vec<Visit<'_>> {
    let mut visits = Vec::new();
    visit(&mut visits, Place::default(), document, &SCHEMA, "#");
    visits
}

fn visit<'d>(visits: &mut Vec<Visit<'d>>, place: Place, value: &'d Value, field: &'static Value, at: &str) {
    let (definition, at) = defined(field, at, value);
    let find = |name: &str| Some((definition.get(name)?, format!("{at}/{name}")));
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let property = definition.get("properties").and_then(|properties| properties.get(name));
                let property = property.map(|property| (property, format!("{at}/properties/{name}")));
                if let Some((schema, at)) = property.or_else(|| find("additionalProperties")) {
                    assert!(schema.is_object(), "{at} of {place}");
                    visit(visits, place.member(name), member, schema, &at);
                }
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                let (schema, at) = find("items").expect("what stands in a list");
                visit(visits, place.element(index), element, schema, &at);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    visits.push(Visit { place, value, field, definition, at });
}

/// The definition that a value is one of: past references and alternatives.
fn defined(schema: &'static Value, at: &str, value: &Value) -> (&'static Value, String) {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = SCHEMA.pointer(reference.trim_start_matches('#')).expect("what a reference is to");
        return defined(target, reference, value);
    }
    let alternatives = schema.get("oneOf").and_then(Value::as_array).filter(|_| schema.get("type").is_none());
    let Some(alternatives) = alternatives else { return (schema, at.to_owned()) };
    let found = alternatives.iter().enumerate().find_map(|(position, one)| {
        let (definition, at) = defined(one, &format!("{at}/oneOf/{position}"), value);
        is_of(definition, value).then_some((definition, at))
    });
    found.unwrap_or_else(|| panic!("{value} is none of {at}"))
}

fn is_of(definition: &Value, value: &Value) -> bool {
    let choices = definition.get("enum").and_then(Value::as_array);
    let kind = match value {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Null | Value::Bool(_) | Value::Number(_) => "other",
    };
    let required = definition.get("required").and_then(Value::as_array);
    let has = |name: &Value| name.as_str().is_some_and(|name| value.get(name).is_some());
    choices.is_some_and(|choices| choices.contains(value))
        || definition.get("const") == Some(value)
        || (definition.get("type").is_some_and(|it| it == kind)
            && required.is_none_or(|all| all.iter().all(has)))
}
