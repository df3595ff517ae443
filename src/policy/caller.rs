//! Who calls: which credential of a request is looked at, who judges it, and whom it proves.

use std::sync::Arc;

use super::Policy;
use super::proof::Stop;
use super::trace::{Claimed, Kind, Origin, Presented, Step, Trace};
use crate::credential::entrance::{self, Entrance};
use crate::credential::issuer::{self, Issuer};
use crate::credential::proof_cache::Proof;
use crate::credential::source::Source;
use crate::denial::{Code, Status};
use crate::jose::compact::{Compact, Decoded, Size};
use crate::keyring::Keys;
use crate::principal::{Grant, Principal};
use crate::request::Request;
use crate::time::UnixTime;

/// Who calls, and which credential said so.
#[derive(Debug, Default)]
pub(super) struct Caller<'p> {
    pub(super) principal: Option<Arc<Principal>>,
    /// The configured name of the issuer that vouched; none where an entrance did.
    pub(super) issuer: Option<Arc<str>>,
    /// What its token proved; none where an entrance vouched.
    pub(super) proof: Option<Arc<Proof>>,
    /// Where the token stood that was verified, and what its issuer says of it.
    pub(super) verified: Option<Source>,
    /// The headers of the entrance that were read and found well-formed.
    trusted: Option<&'p entrance::Trust>,
}

impl<'p> Caller<'p> {
    /// The caller by the one credential of the request, which the entrance vouches for or an issuer's token
    /// is.
    pub(super) fn of(
        policy: &'p Policy,
        keys: &Keys,
        entrance: Option<&'p Entrance>,
        request: &Request<'_>,
        now: UnixTime,
        trace: &mut impl Trace,
    ) -> Result<Self, Stop> {
        let caller = Self::read(policy, keys, entrance, request, now, trace);
        if policy.requires_context { caller.map_err(of_context) } else { caller }
    }

    #[inline(never)]
    fn read(
        policy: &'p Policy,
        keys: &Keys,
        entrance: Option<&'p Entrance>,
        request: &Request<'_>,
        now: UnixTime,
        trace: &mut impl Trace,
    ) -> Result<Self, Stop> {
        let trust = entrance.and_then(|entrance| entrance.trust.as_ref());
        let trusted = trust.map_or(Ok(None), |trust| trust.principal(request))?;
        match (trusted, policy.places.find(request)?) {
            (None, None) => {
                trace.step(|| Step::Credential(Presented::Nothing));
                trace.step(|| Step::Principal { principal: None, origins: Vec::new() });
                Ok(Self::default())
            }
            (Some(principal), None) => {
                let principal = Arc::new(principal);
                trace.step(|| Step::Credential(Presented::Trusted));
                trace.step(|| {
                    let header = trust.and_then(|trust| trust.permissions.as_ref());
                    let from = header.map(|header| format!("header {header}")).unwrap_or_default();
                    let permissions = principal.permissions().iter();
                    let origin = |name: &Grant| Origin {
                        kind: Kind::Permission,
                        name: name.clone(),
                        from: from.clone(),
                    };
                    Step::Principal {
                        principal: Some(Arc::clone(&principal)),
                        origins: permissions.map(origin).collect(),
                    }
                });
                Ok(Self { principal: Some(principal), trusted: trust, ..Self::default() })
            }
            (None, Some(found)) => {
                let place = policy.places.place(found.place);
                trace.step(|| {
                    Step::Credential(place.map_or(Presented::Nothing, |place| Presented::Token {
                        place: place.clone(),
                        claimed: Claimed::of(policy, found),
                    }))
                });
                let proof = policy.prove(found.place, found.token, keys, now)?;
                let issuer = policy.issuers.at(proof.issuer);
                trace.step(|| Step::Principal {
                    principal: Some(Arc::clone(&proof.principal)),
                    origins: issuer
                        .map(|issuer| origins(issuer, found.token, policy.limits.token))
                        .unwrap_or_default(),
                });
                Ok(Self {
                    principal: Some(Arc::clone(&proof.principal)),
                    issuer: issuer.map(|issuer| Arc::clone(&issuer.name)),
                    verified: issuer.and_then(|issuer| issuer.source_at(found.place)),
                    proof: Some(proof),
                    trusted: None,
                })
            }
            (Some(_), Some(_)) => Err(Code::CredentialMultiple.into()),
        }
    }

    /// When its token ends, without leeway; none where it never does, or where there is none.
    pub(super) fn expires(&self) -> Option<UnixTime> {
        self.proof.as_ref().and_then(|proof| proof.validity.expires)
    }

    /// Whether an owned header stays as it came: one that the entrance is trusted with, or the context, which a
    /// service passes on.
    pub(super) fn keeps(&self, policy: &Policy, header: &[u8]) -> bool {
        let is_trusted =
            |trust: &entrance::Trust| trust.headers().any(|trusted| trusted.as_bytes() == header);
        let context = self.verified.filter(|_| policy.requires_context);
        let context = context.and_then(|source| policy.places.place(source.place)?.header());
        self.trusted.is_some_and(is_trusted) || context.is_some_and(|context| context.as_bytes() == header)
    }
}

/// What is wrong with a token is, at a door whose one credential is a context, wrong with the context: the
/// caller cannot mend it, so it is told no more.
fn of_context(stop: Stop) -> Stop {
    let Stop::Denial(denial) = stop else { return stop };
    let code = match (denial.code.status(), denial.code) {
        (_, Code::TokenExpired) => Code::ContextExpired,
        (Status::BadRequest | Status::Unauthorized | Status::Forbidden, _) => Code::ContextInvalid,
        // Nobody has said yet what the context is worth.
        (Status::Unavailable, code) => code,
    };
    Stop::Denial(denial.said_as(code))
}

/// Which claim of a token that was verified gave what.
fn origins(issuer: &Issuer, token: &[u8], size: Size) -> Vec<Origin> {
    let Ok(decoded) = Decoded::of(token, size) else { return Vec::new() };
    let Ok(token) = Compact::read(&decoded) else { return Vec::new() };
    let identity = &issuer.identity;
    let kinds = [
        (Kind::Permission, &identity.permissions),
        (Kind::Scope, &identity.scopes),
        (Kind::Role, &identity.roles),
    ];
    let claims = kinds.into_iter().flat_map(|(kind, claims)| claims.iter().map(move |claim| (kind, claim)));
    let origins = claims.flat_map(|(kind, claim)| {
        let names =
            issuer::grants(std::slice::from_ref(claim), token.unverified_claims()).unwrap_or_default();
        let from = format!("claim {}", claim.as_str());
        names.into_iter().map(move |name| Origin { kind, name, from: from.clone() })
    });
    origins.collect()
}
