//! Envoy, by way of the proxy-wasm ABI 0.2.1. It carries out decisions and makes none.

mod crypto;
mod envoy;
mod filter_state;
mod guard;
mod keys;
mod log;
mod metrics;
mod nonce;
mod peer;
mod place;
mod plugin;
mod serving;
mod stream;
mod tickets;
mod waiting;

use proxy_wasm::traits::RootContext;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|id| -> Box<dyn RootContext> { Box::new(plugin::Plugin::new(id)) });
}}
