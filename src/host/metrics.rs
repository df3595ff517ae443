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
    Publish,
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

impl Labels {
    /// The same, with one name for every route and one for every issuer.
    fn merged(self) -> Self {
        let merged = |name: Option<Arc<str>>| name.map(|_| "_other".into());
        Self { route: merged(self.route), issuer: merged(self.issuer), ..self }
    }

    fn name(&self) -> String {
        let (decision, code) = match self.outcome {
            Outcome::Permit => ("permit", "_none"),
            Outcome::Denial(code) => ("denial", code.as_str()),
            Outcome::Report(code) => ("report", code.as_str()),
            Outcome::Publish => ("publish", "_none"),
        };
        let door = self.door.map_or("_none", Door::as_str);
        let route = self.route.as_deref().unwrap_or("_none");
        let issuer = self.issuer.as_deref().unwrap_or("_none");
        format!(
            "door=.={door};.;decision=.={decision};.;code=.={code};.;route=.={route};.;issuer=.={issuer};.;{NAME}"
        )
    }
}

/// The most counters in one VM that tell routes and issuers apart, for these and codes multiply. Past this,
/// there are a few hundred more, of all routes and all issuers together.
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
///
/// Every one is kept: Envoy gives a name that it knows a new number each time and remembers them all
/// (envoy: source/extensions/common/wasm/context.cc, `Context::defineMetric`), so asking again for each
/// request would grow without end.
fn counter(labels: Labels) -> Result<u32, HostError> {
    COUNTERS.with_borrow_mut(|counters| {
        if let Some(counter) = counters.get(&labels) {
            return Ok(*counter);
        }
        let labels = if counters.len() < MOST { labels } else { labels.merged() };
        if let Some(counter) = counters.get(&labels) {
            return Ok(*counter);
        }
        let counter = envoy::define_counter(&labels.name())?;
        counters.insert(labels, counter);
        Ok(counter)
    })
}
