//! The plugin: turns the configuration into a policy, once, and hands it to each request; and passes on what
//! time and issuers bring.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::envoy::{self, HostError, Level};
use super::keys;
use super::stream::Stream;
use crate::compile::{self, Compiled, Secrets};
use crate::config::error::{ConfigError, ConfigErrors};
use crate::policy::Policy;

/// The root context.
#[derive(Default)]
pub(super) struct Plugin {
    policy: Option<Rc<Policy>>,
}

impl Context for Plugin {
    fn on_http_call_response(&mut self, call: u32, headers: usize, body_size: usize, _: usize) {
        report(keys::answered(call, headers, body_size));
    }
}

impl RootContext for Plugin {
    /// False makes Envoy refuse the configuration: a door that does not know its policy does not open.
    fn on_configure(&mut self, size: usize) -> bool {
        match load(size) {
            Ok(Compiled { value: policy, warnings }) => {
                for warning in &warnings {
                    envoy::log(Level::Info, &format!("vestibule: configuration: {warning}"));
                }
                let door = policy.door().as_str();
                envoy::log(
                    Level::Info,
                    &format!("vestibule {}: {door} door configured", env!("CARGO_PKG_VERSION")),
                );
                report(envoy::now().map(|now| keys::watch(&policy, now)));
                self.policy = Some(Rc::new(policy));
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
        report(envoy::now().map(keys::tick));
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(id, self.policy.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

fn load(size: usize) -> Result<Compiled<Policy>, ConfigErrors> {
    let text = envoy::configuration(size)
        .map_err(|error| ConfigErrors::from(ConfigError::new("", error.to_string())))?;
    let document = compile::parse_document(&text)?;
    compile::compile(&document, &Secrets::From(&|name| std::env::var(name).ok()))
}

/// Here no request is at hand that could be denied: keys that could not be fetched are keys that are not
/// there.
fn report(outcome: Result<(), HostError>) {
    if let Err(error) = outcome {
        envoy::log(Level::Error, &format!("vestibule: {error}"));
    }
}
