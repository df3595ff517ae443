//! A filter that does nothing, as whoever begins with the Rust SDK has it: what any filter of that SDK costs
//! before it does a thing. `make bench` measures Vestibule beside it.
//!
//! Its module exports all that the SDK's macro exports, so Envoy calls it back for each step of a request.
//! Nothing may be taken out of it after the build.

#![cfg(target_os = "wasi")]
#![expect(missing_docs, reason = "the SDK's macro makes a public function")]

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root) });
}}

struct Root;

struct Stream;

impl Context for Root {}

impl RootContext for Root {
    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl Context for Stream {}

impl HttpContext for Stream {}
