//! One request: a snapshot in, a decision out, carried out to the letter or not forwarded at all.

use std::rc::Rc;
use std::sync::Arc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::envoy::{self, HostError, Level, Map};
use super::keys;
use super::waiting::{self, Waiting};
use crate::decision::Decision;
use crate::denial::{Code, Denial};
use crate::mutation::Mutation;
use crate::policy::{self, Policy};
use crate::request::Request;
use crate::time::UnixTime;

/// The context of one request. It keeps the policy under which the request came in.
pub(super) struct Stream {
    id: u32,
    policy: Option<Rc<Policy>>,
    /// Whether it waited for keys, which it does once.
    has_waited: bool,
}

/// What becomes of the request for now.
enum Next {
    /// It goes on.
    Forward,
    /// It does not: it was answered, or it waits.
    Hold,
}

impl From<Next> for Action {
    fn from(next: Next) -> Self {
        match next {
            Next::Forward => Self::Continue,
            Next::Hold => Self::Pause,
        }
    }
}

/// A request that waited is decided about again, in its own context.
pub(super) fn resume(request: &Waiting) {
    if let Err(error) = envoy::enter(request.stream) {
        // It is not there any more, so there is nobody to answer.
        return envoy::log(Level::Error, &format!("vestibule: {error}"));
    }
    let stream = Stream { id: request.stream, policy: Some(Rc::clone(&request.policy)), has_waited: true };
    let outcome = stream.decide_headers().and_then(|next| match next {
        Next::Forward => envoy::continue_request(),
        Next::Hold => Ok(()),
    });
    if let Err(error) = outcome {
        stream.fail_closed(error);
    }
}

impl Stream {
    pub(super) fn new(id: u32, policy: Option<Rc<Policy>>) -> Self {
        Self { id, policy, has_waited: false }
    }

    fn door(&self) -> &'static str {
        self.policy.as_ref().map_or("unconfigured", |policy| policy.door().as_str())
    }

    fn decide_headers(&self) -> Result<Next, HostError> {
        let pairs = envoy::pairs(Map::RequestHeaders)?;
        let mut request = Request::new(pairs.parse()?);
        let Some(policy) = self.policy.clone() else {
            return Ok(self.deny(&Code::HostFailed.into(), &request));
        };
        let cluster;
        if policy.reads_cluster() {
            cluster = envoy::property(&["xds", "cluster_name"])?;
            if let Some(cluster) = &cluster {
                request = request.with_cluster(cluster);
            }
        }
        let now = envoy::now()?;
        match keys::with(|keys| policy::decide(&policy, keys, &request, now)) {
            Decision::Denial(denial) => Ok(self.deny(&denial, &request)),
            Decision::AwaitKeys(issuer) if self.has_waited => {
                Ok(self.deny(&Denial::by_issuer(Code::KeysUnavailable, &issuer), &request))
            }
            Decision::AwaitKeys(issuer) => Ok(self.wait(policy, issuer, &request, now)),
            Decision::Permit(permit) => {
                permit.mutations().iter().try_for_each(|mutation| match mutation {
                    Mutation::Remove { name } => envoy::remove(Map::RequestHeaders, name),
                    Mutation::Set { name, value } => envoy::set_request_header(name.as_bytes(), value),
                })?;
                Ok(Next::Forward)
            }
        }
    }

    fn wait(&self, policy: Rc<Policy>, issuer: Arc<str>, request: &Request<'_>, now: UnixTime) -> Next {
        let deadline = now.later_by(policy.pause());
        let waiting =
            Waiting { stream: self.id, policy: Rc::clone(&policy), issuer: Arc::clone(&issuer), deadline };
        if !waiting::enter(waiting) {
            return self.deny(&Denial::by_issuer(Code::Overloaded, &issuer), request);
        }
        keys::want(policy.remote_sources_of(&issuer), now);
        Next::Hold
    }

    /// A trailer is a header that comes late: what is no client's to set, or was not verified, goes there
    /// too.
    fn strip_trailers(&self) -> Result<Next, HostError> {
        let pairs = envoy::pairs(Map::RequestTrailers)?;
        for (name, _) in pairs.parse()? {
            if self.policy.as_ref().is_none_or(|policy| policy.guards(name)) {
                envoy::remove(Map::RequestTrailers, name)?;
            }
        }
        Ok(Next::Forward)
    }

    fn deny(&self, denial: &Denial, request: &Request<'_>) -> Next {
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
        Next::Hold
    }

    /// What the host could not do, nobody may pass for.
    fn fail_closed(&self, error: HostError) -> Next {
        envoy::log(Level::Error, &format!("vestibule: {error}"));
        self.deny(&Code::HostFailed.into(), &Request::new(Vec::new()))
    }
}

/// The host is done with it: nobody decides about it any more.
impl Drop for Stream {
    fn drop(&mut self) {
        waiting::leave(self.id);
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        self.decide_headers().unwrap_or_else(|error| self.fail_closed(error)).into()
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        self.strip_trailers().unwrap_or_else(|error| self.fail_closed(error)).into()
    }
}
