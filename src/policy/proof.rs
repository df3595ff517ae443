//! What a token proves, and by which of the keys that there are now; and whether keys that are not there yet
//! could change the answer.

use std::sync::Arc;

use super::{Limits, Policy, inject};
use crate::admission::Admission;
use crate::credential::issuer::Issuer;
use crate::credential::proof_cache::Proof;
use crate::denial::{Code, Denial};
use crate::jose::algorithm::Family;
use crate::jose::compact::Compact;
use crate::jose::jwk::Key;
use crate::jose::signature;
use crate::keyring::{Keys, Outlook};
use crate::time::UnixTime;

/// Why a request does not go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// It never will.
    Denial(Denial),
    /// Keys of this issuer may come that decide about it.
    AwaitKeys(Arc<str>),
}

impl Stop {
    /// The same, of a request that came in so.
    pub(super) fn through(self, admission: Option<&Admission>) -> Self {
        match self {
            Self::Denial(denial) => Self::Denial(denial.through(admission)),
            Self::AwaitKeys(issuer) => Self::AwaitKeys(issuer),
        }
    }

    /// The same, of a request on this route.
    pub(super) fn on(self, route: Option<&Arc<str>>) -> Self {
        match self {
            Self::Denial(denial) => Self::Denial(denial.on(route)),
            Self::AwaitKeys(issuer) => Self::AwaitKeys(issuer),
        }
    }
}

impl From<Denial> for Stop {
    fn from(denial: Denial) -> Self {
        Self::Denial(denial)
    }
}

impl From<Code> for Stop {
    fn from(code: Code) -> Self {
        Self::Denial(code.into())
    }
}

/// What a token proves by the word of the issuer at this position.
#[inline(never)]
pub(super) fn prove(
    policy: &Policy,
    (position, issuer): (usize, &Issuer),
    token: Compact<'_>,
    keys: &Keys,
    now: UnixTime,
) -> Result<Proof, Stop> {
    let denial = |code| Denial::by_issuer(code, &issuer.name);
    issuer.screen(token.header()).map_err(denial)?;
    let mut believed: Vec<&Key> = issuer.keys.iter().collect();
    let mut missing = false;
    // What was proved by remote keys holds for as long as they may serve.
    let mut oldest = None;
    for source in &issuer.remote {
        match keys.ring.keys(source, now) {
            None => missing = true,
            Some((keys, end)) => {
                believed.extend(keys.iter().filter(|key| !issuer.denies(key.kid())));
                oldest = Some(oldest.map_or(end, |oldest: UnixTime| oldest.min(end)));
            }
        }
    }
    let is_unknown = token.header().kid.as_deref().map(|kid| !signature::knows(&believed, kid));
    // A secret is never published.
    let may_be_published =
        token.header().algorithm.is_some_and(|algorithm| algorithm.family() != Family::Hmac);
    match issuer.authenticate(token, &believed, &keys.engines, policy.limits.tries, now) {
        Ok((principal, validity, verified)) => {
            let validity = oldest.map_or(validity, |end| validity.ending_by(end));
            let injected =
                inject::all(&policy.injections, Some((&principal, Some(&verified))), policy.limits);
            let injected = injected.map(Arc::from);
            Ok(Proof { principal: principal.into(), injected, issuer: position, validity })
        }
        Err(code @ (Code::AlgorithmNotAllowed | Code::KeyUnknown | Code::SignatureInvalid)) => {
            let is_failing = || issuer.remote.iter().any(|source| keys.ring.is_failing(source));
            // Whether the right key may be one that is not here: of the token's `kid`, of a source that gave
            // none, or, where no `kid` tells that it is new, of one that cannot be asked.
            let others_could = is_unknown.unwrap_or_else(is_failing) || missing;
            Err(if may_be_published && others_could {
                outlook(issuer, keys, policy.limits, now, code)
            } else {
                denial(code).into()
            })
        }
        Err(code) => Err(denial(code).into()),
    }
}

/// What becomes of a token whose key is not among those there are.
fn outlook(issuer: &Issuer, keys: &Keys, limits: Limits, now: UnixTime, code: Code) -> Stop {
    let outlooks = || issuer.remote.iter().map(|source| keys.ring.outlook(source, now, limits.pause));
    if outlooks().any(|outlook| outlook == Outlook::Wait) {
        Stop::AwaitKeys(Arc::clone(&issuer.name))
    } else if outlooks().any(|outlook| outlook == Outlook::Unavailable) {
        Denial::by_issuer(Code::KeysUnavailable, &issuer.name).into()
    } else {
        Denial::by_issuer(code, &issuer.name).into()
    }
}
