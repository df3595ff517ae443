//! Strict reading: a member is taken out and used, or it is a mistake.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// An object whose members are taken out one by one; what is left at the end is a mistake.
pub(super) struct Members {
    pub(super) at: String,
    pub(super) rest: Map<String, Value>,
}

impl Members {
    pub(super) fn of(at: &str, value: Value) -> Self {
        let Value::Object(rest) = value else { panic!("{at}: {value} should be an object") };
        Self { at: at.to_owned(), rest }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.rest.remove(name)
    }

    pub(super) fn require(&mut self, name: &str) -> Value {
        self.take(name).unwrap_or_else(|| panic!("{}: `{name}` is missing", self.at))
    }

    pub(super) fn only(&self, names: &[&str]) {
        let unknown: BTreeSet<_> = self.rest.keys().filter(|name| !names.contains(&name.as_str())).collect();
        assert!(unknown.is_empty(), "{}: unknown members {unknown:?}", self.at);
    }

    pub(super) fn end(self) {
        self.only(&[]);
    }
}

pub(super) fn string(at: &str, value: Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{at}: {value} should be a string")).to_owned()
}

pub(super) fn optional_string(at: &str, value: Value) -> Option<String> {
    (!value.is_null()).then(|| string(at, value))
}

pub(super) fn list(at: &str, value: Value) -> Vec<String> {
    let Value::Array(items) = value else { panic!("{at}: {value} should be a list of strings") };
    items.into_iter().map(|item| string(at, item)).collect()
}

pub(super) fn strings(at: &str, value: Value) -> BTreeMap<String, String> {
    Members::of(at, value).rest.into_iter().map(|(name, value)| (name, string(at, value))).collect()
}
