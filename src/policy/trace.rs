//! What [`super::decide`] saw on its way, for whoever asks why. It is told of, and has no say: where nobody
//! asks, nothing is put together.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::Policy;
use crate::access::Access;
use crate::admission::Admission;
use crate::credential::places;
use crate::credential::source::Place;
use crate::jose::compact::{Compact, Decoded};
use crate::jose::header::Header;
use crate::principal::{Grant, Principal};
use crate::route::Found;
use crate::time::UnixTime;

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
    /// It asks for what the door publishes, and for no route.
    Published,
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
    /// A context was minted for the principal.
    Context {
        /// Whom it is for.
        audience: Arc<str>,
        /// When it ends.
        expires: UnixTime,
    },
}

/// How a request passed the entrances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passed {
    /// The door has none.
    NoneThere,
    /// The route is exempt.
    Exempt,
    /// By this one.
    By(Admission),
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
    Token {
        /// Where it stands.
        place: Place,
        /// What it says of itself; none where it cannot be read.
        claimed: Option<Claimed>,
    },
}

/// What a token says of itself before it is verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The configured name of the issuer that judges it; none where no issuer does.
    pub judge: Option<Arc<str>>,
    /// Its header.
    pub header: Header,
    /// The claims by which it is judged first: `iss`, `aud`, `exp`, `nbf` and `iat`, those that are there.
    pub claims: Vec<(&'static str, Value)>,
}

/// Without the claims, which are the caller's own affairs.
impl fmt::Debug for Claimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claimed")
            .field("judge", &self.judge)
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

impl Claimed {
    pub(super) fn of(policy: &Policy, found: places::Found<'_>) -> Option<Self> {
        let decoded = Decoded::of(found.token, policy.limits.token).ok()?;
        let token = Compact::read(&decoded).ok()?;
        let judge = token.unverified_issuer().ok().and_then(|iss| policy.issuers.judge(found.place, iss));
        let claim = |name| Some((name, token.unverified_claims().get(name)?.into()));
        Some(Self {
            judge: judge.map(|(_, issuer)| Arc::clone(&issuer.name)),
            header: token.header().clone(),
            claims: ["iss", "aud", "exp", "nbf", "iat"].into_iter().filter_map(claim).collect(),
        })
    }
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
