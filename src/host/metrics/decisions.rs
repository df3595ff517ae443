//! What is counted of decisions: `vestibule_decisions_total`, by door, decision, code, route and issuer.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::{Counter, NONE, OTHER};
use crate::denial::Code;
use crate::host::envoy::HostError;
use crate::host::log;
use crate::policy::{Door, Policy};

/// What was decided.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::host) enum Outcome {
    Permit,
    Denial(Code),
    /// A denial that was only reported.
    Report(Code),
    Publish,
}

/// The labels of a counter. No name in a configuration has a `_`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(in crate::host) struct Labels {
    /// None where nothing is configured.
    pub(in crate::host) door: Option<Door>,
    pub(in crate::host) outcome: Outcome,
    pub(in crate::host) route: Option<Arc<str>>,
    pub(in crate::host) issuer: Option<Arc<str>>,
}

impl Labels {
    /// The same, with one name for every route and one for every issuer.
    fn merged(self) -> Self {
        let merged = |name: Option<Arc<str>>| name.map(|_| OTHER.into());
        Self { route: merged(self.route), issuer: merged(self.issuer), ..self }
    }

    fn name(&self) -> String {
        let (decision, code) = match self.outcome {
            Outcome::Permit => ("permit", NONE),
            Outcome::Denial(code) => ("denial", code.as_str()),
            Outcome::Report(code) => ("report", code.as_str()),
            Outcome::Publish => ("publish", NONE),
        };
        let door = self.door.map_or(NONE, Door::as_str);
        let route = self.route.as_deref().unwrap_or(NONE);
        let issuer = self.issuer.as_deref().unwrap_or(NONE);
        let labels =
            [("door", door), ("decision", decision), ("code", code), ("route", route), ("issuer", issuer)];
        super::named(NAME, labels.into_iter())
    }
}

/// The most counters in one VM that tell routes and issuers apart, for these and codes multiply. Past this,
/// there are a few hundred more, of all routes and all issuers together.
const MOST: usize = 5_000;

const NAME: &str = "vestibule_decisions_total";

thread_local! {
    /// By labels, and not by name, which no request should have to write.
    static COUNTERS: RefCell<HashMap<Labels, Counter>> = RefCell::default();
}

/// Makes the counters of whatever a policy may decide, at 0, for requests of no route and no issuer.
pub(in crate::host) fn define(policy: &Policy) -> Result<(), HostError> {
    let denials = Code::ALL.iter().copied();
    let outcomes = denials.map(if policy.reports() { Outcome::Report } else { Outcome::Denial });
    for outcome in outcomes.chain([Outcome::Permit]) {
        counter(Labels { door: Some(policy.door()), outcome, route: None, issuer: None })?;
    }
    Ok(())
}

/// Counts a decision. What cannot be counted is told, and changes no decision.
pub(in crate::host) fn count(labels: Labels) {
    log::report(counter(labels).and_then(|counter| counter.add(1)));
}

fn counter(labels: Labels) -> Result<Counter, HostError> {
    COUNTERS.with_borrow_mut(|counters| {
        if let Some(counter) = counters.get(&labels) {
            return Ok(*counter);
        }
        let labels = if counters.len() < MOST { labels } else { labels.merged() };
        if let Some(counter) = counters.get(&labels) {
            return Ok(*counter);
        }
        let counter = Counter::define(&labels.name())?;
        counters.insert(labels, counter);
        Ok(counter)
    })
}
