//! The order in which a request is checked. It is the contract: a later check may rely on an earlier one, and none
//! says more to a caller than the ones before it let through.

use std::sync::Arc;

use super::Policy;
use super::caller::Caller;
use super::changes;
use super::proof::Stop;
use super::reading;
use super::trace::{Passed, Presented, Step, Trace};
use crate::access::Access;
use crate::access::requirements::Lack;
use crate::attached::{Attach, Attached};
use crate::context::mint::Occasion;
use crate::credential::entrance::{self, Admitted, Entrance};
use crate::decision::{Decision, Permit};
use crate::denial::{Code, Denial};
use crate::keyring::Keys;
use crate::request::Request;
use crate::route::{EntranceRule, Found};
use crate::time::UnixTime;

/// By which entrance the request comes in, where it needs one.
#[inline(never)]
pub(super) fn come_in<'p>(
    policy: &'p Policy,
    request: &Request<'_>,
    found: &Found<'_>,
    now: UnixTime,
) -> Result<Option<Admitted<'p>>, Code> {
    match (policy.entrances.as_slice(), found.route.entrance) {
        ([], _) | (_, EntranceRule::Exempt) => Ok(None),
        (entrances, EntranceRule::Required) => entrance::admit(entrances, request, now).map(Some),
    }
}

/// What is decided, where nothing ends the request on the way.
pub(super) fn answer(
    policy: &Policy,
    keys: &Keys,
    request: &Request<'_>,
    now: UnixTime,
    trace: &mut impl Trace,
) -> Result<Decision, Stop> {
    reading::check_method(request)?;
    reading::check_connection(policy, request)?;
    let found = policy.routes.find(request)?;
    reading::check_target(request)?;
    trace.step(|| Step::Read);
    if let Some(publication) = policy.publication.as_ref().filter(|it| it.is_asked_for(request)) {
        trace.step(|| Step::Published);
        return Ok(Decision::Publish(Arc::clone(publication)));
    }
    trace.step(|| Step::route(&found));
    let permit = admit(policy, keys, request, &found, now, trace);
    permit.map(Decision::Permit).map_err(|stop| stop.on(found.route.name.as_ref()))
}

fn admit(
    policy: &Policy,
    keys: &Keys,
    request: &Request<'_>,
    found: &Found<'_>,
    now: UnixTime,
    trace: &mut impl Trace,
) -> Result<Permit, Stop> {
    let access = found.access();
    // Before the entrance: nobody learns from a closed route whether a key is right.
    if *access == Access::Deny {
        return Err(Code::RouteDenied.into());
    }
    let admitted = come_in(policy, request, found, now)?;
    let admission = admitted.map(|admitted| admitted.admission());
    trace.step(|| {
        Step::Entrance(match (&admission, found.route.entrance) {
            (Some(admission), _) => Passed::By(admission.clone()),
            (None, EntranceRule::Exempt) => Passed::Exempt,
            (None, EntranceRule::Required) => Passed::NoneThere,
        })
    });
    let entrance = admitted.map(|admitted| admitted.entrance);
    let permit = grant(policy, keys, request, (found, entrance), now, trace);
    permit.map(|permit| permit.through(admission.clone())).map_err(|stop| stop.through(admission.as_ref()))
}

/// What a request may do that has come in.
#[inline(never)]
fn grant(
    policy: &Policy,
    keys: &Keys,
    request: &Request<'_>,
    (found, entrance): (&Found<'_>, Option<&Entrance>),
    now: UnixTime,
    trace: &mut impl Trace,
) -> Result<Permit, Stop> {
    let access = found.access();
    let caller = if access.reads_credential() {
        Caller::of(policy, keys, entrance, request, now, trace)?
    } else {
        trace.step(|| Step::Credential(Presented::Unread));
        Caller::default()
    };
    let vouched = |code: Code| Denial::from(code).of(caller.issuer.as_ref());
    match &caller.principal {
        Some(principal) => {
            access.tenant(policy.tenant).check(principal.tenant.as_ref()).map_err(vouched)?;
            access.check(principal).map_err(|lack| lacking(lack).of(caller.issuer.as_ref()))?;
        }
        None if access.needs_principal() => return Err(policy.missing().into()),
        None => {}
    }
    let injected = changes::injected(policy, &caller).map_err(vouched)?;
    let occasion = caller.principal.as_deref().map(|principal| Occasion {
        principal,
        expires: caller.expires(),
        audience: found.route.audience.as_deref(),
        request,
        now,
    });
    let attached = changes::attached(policy, &keys.engines, request, occasion.as_ref(), trace);
    let attached = attached.map_err(vouched)?;
    let (attached, later) = match policy.attaches() {
        Some(Attach::Upstream) => (Vec::new(), Attached::within(policy.bounds.as_ref(), attached)),
        Some(Attach::Route) | None => (attached, Attached::default()),
    };
    let mutations = changes::mutations(policy, entrance, &caller, request, &injected, attached);
    drop(injected);
    let permit = Permit::new(mutations, caller.principal).attaching(later);
    Ok(permit.of(caller.issuer.as_ref()).on(found.route.name.as_ref()))
}

fn lacking(lack: Lack<'_>) -> Denial {
    let denial = Denial::from(lack.code());
    match lack {
        Lack::Scope(challenge) => denial.challenging(challenge),
        Lack::Issuer | Lack::Permission | Lack::Role | Lack::Access => denial,
    }
}
