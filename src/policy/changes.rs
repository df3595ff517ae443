//! What a permit changes of a request: what is removed, what is injected, and what is attached, such as the
//! gateway key.

use super::Policy;
use super::caller::Caller;
use crate::attached::{Attach, Attached};
use crate::credential::entrance::Entrance;
use crate::denial::Code;
use crate::mutation::{Assignment, Mutation};
use crate::request::Request;

/// What becomes of a request's headers whatever the cluster, and what an attempt gets besides, where its cluster
/// says whether it does. Strip, then inject, then attach; a change that would change nothing is left out, for
/// each costs a host call.
pub(super) fn changes(
    policy: &Policy,
    entrance: Option<&Entrance>,
    caller: &Caller<'_>,
    request: &Request<'_>,
) -> Result<(Vec<Mutation>, Attached), Code> {
    let injected = injected(policy, caller)?;
    let (attached, later) = match policy.attaches() {
        Some(Attach::Route) if policy.goes_to(request.cluster()) => (attached(policy), Vec::new()),
        Some(Attach::Upstream) => (Vec::new(), attached(policy)),
        Some(Attach::Route) | None => (Vec::new(), Vec::new()),
    };
    let mut mutations: Vec<Mutation> = Vec::new();
    let mut remove = |name: &[u8]| {
        let is_set = injected.iter().chain(&attached).any(|set| set.name.as_bytes() == name);
        let is_removed =
            |earlier: &Mutation| matches!(earlier, Mutation::Remove { name: removed } if removed == name);
        if !is_set && !mutations.iter().any(is_removed) {
            mutations.push(Mutation::Remove { name: name.to_vec() });
        }
    };
    let stays = |name: &[u8]| {
        caller.keeps(policy, name)
            || entrance.is_some_and(|entrance| entrance.forward && entrance.header.as_bytes() == name)
    };
    for (name, _) in request.headers().filter(|(name, _)| policy.owned.owns(name) && !stays(name)) {
        remove(name);
    }
    policy.places.strip(request, caller.verified, &mut mutations);
    // What is attached is set without a look at what the client sent in its place: a comparison would tell by
    // its time.
    let is_there = |set: &Assignment| request.single(set.name.as_bytes()) == Ok(&*set.value);
    let changes = injected.into_iter().filter(|set| !is_there(set)).chain(attached);
    mutations.extend(changes.map(Mutation::from));
    Ok((mutations, Attached::within(policy.bounds.as_ref(), later)))
}

/// What shows an inner door where the request came in.
fn attached(policy: &Policy) -> Vec<Assignment> {
    policy.attachment.iter().map(|attachment| attachment.assignment()).collect()
}

fn injected(policy: &Policy, caller: &Caller<'_>) -> Result<Vec<Assignment>, Code> {
    let mut assignments = Vec::with_capacity(policy.injections.len());
    for injection in &policy.injections {
        if let Some(value) = injection.value(caller.principal.as_deref(), policy.limits.injected_bytes)? {
            assignments.push(Assignment { name: injection.header.shared(), value });
        }
    }
    Ok(assignments)
}
