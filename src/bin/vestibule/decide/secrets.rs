//! The values of secrets: from files that are named, else from the environment; and what they were, so that
//! none of them is printed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::{Failure, file};

/// A secret is a key or the text of one.
const MOST: u64 = 64 * 1024;

/// The values for one configuration.
pub(crate) struct Values<'e> {
    given: BTreeMap<String, String>,
    environment: &'e dyn Fn(&str) -> Option<String>,
    /// The variable of the gateway key that an outer door attaches, where nothing else reads it, and what
    /// stands in for its value.
    stand_in: Option<(String, String)>,
    read: RefCell<BTreeMap<String, String>>,
    missing: RefCell<BTreeSet<String>>,
}

impl<'e> Values<'e> {
    /// The values of these files, and of this environment for what none of them is for.
    pub(crate) fn new(
        files: &[String],
        environment: &'e dyn Fn(&str) -> Option<String>,
        configuration: &Value,
    ) -> Result<Self, Failure> {
        let mut given = BTreeMap::new();
        for text in files {
            // No message repeats what stands after the name: it may be the value, given by mistake.
            let (name, path) =
                text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
                    Failure::new(
                        "--secret takes NAME=FILE, the name of a variable and the file that has its value",
                    )
                })?;
            let failure = |message| Failure(format!("--secret {name}: {message}"));
            let unread = "the file cannot be read, or is too large; a value is never given here";
            let text = file::read(Path::new(path), MOST).map_err(|_| failure(unread))?;
            let mut text = String::from_utf8(text)
                .map_err(|_| failure("the file is not UTF-8, so it is no variable's value"))?;
            // The line end that an editor leaves is not part of it.
            let end = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line).len());
            text.truncate(end.unwrap_or(text.len()));
            if given.insert(name.to_owned(), text).is_some() {
                return Err(failure("is given twice"));
            }
        }
        let (read, missing) = Default::default();
        Ok(Self { given, environment, stand_in: stand_in(configuration), read, missing })
    }

    /// The value of a variable.
    pub(crate) fn of(&self, name: &str) -> Option<String> {
        let value = self.given.get(name).cloned().or_else(|| (self.environment)(name));
        if value.is_none() {
            self.missing.borrow_mut().insert(name.to_owned());
        }
        let stand_in = self.stand_in.as_ref().filter(|(variable, _)| variable == name);
        let value = value.or_else(|| stand_in.map(|(_, value)| value.clone()))?;
        self.read.borrow_mut().insert(name.to_owned(), value.clone());
        Some(value)
    }

    /// Every value that was asked for.
    pub(crate) fn values(&self) -> Vec<String> {
        self.read.borrow().values().cloned().collect()
    }

    /// Whether something was asked for that is not known here.
    pub(crate) fn is_missing(&self) -> bool {
        !self.missing.borrow().is_empty()
    }

    /// Whether a name was given for which nobody asked.
    pub(crate) fn unused(&self) -> bool {
        let read = self.read.borrow();
        self.given.keys().any(|name| !read.contains_key(name))
    }
}

/// No decision depends on the value of the gateway key that an outer door attaches, and it is never printed.
/// So whoever does not have it can still ask.
fn stand_in(configuration: &Value) -> Option<(String, String)> {
    let key = configuration.get("gatewayKey")?.get("key")?;
    let name = key.get("env")?.as_str()?;
    let mut names = Vec::new();
    collect(configuration, &mut names);
    let is_read_once = names.iter().filter(|other| **other == name).count() == 1;
    let value = match key.get("encoding").and_then(Value::as_str) {
        Some("hex") => "61".repeat(48),
        // As it stands and as base64 it is visible ASCII.
        _ => "YWFh".repeat(16),
    };
    is_read_once.then(|| (name.to_owned(), value))
}

fn collect<'c>(value: &'c Value, names: &mut Vec<&'c str>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, names)),
        Value::Object(members) => {
            names.extend(members.get("env").and_then(Value::as_str));
            members.values().for_each(|member| collect(member, names));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
