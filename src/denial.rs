//! A refused request: its [`Code`], and where it stood when it was refused.
//!
//! A denial holds no text of its own, so that no token, key or claim can leave through it.

mod code;
mod party;
pub mod response;
mod status;

use std::sync::Arc;

use crate::admission::Admission;
pub use code::Code;
pub use party::Party;
pub use status::Status;

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub(crate) code: Code,
    pub(crate) issuer: Option<Arc<str>>,
    pub(crate) route: Option<Arc<str>>,
    pub(crate) admission: Option<Admission>,
    challenge: Option<Arc<str>>,
}

impl Denial {
    pub(crate) fn new(code: Code) -> Self {
        Self { code, issuer: None, route: None, admission: None, challenge: None }
    }

    /// The denial of a credential that chose this issuer.
    #[must_use]
    pub fn by_issuer(code: Code, issuer: &Arc<str>) -> Self {
        Self { issuer: Some(Arc::clone(issuer)), ..Self::new(code) }
    }

    /// The same, of a principal that this issuer vouched for.
    pub(crate) fn of(self, issuer: Option<&Arc<str>>) -> Self {
        Self { issuer: issuer.map(Arc::clone), ..self }
    }

    /// The same, by another code.
    pub(crate) fn said_as(self, code: Code) -> Self {
        Self { code, ..self }
    }

    /// The same, with a challenge of its own, in place of the code's.
    pub(crate) fn challenging(self, challenge: Option<&Arc<str>>) -> Self {
        Self { challenge: challenge.map(Arc::clone), ..self }
    }

    /// The same, of a request on this route.
    pub(crate) fn on(self, route: Option<&Arc<str>>) -> Self {
        Self { route: route.map(Arc::clone), ..self }
    }

    /// The same, of a request that came in so.
    pub(crate) fn through(self, admission: Option<&Admission>) -> Self {
        Self { admission: admission.cloned(), ..self }
    }

    /// How the request came in, where it came that far and had to come in by an entrance.
    #[must_use]
    pub fn admission(&self) -> Option<&Admission> {
        self.admission.as_ref()
    }

    /// The reason.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The configured name of the issuer that the credential chose, where it came that far.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The configured name of the route that the request is on, where it is on one.
    #[must_use]
    pub fn route(&self) -> Option<&str> {
        self.route.as_deref()
    }

    /// `WWW-Authenticate`. It is made of the configuration alone, never of what a request brought.
    #[must_use]
    pub fn challenge(&self) -> Option<&str> {
        self.challenge.as_deref().or(self.code.challenge())
    }
}

impl From<Code> for Denial {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}
