//! The registered claims (RFC 7519 section 4.1): each has one JSON type, and a value of another type is
//! malformed, never absent.
//!
//! Which claims are demanded is the issuer's rule ([`crate::credential::issuer`]); what a claim of its own
//! means to Vestibule is [`ClaimRef`]'s and the principal's business.

use std::time::Duration;

use super::signature::Verified;
use crate::denial::Code;
use crate::json::Tree;
use crate::time::UnixTime;

/// Where a claim stands: a top-level member taken literally (`https://acme.com/tenant`), or, beginning with
/// `/`, a JSON Pointer (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRef {
    text: String,
    /// What leads from the claims to it; a name that is taken literally is one step.
    steps: Vec<String>,
}

impl ClaimRef {
    /// A reference; a pointer whose `~` is not followed by 0 or 1 is none (RFC 6901 section 3), nor is an
    /// empty text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let escapes = |text: &str| text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        let steps = match text.strip_prefix('/') {
            None if text.is_empty() => return None,
            None => vec![text.to_owned()],
            // Section 4: in this order, for `~01` is `~1` and no slash.
            Some(path) if escapes(path) => {
                path.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
            }
            Some(_) => return None,
        };
        Some(Self { text: text.to_owned(), steps })
    }

    /// The claim's value.
    #[must_use]
    pub fn of<'c, 't>(&self, claims: &'c Tree<'t>) -> Option<&'c Tree<'t>> {
        self.steps.iter().try_fold(claims, |claims, step| claims.step(step))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Whether a token must say when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiration {
    /// `exp` is demanded.
    Required,
    /// `exp` may be absent; one that is there counts.
    Optional,
}

/// Whether a token that is bound to a key (`cnf`, RFC 7800) may be used without the proof that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// No: it is no bearer token.
    Refuse,
    /// Yes, as if it were one: somebody else checks the proof, or nobody does.
    Ignore,
}

/// A claim and the values of which it must have one.
#[derive(Clone, Debug)]
pub struct AcceptedClaim {
    /// Where it stands.
    pub claim: ClaimRef,
    /// The accepted values.
    pub values: Vec<String>,
}

/// What the registered claims must say.
#[derive(Clone, Debug)]
pub struct ClaimRules {
    /// Accepted audiences; none where the audience is not checked.
    pub audiences: Option<Vec<String>>,
    /// Whether `exp` is demanded.
    pub expiration: Expiration,
    /// Claims that must be there, besides.
    pub required: Vec<ClaimRef>,
    /// Claims that must have one of certain values.
    pub accepted: Vec<AcceptedClaim>,
    /// How far the issuer's clock may be off.
    pub leeway: Duration,
    /// The longest `exp - iat`; none where it is not bounded.
    pub max_lifetime: Option<Duration>,
    /// What becomes of a token with `cnf`.
    pub confirmation: Confirmation,
}

/// When a token is valid, by its own dates and the leeway: everything else about it does not depend on time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// From this time on.
    pub from: UnixTime,
    /// Before this time; none where it never ends.
    pub until: Option<UnixTime>,
    /// Its `exp`, without leeway: nothing that is derived from it may live longer.
    pub expires: Option<UnixTime>,
}

impl Validity {
    /// Whether it is valid at this time.
    #[must_use]
    pub fn holds(&self, now: UnixTime) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }

    /// The same, and before `end` at the latest.
    #[must_use]
    pub fn ending_by(self, end: UnixTime) -> Self {
        Self { until: Some(self.until.map_or(end, |until| until.min(end))), ..self }
    }
}

impl ClaimRules {
    /// Checks the claims of a verified token at the time `now`, and says when it would say the same.
    ///
    /// # Errors
    /// The first rule that is broken, in the order of this function.
    pub fn check(&self, token: &Verified<'_>, now: UnixTime) -> Result<Validity, Code> {
        let claims = token.claims();
        for name in ["iss", "sub", "jti"] {
            if claims.get(name).is_some_and(|value| value.as_str().is_none()) {
                return Err(Code::ClaimMalformed);
            }
        }
        let (expires, begins, issued) = (date(claims, "exp")?, date(claims, "nbf")?, date(claims, "iat")?);
        match expires {
            None if self.expiration == Expiration::Required => return Err(Code::ClaimMissing),
            // RFC 7519 section 4.1.4: the time must be *before* exp.
            Some(expires) if now >= expires.later_by(self.leeway) => return Err(Code::TokenExpired),
            None | Some(_) => {}
        }
        let latest = now.later_by(self.leeway);
        if [begins, issued].into_iter().flatten().any(|date| date > latest) {
            return Err(Code::TokenNotYetValid);
        }
        if let Some(most) = self.max_lifetime {
            // A lifetime that cannot be told is not within the bound.
            let (Some(expires), Some(issued)) = (expires, issued) else { return Err(Code::ClaimMissing) };
            if expires > issued.later_by(most) {
                return Err(Code::LifetimeExceeded);
            }
        }
        self.check_audience(claims)?;
        for claim in &self.required {
            match claim.of(claims) {
                None => return Err(Code::ClaimMissing),
                Some(Tree::Null) => return Err(Code::ClaimMalformed),
                Some(_) => {}
            }
        }
        self.accepted.iter().try_for_each(|accepted| accepted.check(claims))?;
        // RFC 7800: a token bound to a key is worth nothing without the proof, and is no bearer token.
        match (self.confirmation, claims.get("cnf")) {
            (Confirmation::Refuse, Some(_)) => return Err(Code::ConfirmationRequired),
            (Confirmation::Refuse, None) | (Confirmation::Ignore, _) => {}
        }
        let from = [begins, issued].into_iter().flatten().max().unwrap_or(UnixTime::from_secs(0));
        Ok(Validity {
            from: from.earlier_by(self.leeway),
            until: expires.map(|expires| expires.later_by(self.leeway)),
            expires,
        })
    }

    fn check_audience(&self, claims: &Tree<'_>) -> Result<(), Code> {
        let named: Vec<&str> = match claims.get("aud") {
            None => return if self.audiences.is_some() { Err(Code::ClaimMissing) } else { Ok(()) },
            Some(Tree::String(audience)) => vec![&**audience],
            Some(Tree::Array(audiences)) => {
                audiences.iter().map(Tree::as_str).collect::<Option<_>>().ok_or(Code::ClaimMalformed)?
            }
            Some(_) => return Err(Code::ClaimMalformed),
        };
        match &self.audiences {
            None => Ok(()),
            Some(accepted)
                if named.iter().any(|audience| accepted.iter().any(|accepted| accepted == audience)) =>
            {
                Ok(())
            }
            Some(_) => Err(Code::AudienceMismatch),
        }
    }
}

impl AcceptedClaim {
    /// A string must be one of the values; of an array of strings, one must be.
    fn check(&self, claims: &Tree<'_>) -> Result<(), Code> {
        let is_accepted = |text: &str| self.values.iter().any(|value| value == text);
        let accepted = match self.claim.of(claims) {
            None => return Err(Code::ClaimMissing),
            Some(Tree::String(text)) => is_accepted(text),
            Some(Tree::Array(texts)) => {
                let texts: Option<Vec<&str>> = texts.iter().map(Tree::as_str).collect();
                texts.ok_or(Code::ClaimMalformed)?.into_iter().any(is_accepted)
            }
            Some(_) => return Err(Code::ClaimMalformed),
        };
        if accepted { Ok(()) } else { Err(Code::ClaimNotAllowed) }
    }
}

fn date(claims: &Tree<'_>, name: &str) -> Result<Option<UnixTime>, Code> {
    match claims.get(name) {
        None => Ok(None),
        Some(Tree::Number(number)) => {
            UnixTime::from_numeric_date(number).map(Some).ok_or(Code::ClaimMalformed)
        }
        Some(_) => Err(Code::ClaimMalformed),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_name_is_taken_literally_and_a_pointer_walks() {
        let claims = json!({"https://a.com/t": 1, "a.b": 2, "a": {"b/c": [3], "~1": 4}, "": 5});
        let at = |reference| ClaimRef::parse(reference).unwrap().of(&Tree::from(&claims)).map(Value::from);
        assert_eq!(at("https://a.com/t"), Some(json!(1)));
        assert_eq!(at("a.b"), Some(json!(2)));
        assert_eq!(at("/a/b~1c/0"), Some(json!(3)));
        assert_eq!(at("/a/~01"), Some(json!(4)));
        assert_eq!(at("/"), Some(json!(5)));
        assert_eq!((at("a/b"), at("/a/x")), (None, None));
    }

    #[test]
    fn a_reference_that_cannot_be_read_is_refused() {
        for bad in ["", "/a~", "/a~2b"] {
            assert_eq!(ClaimRef::parse(bad), None, "{bad}");
        }
    }
}
