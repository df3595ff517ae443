//! What becomes of a request.

use std::borrow::Cow;
use std::sync::Arc;

use crate::admission::Admission;
use crate::attached::Attached;
use crate::denial::Denial;
use crate::mutation::Mutation;
use crate::principal::Principal;
use crate::publication::Publication;

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
    /// The request is answered here, with what the door publishes. It is nobody's, and goes nowhere.
    Publish(Arc<Publication>),
}

/// Proof that a request may pass. Only the policy makes one, and only a permit carries mutations: nothing is
/// injected into, and no key attached to, a request that was not decided about.
#[derive(Debug)]
pub struct Permit {
    mutations: Vec<Mutation>,
    attached: Attached,
    pub(crate) principal: Option<Arc<Principal>>,
    pub(crate) issuer: Option<Arc<str>>,
    pub(crate) admission: Option<Admission>,
    pub(crate) route: Option<Arc<str>>,
    reported: Option<Denial>,
}

impl Permit {
    pub(crate) fn new(mutations: Vec<Mutation>, principal: Option<Arc<Principal>>) -> Self {
        let attached = Attached::default();
        Self { mutations, attached, principal, issuer: None, admission: None, route: None, reported: None }
    }

    /// The same, with what an attempt to send the request may get.
    pub(crate) fn attaching(self, attached: Attached) -> Self {
        Self { attached, ..self }
    }

    /// The same, of a principal that the issuer of this name vouched for.
    pub(crate) fn of(self, issuer: Option<&Arc<str>>) -> Self {
        Self { issuer: issuer.map(Arc::clone), ..self }
    }

    /// The same, of a request that came in so.
    pub(crate) fn through(self, admission: Option<Admission>) -> Self {
        Self { admission, ..self }
    }

    /// The same, of a request on this route.
    pub(crate) fn on(self, route: Option<&Arc<str>>) -> Self {
        Self { route: route.map(Arc::clone), ..self }
    }

    /// A permit in spite of a denial: of nobody, and with nothing but what is removed.
    pub(crate) fn reporting(denial: Denial, removed: Vec<Arc<[u8]>>) -> Self {
        let mutations = removed.into_iter().map(|name| Mutation::Remove { name }).collect();
        Self { reported: Some(denial), ..Self::new(mutations, None) }
    }

    /// The changes to the request's headers, in the order in which they are to be made. All of them, or the
    /// request must not go on.
    #[must_use]
    pub fn mutations(&self) -> &[Mutation] {
        &self.mutations
    }

    /// What each attempt to send the request gets besides, where it is for the attempt's cluster to say
    /// ([`crate::attached::Attach::Upstream`]); nothing elsewhere.
    #[must_use]
    pub fn attached(&self) -> &Attached {
        &self.attached
    }

    /// All the changes of a request that is sent to this cluster, wherever they are made.
    #[must_use]
    pub fn mutations_towards(&self, cluster: Option<&[u8]>) -> Cow<'_, [Mutation]> {
        match self.attached.towards(cluster) {
            [] => Cow::Borrowed(&self.mutations),
            attached => {
                self.mutations.iter().cloned().chain(attached.iter().cloned().map(Into::into)).collect()
            }
        }
    }

    /// Whom the credential proved, where one was looked at and present.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_deref()
    }

    /// The configured name of the issuer that vouched here, where one did.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// How the request came in, where it had to come in by an entrance.
    #[must_use]
    pub fn admission(&self) -> Option<&Admission> {
        self.reported.as_ref().map_or(self.admission.as_ref(), Denial::admission)
    }

    /// The configured name of the route that the request is on, where it is on one.
    #[must_use]
    pub fn route(&self) -> Option<&str> {
        self.reported.as_ref().map_or(self.route.as_deref(), Denial::route)
    }

    /// Why the request would have been denied, where denials are only reported.
    #[must_use]
    pub fn reported(&self) -> Option<&Denial> {
        self.reported.as_ref()
    }
}
