//! Who calls: which credential of a request is looked at, who judges it, and whom it proves.

use super::Policy;
use crate::credential::entrance::{self, Entrance};
use crate::credential::places::Found;
use crate::credential::source::Source;
use crate::denial::{Code, Denial};
use crate::jose::compact::Compact;
use crate::jose::signature::Keys;
use crate::principal::Principal;
use crate::request::Request;
use crate::time::UnixTime;

/// Who calls, and which credential said so.
#[derive(Debug, Default)]
pub(super) struct Caller<'p> {
    pub(super) principal: Option<Principal>,
    /// Where the token stood that was verified, and what its issuer says of it.
    pub(super) verified: Option<Source>,
    /// The headers of the entrance that were read and found well-formed.
    trusted: Option<&'p entrance::Trust>,
}

impl<'p> Caller<'p> {
    /// The caller by the one credential of the request, which the entrance vouches for or an issuer's token is.
    pub(super) fn of(
        policy: &'p Policy,
        keys: &Keys,
        entrance: Option<&'p Entrance>,
        request: &Request<'_>,
        now: UnixTime,
    ) -> Result<Self, Denial> {
        let trust = entrance.and_then(|entrance| entrance.trust.as_ref());
        let trusted = trust.map_or(Ok(None), |trust| trust.principal(request))?;
        match (trusted, policy.places.find(request)?) {
            (None, None) => Ok(Self::default()),
            (Some(principal), None) => {
                Ok(Self { principal: Some(principal), verified: None, trusted: trust })
            }
            (None, Some(found)) => Self::by_token(policy, keys, found, now),
            (Some(_), Some(_)) => Err(Code::CredentialMultiple.into()),
        }
    }

    /// The caller by a token. Where it stands and the `iss` that it claims say who judges it, and nothing else: an
    /// issuer that does not read the place has no say there.
    fn by_token(policy: &Policy, keys: &Keys, found: Found<'_>, now: UnixTime) -> Result<Self, Denial> {
        let token = Compact::parse(found.token, policy.limits.token)?;
        let iss = token.unverified_issuer()?;
        let (issuer, source) = policy
            .issuers
            .iter()
            .filter(|issuer| issuer.answers_for(iss))
            .find_map(|issuer| Some((issuer, issuer.source_at(found.place)?)))
            .ok_or(Code::IssuerUnknown)?;
        let principal = issuer
            .authenticate(token, keys, policy.limits.tries, now)
            .map_err(|code| Denial::by_issuer(code, &issuer.name))?;
        Ok(Self { principal: Some(principal), verified: Some(source), trusted: None })
    }

    pub(super) fn trusts(&self, header: &[u8]) -> bool {
        self.trusted.is_some_and(|trust| trust.headers().any(|trusted| trusted.as_bytes() == header))
    }
}
