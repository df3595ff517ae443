//! A decision and the steps that led to it, as data for whoever prints it. It tells what was decided and by
//! what, and decides nothing.

use std::borrow::Cow;
use std::sync::Arc;

use vestibule::access::Access;
use vestibule::compile::Outline;
use vestibule::decision::Decision;
use vestibule::denial::{Code, Denial};
use vestibule::mutation::Mutation;
use vestibule::policy::Policy;
use vestibule::policy::trace::{Origin, Passed, Presented, Step};
use vestibule::principal::Principal;
use vestibule::publication::Publication;
use vestibule::request::Request;
use vestibule::route::Target;
use vestibule::time::UnixTime;

use super::demand::{self, Demand};
use super::routes::{self, Other};

/// Where a request was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its method, host or path can be read in more than one way, or not at all.
    Request,
    /// Its route is closed.
    Route,
    /// No entrance lets it in.
    Entrance,
    /// Its credential cannot be found in one way only, or is missing.
    Credential,
    /// Its token is not believed.
    Token,
    /// The caller has no tenant.
    Tenant,
    /// The caller lacks what the route requires.
    Requirement,
    /// What the service would be told cannot stand in a header, or a context could not be made.
    Headers,
}

/// What became of a request, and why.
pub(crate) struct Explanation<'e> {
    pub(crate) policy: &'e Policy,
    /// What the request is compared by, as far as it can be read.
    pub(crate) asked: Asked,
    pub(crate) route: Option<Taken>,
    /// The other routes, the nearest first.
    pub(crate) others: Vec<Other>,
    pub(crate) passed: Option<Passed>,
    /// Who the other end of the connection is, where it has proved anybody.
    pub(crate) peer: Option<String>,
    pub(crate) presented: Option<Presented>,
    pub(crate) caller: Option<Caller>,
    pub(crate) demands: Vec<Demand>,
    /// Whom the context is for that was minted, and until when.
    pub(crate) context: Option<(Arc<str>, UnixTime)>,
    pub(crate) stopped: Option<Stage>,
    pub(crate) outcome: Outcome<'e>,
    /// What to know besides.
    pub(crate) notes: Vec<String>,
}

/// Method, host and path: in their canonical form where routes are found by them, else as they came.
pub(crate) struct Asked {
    pub(crate) method: Option<String>,
    /// The method that a preflight asks about, by which its route is found.
    pub(crate) asks_about: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) path: Option<String>,
}

/// The rule over the request.
pub(crate) struct Taken {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) access: Access,
    pub(crate) is_preflight: bool,
}

/// Who calls, where anybody looked.
pub(crate) struct Caller {
    pub(crate) principal: Option<Arc<Principal>>,
    pub(crate) origins: Vec<Origin>,
}

/// What became of it.
pub(crate) enum Outcome<'e> {
    Denied(Denial),
    Allowed {
        mutations: Cow<'e, [Mutation]>,
        reported: Option<&'e Denial>,
    },
    /// Here, with what the door publishes.
    Answered(&'e Publication),
}

impl Outcome<'_> {
    /// The denial, carried out or only reported.
    pub(crate) fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Denied(denial) => Some(denial),
            Self::Allowed { reported, .. } => *reported,
            Self::Answered(_) => None,
        }
    }
}

impl<'e> Explanation<'e> {
    /// What these steps and this decision say.
    pub(crate) fn new(
        policy: &'e Policy,
        outline: &Outline,
        request: &Request<'_>,
        steps: Vec<Step>,
        decision: &'e Decision,
    ) -> Self {
        let outcome = match decision {
            Decision::Denial(denial) => Outcome::Denied(denial.clone()),
            // Nobody brings any.
            Decision::AwaitKeys(_) => Outcome::Denied(Code::KeysUnavailable.into()),
            Decision::Permit(permit) => {
                let mutations = permit.mutations_towards(request.cluster());
                Outcome::Allowed { mutations, reported: permit.reported() }
            }
            Decision::Publish(publication) => Outcome::Answered(publication),
        };
        let stopped = outcome.denial().map(|denial| stage(&steps, denial.code()));
        let (mut route, mut passed, mut presented, mut caller, mut context) = (None, None, None, None, None);
        for step in steps {
            match step {
                Step::Read | Step::Published => {}
                Step::Route { name, access, is_preflight } => {
                    route = Some(Taken { name, access, is_preflight })
                }
                Step::Entrance(by) => passed = Some(by),
                Step::Credential(what) => presented = Some(what),
                Step::Principal { principal, origins } => caller = Some(Caller { principal, origins }),
                Step::Context { audience, expires } => context = Some((audience, expires)),
            }
        }
        let target = policy.routes().target(request).ok().flatten();
        let won = route.as_ref().and_then(|route| route.name.as_deref());
        // Of what is published here no route was looked for.
        let sought = target.as_ref().filter(|_| !matches!(outcome, Outcome::Answered(_)));
        let others = sought.map(|target| routes::others(outline.rules(), target, won));
        let demands = match (&route, &caller) {
            (
                Some(Taken { access: Access::Requires(all), .. }),
                Some(Caller { principal: Some(principal), origins }),
            ) => demand::each(all, principal, origins, outline.grants()),
            _ => Vec::new(),
        };
        let asked = Asked::of(request, target.as_ref());
        let others = others.unwrap_or_default();
        Self {
            policy,
            asked,
            route,
            others,
            passed,
            peer: request.peer().map(|peer| as_text(peer.uri)),
            presented,
            caller,
            demands,
            context,
            stopped,
            outcome,
            notes: Vec::new(),
        }
    }
}

impl Asked {
    /// The query is left out: it may hold credentials.
    fn of(request: &Request<'_>, target: Option<&Target<'_>>) -> Self {
        let value = |name: &[u8]| request.single(name).ok();
        let method = value(b":method");
        let host = target.and_then(|target| target.host.as_ref()).map(|host| host.as_str().to_owned());
        let path = value(b":path").map(|path| path.split(|byte| *byte == b'?').next().unwrap_or_default());
        Self {
            method: method.map(as_text),
            asks_about: target
                .map(|target| target.method)
                .filter(|asked| Some(*asked) != method)
                .map(as_text),
            host: host.or_else(|| value(b":authority").map(without_user)),
            path: target.map(|target| target.path.to_string()).or_else(|| path.map(as_text)),
        }
    }
}

/// The check after the last that the request passed.
fn stage(steps: &[Step], code: Code) -> Stage {
    match (steps.last(), code) {
        (None | Some(Step::Read | Step::Published), _) => Stage::Request,
        (Some(Step::Route { .. }), Code::RouteDenied) => Stage::Route,
        (Some(Step::Route { .. }), _) => Stage::Entrance,
        (Some(Step::Entrance(_)), _) => Stage::Credential,
        (Some(Step::Credential(Presented::Token { .. })), _) => Stage::Token,
        (Some(Step::Principal { principal: None, .. }), Code::CredentialMissing | Code::ContextMissing) => {
            Stage::Credential
        }
        (Some(Step::Principal { .. }), Code::TenantMissing) => Stage::Tenant,
        (
            Some(Step::Principal { .. }),
            Code::IssuerNotAllowed | Code::PermissionMissing | Code::ScopeMissing | Code::RoleMissing,
        ) => Stage::Requirement,
        (Some(Step::Credential(_) | Step::Principal { .. } | Step::Context { .. }), _) => Stage::Headers,
    }
}

/// The authority, and that there is user information but not what it is: there may be a password in it.
fn without_user(authority: &[u8]) -> String {
    let authority = as_text(authority);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("(value)@{host}"),
        None => authority,
    }
}

/// Bytes as text: UTF-8 where they are, else one character a byte.
pub(crate) fn as_text(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}
