//! The compiled policy and the one function that decides.
//!
//! [`decide`] is pure and total: what it needs is in its arguments, and a policy that compiled evaluates for
//! every request. The [order](order) of its checks is the contract. What a policy remembers of tokens changes its
//! speed and nothing else.

mod caller;
mod changes;
mod door;
pub mod inject;
mod order;
mod proof;
mod reading;
pub mod trace;

use std::sync::Arc;
use std::time::Duration;

use crate::attached::{Attach, Bounds};
use crate::context::mint::Mint;
use crate::credential::entrance::Entrance;
use crate::credential::gateway_key::Attachment;
use crate::credential::issuers::Issuers;
use crate::credential::places::Places;
use crate::credential::proof_cache::{Lookups, Proof, ProofCache};
use crate::credential::remote::RemoteSource;
use crate::decision::{Decision, Permit};
use crate::denial::{Code, Denial};
use crate::header::OwnedHeaders;
use crate::jose::algorithm::Algorithm;
use crate::jose::compact::{Compact, Decoded, Size};
use crate::jose::signature::{Backend, Engines, Tries};
use crate::keyring::Keys;
use crate::publication::Publication;
use crate::request::Request;
use crate::route::Routes;
use crate::tenant::TenantRule;
use crate::time::UnixTime;
pub use door::Door;
use inject::Injection;
use proof::Stop;
use trace::Trace;

/// A configuration that compiled.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) door: Door,
    pub(crate) routes: Routes,
    pub(crate) tenant: TenantRule,
    pub(crate) issuers: Issuers,
    /// Where the issuers' tokens may stand.
    pub(crate) places: Places,
    /// Empty where the door asks for no entrance; in the order of precedence.
    pub(crate) entrances: Vec<Entrance>,
    /// Whether the one credential is a context.
    pub(crate) requires_context: bool,
    /// What is answered here, before any route is looked for.
    pub(crate) publication: Option<Arc<Publication>>,
    pub(crate) owned: OwnedHeaders,
    pub(crate) injections: Vec<Injection>,
    pub(crate) attachment: Option<Attachment>,
    pub(crate) mint: Option<Mint>,
    /// How far goes what is attached; none where nothing is.
    pub(crate) bounds: Option<Arc<Bounds>>,
    pub(crate) limits: Limits,
    pub(crate) proofs: ProofCache,
    /// Until when denials are reported and not carried out.
    pub(crate) report: Option<UnixTime>,
}

/// Bounds on the work that one request can cause.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A token's size.
    pub token: Size,
    /// Keys tried for one token.
    pub tries: Tries,
    /// The longest value that is injected, in bytes.
    pub injected_bytes: usize,
    /// The most lines of a minute that tell of denials of one code, in one VM.
    pub denial_lines: usize,
    /// How long a request waits for keys.
    pub pause: Duration,
    /// The most requests that wait at a time, in one VM.
    pub paused_requests: usize,
}

impl Policy {
    /// Whether denials are, or were, only reported for a while.
    #[must_use]
    pub fn reports(&self) -> bool {
        self.report.is_some()
    }

    /// Which door this is.
    #[must_use]
    pub fn door(&self) -> Door {
        self.door
    }

    /// Whether this header decides here, or is trusted behind: an owned one, or one that holds a credential.
    /// No client sets it as a trailer, or has it removed on the way.
    #[must_use]
    pub fn guards(&self, header: &[u8]) -> bool {
        self.owned.owns(header) || self.places.guards(header)
    }

    /// Whether a decision depends on the upstream cluster, so that the host need not look it up where not.
    #[must_use]
    pub fn reads_cluster(&self) -> bool {
        self.attaches() == Some(Attach::Route)
    }

    /// By which cluster it is decided who gets what is attached; none where nothing is.
    #[must_use]
    pub fn attaches(&self) -> Option<Attach> {
        self.bounds.as_ref().map(|bounds| bounds.attach())
    }

    /// Whether what is attached may go to this cluster.
    #[must_use]
    pub fn goes_to(&self, cluster: Option<&[u8]>) -> bool {
        self.bounds.as_ref().is_some_and(|bounds| bounds.admit(cluster))
    }

    /// Whether contexts are minted here, where the host tells of the client and draws a nonce.
    #[must_use]
    pub fn mints(&self) -> bool {
        self.mint.is_some()
    }

    /// Settles which of the engines signs contexts, where some are minted, and by what algorithm: from then on
    /// it does.
    pub(crate) fn settle_signing(&mut self, engines: &Engines) -> Option<(Algorithm, Backend)> {
        self.mint.as_mut().map(|mint| mint.settle(engines))
    }

    /// Whether a decision depends on the connection's peer, so that the host need not look it up where not.
    #[must_use]
    pub fn reads_peer(&self) -> bool {
        self.entrances.iter().any(|entrance| entrance.peers().is_some())
    }

    /// The configured names of the gateway keys by which requests come in.
    pub fn gateway_keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.entrances.iter().filter_map(Entrance::keys).flat_map(|keys| keys.names())
    }

    /// The rules over requests.
    #[must_use]
    pub fn routes(&self) -> &Routes {
        &self.routes
    }

    /// The ways in; none where the door asks for no entrance.
    #[must_use]
    pub fn entrances(&self) -> &[Entrance] {
        &self.entrances
    }

    /// Where the issuers' tokens may stand.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Where the issuers publish their keys.
    pub fn remote_sources(&self) -> impl Iterator<Item = &Arc<RemoteSource>> {
        self.issuers.each().flat_map(|issuer| &issuer.remote)
    }

    /// Where the issuer of this name publishes its keys.
    pub fn remote_sources_of(&self, issuer: &str) -> impl Iterator<Item = &Arc<RemoteSource>> {
        self.issuers.each().filter(move |one| *one.name == *issuer).flat_map(|issuer| &issuer.remote)
    }

    /// The issuers whose keys are fetched, by their configured names, each with the sources of its keys.
    pub fn fetching_issuers(&self) -> impl Iterator<Item = (&Arc<str>, &[Arc<RemoteSource>])> {
        let fetching = self.issuers.each().filter(|issuer| !issuer.remote.is_empty());
        fetching.map(|issuer| (&issuer.name, issuer.remote.as_slice()))
    }

    /// How often tokens were looked up among those that were proved, since this was asked last.
    #[must_use]
    pub fn take_lookups(&self) -> Lookups {
        self.proofs.take_lookups()
    }

    /// The most lines of a minute that tell of denials of one code, in one VM.
    #[must_use]
    pub fn denial_lines(&self) -> usize {
        self.limits.denial_lines
    }

    /// The `kid` of the token that a request presents, where there is one that can be read. Nobody has verified it:
    /// it is for operators to read, and for nobody to decide by.
    #[must_use]
    pub fn unverified_kid(&self, request: &Request<'_>) -> Option<String> {
        let found = self.places.find(request).ok().flatten()?;
        let decoded = Decoded::of(found.token, self.limits.token).ok()?;
        Compact::read(&decoded).ok()?.header().kid.as_deref().map(str::to_owned)
    }

    /// Forgets what tokens proved. It changes no decision.
    pub fn forget_proofs(&self) {
        self.proofs.clear();
    }

    /// How long a request waits for keys.
    #[must_use]
    pub fn pause(&self) -> Duration {
        self.limits.pause
    }

    /// The most requests that wait for keys at a time, in one VM.
    #[must_use]
    pub fn paused_requests(&self) -> usize {
        self.limits.paused_requests
    }
}

impl Policy {
    /// What a token proves that was found at this place. The place and the `iss` that it claims say who
    /// judges it, and nothing else: an issuer that does not read the place has no say there.
    fn prove(&self, place: usize, token: &[u8], keys: &Keys, now: UnixTime) -> Result<Arc<Proof>, Stop> {
        match self.proofs.recall(place, token, keys.ring.generation(), now) {
            Some(proof) => Ok(proof),
            None => self.prove_anew(place, token, keys, now),
        }
    }

    #[inline(never)]
    fn prove_anew(&self, place: usize, token: &[u8], keys: &Keys, now: UnixTime) -> Result<Arc<Proof>, Stop> {
        let decoded = Decoded::of(token, self.limits.token)?;
        let parsed = Compact::read(&decoded)?;
        let iss = parsed.unverified_issuer()?;
        let issuer = self.issuers.judge(place, iss).ok_or(Code::IssuerUnknown)?;
        let proof = Arc::new(proof::prove(self, issuer, parsed, keys, now)?);
        self.proofs.keep(place, token, keys.ring.generation(), &proof);
        Ok(proof)
    }

    /// What a request lacks that presents no credential.
    fn missing(&self) -> Code {
        if self.requires_context { Code::ContextMissing } else { Code::CredentialMissing }
    }
}

/// Decides about a request at the time `now`. One policy is used with one `Keys`, by whose generation it knows
/// what it remembers.
#[must_use]
pub fn decide(policy: &Policy, keys: &Keys, request: &Request<'_>, now: UnixTime) -> Decision {
    explain(policy, keys, request, now, &mut ())
}

/// Decides in the same way, and tells of each step.
#[must_use]
pub fn explain(
    policy: &Policy,
    keys: &Keys,
    request: &Request<'_>,
    now: UnixTime,
    trace: &mut impl Trace,
) -> Decision {
    match order::answer(policy, keys, request, now, trace) {
        Ok(decision) => decision,
        Err(Stop::Denial(denial)) => {
            refuse(policy, denial, request, now).map_or_else(Decision::Denial, Decision::Permit)
        }
        Err(Stop::AwaitKeys(issuer)) => Decision::AwaitKeys(issuer),
    }
}

/// What becomes of a request that there is a reason to deny. Where denials are only reported it goes on with
/// nothing of its own that others would believe, and nothing of ours.
fn refuse(policy: &Policy, denial: Denial, request: &Request<'_>, now: UnixTime) -> Result<Permit, Denial> {
    if policy.report.is_none_or(|until| until <= now) {
        return Err(denial);
    }
    let mut owned: Vec<&[u8]> = Vec::new();
    for name in request.headers().map(|(name, _)| name).filter(|name| policy.owned.owns(name)) {
        if let Err(place) = owned.binary_search(&name) {
            owned.insert(place, name);
        }
    }
    Ok(Permit::reporting(denial, owned.into_iter().map(Arc::from).collect()))
}

/// What becomes of a request whose keys will not be waited for, any longer or at all.
///
/// # Errors
/// The denial, with this code.
pub fn give_up(
    policy: &Policy,
    code: Code,
    issuer: &Arc<str>,
    request: &Request<'_>,
    now: UnixTime,
) -> Result<Permit, Denial> {
    let found = policy.routes.find(request).ok();
    let route = found.as_ref().and_then(|found| found.route.name.clone());
    let admitted = found.and_then(|found| order::come_in(policy, request, &found, now).ok().flatten());
    let admission = admitted.map(|admitted| admitted.admission());
    let denial = Denial::by_issuer(code, issuer).on(route.as_ref()).through(admission.as_ref());
    refuse(policy, denial, request, now)
}
