//! A stream of the host: what it tells of a request is passed on to the request's guard.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::guard::Guard;
use super::waiting;
use crate::policy::Policy;

/// The context of one request.
pub(super) struct Stream(Guard);

impl Stream {
    pub(super) fn new(id: u32, policy: Option<Rc<Policy>>) -> Self {
        Self(Guard::new(id, policy))
    }
}

/// The host is done with it: nobody decides about it any more.
impl Drop for Stream {
    fn drop(&mut self) {
        waiting::leave(self.0.stream());
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        self.0.headers().into()
    }

    fn on_http_request_body(&mut self, _: usize, _: bool) -> Action {
        self.0.body().into()
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        self.0.trailers().into()
    }
}
