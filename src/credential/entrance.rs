//! An entrance of the inner door: who may hand a request in, and what of the caller's identity it is trusted
//! to say.
//!
//! The key is known to whatever the gateway sends it to: it proves the way a request took, not who sent it.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use super::gateway_key::GatewayKey;
use crate::denial::Code;
use crate::header::HeaderName;
use crate::principal::{Grant, Permissions, Principal, Subject};
use crate::request::{Copies, Request};
use crate::tenant::Tenant;
use crate::time::UnixTime;

/// A way in.
#[derive(Clone, Debug)]
pub struct Entrance {
    pub(crate) name: Arc<str>,
    pub(crate) header: HeaderName,
    pub(crate) keys: Vec<AcceptedKey>,
    pub(crate) trust: Option<Trust>,
    pub(crate) forward: bool,
}

/// A gateway key that is accepted, by its hash: an inner door need not know the key.
#[derive(Clone, Debug)]
pub struct AcceptedKey {
    pub(crate) sha256: [u8; 32],
    /// From this second on.
    pub(crate) not_before: Option<UnixTime>,
    /// Up to, and without, this second.
    pub(crate) not_after: Option<UnixTime>,
}

impl AcceptedKey {
    fn is_current(&self, now: UnixTime) -> bool {
        self.not_before.is_none_or(|start| start <= now) && self.not_after.is_none_or(|end| now < end)
    }
}

/// The headers that carry the principal. They are believed because the entrance was, never by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    pub(crate) subject: HeaderName,
    pub(crate) tenant: Option<HeaderName>,
    pub(crate) permissions: Option<HeaderName>,
}

/// The entrance by which a request comes in.
///
/// # Errors
/// [`Code::GatewayKeyMissing`] where no entrance's header is there; [`Code::GatewayKeyInvalid`] where one is,
/// but with no accepted key, or in several copies.
pub fn admit<'e>(
    entrances: &'e [Entrance],
    request: &Request<'_>,
    now: UnixTime,
) -> Result<&'e Entrance, Code> {
    let mut presented = false;
    let mut admitted = None;
    for entrance in entrances {
        match request.single(entrance.header.as_bytes()) {
            Err(Copies::None) => {}
            Err(Copies::Several) => presented = true,
            Ok(key) => {
                presented = true;
                if entrance.accepts(key, now) {
                    admitted = admitted.or(Some(entrance));
                }
            }
        }
    }
    admitted.ok_or(if presented { Code::GatewayKeyInvalid } else { Code::GatewayKeyMissing })
}

impl Entrance {
    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The header in which its key is read.
    #[must_use]
    pub fn header(&self) -> &HeaderName {
        &self.header
    }

    /// Whether the key is one of the accepted ones, current now. Every candidate is compared, in constant
    /// time, so that the time tells neither how far a guess came nor which key it resembles.
    ///
    /// What could be no key is none, even where somebody listed the hash of an empty text.
    fn accepts(&self, key: &[u8], now: UnixTime) -> bool {
        if GatewayKey::check(key).is_err() {
            return false;
        }
        let hash = Sha256::digest(key);
        let accepted = self.keys.iter().fold(Choice::from(0), |accepted, candidate| {
            let current = Choice::from(u8::from(candidate.is_current(now)));
            accepted | (hash.as_slice().ct_eq(&candidate.sha256) & current)
        });
        accepted.into()
    }
}

impl Trust {
    /// The headers it names.
    pub fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        [Some(&self.subject), self.tenant.as_ref(), self.permissions.as_ref()].into_iter().flatten()
    }

    /// The principal that the trusted headers carry: one where the subject's header is there.
    ///
    /// # Errors
    /// [`Code::HeaderMalformed`] where a trusted header is there several times or its value cannot be one;
    /// [`Code::TenantMalformed`].
    pub fn principal(&self, request: &Request<'_>) -> Result<Option<Principal>, Code> {
        let value = |header: Option<&HeaderName>| match header.map(|header| request.single(header.as_bytes()))
        {
            None | Some(Err(Copies::None)) => Ok(None),
            Some(Ok(value)) => Ok(Some(value)),
            Some(Err(Copies::Several)) => Err(Code::HeaderMalformed),
        };
        let (subject, tenant) = (value(Some(&self.subject))?, value(self.tenant.as_ref())?);
        let permissions = value(self.permissions.as_ref())?;
        let Some(subject) = subject else { return Ok(None) };
        let permissions =
            permissions.map(|list| list.split(|byte| *byte == b',').map(Grant::parse).collect::<Option<_>>());
        Ok(Some(Principal {
            issuer: None,
            subject: Subject::parse(subject).ok_or(Code::HeaderMalformed)?,
            tenant: tenant.map(|tenant| Tenant::parse(tenant).ok_or(Code::TenantMalformed)).transpose()?,
            permissions: Permissions::of_request(
                permissions.unwrap_or(Some(Vec::new())).ok_or(Code::HeaderMalformed)?,
            ),
            scopes: Vec::new(),
            roles: Vec::new(),
            claims: None,
        }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    /// A key of which the tests know one letter.
    fn long(letter: &str) -> Vec<u8> {
        letter.repeat(32).into_bytes()
    }

    fn key(text: &str, not_before: Option<u64>, not_after: Option<u64>) -> AcceptedKey {
        let sha256 = Sha256::digest(long(text)).into();
        AcceptedKey {
            sha256,
            not_before: not_before.map(UnixTime::from_secs),
            not_after: not_after.map(UnixTime::from_secs),
        }
    }

    fn entrance(keys: Vec<AcceptedKey>) -> [Entrance; 1] {
        [Entrance {
            name: "gateway".into(),
            header: HeaderName::parse("x-gateway-key").unwrap(),
            keys,
            trust: None,
            forward: false,
        }]
    }

    fn admitted(keys: Vec<AcceptedKey>, values: &[&[u8]], now: u64) -> Result<(), Code> {
        let request = Request::new(values.iter().map(|value| (&b"x-gateway-key"[..], *value)).collect());
        admit(&entrance(keys), &request, UnixTime::from_secs(now)).map(drop)
    }

    #[test]
    fn any_accepted_key_opens_wherever_it_stands_in_the_list() {
        for name in ["a", "b", "c"] {
            assert_eq!(
                admitted(
                    vec![key("a", None, None), key("b", None, None), key("c", None, None)],
                    &[&long(name)],
                    0
                ),
                Ok(())
            );
        }
    }

    #[test]
    fn a_key_counts_from_not_before_up_to_not_after() {
        let at = |now| admitted(vec![key("a", Some(10), Some(20))], &[&long("a")], now);
        assert_eq!(
            (at(9), at(10), at(19), at(20)),
            (Err(Code::GatewayKeyInvalid), Ok(()), Ok(()), Err(Code::GatewayKeyInvalid))
        );
    }

    #[test]
    fn two_copies_are_invalid_even_of_the_right_key() {
        assert_eq!(
            admitted(vec![key("a", None, None)], &[&long("a"), &long("a")], 0),
            Err(Code::GatewayKeyInvalid)
        );
    }

    #[test]
    fn without_a_key_none_is_missing() {
        assert_eq!(admitted(vec![key("a", None, None)], &[], 0), Err(Code::GatewayKeyMissing));
        assert_eq!(admitted(vec![key("a", None, None)], &[b""], 0), Err(Code::GatewayKeyInvalid));
    }

    #[test]
    fn the_hash_of_what_is_no_key_lets_nobody_in() {
        for text in ["", "short"] {
            let sha256 = Sha256::digest(text).into();
            let keys = vec![AcceptedKey { sha256, not_before: None, not_after: None }];
            assert_eq!(admitted(keys, &[text.as_bytes()], 0), Err(Code::GatewayKeyInvalid));
        }
    }
}
