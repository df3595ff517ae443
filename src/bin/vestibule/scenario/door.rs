//! The doors that cases come to: each configuration compiled once.

use std::collections::BTreeMap;

use vestibule::compile::{self, Secrets};
use vestibule::config::error::ConfigErrors;
use vestibule::keyring::Keys;
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::time::UnixTime;

use super::super::document;
use super::outcome::Outcome;
use super::request::Headers;
use super::{Case, Refusal};

/// The doors of a run.
pub(crate) struct Doors {
    keys: Keys,
    policies: BTreeMap<String, Result<Policy, ConfigErrors>>,
}

/// A door, and the keys of its issuers at one time.
#[derive(Clone, Copy)]
pub(crate) struct Door<'d> {
    policy: &'d Policy,
    keys: &'d Keys,
    now: UnixTime,
}

impl Doors {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { keys: Keys::in_module(), policies: BTreeMap::new() }
    }

    /// The door of this case, at the case's own time.
    pub(crate) fn open(&mut self, case: &Case) -> Result<Door<'_>, Refusal> {
        let now = UnixTime::from_secs(case.now);
        let configuration = format!("{} {:?}", case.config, case.env);
        let policy = self.policies.entry(configuration).or_insert_with(|| compiled(case));
        let policy = policy.as_ref().map_err(|errors| Refusal::Configuration(document::faults(errors)))?;
        Ok(Door::new(policy, &self.keys, now))
    }
}

impl<'d> Door<'d> {
    /// The door with this policy, and with these keys, which are used with no other.
    pub(crate) fn new(policy: &'d Policy, keys: &'d Keys, now: UnixTime) -> Self {
        Self { policy, keys, now }
    }

    /// What becomes of a request with these headers that would go to this cluster.
    pub(crate) fn decide(&self, headers: &Headers, cluster: Option<&str>) -> Outcome {
        let headers = headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
        let request = Request::new(headers.collect());
        let request = match cluster {
            Some(cluster) => request.with_cluster(cluster.as_bytes()),
            None => request,
        };
        Outcome::of(&policy::decide(self.policy, self.keys, &request, self.now), &request)
    }
}

fn compiled(case: &Case) -> Result<Policy, ConfigErrors> {
    let environment = |name: &str| case.env.get(name).cloned();
    compile::compile(&case.config, &Secrets::From(&environment)).map(|compiled| compiled.value)
}
