//! What the lints of a stream find, each finding with its object and field.

use std::collections::BTreeSet;

use super::object::Object;
use crate::document::Fault;

/// Errors, by which a door stands open or shut, and warnings, of what is probably not meant.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) errors: Vec<Fault>,
    pub(crate) warnings: Vec<Fault>,
    /// The titles of the objects that have errors.
    erring: BTreeSet<String>,
}

impl Findings {
    pub(crate) fn error(&mut self, object: &Object, path: &str, message: impl Into<String>) {
        self.errors_inside(object, "", [Fault::new(path, message)]);
    }

    pub(crate) fn warn(&mut self, object: &Object, path: &str, message: impl Into<String>) {
        self.warnings_inside(object, "", [Fault::new(path, message)]);
    }

    /// Faults of a part of the object, by paths from there.
    pub(crate) fn errors_inside(
        &mut self,
        object: &Object,
        path: &str,
        faults: impl IntoIterator<Item = Fault>,
    ) {
        for fault in faults {
            add(&mut self.errors, fault.inside(path).inside(&object.title()));
            self.erring.insert(object.title());
        }
    }

    /// Warnings of a part of the object, by paths from there.
    pub(crate) fn warnings_inside(
        &mut self,
        object: &Object,
        path: &str,
        faults: impl IntoIterator<Item = Fault>,
    ) {
        for fault in faults {
            add(&mut self.warnings, fault.inside(path).inside(&object.title()));
        }
    }

    pub(crate) fn is_fine(&self, object: &Object) -> bool {
        !self.erring.contains(&object.title())
    }
}

/// What is found on several ways is told once.
fn add(faults: &mut Vec<Fault>, fault: Fault) {
    if !faults.contains(&fault) {
        faults.push(fault);
    }
}
