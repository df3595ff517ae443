//! What becomes of a request.

use std::sync::Arc;

use crate::denial::Denial;
use crate::mutation::Mutation;
use crate::principal::Principal;

/// The answer of [`crate::policy::decide`].
#[derive(Debug)]
pub enum Decision {
    /// The request goes on, changed as the permit says.
    Permit(Permit),
    /// The request ends here.
    Denial(Denial),
    /// Keys of the issuer of this name may come that decide about it. It waits for them, up to a deadline,
    /// and is decided about again; where none come in time it is denied (`keys_unavailable`).
    AwaitKeys(Arc<str>),
}

/// Proof that a request may pass. Only the policy makes one, and only a permit carries mutations: nothing is
/// injected into, and no key attached to, a request that was not decided about.
#[derive(Debug)]
pub struct Permit {
    mutations: Vec<Mutation>,
    principal: Option<Arc<Principal>>,
}

impl Permit {
    pub(crate) fn new(mutations: Vec<Mutation>, principal: Option<Arc<Principal>>) -> Self {
        Self { mutations, principal }
    }

    /// The changes to the request's headers, in the order in which they are to be made. All of them, or the
    /// request must not go on.
    #[must_use]
    pub fn mutations(&self) -> &[Mutation] {
        &self.mutations
    }

    /// Whom the credential proved, where one was looked at and present.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_deref()
    }
}
