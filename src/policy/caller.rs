//! Who calls: which credential of a request is looked at, who judges it, and whom it proves.

use std::sync::Arc;

use super::Policy;
use super::proof::Stop;
use crate::credential::entrance::{self, Entrance};
use crate::credential::source::Source;
use crate::denial::Code;
use crate::keyring::Keys;
use crate::principal::Principal;
use crate::request::Request;
use crate::time::UnixTime;

/// Who calls, and which credential said so.
#[derive(Debug, Default)]
pub(super) struct Caller<'p> {
    pub(super) principal: Option<Arc<Principal>>,
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
    ) -> Result<Self, Stop> {
        let trust = entrance.and_then(|entrance| entrance.trust.as_ref());
        let trusted = trust.map_or(Ok(None), |trust| trust.principal(request))?;
        match (trusted, policy.places.find(request)?) {
            (None, None) => Ok(Self::default()),
            (Some(principal), None) => {
                Ok(Self { principal: Some(principal.into()), verified: None, trusted: trust })
            }
            (None, Some(found)) => {
                let proof = policy.prove(found.place, found.token, keys, now)?;
                let issuer = policy.issuers.get(proof.issuer);
                Ok(Self {
                    principal: Some(Arc::clone(&proof.principal)),
                    verified: issuer.and_then(|issuer| issuer.source_at(found.place)),
                    trusted: None,
                })
            }
            (Some(_), Some(_)) => Err(Code::CredentialMultiple.into()),
        }
    }

    pub(super) fn trusts(&self, header: &[u8]) -> bool {
        self.trusted.is_some_and(|trust| trust.headers().any(|trusted| trusted.as_bytes() == header))
    }
}
