//! What is wrong with a configuration: for the operator, at load, all of it at once.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;

/// One fault: where it is, and what to do about it. It never holds a configured value that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigError {
    path: String,
    message: Cow<'static, str>,
}

impl ConfigError {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { path: path.into(), message: message.into() }
    }

    /// The field, as in `issuers.main.audiences[0]`; empty for the document as a whole.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong, and the remedy.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "(document)" } else { &self.path };
        write!(f, "{path}: {}", self.message)
    }
}

/// All the faults of a configuration; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// The faults, in the order of the document's reading.
    pub fn iter(&self) -> std::slice::Iter<'_, ConfigError> {
        self.0.iter()
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

impl FromIterator<ConfigError> for ConfigErrors {
    fn from_iter<I: IntoIterator<Item = ConfigError>>(errors: I) -> Self {
        Self(errors.into_iter().collect())
    }
}

impl<'e> IntoIterator for &'e ConfigErrors {
    type Item = &'e ConfigError;
    type IntoIter = std::slice::Iter<'e, ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, error) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// The lists that a reading fills.
#[derive(Debug, Default)]
pub(crate) struct ErrorList {
    errors: RefCell<Vec<ConfigError>>,
    warnings: RefCell<Vec<ConfigError>>,
    left_out: Cell<usize>,
}

/// The most errors that are reported; a document with more of them is not mended line by line.
const MOST: usize = 100;

impl ErrorList {
    pub(crate) fn push(&self, error: ConfigError) {
        let mut errors = self.errors.borrow_mut();
        if errors.len() >= MOST {
            self.left_out.set(self.left_out.get().saturating_add(1));
        } else if !errors.contains(&error) {
            errors.push(error);
        }
    }

    pub(crate) fn warn(&self, warning: ConfigError) {
        let mut warnings = self.warnings.borrow_mut();
        if warnings.len() < MOST && !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.borrow().is_empty()
    }

    /// What is no error.
    pub(crate) fn warnings(&self) -> Vec<ConfigError> {
        self.warnings.borrow().clone()
    }

    /// `value` if there is one and no error; the errors otherwise.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, ConfigErrors> {
        let mut errors = self.errors.into_inner();
        match value {
            Some(value) if errors.is_empty() => return Ok(value),
            None if errors.is_empty() => errors.push(ConfigError::new(
                "",
                "cannot be used, for a reason that was not recorded: please report this as a bug",
            )),
            Some(_) | None => {}
        }
        if let left_out @ 1.. = self.left_out.get() {
            errors.push(ConfigError::new("", format!("has {left_out} more errors, which are not shown")));
        }
        Err(ConfigErrors(errors))
    }
}
