//! The plugin: turns the configuration into a policy, once, and hands it to each request.

use std::cell::OnceCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::crypto::Host;
use super::envoy::{self, Level};
use super::stream::Stream;
use crate::compile::{self, Compiled, Secrets};
use crate::config::error::{ConfigError, ConfigErrors};
use crate::jose::signature::{Backend, Keys};
use crate::policy::Policy;

thread_local! {
    /// Who verifies what. It is the host's property, not the configuration's, so it is settled once in a VM.
    static KEYS: OnceCell<Rc<Keys>> = const { OnceCell::new() };
}

/// The root context.
#[derive(Default)]
pub(super) struct Plugin {
    configured: Option<(Rc<Policy>, Rc<Keys>)>,
}

impl Context for Plugin {}

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
                self.configured = Some((Rc::new(policy), keys()));
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

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(self.configured.clone())))
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

fn keys() -> Rc<Keys> {
    KEYS.with(|keys| {
        let settled = keys.get_or_init(|| {
            let keys = Keys::settle(Some(Box::new(Host)));
            let served = keys.backends().iter().map(|(algorithm, backend)| match backend {
                Backend::Host => format!("{algorithm} by the host"),
                Backend::Module => format!("{algorithm} in the module"),
                Backend::Nobody => format!("{algorithm} by nobody"),
            });
            envoy::log(
                Level::Info,
                &format!("vestibule: signatures verified: {}", served.collect::<Vec<_>>().join(", ")),
            );
            Rc::new(keys)
        });
        Rc::clone(settled)
    })
}
