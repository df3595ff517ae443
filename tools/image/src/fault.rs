//! What is wrong, for whoever is to set it right: the place, the finding, the remedy.

use std::fmt;

/// Why an image cannot be made, or must not be published.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, blob or field.
    pub place: String,
    /// What is found there.
    pub found: String,
    /// What to do.
    pub remedy: String,
}

impl Fault {
    /// A fault at a place.
    pub fn new(place: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { place: place.into(), found: found.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n  remedy: {}", self.place, self.found, self.remedy)
    }
}

impl std::error::Error for Fault {}
