//! What is counted of decisions: `vestibule_decisions_total`, by door, decision, code, route and issuer.
//!
//! The host knows no labels. They stand before the name as `label=.=value;.;`, which an Envoy whose
//! `stats_tags` know the pattern turns into labels, and which every other one shows as they are. A value
//! comes from the configuration or from a closed list, never from a request.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::envoy::{self, HostError, Level};
use crate::denial::Code;
use crate::policy::Door;

/// What was decided.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    Permit,
    Denial(Code),
    /// A denial that was only reported.
    Report(Code),
}

/// The labels of a counter. No name in a configuration has a `_`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Labels {
    /// None where nothing is configured.
    pub(super) door: Option<Door>,
    pub(super) outcome: Outcome,
    pub(super) route: Option<Arc<str>>,
    pub(super) issuer: Option<Arc<str>>,
}

/// The most counters in one VM. Routes, issuers and codes multiply; past this, counters no longer tell routes
/// and issuers apart.
const MOST: usize = 5_000;

const NAME: &str = "vestibule_decisions_total";

thread_local! {
    static COUNTERS: RefCell<HashMap<Labels, u32>> = RefCell::default();
}

/// Counts a decision. What cannot be counted is told, and changes no decision.
pub(super) fn count(labels: Labels) {
    if let Err(error) = counter(labels).and_then(envoy::increment) {
        envoy::log(Level::Error, &format!("vestibule: {error}"));
    }
}

/// The host's number for the counter of these labels.
fn counter(labels: Labels) -> Result<u32, HostError> {
    COUNTERS.with_borrow_mut(|counters| {
        if let Some(counter) = counters.get(&labels) {
            return Ok(*counter);
        }
        let is_full = counters.len() >= MOST;
        let name = |name: &Option<Arc<str>>| match name {
            None => "_none".to_owned(),
            Some(_) if is_full => "_other".to_owned(),
            Some(name) => name.to_string(),
        };
        let (decision, code) = match labels.outcome {
            Outcome::Permit => ("permit", "_none"),
            Outcome::Denial(code) => ("denial", code.as_str()),
            Outcome::Report(code) => ("report", code.as_str()),
        };
        let (door, route, issuer) =
            (labels.door.map_or("_none", Door::as_str), name(&labels.route), name(&labels.issuer));
        let counter = envoy::define_counter(&format!(
            "door=.={door};.;decision=.={decision};.;code=.={code};.;route=.={route};.;issuer=.={issuer};.;{NAME}"
        ))?;
        // The host gives one name one number, so those that are not kept count all the same.
        if !is_full {
            counters.insert(labels, counter);
        }
        Ok(counter)
    })
}
