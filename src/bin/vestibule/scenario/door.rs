//! The doors that cases come to: each configuration compiled once, with the keys that its issuers publish.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vestibule::compile::{self, Secrets};
use vestibule::config::error::ConfigErrors;
use vestibule::decision::Decision;
use vestibule::denial::Code;
use vestibule::jose::signature::Engines;
use vestibule::keyring::{Keyring, Keys};
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::time::UnixTime;

use super::super::document::{self, Fault};
use super::super::published::{self, Published, Reason, Unpublished};
use super::outcome::{Outcome, Unseen};
use super::request::{Headers, RequestBytes};
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
        let config = case.config_at(case.now)?;
        // A report that ends more than 30 days ahead is refused, so the time has a say in what compiles.
        let time = config.get("report").map(|_| case.now);
        let configuration = format!("{config} {:?} {time:?}", case.env);
        let policy = self.policies.entry(configuration).or_insert_with(|| compiled(&config, case));
        let policy = policy.as_ref().map_err(|errors| Refusal::Configuration(document::faults(errors)))?;
        if policy.remote_sources().next().is_some() || !case.published.is_empty() {
            self.keys.ring = Keyring::new(0);
            // It goes by the generation of a ring, and this is another ring.
            policy.forget_proofs();
            publish(policy, &mut self.keys.ring, &case.published, now)?;
        }
        Ok(Door::new(policy, &self.keys, now))
    }
}

impl<'d> Door<'d> {
    /// The door with this policy, and with these keys, which are used with no other.
    pub(crate) fn new(policy: &'d Policy, keys: &'d Keys, now: UnixTime) -> Self {
        Self { policy, keys, now }
    }

    /// What becomes of a request with these headers that comes from where this one comes from, and would go
    /// where it would go. One that waits for keys waits for nothing here, for nobody brings any.
    pub(crate) fn decide(&self, headers: &Headers, sent: &RequestBytes) -> (Outcome, Unseen) {
        let headers = headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
        // The same case has the same outcome.
        let mut request = Request::new(headers.collect()).with_nonce(0);
        if let Some(cluster) = &sent.cluster {
            request = request.with_cluster(cluster.as_bytes());
        }
        if let Some(client) = &sent.client {
            request = request.with_client(client.as_bytes());
        }
        if let Some(peer) = &sent.peer {
            request = request.with_peer(peer.as_bytes());
        }
        let decision = match policy::decide(self.policy, self.keys, &request, self.now) {
            Decision::AwaitKeys(issuer) => {
                policy::give_up(self.policy, Code::KeysUnavailable, &issuer, &request, self.now)
                    .map_or_else(Decision::Denial, Decision::Permit)
            }
            decision => decision,
        };
        (Outcome::of(&decision, &request), Unseen::of(&decision))
    }

    /// Whether this issuer has keys to be fetched.
    pub(crate) fn has_remote_keys(&self, issuer: &str) -> bool {
        self.policy.remote_sources_of(issuer).next().is_some()
    }
}

fn compiled(config: &Value, case: &Case) -> Result<Policy, ConfigErrors> {
    let environment = |name: &str| case.env.get(name).cloned();
    let now = UnixTime::from_secs(case.now);
    let mut policy = compile::compile(config, &Secrets::From(&environment), now)?.value;
    compile::settle_signing(&mut policy, &Engines::in_module_for(&[]))?;
    Ok(policy)
}

/// Has the issuers publish what the case says.
fn publish(
    policy: &Policy,
    ring: &mut Keyring,
    published: &Map<String, Value>,
    now: UnixTime,
) -> Result<(), Fault> {
    let texts = published.iter().map(|(issuer, set)| (issuer.clone(), set.to_string().into_bytes()));
    let texts: Vec<Published> = texts.collect();
    published::publish(policy, ring, &texts, now).map_err(|Unpublished { issuer, reason }| {
        let remedy = match reason {
            Reason::NotRemote => ": null takes it out of a case",
            Reason::Differs(_) => "",
            Reason::NoKeys(_) => "; leave the issuer out for a case without its keys",
        };
        Fault::new(format!("published.{issuer}"), format!("{reason}{remedy}"))
    })
}
