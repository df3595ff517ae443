//! Strict reading of a document: a member is taken out and used, or it is a mistake.

use serde_json::{Map, Value};

use super::super::document::Fault;

/// An object whose members are taken out one by one; what is left at the end is a mistake.
pub(crate) struct Members {
    at: String,
    rest: Map<String, Value>,
    /// What was asked for so far, and so what there can be.
    known: Vec<&'static str>,
}

impl Members {
    /// The object at this path.
    pub(crate) fn of(at: impl Into<String>, value: Value) -> Result<Self, Fault> {
        let at = at.into();
        Ok(Self { rest: object(&at, value)?, at, known: Vec::new() })
    }

    /// The path of a member.
    pub(crate) fn path(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    /// The member, where it is there.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.rest.remove(name)
    }

    /// The member, which has to be there.
    pub(crate) fn require(&mut self, name: &'static str, remedy: &str) -> Result<Value, Fault> {
        self.take(name).ok_or_else(|| Fault::new(self.path(name), format!("is missing: {remedy}")))
    }

    /// The member, a text, where it is there.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>, Fault> {
        self.take(name).map(|value| string(&self.path(name), value)).transpose()
    }

    /// The member, an object, or an empty one.
    pub(crate) fn object(&mut self, name: &'static str) -> Result<Map<String, Value>, Fault> {
        self.take(name).map_or_else(|| Ok(Map::new()), |value| object(&self.path(name), value))
    }

    /// The members that nobody has taken.
    pub(crate) fn rest(&self) -> &Map<String, Value> {
        &self.rest
    }

    /// Nothing else may be there.
    pub(crate) fn end(mut self) -> Result<(), Fault> {
        let Some((name, _)) = self.rest.iter().next() else { return Ok(()) };
        self.known.sort_unstable();
        self.known.dedup();
        let message = format!("is no member of this; there can be {}", self.known.join(", "));
        Err(Fault::new(self.path(name), message))
    }
}

/// What stands here is not what should.
pub(crate) fn mistaken(at: &str, wanted: &str, value: &Value) -> Fault {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Fault::new(at, format!("is {kind}, and should be {wanted}"))
}

/// The members of an object.
pub(crate) fn object(at: &str, value: Value) -> Result<Map<String, Value>, Fault> {
    match value {
        Value::Object(members) => Ok(members),
        other => Err(mistaken(at, "an object", &other)),
    }
}

/// A text.
pub(crate) fn string(at: &str, value: Value) -> Result<String, Fault> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(mistaken(at, "text", &other)),
    }
}

/// A text, or none for `null`.
pub(crate) fn optional_string(at: &str, value: Value) -> Result<Option<String>, Fault> {
    if value.is_null() { Ok(None) } else { string(at, value).map(Some) }
}

/// The elements of a list.
pub(crate) fn array(at: &str, value: Value) -> Result<Vec<Value>, Fault> {
    match value {
        Value::Array(elements) => Ok(elements),
        other => Err(mistaken(at, "a list", &other)),
    }
}

/// A list of texts.
pub(crate) fn list(at: &str, value: Value) -> Result<Vec<String>, Fault> {
    let elements = array(at, value)?.into_iter().enumerate();
    elements.map(|(index, element)| string(&format!("{at}[{index}]"), element)).collect()
}
