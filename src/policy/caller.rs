//! Who calls: which credential of a request is looked at, who judges it, and whom it proves.

use super::Policy;
use crate::credential::entrance::{self, Entrance};
use crate::credential::issuer::Issuer;
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
    /// The issuer whose token was verified.
    pub(super) issuer: Option<&'p Issuer>,
    /// The headers of the entrance that were read and found well-formed.
    trusted: Option<&'p entrance::Trust>,
}

impl<'p> Caller<'p> {
    pub(super) fn of(
        policy: &'p Policy,
        keys: &Keys,
        entrance: Option<&'p Entrance>,
        request: &Request<'_>,
        now: UnixTime,
    ) -> Result<Self, Denial> {
        if let Some(trust) = entrance.and_then(|entrance| entrance.trust.as_ref()) {
            let principal = trust.principal(request)?;
            let trusted = principal.is_some().then_some(trust);
            return Ok(Self { principal, issuer: None, trusted });
        }
        // INVARIANT: every issuer of a policy reads the same source, so the first one's finds the token of
        // any.
        let Some(token) = policy.issuers.first().map_or(Ok(None), |issuer| issuer.source.token(request))?
        else {
            return Ok(Self::default());
        };
        let token = Compact::parse(token, policy.limits.token)?;
        let iss = token.unverified_issuer()?;
        let issuer =
            policy.issuers.iter().find(|issuer| issuer.answers_for(iss)).ok_or(Code::IssuerUnknown)?;
        let principal = issuer
            .authenticate(token, keys, policy.limits.tries, now)
            .map_err(|code| Denial::by_issuer(code, &issuer.name))?;
        Ok(Self { principal: Some(principal), issuer: Some(issuer), trusted: None })
    }

    pub(super) fn trusts(&self, header: &[u8]) -> bool {
        self.trusted.is_some_and(|trust| trust.headers().any(|trusted| trusted.as_bytes() == header))
    }
}
