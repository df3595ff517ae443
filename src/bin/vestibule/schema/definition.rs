//! The keywords of JSON Schema that the configuration's schema uses, in the order in which they are written.
//!
//! A keyword that is not here is an error, so that none is left out of the reference by an oversight.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// What a value may be.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Definition {
    #[serde(rename = "$schema")]
    _dialect: Option<IgnoredAny>,
    /// The definition that it is, as `#/$defs/NAME`.
    #[serde(rename = "$ref")]
    pub(super) reference: Option<String>,
    #[serde(rename = "$defs", default)]
    pub(super) definitions: Members<Self>,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<Kind>,
    #[serde(rename = "enum", default)]
    pub(super) choices: Vec<String>,
    #[serde(rename = "const")]
    pub(super) constant: Option<String>,
    pub(super) default: Option<Value>,
    #[serde(default)]
    pub(super) required: Vec<String>,
    #[serde(default)]
    pub(super) properties: Members<Branch>,
    pub(super) property_names: Option<Box<Self>>,
    pub(super) additional_properties: Option<Branch>,
    pub(super) items: Option<Box<Self>>,
    #[serde(default)]
    pub(super) one_of: Vec<Self>,
    #[serde(default)]
    pub(super) any_of: Vec<Self>,
    #[serde(default)]
    pub(super) dependent_required: Members<Vec<String>>,
    pub(super) max_length: Option<u64>,
    pub(super) max_items: Option<u64>,
    pub(super) max_properties: Option<u64>,
    #[serde(default)]
    pub(super) unique_items: bool,
    pub(super) minimum: Option<u64>,
    pub(super) maximum: Option<u64>,
    /// A default that follows from something else, in words.
    #[serde(rename = "x-default")]
    pub(super) default_in_words: Option<String>,
    /// The one door whose field it is.
    #[serde(rename = "x-door")]
    pub(super) door: Option<String>,
    /// The shortest duration.
    #[serde(rename = "x-minimum")]
    pub(super) shortest: Option<String>,
    /// The longest duration.
    #[serde(rename = "x-maximum")]
    pub(super) longest: Option<String>,
    // That nothing may be empty is said of all of them at once.
    #[serde(rename = "minLength")]
    _min_length: Option<IgnoredAny>,
    #[serde(rename = "minItems")]
    _min_items: Option<IgnoredAny>,
    #[serde(rename = "minProperties")]
    _min_properties: Option<IgnoredAny>,
    // A pattern is for machines: the description says it in words.
    #[serde(rename = "pattern")]
    _pattern: Option<IgnoredAny>,
    // What fields are to each other the doors and the descriptions say.
    #[serde(rename = "allOf")]
    _all_of: Option<IgnoredAny>,
}

/// A JSON type.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Array,
    Boolean,
    Integer,
    Object,
    String,
}

/// A definition, or all or nothing.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Branch {
    /// Whether anything may stand here.
    Any(#[expect(dead_code, reason = "what may be anything, or nothing, has no more to tell")] bool),
    /// What may.
    Of(Box<Definition>),
}

impl Branch {
    pub(super) fn definition(&self) -> Option<&Definition> {
        match self {
            Self::Of(definition) => Some(definition),
            Self::Any(_) => None,
        }
    }
}

/// The members of an object, in their order.
pub(super) struct Members<T>(pub(super) Vec<(String, T)>);

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Members<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader(PhantomData))
    }
}
