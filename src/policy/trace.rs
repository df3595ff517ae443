//! What [`super::decide`] saw on its way, for whoever asks why. It is told of, and has no say: where nobody
//! asks, nothing is put together.

use std::sync::Arc;

use crate::access::Access;
use crate::credential::source::Place;
use crate::principal::{Grant, Principal};
use crate::route::Found;

/// Somebody who is told.
pub trait Trace {
    /// A step was taken.
    fn step(&mut self, step: impl FnOnce() -> Step);
}

/// Nobody.
impl Trace for () {
    fn step(&mut self, _: impl FnOnce() -> Step) {}
}

impl Trace for Vec<Step> {
    fn step(&mut self, step: impl FnOnce() -> Step) {
        self.push(step());
    }
}

/// A step that was taken, so none before it denied the request.
#[derive(Clone, Debug)]
pub enum Step {
    /// Method, authority and path can be read in one way only.
    Read,
    /// The rule over the request was found.
    Route {
        /// The route's name; none where the request is on no route.
        name: Option<Arc<str>>,
        /// What the rule asks for.
        access: Access,
        /// Whether it is a preflight, of which nothing is asked where the route is not closed.
        is_preflight: bool,
    },
    /// It came in, or may come in without.
    Entrance(Passed),
    /// Where a credential was looked for, and what was there.
    Credential(Presented),
    /// The credential was good, or there was none.
    Principal {
        /// Whom it proves.
        principal: Option<Arc<Principal>>,
        /// What each of its permissions, scopes and roles was read from.
        origins: Vec<Origin>,
    },
}

/// How a request passed the entrances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passed {
    /// The door has none.
    NoneThere,
    /// The route is exempt.
    Exempt,
    /// By the one of this name.
    By(Arc<str>),
}

/// What stands where credentials are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// Nobody looked.
    Unread,
    /// Nothing.
    Nothing,
    /// Headers that the entrance is trusted to fill.
    Trusted,
    /// A token.
    Token(Place),
}

/// What a permission, scope or role was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Which of the three.
    pub kind: Kind,
    /// Its name.
    pub name: Grant,
    /// The claim or header, as the configuration names it.
    pub from: String,
}

/// A permission, a scope or a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A permission.
    Permission,
    /// A scope.
    Scope,
    /// A role.
    Role,
}

impl Step {
    pub(super) fn route(found: &Found<'_>) -> Self {
        let Found { route, is_preflight } = found;
        Self::Route { name: route.name.clone(), access: route.access.clone(), is_preflight: *is_preflight }
    }
}
