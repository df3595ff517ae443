//! By which entrance a request came in, by name: for logs and counters, and for nobody to decide by.

use std::sync::Arc;

/// How a request came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    pub(crate) entrance: Arc<str>,
    pub(crate) key: Option<Arc<str>>,
}

impl Admission {
    /// The configured name of the entrance.
    #[must_use]
    pub fn entrance(&self) -> &str {
        &self.entrance
    }

    /// The configured name of the gateway key, where it came in by one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}
