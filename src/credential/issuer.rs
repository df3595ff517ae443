//! An issuer: whose tokens are believed, on what conditions, and where in them the caller's identity stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::remote::RemoteSource;
use super::source::Source;
use crate::denial::Code;
use crate::jose::algorithm::{Algorithm, Family};
use crate::jose::claims::{ClaimRef, ClaimRules, Validity};
use crate::jose::compact::Compact;
use crate::jose::header::Header;
use crate::jose::jwk::Key;
use crate::jose::signature::{self, Engines, Tries, Verified};
use crate::json::Tree;
use crate::name::is_name;
use crate::principal::{Grant, Permissions, Principal, Subject};
use crate::tenant::Tenant;
use crate::time::UnixTime;

/// An issuer of tokens.
#[derive(Clone, Debug)]
pub struct Issuer {
    pub(crate) name: Arc<str>,
    /// The `iss` of its tokens; none where any is accepted.
    pub(crate) iss: Option<String>,
    /// Keys that stand in the configuration.
    pub(crate) keys: Vec<Key>,
    /// Where more are published.
    pub(crate) remote: Vec<Arc<RemoteSource>>,
    /// What its tokens may be signed with; none where the keys decide.
    pub(crate) algorithms: Option<Vec<Algorithm>>,
    /// Keys that are no longer believed, in a set or not: a token that names one is refused before any key is
    /// tried.
    pub(crate) deny_kids: Vec<String>,
    /// The places where its tokens may stand.
    pub(crate) sources: Vec<Source>,
    pub(crate) types: Types,
    pub(crate) rules: ClaimRules,
    pub(crate) identity: Identity,
    pub(crate) realm: Realm,
}

/// The types of token that are accepted (`typ`, RFC 7515 section 4.1.9).
#[derive(Clone, Debug)]
pub struct Types {
    pub(crate) absent: bool,
    /// In the form of [`crate::jose::header::media_type`].
    pub(crate) named: Vec<String>,
}

/// What an issuer may say of whom.
#[derive(Clone, Debug, Default)]
pub struct Realm {
    /// The tenants for which it may speak; none where it may for all.
    pub(crate) tenants: Option<Vec<Tenant>>,
    /// What stands before its subjects, so that two issuers' `alice` are two.
    pub(crate) subject_prefix: String,
}

impl Realm {
    fn subject(&self, text: &str) -> Option<Subject> {
        // The prefix lengthens a subject and never makes one of nothing.
        Subject::parse(text.as_bytes())?;
        Subject::parse([self.subject_prefix.as_str(), text].concat().as_bytes())
    }

    fn check_tenant(&self, tenant: Option<&Tenant>) -> Result<(), Code> {
        match (&self.tenants, tenant) {
            (Some(allowed), Some(tenant)) if !allowed.contains(tenant) => Err(Code::TenantNotAllowed),
            // Whether a tenant may be absent is the door's rule.
            (Some(_) | None, _) => Ok(()),
        }
    }
}

/// Where in the claims the principal stands.
#[derive(Clone, Debug)]
pub struct Identity {
    pub(crate) subject: ClaimRef,
    pub(crate) tenant: ClaimRef,
    pub(crate) permissions: Vec<ClaimRef>,
    pub(crate) scopes: Vec<ClaimRef>,
    pub(crate) roles: Vec<ClaimRef>,
    /// Where stands which issuer vouched first; none where this one did.
    pub(crate) issuer: Option<ClaimRef>,
}

impl Issuer {
    /// The issuer's source at this place, if it reads tokens there at all.
    #[must_use]
    pub fn source_at(&self, place: usize) -> Option<Source> {
        self.sources.iter().find(|source| source.place == place).copied()
    }

    /// What a token's header says that no key can mend.
    ///
    /// # Errors
    /// [`Code::TypeNotAllowed`], [`Code::AlgorithmNotAllowed`], and [`Code::KeyUnknown`] for a key that is no
    /// longer believed.
    pub fn screen(&self, header: &Header) -> Result<(), Code> {
        if !self.types.accept(header) {
            return Err(Code::TypeNotAllowed);
        }
        if !header.algorithm.is_some_and(|algorithm| self.allows(algorithm)) {
            return Err(Code::AlgorithmNotAllowed);
        }
        if self.denies(header.kid.as_deref()) { Err(Code::KeyUnknown) } else { Ok(()) }
    }

    /// Whether a key of this `kid` is no longer believed.
    #[must_use]
    pub fn denies(&self, kid: Option<&str>) -> bool {
        kid.is_some_and(|kid| self.deny_kids.iter().any(|denied| denied == kid))
    }

    /// Whether there may be a key for this algorithm. Published keys are never secrets, and what they are is
    /// not known here.
    fn allows(&self, algorithm: Algorithm) -> bool {
        let is_listed = self.algorithms.as_ref().is_none_or(|listed| listed.contains(&algorithm));
        let is_served = || self.keys.iter().any(|key| key.algorithms().contains(&algorithm));
        let is_published = !self.remote.is_empty() && algorithm.family() != Family::Hmac;
        // Where every key was denied, the key is what is wrong with a token, not its algorithm.
        let has_none = self.keys.is_empty() && self.remote.is_empty();
        is_listed && (is_published || has_none || is_served())
    }

    /// The principal that a screened token proves at the time `now` by one of these keys, when it would prove
    /// the same, and what else its issuer says.
    ///
    /// # Errors
    /// The first check that fails: key, signature, registered claims, identity.
    #[inline(never)]
    pub fn authenticate<'t>(
        &self,
        token: Compact<'t>,
        keys: &[&Key],
        engines: &Engines,
        tries: Tries,
        now: UnixTime,
    ) -> Result<(Principal, Validity, Verified<'t>), Code> {
        let verified = signature::verify(token, keys, engines, tries)?;
        let validity = self.rules.check(&verified, now)?;
        let principal = self.identity.read(&self.name, &self.realm, &verified)?;
        self.realm.check_tenant(principal.tenant.as_ref())?;
        Ok((principal, validity, verified))
    }
}

impl Types {
    fn accept(&self, header: &Header) -> bool {
        match &header.typ {
            None => self.absent,
            Some(typ) => self.named.contains(typ),
        }
    }
}

impl Identity {
    fn read(&self, issuer: &Arc<str>, realm: &Realm, token: &Verified<'_>) -> Result<Principal, Code> {
        let claims = token.claims();
        let subject = match self.subject.of(claims) {
            // Nobody is proved by a token that names nobody, whatever `requiredClaims` says.
            None => return Err(Code::ClaimMissing),
            Some(Tree::String(text)) => realm.subject(text).ok_or(Code::ClaimMalformed)?,
            Some(_) => return Err(Code::ClaimMalformed),
        };
        Ok(Principal {
            issuer: match &self.issuer {
                None => Some(Arc::clone(issuer)),
                Some(claim) => vouched(claim.of(claims))?,
            },
            subject,
            tenant: Tenant::from_claim(self.tenant.of(claims))?,
            permissions: Permissions::indexed(grants(&self.permissions, claims)?),
            scopes: grants(&self.scopes, claims)?,
            roles: grants(&self.roles, claims)?,
        })
    }
}

/// The name of the issuer that another door believed; absent where it says none.
fn vouched(claim: Option<&Tree<'_>>) -> Result<Option<Arc<str>>, Code> {
    match claim {
        None => Ok(None),
        Some(Tree::String(name)) if is_name(name) => Ok(Some((**name).into())),
        Some(_) => Err(Code::ClaimMalformed),
    }
}

/// The union of the claims' values, in their order, each once: an array of strings, never split, or a
/// space-delimited string (RFC 6749 section 3.3).
pub(crate) fn grants(references: &[ClaimRef], claims: &Tree<'_>) -> Result<Vec<Grant>, Code> {
    let mut grants: Vec<Grant> = Vec::new();
    let mut seen = BTreeSet::new();
    for claim in references.iter().filter_map(|reference| reference.of(claims)) {
        let texts: Vec<&str> = match claim {
            Tree::String(text) => text.split(' ').filter(|text| !text.is_empty()).collect(),
            Tree::Array(texts) => {
                texts.iter().map(Tree::as_str).collect::<Option<_>>().ok_or(Code::ClaimMalformed)?
            }
            _ => return Err(Code::ClaimMalformed),
        };
        for text in texts {
            let grant = Grant::parse(text.as_bytes()).ok_or(Code::ClaimMalformed)?;
            if seen.insert(text) {
                grants.push(grant);
            }
        }
    }
    Ok(grants)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;
    use serde_json::{Value, json};

    fn read(claims: &Value) -> Result<Vec<String>, Code> {
        let references = ["permissions", "/realm/roles"].map(|text| ClaimRef::parse(text).unwrap());
        grants(&references, &claims.into())
            .map(|grants| grants.iter().map(|grant| grant.as_str().to_owned()).collect())
    }

    #[test]
    fn several_claims_are_united_in_their_order() {
        let claims = json!({"permissions": ["b", "a"], "realm": {"roles": "a c"}});
        assert_eq!(read(&claims).unwrap(), ["b", "a", "c"]);
    }

    #[test]
    fn an_array_member_is_never_split() {
        for bad in [
            json!(["a b"]),
            json!(["a,b"]),
            json!([1]),
            json!([null]),
            json!(1),
            json!(null),
            json!({}),
            json!([""]),
        ] {
            assert_eq!(read(&json!({"permissions": bad})), Err(Code::ClaimMalformed), "{bad}");
        }
    }
}
