//! The plugin: turns the configuration into a policy, once, and hands it to each request; and passes on what
//! time and issuers bring.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::envoy::{self, HostError, Level};
use super::gateway_key;
use super::keys;
use super::stream::Stream;
use crate::compile::{self, Compiled, Secrets};
use crate::config::error::{ConfigError, ConfigErrors};
use crate::jose::algorithm::Algorithm;
use crate::jose::signature::Backend;
use crate::policy::Policy;

thread_local! {
    /// Every policy of this VM that somebody still holds, be it only a stream that lives long.
    static POLICIES: RefCell<Vec<Weak<Policy>>> = const { RefCell::new(Vec::new()) };
}

/// The root context.
pub(super) struct Plugin {
    /// The host's number for it.
    id: u32,
    policy: Option<Rc<Policy>>,
}

impl Plugin {
    pub(super) fn new(id: u32) -> Self {
        Self { id, policy: None }
    }

    #[inline(never)]
    fn adopt(&mut self, policy: Policy) {
        let policy = Rc::new(policy);
        gateway_key::define(policy.gateway_keys());
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
            Ok((Compiled { value: policy, warnings }, signing)) => {
                for warning in &warnings {
                    envoy::log(Level::Info, &format!("vestibule: configuration: {warning}"));
                }
                let door = policy.door().as_str();
                envoy::log(
                    Level::Info,
                    &format!("vestibule {}: {door} door configured", env!("CARGO_PKG_VERSION")),
                );
                if let Some((algorithm, backend)) = signing {
                    let line = format!("vestibule: contexts signed: {}", keys::served(algorithm, backend));
                    envoy::log(Level::Info, &line);
                }
                self.adopt(policy);
                true
            }
            Err(errors) => {
                for error in &errors {
                    envoy::log(Level::Error, &format!("vestibule: configuration refused: {error}"));
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        report(envoy::now().map(|now| keys::tick(self.id, now)));
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(id, self.policy.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// The policy, and who signs its contexts, where it mints some.
type Loaded = (Compiled<Policy>, Option<(Algorithm, Backend)>);

#[inline(never)]
fn load(size: usize) -> Result<Loaded, ConfigErrors> {
    let text = envoy::configuration(size)
        .map_err(|error| ConfigErrors::from(ConfigError::new("", error.to_string())))?;
    let document = compile::parse_document(&text)?;
    let now = envoy::now().map_err(|error| ConfigErrors::from(ConfigError::new("", error.to_string())))?;
    let secrets = Secrets::From(&|name| std::env::var(name).ok());
    let mut compiled = compile::compile(&document, &secrets, now)?;
    let signing = keys::with(|keys| {
        compile::check_engines(&compiled.value, &keys.engines)?;
        compile::settle_signing(&mut compiled.value, &keys.engines)
    })?;
    Ok((compiled, signing))
}

/// Here no request is at hand that could be denied: keys that could not be fetched are keys that are not
/// there.
fn report(outcome: Result<(), HostError>) {
    if let Err(error) = outcome {
        envoy::log(Level::Error, &format!("vestibule: {error}"));
    }
}
