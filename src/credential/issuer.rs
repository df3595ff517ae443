//! An issuer: whose tokens are believed, on what conditions, and where in them the caller's identity stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::source::Source;
use crate::denial::Code;
use crate::jose::claims::{ClaimRef, ClaimRules};
use crate::jose::compact::Compact;
use crate::jose::header::Header;
use crate::jose::jwk::Key;
use crate::jose::signature::{self, Keys, Tries, Verified};
use crate::principal::{Grant, Principal, Subject};
use crate::tenant::Tenant;
use crate::time::UnixTime;

/// An issuer of tokens.
#[derive(Clone, Debug)]
pub struct Issuer {
    pub(crate) name: Arc<str>,
    /// The `iss` of its tokens; none where any is accepted.
    pub(crate) iss: Option<String>,
    pub(crate) keys: Vec<Key>,
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
}

impl Issuer {
    /// Whether a token that names this `iss`, or none, is this issuer's to judge.
    #[must_use]
    pub fn answers_for(&self, iss: Option<&str>) -> bool {
        self.iss.is_none() || self.iss.as_deref() == iss
    }

    /// The issuer's source at this place, if it reads tokens there at all.
    #[must_use]
    pub fn source_at(&self, place: usize) -> Option<Source> {
        self.sources.iter().find(|source| source.place == place).copied()
    }

    /// The principal that a token proves at the time `now`.
    ///
    /// # Errors
    /// The first check that fails: type, algorithm, key, signature, registered claims, identity.
    pub fn authenticate(
        &self,
        token: Compact<'_>,
        keys: &Keys,
        tries: Tries,
        now: UnixTime,
    ) -> Result<Principal, Code> {
        if !self.types.accept(token.header()) {
            return Err(Code::TypeNotAllowed);
        }
        let kid = token.header().kid.as_deref();
        if kid.is_some_and(|kid| self.deny_kids.iter().any(|denied| denied == kid)) {
            return Err(Code::KeyUnknown);
        }
        let verified = signature::verify(token, &self.keys, keys, tries)?;
        self.rules.check(&verified, now)?;
        let principal = self.identity.read(&self.name, &self.realm, &verified)?;
        self.realm.check_tenant(principal.tenant.as_ref())?;
        Ok(principal)
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
    fn read(&self, issuer: &Arc<str>, realm: &Realm, token: &Verified) -> Result<Principal, Code> {
        let claims = token.claims();
        let subject = match self.subject.of(claims) {
            // Nobody is proved by a token that names nobody, whatever `requiredClaims` says.
            None => return Err(Code::ClaimMissing),
            Some(Value::String(text)) => realm.subject(text).ok_or(Code::ClaimMalformed)?,
            Some(_) => return Err(Code::ClaimMalformed),
        };
        Ok(Principal {
            issuer: Some(Arc::clone(issuer)),
            subject,
            tenant: Tenant::from_claim(self.tenant.of(claims))?,
            permissions: grants(&self.permissions, claims)?,
            scopes: grants(&self.scopes, claims)?,
            roles: grants(&self.roles, claims)?,
            claims: Some(token.shared()),
        })
    }
}

/// The union of the claims' values, in their order, each once: an array of strings, never split, or a
/// space-delimited string (RFC 6749 section 3.3).
pub(crate) fn grants(references: &[ClaimRef], claims: &Value) -> Result<Vec<Grant>, Code> {
    let mut grants: Vec<Grant> = Vec::new();
    let mut seen = BTreeSet::new();
    for claim in references.iter().filter_map(|reference| reference.of(claims)) {
        let texts: Vec<&str> = match claim {
            Value::String(text) => text.split(' ').filter(|text| !text.is_empty()).collect(),
            Value::Array(texts) => {
                texts.iter().map(Value::as_str).collect::<Option<_>>().ok_or(Code::ClaimMalformed)?
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
    use serde_json::json;

    fn read(claims: &Value) -> Result<Vec<String>, Code> {
        let references = ["permissions", "/realm/roles"].map(|text| ClaimRef::parse(text).unwrap());
        grants(&references, claims)
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
