//! One request: a snapshot in, a decision out, carried out to the letter or not forwarded at all.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use proxy_wasm::types::Action;

use super::envoy::{self, HostError, Map};
use super::filter_state;
use super::keys;
use super::log;
use super::metrics::decisions::{self, Labels, Outcome};
use super::metrics::gateway_key;
use super::nonce;
use super::peer;
use super::place;
use super::tickets::{self, Ticket};
use super::waiting::{self, Waiting};
use crate::admission::Admission;
use crate::attached::{Attach, Attached};
use crate::decision::{Decision, Permit};
use crate::denial::{Code, Denial};
use crate::mutation::Mutation;
use crate::policy::{self, Policy};
use crate::publication::Publication;
use crate::request::Request;
use crate::response::Response;
use crate::time::UnixTime;

/// What a stream and a request that waits share.
#[derive(Clone)]
pub(super) struct Guard(Rc<Guarded>);

struct Guarded {
    /// The host's number for the stream.
    stream: u32,
    /// Under which the request came in.
    policy: Option<Rc<Policy>>,
    /// Whether the request may go on.
    permitted: Cell<bool>,
    ticket: RefCell<Option<Ticket>>,
}

/// Where a request is met, if that makes a difference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// The door attaches, if anything, where it decides.
    Only,
    /// In a listener: nobody knows yet for certain where the request goes.
    Listener,
    /// In a cluster: the request is being sent, perhaps once more. There need not be a client: a mirror's
    /// request has none, and Envoy 1.40 ends with a segmentation fault where it is asked for `source.address`.
    Upstream,
}

/// What becomes of the request for now.
pub(super) enum Next {
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

/// A request that waits is decided about again, in its own context. It waits on where one source of its
/// issuer has answered, or failed to, while another is still being asked: that one may have its key.
pub(super) fn resume(request: Waiting) {
    let Waiting { guard, deadline, .. } = request;
    if let Err(error) = envoy::enter(guard.stream()) {
        // It is not there any more, so there is nobody to answer.
        return log::failure(error);
    }
    let outcome = guard.decide(Some(deadline)).and_then(|next| match next {
        Next::Forward => envoy::continue_request(),
        Next::Hold => Ok(()),
    });
    if let Err(error) = outcome {
        guard.fail_closed(error);
    }
}

impl Guard {
    pub(super) fn new(stream: u32, policy: Option<Rc<Policy>>) -> Self {
        let guarded = Guarded { stream, policy, permitted: Cell::default(), ticket: RefCell::default() };
        Self(Rc::new(guarded))
    }

    /// The host's number for the stream.
    pub(super) fn stream(&self) -> u32 {
        self.0.stream
    }

    /// Decides about the request, and does what was decided.
    pub(super) fn headers(&self) -> Next {
        self.decide(None).unwrap_or_else(|error| self.fail_closed(error))
    }

    /// What follows the headers goes where they go. A listener may be set to pass a body on while the headers
    /// are held (`allow_on_headers_stop_iteration`), and they would go with it.
    pub(super) fn body(&self) -> Next {
        if self.0.permitted.get() { Next::Forward } else { Next::Hold }
    }

    /// A trailer is a header that comes late: what is no client's to set, or was not verified, goes there
    /// too.
    pub(super) fn trailers(&self) -> Next {
        match self.strip_trailers() {
            Ok(()) => self.body(),
            Err(error) => self.fail_closed(error),
        }
    }

    /// Only a request that is being sent has an address that it is sent to.
    fn side(&self) -> Result<Side, HostError> {
        let Some(policy) = &self.0.policy else { return Ok(Side::Only) };
        let attaches_upstream = policy.attaches() == Some(Attach::Upstream);
        // Envoy ends when it is asked for the client of a request that has none, as a mirror's has; so who mints
        // looks, even where the filter is not meant to stand in a cluster.
        let is_sent =
            (attaches_upstream || policy.mints()) && envoy::property("upstream\0address")?.is_some();
        Ok(match (is_sent, attaches_upstream) {
            (true, _) => Side::Upstream,
            (false, true) => Side::Listener,
            (false, false) => Side::Only,
        })
    }

    /// `deadline` is that of a request that has waited.
    fn decide(&self, deadline: Option<UnixTime>) -> Result<Next, HostError> {
        let side = self.side()?;
        if side == Side::Upstream
            && let Some(attached) = tickets::shown()?
        {
            return self.send(&attached);
        }
        // A request that comes upstream without a ticket, such as a mirror's, is one as any other: it must bring
        // what this door asks for, and what the door attaches is not for it.
        let pairs = envoy::pairs(Map::RequestHeaders)?;
        let mut request = Request::new(pairs.parse()?);
        let Some(policy) = &self.0.policy else {
            return Ok(self.deny(&Code::HostFailed.into(), &request));
        };
        if let Some(denial) = place::refusal(policy)? {
            return Ok(self.deny(&denial, &request));
        }
        let cluster;
        if policy.reads_cluster() {
            cluster = envoy::property("xds\0cluster_name")?;
            if let Some(cluster) = &cluster {
                request = request.with_cluster(cluster);
            }
        }
        let client;
        if policy.mints() {
            request = request.with_nonce(nonce::next());
            client = match side {
                Side::Upstream => None,
                Side::Only | Side::Listener => envoy::property("source\0address")?,
            };
            if let Some(client) = &client {
                request = request.with_client(client);
            }
        }
        let peer;
        if policy.reads_peer() {
            peer = peer::Shown::read()?;
            if let Some(peer) = &peer {
                request = peer.on(request);
            }
        }
        let now = envoy::now()?;
        let decided = match keys::with(|keys| policy::decide(policy, keys, &request, now)) {
            Decision::Permit(permit) => Ok(permit),
            Decision::Denial(denial) => Err(denial),
            Decision::Publish(publication) => return Ok(self.publish(&publication, &request)),
            Decision::AwaitKeys(issuer) => match self.wait(policy, &issuer, deadline, now) {
                Ok(()) => return Ok(Next::Hold),
                Err(code) => policy::give_up(policy, code, &issuer, &request, now),
            },
        };
        match decided {
            Ok(permit) => {
                if side == Side::Listener {
                    let Some(ticket) = Ticket::issue(permit.attached().clone())? else {
                        return Ok(self.deny(&Code::Overloaded.into(), &request));
                    };
                    self.0.ticket.replace(Some(ticket));
                }
                self.forward(&permit, &request)
            }
            Err(denial) => Ok(self.deny(&denial, &request)),
        }
    }

    fn forward(&self, permit: &Permit, request: &Request<'_>) -> Result<Next, HostError> {
        permit.mutations().iter().try_for_each(|mutation| match mutation {
            Mutation::Remove { name } => envoy::remove(Map::RequestHeaders, name),
            Mutation::Set { name, value } => envoy::set_request_header(name.as_bytes(), value),
        })?;
        filter_state::permitted(permit)?;
        self.0.permitted.set(true);
        admitted(permit.admission());
        match permit.reported() {
            Some(denial) => {
                log::denial(denial, self.0.policy.as_deref(), request, true);
                self.count(Outcome::Report(denial.code), &denial.route, &denial.issuer);
            }
            None => {
                self.count(Outcome::Permit, &permit.route, &permit.issuer);
            }
        }
        Ok(Next::Forward)
    }

    /// The request was decided about in the listener, and is now sent to a cluster that is known. An earlier
    /// attempt may have been to another one, and left there what this one may not get: the attempts of a request
    /// share its headers.
    fn send(&self, attached: &Attached) -> Result<Next, HostError> {
        let cluster = envoy::property("xds\0cluster_name")?;
        // The two filters may differ for a while, when they get a new configuration one after the other: then
        // what goes is what both let go.
        let may_go = self.0.policy.as_ref().is_some_and(|policy| policy.goes_to(cluster.as_deref()));
        match attached.towards(cluster.as_deref().filter(|_| may_go)) {
            [] => attached.headers().try_for_each(|name| envoy::remove(Map::RequestHeaders, name.as_bytes())),
            assignments => assignments
                .iter()
                .try_for_each(|set| envoy::set_request_header(set.name.as_bytes(), &set.value)),
        }?;
        self.0.permitted.set(true);
        Ok(Next::Forward)
    }

    fn wait(
        &self,
        policy: &Rc<Policy>,
        issuer: &Arc<str>,
        deadline: Option<UnixTime>,
        now: UnixTime,
    ) -> Result<(), Code> {
        let latest = now.later_by(policy.pause());
        let waiting = |deadline| Waiting {
            guard: self.clone(),
            policy: Rc::clone(policy),
            issuer: Arc::clone(issuer),
            deadline,
        };
        match deadline {
            None if waiting::enter(waiting(latest)) => {
                keys::want(policy.remote_sources_of(issuer), now);
                Ok(())
            }
            None => Err(Code::Overloaded),
            // A deadline farther away than it was at first is one of a clock that was set back.
            Some(deadline)
                if now < deadline
                    && deadline <= latest
                    && keys::any_pending(policy.remote_sources_of(issuer)) =>
            {
                waiting::enter_again(waiting(deadline));
                Ok(())
            }
            Some(_) => Err(Code::KeysUnavailable),
        }
    }

    fn strip_trailers(&self) -> Result<(), HostError> {
        let pairs = envoy::pairs(Map::RequestTrailers)?;
        for (name, _) in pairs.parse()? {
            if self.0.policy.as_ref().is_none_or(|policy| policy.guards(name)) {
                envoy::remove(Map::RequestTrailers, name)?;
            }
        }
        Ok(())
    }

    fn deny(&self, denial: &Denial, request: &Request<'_>) -> Next {
        log::denial(denial, self.0.policy.as_deref(), request, false);
        // It is denied whether anybody can read why or not.
        log::report(filter_state::denied(denial));
        admitted(denial.admission());
        self.count(Outcome::Denial(denial.code), &denial.route, &denial.issuer);
        answer(&denial.response(request))
    }

    fn publish(&self, publication: &Publication, request: &Request<'_>) -> Next {
        self.count(Outcome::Publish, &None, &None);
        answer(&publication.response(request))
    }

    fn count(&self, outcome: Outcome, route: &Option<Arc<str>>, issuer: &Option<Arc<str>>) {
        let door = self.0.policy.as_ref().map(|policy| policy.door());
        decisions::count(Labels { door, outcome, route: route.clone(), issuer: issuer.clone() });
    }

    /// What the host could not do, nobody may pass for.
    fn fail_closed(&self, error: HostError) -> Next {
        log::failure(error);
        self.0.permitted.set(false);
        self.deny(&Code::HostFailed.into(), &Request::new(Vec::new()))
    }
}

/// Counts the key by which a request came in that was decided about.
fn admitted(admission: Option<&Admission>) {
    if let Some(key) = admission.and_then(Admission::key) {
        gateway_key::count(key);
    }
}

/// Answers the request here: it goes nowhere.
fn answer(response: &Response) -> Next {
    if let Err(error) = envoy::send_local_response(response) {
        // Paused without an answer: the request goes nowhere, and the client's own timeout ends it.
        log::failure(error);
    }
    Next::Hold
}
