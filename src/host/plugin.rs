//! The plugin: turns the configuration into a policy, once, and hands it to each request; and passes on what
//! time and issuers bring.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::envoy::{self, HostError, Level};
use super::keys;
use super::log::{self, report};
use super::metrics::{self, serving::VERSION};
use super::metrics::{decisions, gateway_key, paused, tokens};
use super::serving::{self, Serving};
use super::stream::Stream;
use crate::compile::{self, Compiled, Secrets};
use crate::config::error::{ConfigError, ConfigErrors};
use crate::fingerprint::Fingerprint;
use crate::jose::algorithm::Algorithm;
use crate::jose::signature::Backend;
use crate::policy::Policy;
use crate::record::Record;

thread_local! {
    /// Every policy of this VM that somebody still holds, be it only a stream that lives long.
    static POLICIES: RefCell<Vec<Weak<Policy>>> = const { RefCell::new(Vec::new()) };
}

/// The root context.
pub(super) struct Plugin {
    /// The host's number for it.
    id: u32,
    policy: Option<Rc<Policy>>,
    /// Ends before the policy does.
    serving: Option<Serving>,
}

impl Plugin {
    pub(super) fn new(id: u32) -> Self {
        Self { id, policy: None, serving: None }
    }

    #[inline(never)]
    fn adopt(&mut self, policy: Policy, hash: String, crypto: &'static str) {
        let policy = Rc::new(policy);
        report(define(&policy));
        self.serving = Some(Serving::new(&policy, hash, crypto));
        POLICIES.with_borrow_mut(|policies| {
            policies.retain(|known| known.strong_count() > 0);
            // A policy that this one follows may live on for its old streams, but not with all that it
            // remembers; one that is still in use remembers again.
            policies.iter().filter_map(Weak::upgrade).for_each(|known| known.forget_proofs());
            policies.push(Rc::downgrade(&policy));
        });
        report(envoy::now().map(|now| keys::watch(self.id, &policy, now)));
        self.policy = Some(policy);
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        report(envoy::now().and_then(|now| keys::forget(self.id, now)));
    }
}

impl Context for Plugin {
    fn on_http_call_response(&mut self, call: u32, headers: usize, body_size: usize, _: usize) {
        report(envoy::now().map(|now| keys::answered(self.id, call, headers, body_size, now)));
    }
}

impl RootContext for Plugin {
    /// False makes Envoy refuse the configuration: a door that does not know its policy does not open.
    fn on_configure(&mut self, size: usize) -> bool {
        match load(size) {
            Ok(loaded) => {
                loaded.tell();
                let Loaded { policy, hash, crypto, .. } = loaded;
                self.adopt(policy, hash, crypto);
                true
            }
            Err(errors) => {
                for error in &errors {
                    let (path, message) = (error.path(), error.message());
                    log::tell(Level::Error, &Record::ConfigurationRefused { path, message });
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        report(envoy::now().map(|now| {
            serving::tick(now);
            keys::tick(self.id, now);
        }));
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(id, self.policy.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// A configuration that can be served.
struct Loaded {
    policy: Policy,
    /// Its fingerprint.
    hash: String,
    /// Where signatures are verified.
    crypto: &'static str,
    /// Who signs contexts, and by which algorithm, where some are minted.
    signing: Option<(Algorithm, Backend)>,
    warnings: Vec<ConfigError>,
}

impl Loaded {
    fn tell(&self) {
        for warning in &self.warnings {
            let (path, message) = (warning.path(), warning.message());
            log::tell(Level::Info, &Record::ConfigurationWarning { path, message });
        }
        let record = Record::Configuration {
            door: self.policy.door().as_str(),
            hash: &self.hash,
            version: VERSION,
            crypto: self.crypto,
            signs: self.signing.map(|(algorithm, _)| algorithm.as_str()),
            signs_in: self.signing.map(|(_, backend)| backend.as_str()),
        };
        log::tell(Level::Info, &record);
    }
}

#[inline(never)]
fn load(size: usize) -> Result<Loaded, ConfigErrors> {
    let text = envoy::configuration(size)
        .map_err(|error| ConfigErrors::from(ConfigError::new("", error.to_string())))?;
    let document = compile::parse_document(&text)?;
    let now = envoy::now().map_err(|error| ConfigErrors::from(ConfigError::new("", error.to_string())))?;
    let secrets = Secrets::From(&|name| std::env::var(name).ok());
    let Compiled { value: mut policy, warnings } = compile::compile(&document, &secrets, now)?;
    let hash = Fingerprint::of(&document).to_string();
    keys::with(|keys| {
        compile::check_engines(&policy, &keys.engines)?;
        let signing = compile::settle_signing(&mut policy, &keys.engines)?;
        let crypto = compile::crypto(&policy, &keys.engines);
        Ok(Loaded { policy, hash, crypto, signing, warnings })
    })
}

/// Makes what is counted under a policy, at 0, so that what does not grow is seen as well as what is not there.
#[inline(never)]
fn define(policy: &Policy) -> Result<(), HostError> {
    decisions::define(policy)?;
    gateway_key::define(policy.gateway_keys());
    metrics::keys::define(policy)?;
    tokens::define()?;
    paused::define()
}
