//! The configurations of this repository, wherever they stand.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::document::{parse, split};
use super::specimen::errors;
use super::{JUDGE, takes};

/// Every file below a directory with one of these endings.
fn files(directory: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(directory)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path
            .extension()
            .and_then(|ending| ending.to_str())
            .is_some_and(|ending| endings.contains(&ending))
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The configurations that stand in a value, as objects or, as Envoy's bootstraps have them, as text.
fn configurations(value: &Value, found: &mut Vec<Value>) {
    match value {
        // A line of the log has a door as well.
        Value::Object(members) if members.contains_key("vestibule") => {}
        Value::Object(members) if members.get("door").is_some_and(Value::is_string) => {
            found.push(value.clone())
        }
        Value::Object(members) => members.values().for_each(|member| configurations(member, found)),
        Value::Array(elements) => elements.iter().for_each(|element| configurations(element, found)),
        Value::String(text) if text.trim_start().starts_with('{') => {
            if let Ok(value) = serde_json::from_str(text) {
                configurations(&value, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Those of a text in YAML, or in JSON, which is YAML.
fn configurations_of(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for part in split(text) {
        if let Ok(document) = parse(Path::new("document.yaml"), part.text.as_bytes()) {
            configurations(&document.value, &mut found);
        }
    }
    found
}

/// What a reader is to fill in, or an overlay, which replaces empty texts and the empty authority of an id.
fn is_gap(fault: &ValidationError<'_>) -> bool {
    match fault.kind() {
        ValidationErrorKind::Required { .. } => true,
        // Of one of several forms: each form has a gap, or is not meant.
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            context.iter().any(|form| form.iter().all(is_gap))
        }
        _ => fault
            .instance()
            .as_str()
            .is_some_and(|text| text.is_empty() || ["…", "...", ":///"].iter().any(|gap| text.contains(gap))),
    }
}

/// How many of these the schema takes. What it does not take has gaps, and no other faults; and the parser does not
/// take it either.
fn taken(file: &Path, documents: &[Value]) -> usize {
    let (taken, refused): (Vec<_>, Vec<_>) = documents.iter().partition(|document| takes(document));
    for document in refused {
        let faults: Vec<String> = JUDGE
            .iter_errors(document)
            .filter(|fault| !is_gap(fault))
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{}: {faults:#?}", file.display());
        assert!(!errors(document).is_empty(), "{}: {document}", file.display());
    }
    taken.len()
}

#[test]
fn the_schema_takes_the_configurations_of_the_bootstraps_and_manifests() {
    let mut count = 0;
    for file in ["envoy", "istio"].into_iter().flat_map(|directory| files(directory, &["yaml", "json"])) {
        let documents = configurations_of(&fs::read_to_string(&file).unwrap());
        count += taken(&file, &documents);
    }
    assert!(count >= 5, "{count}");
}

#[test]
fn the_schema_takes_the_configurations_of_the_documentation() {
    let mut count = 0;
    for file in files("docs", &["md"]).into_iter().chain(files("README.md", &["md"])) {
        let text = fs::read_to_string(&file).unwrap();
        for block in text.split("```").skip(1).step_by(2) {
            let Some(("yaml" | "json", content)) = block.split_once('\n') else { continue };
            count += taken(&file, &configurations_of(content));
        }
    }
    assert!(count >= 7, "{count}");
}
