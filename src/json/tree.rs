//! A JSON text as it was read, borrowing from it whatever stands there as it is meant: a token's parts are read
//! once and dropped, and most of what is in them is never asked for.
//!
//! It is what [`super::parse`] reads too, to tell what is wrong with a text.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

/// A JSON value; an object's members stand in the order of the text.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree<'t> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as `serde_json` has it.
    Number(Number),
    /// A string, its escapes undone.
    String(Cow<'t, str>),
    /// An array.
    Array(Vec<Tree<'t>>),
    /// An object.
    Object(Vec<(Cow<'t, str>, Tree<'t>)>),
}

/// So many names are compared each with each; of more a set is made.
const FEW: usize = 16;

impl<'t> Tree<'t> {
    /// Reads the text of one value; none where it is not JSON in UTF-8, has a member twice, or is nested deeper
    /// than `depth`, where the outermost array or object counts as one.
    #[must_use]
    pub fn parse(text: &'t [u8], depth: usize) -> Option<Self> {
        let tree = Self::read(std::str::from_utf8(text).ok()?, depth).ok()?;
        tree.is_unambiguous().then_some(tree)
    }

    /// Reads the text of one value, which may have members twice.
    ///
    /// # Errors
    /// Where it is not JSON; of the category `Data` where it is nested deeper than `depth`.
    #[inline(never)]
    pub(super) fn read(text: &'t str, depth: usize) -> serde_json::Result<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let tree = Within(depth).deserialize(&mut deserializer)?;
        deserializer.end().map(|()| tree)
    }

    /// Whether no object in it has a member twice.
    fn is_unambiguous(&self) -> bool {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => true,
            Self::Array(elements) => elements.iter().all(Self::is_unambiguous),
            Self::Object(members) => {
                all_differ(members) && members.iter().all(|(_, value)| value.is_unambiguous())
            }
        }
    }

    /// An object's member of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// What a step of a JSON Pointer leads to (RFC 6901 section 4): a member, or the element of this index.
    #[must_use]
    pub fn step(&self, step: &str) -> Option<&Self> {
        match self {
            Self::Object(_) => self.get(step),
            Self::Array(elements) => {
                let is_index = step == "0" || step.starts_with(|first: char| matches!(first, '1'..='9'));
                elements.get(is_index.then(|| step.parse::<usize>().ok()).flatten()?)
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => None,
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }
}

/// The same, which borrows from nothing; its members are in the order of their names. It is not taken over piece by
/// piece: what is freed between things that stay is of less use to a module's memory than the whole at once.
impl From<&Tree<'_>> for Value {
    fn from(tree: &Tree<'_>) -> Self {
        match tree {
            Tree::Null => Self::Null,
            Tree::Bool(value) => Self::Bool(*value),
            Tree::Number(number) => Self::Number(number.clone()),
            Tree::String(text) => Self::String(text.clone().into_owned()),
            Tree::Array(elements) => elements.iter().map(Self::from).collect(),
            Tree::Object(members) => {
                members.iter().map(|(name, value)| (name.clone().into_owned(), Self::from(value))).collect()
            }
        }
    }
}

#[cfg(test)]
impl<'t> From<&'t Value> for Tree<'t> {
    fn from(value: &'t Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::String(text.into()),
            Value::Array(elements) => Self::Array(elements.iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::Object(members.iter().map(|(name, value)| (name.into(), value.into())).collect())
            }
        }
    }
}

fn all_differ(members: &[(Cow<'_, str>, Tree<'_>)]) -> bool {
    if members.len() > FEW {
        let mut seen = BTreeSet::new();
        return members.iter().all(|(name, _)| seen.insert(&**name));
    }
    let mut rest = members;
    while let Some(((name, _), behind)) = rest.split_first() {
        if behind.iter().any(|(other, _)| other == name) {
            return false;
        }
        rest = behind;
    }
    true
}

/// A value that has so much depth left.
#[derive(Clone, Copy)]
struct Within(usize);

impl Within {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom("nested too deeply"))
    }
}

impl<'de> DeserializeSeed<'de> for Within {
    type Value = Tree<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Tree<'de>, E> {
        Number::from_f64(value).map(Tree::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Tree<'de>, E> {
        Text.visit_str(value).map(Tree::String)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Tree<'de>, E> {
        Text.visit_borrowed_str(value).map(Tree::String)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Tree<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(inner)? {
            array.push(element);
        }
        Ok(Tree::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut object = Vec::new();
        while let Some(name) = members.next_key_seed(Text)? {
            object.push((name, members.next_value_seed(inner)?));
        }
        Ok(Tree::Object(object))
    }
}

/// A string, which borrows where there was nothing to undo in it.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;
    use crate::json::{self, Bounds};
    use serde_json::json;

    fn value(text: &str) -> Option<Value> {
        Tree::parse(text.as_bytes(), 3).as_ref().map(Value::from)
    }

    #[test]
    fn a_document_without_faults_is_what_serde_json_reads() {
        let text = r#"{"c":[1,-2,2.5,"x",null,true,{"b":7}],"a":18446744073709551615,"\u00e9\n":"\"\\"}"#;
        assert_eq!(value(text), serde_json::from_str(text).ok());
    }

    #[test]
    fn it_takes_what_the_reading_with_reasons_takes_and_no_other() {
        for text in [
            "{}",
            "[[[]]]",
            "[[[[]]]]",
            "[[[1]]]",
            r#"{"a":{"b":{"c":{}}}}"#,
            "1",
            "1e999",
            "-0.5",
            "01",
            "tru",
            "",
            " ",
            "{} {}",
            "{}x",
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"[{"a":{"b":1,"b":2}}]"#,
            r#"{"":1,"":2}"#,
            r#"{"a":1,}"#,
            "[1,]",
            "\"\u{7f}\"",
            "\"\n\"",
            r#""\ud800""#,
            "\u{feff}{}",
        ] {
            let strict = json::parse(text.as_bytes(), Bounds { depth: 3, duplicates: 1 }).ok();
            assert_eq!(value(text), strict, "{text}");
        }
    }

    #[test]
    fn a_member_is_there_once_however_many_there_are() {
        for count in [2, FEW, FEW + 1, 1000] {
            let member = |number: usize| format!(r#""m{number}":{number}"#);
            let members: Vec<String> = (0..count).map(member).collect();
            assert!(value(&format!("{{{}}}", members.join(","))).is_some(), "{count}");
            for again in [0, count / 2, count - 1] {
                let text = format!("{{{},{}}}", members.join(","), member(again));
                assert_eq!(value(&text), None, "member {again} again, behind {count}");
            }
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_refused() {
        assert_eq!(Tree::parse(b"{\"a\":\"\xff\"}", 3), None);
    }

    #[test]
    fn what_needs_no_undoing_is_borrowed() {
        let tree = Tree::parse(br#"{"a":"b","\u0063":"\u0064"}"#, 3).unwrap();
        let Tree::Object(members) = tree else { unreachable!() };
        let borrowed: Vec<_> = members
            .iter()
            .map(|(name, value)| {
                (matches!(name, Cow::Borrowed(_)), matches!(value, Tree::String(Cow::Borrowed(_))))
            })
            .collect();
        assert_eq!(borrowed, [(true, true), (false, false)]);
    }

    #[test]
    fn a_step_is_taken_as_serde_json_takes_it() {
        let value = json!({"a": [1, [2]], "0": {"1": 3}, "": 4});
        let tree = Tree::from(&value);
        for pointer in
            ["/a/0", "/a/1/0", "/a/2", "/a/00", "/a/+1", "/a/-", "/a/", "/0/1", "/0/0", "/", "/a/0/0"]
        {
            let walked = pointer.split('/').skip(1).try_fold(&tree, |tree, step| tree.step(step));
            assert_eq!(walked.map(Value::from).as_ref(), value.pointer(pointer), "{pointer}");
        }
    }
}
