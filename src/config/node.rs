//! A value of the document with its place, and the few ways to read one. Whatever cannot be read becomes an
//! error with its path and its remedy, and the reading goes on.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::error::{ConfigError, ErrorList};
use crate::json;
use crate::name::is_name;

/// The most entries of a list or map: what is configured bounds what a request can cost.
const MAX_ENTRIES: usize = 100;

/// A value and where it stands.
#[derive(Clone)]
pub struct Node<'v> {
    value: &'v Value,
    path: String,
    errors: &'v ErrorList,
}

/// Without the value: somebody may have written a secret into it.
impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({})", self.path)
    }
}

/// An entry of a map by name.
#[derive(Debug)]
pub struct Named<'v, T> {
    /// Its name.
    pub name: Arc<str>,
    /// Where it stands.
    pub node: Node<'v>,
    /// What was read.
    pub entry: T,
}

impl<'v> Node<'v> {
    pub(crate) fn root(value: &'v Value, errors: &'v ErrorList) -> Self {
        Self { value, path: String::new(), errors }
    }

    pub(crate) fn error(&self, message: impl Into<Cow<'static, str>>) {
        self.errors.push(ConfigError::new(self.path.clone(), message));
    }

    /// Whether anything of the whole document is wrong, as far as it was read.
    pub(crate) fn document_has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    pub(crate) fn warn(&self, message: impl Into<Cow<'static, str>>) {
        self.errors.warn(ConfigError::new(self.path.clone(), message));
    }

    /// Records an error and gives nothing, for the arm of a match.
    pub(crate) fn refuse<T>(&self, message: impl Into<Cow<'static, str>>) -> Option<T> {
        self.error(message);
        None
    }

    /// A node below this one, for an error about a field that was read already or is not there.
    pub(crate) fn below(&self, name: &str) -> Self {
        let name = json::shown(name);
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self { path, ..self.clone() }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn value(&self) -> &'v Value {
        self.value
    }

    /// A child, unless it is empty: a field that is there and says nothing is a mistake, and might be taken
    /// for a wider policy.
    fn child(&self, path: String, value: &'v Value) -> Option<Self> {
        let node = Self { value, path, errors: self.errors };
        let kind = match value {
            Value::Null => "null",
            Value::String(text) if text.is_empty() => "an empty string",
            Value::Array(elements) if elements.is_empty() => "an empty list",
            Value::Object(members) if members.is_empty() => "an empty object",
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                return Some(node);
            }
        };
        node.refuse(format!("is {kind}: remove it or fill it"))
    }

    fn wrong_kind<T>(&self, wanted: &str) -> Option<T> {
        let kind = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.refuse(format!("is {kind}, and must be {wanted}"))
    }

    pub(crate) fn text(&self) -> Option<&'v str> {
        self.value.as_str().or_else(|| self.wrong_kind("a string"))
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        self.value.as_bool().or_else(|| self.wrong_kind("`true` or `false`"))
    }

    /// A whole number in the range. Istio's `pluginConfig` passes through doubles, so 5.0 is 5.
    pub(crate) fn integer(&self, range: RangeInclusive<usize>) -> Option<usize> {
        let number = self.value.as_u64().or_else(|| {
            let double = self.value.as_f64()?;
            // A double up to 2^53 that has no fraction is exactly that integer.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole, not negative, and within range"
            )]
            (double.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&double))
                .then_some(double as u64)
        });
        let number =
            number.and_then(|number| usize::try_from(number).ok()).filter(|number| range.contains(number));
        number
            .or_else(|| self.wrong_kind(&format!("a whole number from {} to {}", range.start(), range.end())))
    }

    /// One of the given words.
    pub(crate) fn choice<T: Clone>(&self, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        self.word(&words).and_then(|position| choices.get(position)).map(|(_, choice)| choice.clone())
    }

    /// Which of these words it is.
    fn word(&self, words: &[&str]) -> Option<usize> {
        let found = self.value.as_str().and_then(|text| words.iter().position(|word| *word == text));
        let quoted = || words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        found.or_else(|| self.refuse(format!("must be one of {}", quoted())))
    }

    /// A duration in the range: a whole number with `ms`, `s`, `m` or `h`.
    pub(crate) fn duration(&self, range: RangeInclusive<Duration>) -> Option<Duration> {
        let text = self.text()?;
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits)?;
        let per_unit: Option<u64> = match unit {
            "ms" => Some(1),
            "s" => Some(1_000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            _ => None,
        };
        let milliseconds =
            number.parse::<u64>().ok().zip(per_unit).and_then(|(number, unit)| number.checked_mul(unit));
        match milliseconds.map(Duration::from_millis) {
            Some(duration) if duration > *range.end() => {
                let most = range.end().as_secs();
                self.refuse(format!("is longer than {most}s, the most that is accepted"))
            }
            Some(duration) if duration < *range.start() => {
                let least = range.start().as_millis();
                self.refuse(format!("is shorter than {least}ms, the least that is accepted"))
            }
            Some(duration) => Some(duration),
            None => self.refuse(
                "is not a duration: write a whole number and a unit, as in `500ms`, `30s`, `10m`, `24h`",
            ),
        }
    }

    pub(crate) fn object(&self) -> Option<Fields<'v>> {
        let members = self.value.as_object().or_else(|| self.wrong_kind("an object"))?;
        Some(Fields { node: self.clone(), members, known: Vec::new() })
    }

    fn check_entries(&self, entries: usize, most: usize) {
        if entries > most {
            self.error(format!("has {entries} entries, and at most {most} are accepted"));
        }
    }

    /// Every element of a list, each read by `read`; those that cannot be read are left out, with their
    /// errors, and so is what a list has too many.
    pub(crate) fn each<T>(&self, mut read: impl FnMut(&Self) -> Option<T>) -> Vec<T> {
        let mut entries = Vec::new();
        for node in self.elements() {
            if let Some(entry) = read(&node) {
                entries.push(entry);
            }
        }
        entries
    }

    /// Every element of a list that is not empty.
    fn elements(&self) -> Vec<Self> {
        let elements = self
            .value
            .as_array()
            .or_else(|| self.wrong_kind("a list"))
            .map(Vec::as_slice)
            .unwrap_or_default();
        self.check_entries(elements.len(), MAX_ENTRIES);
        let elements = elements.iter().enumerate().take(MAX_ENTRIES);
        elements.filter_map(|(index, value)| self.child(format!("{}[{index}]", self.path), value)).collect()
    }

    /// Every member of an object, its name as it is written.
    pub(crate) fn members(&self) -> Vec<(&'v str, Self)> {
        self.members_up_to(MAX_ENTRIES)
    }

    /// The same, of an object that may have this many; what it has too many is left out.
    pub(crate) fn members_up_to(&self, most: usize) -> Vec<(&'v str, Self)> {
        let members = self.value.as_object().or_else(|| self.wrong_kind("an object"));
        self.check_entries(members.map_or(0, Map::len), most);
        let members = members.into_iter().flatten().take(most);
        members
            .filter_map(|(name, value)| {
                self.child(self.below(name).path, value).map(|node| (name.as_str(), node))
            })
            .collect()
    }

    /// Every entry of a map by name.
    pub(crate) fn named<T>(&self, read: impl Fn(&Self) -> Option<T>) -> Vec<Named<'v, T>> {
        self.named_up_to(MAX_ENTRIES, read)
    }

    /// The same, of a map that may have this many.
    pub(crate) fn named_up_to<T>(&self, most: usize, read: impl Fn(&Self) -> Option<T>) -> Vec<Named<'v, T>> {
        let mut entries = Vec::new();
        for (name, node) in self.members_up_to(most) {
            if !is_name(name) {
                node.error("a name is 1 to 63 lower-case letters, digits and `-`: rename it");
            }
            if let Some(entry) = read(&node) {
                entries.push(Named { name: name.into(), node, entry });
            }
        }
        entries
    }
}

/// The members of an object, each asked for by name; what nobody asked for is an error.
#[derive(Debug)]
pub(crate) struct Fields<'v> {
    node: Node<'v>,
    members: &'v Map<String, Value>,
    known: Vec<&'static str>,
}

impl<'v> Fields<'v> {
    /// The field, if it is there and not empty.
    pub(crate) fn optional(&mut self, name: &'static str) -> Option<Node<'v>> {
        self.known.push(name);
        let value = self.members.get(name)?;
        self.node.child(self.node.below(name).path, value)
    }

    /// The field; where it is missing, an error that ends with the remedy.
    pub(crate) fn required(&mut self, name: &'static str, remedy: &str) -> Option<Node<'v>> {
        if !self.members.contains_key(name) {
            self.node.below(name).error(format!("is missing: {remedy}"));
        }
        self.optional(name)
    }

    /// Refuses what nobody asked for.
    pub(crate) fn finish(self) {
        for name in self.members.keys().filter(|name| !self.known.contains(&name.as_str())) {
            let known = self.known.join(", ");
            self.node
                .below(name)
                .error(format!("is not a field of this version: remove it, or correct it to one of {known}"));
        }
    }
}
