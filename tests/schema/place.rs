//! Where something stands in a document.

use std::fmt;

use serde_json::Value;

/// The steps from the root. Displayed it is the path of the parser's messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
}

impl Place {
    pub(crate) fn member(&self, name: &str) -> Self {
        self.below(Step::Member(name.to_owned()))
    }

    pub(crate) fn element(&self, index: usize) -> Self {
        self.below(Step::Element(index))
    }

    fn below(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }

    pub(crate) fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, steps)| Self(steps.to_vec()))
    }

    /// The last step, where it is a member's name.
    pub(crate) fn name(&self) -> Option<&str> {
        match self.0.last() {
            Some(Step::Member(name)) => Some(name),
            Some(Step::Element(_)) | None => None,
        }
    }

    pub(crate) fn find<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(document, |value, step| match step {
            Step::Member(name) => value.get(name),
            Step::Element(index) => value.get(index),
        })
    }

    fn find_mut<'v>(&self, document: &'v mut Value) -> Option<&'v mut Value> {
        self.0.iter().try_fold(document, |value, step| match step {
            Step::Member(name) => value.get_mut(name),
            Step::Element(index) => value.get_mut(index),
        })
    }

    /// The document with this value here.
    pub(crate) fn set(&self, document: &Value, value: Value) -> Value {
        let mut document = document.clone();
        match (self.parent(), self.name()) {
            (Some(parent), Some(name)) => {
                let parent = parent.find_mut(&mut document).expect("the place's parent");
                parent.as_object_mut().expect("an object").insert(name.to_owned(), value);
            }
            _ => *self.find_mut(&mut document).expect("the place") = value,
        }
        document
    }

    /// The document without what is here.
    pub(crate) fn removed(&self, document: &Value) -> Value {
        let mut document = document.clone();
        let parent = self.parent().and_then(|parent| parent.find_mut(&mut document)).expect("a parent");
        match (parent, self.0.last()) {
            (Value::Object(members), Some(Step::Member(name))) => {
                drop(members.remove(name).expect("a member"))
            }
            (Value::Array(elements), Some(Step::Element(index))) => drop(elements.remove(*index)),
            (other, step) => panic!("{step:?} of {other}"),
        }
        document
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Member(name) if position == 0 => f.write_str(name)?,
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Element(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
