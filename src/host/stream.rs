//! One request: a snapshot in, a decision out, carried out to the letter or not forwarded at all.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::envoy::{self, HostError, Level, Map};
use crate::decision::Decision;
use crate::denial::{Code, Denial};
use crate::jose::signature::Keys;
use crate::mutation::Mutation;
use crate::policy::{self, Policy};
use crate::request::Request;

/// The context of one request. It keeps the policy under which the request came in.
pub(super) struct Stream {
    configured: Option<(Rc<Policy>, Rc<Keys>)>,
}

impl Stream {
    pub(super) fn new(configured: Option<(Rc<Policy>, Rc<Keys>)>) -> Self {
        Self { configured }
    }

    fn door(&self) -> &'static str {
        self.configured.as_ref().map_or("unconfigured", |(policy, _)| policy.door().as_str())
    }

    fn decide_headers(&self) -> Result<Action, HostError> {
        let pairs = envoy::pairs(Map::RequestHeaders)?;
        let mut request = Request::new(pairs.parse()?);
        let Some((policy, keys)) = &self.configured else {
            return Ok(self.deny(&Code::HostFailed.into(), &request));
        };
        let cluster;
        if policy.reads_cluster() {
            cluster = envoy::property(&["xds", "cluster_name"])?;
            if let Some(cluster) = &cluster {
                request = request.with_cluster(cluster);
            }
        }
        match policy::decide(policy, keys, &request, envoy::now()?) {
            Decision::Denial(denial) => Ok(self.deny(&denial, &request)),
            Decision::Permit(permit) => {
                permit.mutations().iter().try_for_each(|mutation| match mutation {
                    Mutation::Remove { name } => envoy::remove(Map::RequestHeaders, name),
                    Mutation::Set { name, value } => envoy::set_request_header(name.as_bytes(), value),
                })?;
                Ok(Action::Continue)
            }
        }
    }

    /// A trailer is a header that comes late: what is no client's to set, or was not verified, goes there
    /// too.
    fn strip_trailers(&self) -> Result<Action, HostError> {
        let pairs = envoy::pairs(Map::RequestTrailers)?;
        for (name, _) in pairs.parse()? {
            if self.configured.as_ref().is_none_or(|(policy, _)| policy.guards(name)) {
                envoy::remove(Map::RequestTrailers, name)?;
            }
        }
        Ok(Action::Continue)
    }

    fn deny(&self, denial: &Denial, request: &Request<'_>) -> Action {
        if envoy::logs(Level::Debug) {
            let issuer = denial.issuer().unwrap_or("-");
            envoy::log(
                Level::Debug,
                &format!(
                    "vestibule: {} door denied: {} (issuer {issuer})",
                    self.door(),
                    denial.code().as_str()
                ),
            );
        }
        if let Err(error) = envoy::send_local_response(&denial.response(request)) {
            // Paused without an answer: the request goes nowhere, and the client's own timeout ends it.
            envoy::log(Level::Error, &format!("vestibule: {error}"));
        }
        Action::Pause
    }

    /// What the host could not do, nobody may pass for.
    fn fail_closed(&self, error: HostError) -> Action {
        envoy::log(Level::Error, &format!("vestibule: {error}"));
        self.deny(&Code::HostFailed.into(), &Request::new(Vec::new()))
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        self.decide_headers().unwrap_or_else(|error| self.fail_closed(error))
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        self.strip_trailers().unwrap_or_else(|error| self.fail_closed(error))
    }
}
