//! What a permit changes of a request: what is removed, what is injected, and what is attached: the gateway key
//! and the context.

use std::borrow::Cow;
use std::sync::Arc;

use super::Policy;
use super::caller::Caller;
use super::inject;
use super::trace::{Step, Trace};
use crate::attached::Attach;
use crate::context::mint::Occasion;
use crate::credential::entrance::Entrance;
use crate::denial::Code;
use crate::jose::signature::Engines;
use crate::mutation::{Assignment, Mutation};
use crate::request::Request;

/// Strip, then inject, then attach. A change that would change nothing is left out, for each costs a host call.
#[inline(never)]
pub(super) fn mutations(
    policy: &Policy,
    entrance: Option<&Entrance>,
    caller: &Caller<'_>,
    request: &Request<'_>,
    injected: &[Assignment],
    attached: Vec<Assignment>,
) -> Vec<Mutation> {
    // With room for a credential that goes, so that no other is made for most requests.
    let mut mutations: Vec<Mutation> = Vec::with_capacity(injected.len() + attached.len() + 1);
    let mut remove = |name: &[u8]| {
        let is_set = injected.iter().chain(&attached).any(|set| set.name.as_bytes() == name);
        if !is_set && !mutations.iter().any(|earlier| earlier.removes(name)) {
            mutations.push(Mutation::Remove { name: name.into() });
        }
    };
    let stays =
        |name: &[u8]| caller.keeps(policy, name) || entrance.is_some_and(|entrance| entrance.forwards(name));
    for (name, _) in request.headers().filter(|(name, _)| policy.owned.owns(name) && !stays(name)) {
        remove(name);
    }
    policy.places.strip(request, caller.verified, &mut mutations);
    // What is attached is set without a look at what the client sent in its place: a comparison would tell by
    // its time.
    let is_there = |set: &Assignment| request.single(set.name.as_bytes()) == Ok(&*set.value);
    let changes = injected.iter().filter(|set| !is_there(set)).cloned().chain(attached);
    mutations.extend(changes.map(Mutation::from));
    mutations
}

/// What the door attaches, the gateway key and a context of the principal, where the request goes to a cluster
/// that may get it, or where that is not for the door to know yet.
pub(super) fn attached(
    policy: &Policy,
    engines: &Engines,
    request: &Request<'_>,
    occasion: Option<&Occasion<'_>>,
    trace: &mut impl Trace,
) -> Result<Vec<Assignment>, Code> {
    if policy.attaches() != Some(Attach::Upstream) && !policy.goes_to(request.cluster()) {
        return Ok(Vec::new());
    }
    attach(policy, engines, occasion, trace)
}

#[inline(never)]
fn attach(
    policy: &Policy,
    engines: &Engines,
    occasion: Option<&Occasion<'_>>,
    trace: &mut impl Trace,
) -> Result<Vec<Assignment>, Code> {
    let mut attached: Vec<Assignment> =
        policy.attachment.iter().map(|attachment| attachment.assignment()).collect();
    if let (Some(mint), Some(occasion)) = (&policy.mint, occasion) {
        let context = mint.mint(engines, occasion, policy.limits.injected_bytes)?;
        attached.push(Assignment { name: mint.header().shared(), value: Arc::clone(&context.token) });
        trace.step(|| Step::Context { audience: context.audience, expires: context.expires });
    }
    Ok(attached)
}

/// What the door tells the service of the principal: worked out when its token was proved, or now.
pub(super) fn injected<'c>(policy: &Policy, caller: &'c Caller<'_>) -> Result<Cow<'c, [Assignment]>, Code> {
    match &caller.proof {
        Some(proof) => proof.injected.as_deref().map(Cow::Borrowed).map_err(|code| *code),
        None => {
            let told = caller.principal.as_deref().map(|principal| (principal, None));
            inject::all(&policy.injections, told, policy.limits).map(Cow::Owned)
        }
    }
}
