//! Trusted headers: what of a principal is written into which header.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::Limits;
use crate::credential::issuer;
use crate::denial::Code;
use crate::header::HeaderName;
use crate::jose::claims::ClaimRef;
use crate::jose::signature::Verified;
use crate::json::{self, Tree};
use crate::mutation::Assignment;
use crate::principal::{Grant, Principal};

/// A header that is set on permitted requests.
#[derive(Clone, Debug)]
pub struct Injection {
    pub(crate) header: HeaderName,
    pub(crate) source: Source,
}

/// Where an injected value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The principal's subject.
    Subject,
    /// Its tenant.
    Tenant,
    /// Its permissions, joined with `,`.
    Permissions,
    /// Its scopes, joined with `,`.
    Scopes,
    /// Its roles, joined with `,`.
    Roles,
    /// The configured name of the issuer that vouched for it.
    Issuer,
    /// The payload of its token as it came: base64url of JSON.
    Payload,
    /// One of its claims.
    Claim(ClaimRef, Form),
    /// This text, on every permitted request, with a principal or without.
    Text(Arc<[u8]>),
}

/// How a claim becomes a header's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A string of visible ASCII and single spaces between, a number, or a boolean, as it is.
    Text,
    /// An array of strings, never split, or a string with spaces between, joined with `,`.
    List,
    /// JSON, with everything but ASCII escaped.
    Json,
    /// JSON, encoded as base64url without padding.
    Base64Url,
}

impl Form {
    fn of(self, claim: &ClaimRef, claims: &Tree<'_>) -> Result<Option<String>, Code> {
        let Some(value) = claim.of(claims) else { return Ok(None) };
        match self {
            Self::Text => text(value).map(Some).ok_or(Code::ClaimMalformed),
            Self::List => Ok(list(&issuer::grants(std::slice::from_ref(claim), claims)?)),
            Self::Json => Ok(Some(ascii_json(value)?)),
            Self::Base64Url => Ok(Some(URL_SAFE_NO_PAD.encode(ascii_json(value)?))),
        }
    }
}

fn text(value: &Tree<'_>) -> Option<String> {
    match value {
        Tree::Bool(value) => Some(value.to_string()),
        Tree::Number(number) => Some(number.to_string()),
        Tree::String(text) => {
            let words_apart = text.split(' ').all(|word| !word.is_empty());
            let visible = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
            (words_apart && visible).then(|| text.clone().into_owned())
        }
        Tree::Null | Tree::Array(_) | Tree::Object(_) => None,
    }
}

fn list(grants: &[Grant]) -> Option<String> {
    let texts: Vec<&str> = grants.iter().map(Grant::as_str).collect();
    (!texts.is_empty()).then(|| texts.join(","))
}

/// JSON that can stand in a header.
fn ascii_json(value: &Tree<'_>) -> Result<String, Code> {
    json::ascii(&Value::from(value)).map_err(|_| Code::ClaimMalformed)
}

/// Of whom a service is told: a principal, and the token that proved it; none where an entrance vouched.
pub(super) type Told<'a> = (&'a Principal, Option<&'a Verified<'a>>);

/// What the door tells a service, header by header.
///
/// # Errors
/// As [`Injection::value`].
#[inline(never)]
pub(super) fn all(
    injections: &[Injection],
    of: Option<Told<'_>>,
    limits: Limits,
) -> Result<Vec<Assignment>, Code> {
    let mut assignments = Vec::with_capacity(injections.len());
    for injection in injections {
        if let Some(value) = injection.value(of, limits.injected_bytes)? {
            assignments.push(Assignment { name: injection.header.shared(), value });
        }
    }
    Ok(assignments)
}

impl Injection {
    /// The header's value; none, and so no header, where the principal has no such thing.
    ///
    /// # Errors
    /// [`Code::ClaimMalformed`] for a value of over `max` bytes: upstreams cut or refuse what is too long for
    /// them.
    fn value(&self, of: Option<Told<'_>>, max: usize) -> Result<Option<Arc<[u8]>>, Code> {
        if let Source::Text(text) = &self.source {
            return Ok(Some(Arc::clone(text)));
        }
        let Some((principal, verified)) = of else { return Ok(None) };
        let value = match &self.source {
            Source::Subject => Some(principal.subject().to_owned()),
            Source::Tenant => principal.tenant().map(str::to_owned),
            Source::Permissions => list(principal.permissions.as_slice()),
            Source::Scopes => list(&principal.scopes),
            Source::Roles => list(&principal.roles),
            Source::Issuer => principal.issuer().map(str::to_owned),
            Source::Payload => return check_length(verified.map(|verified| verified.payload().into()), max),
            Source::Claim(claim, form) => match verified {
                Some(verified) => form.of(claim, verified.claims())?,
                None => None,
            },
            Source::Text(_) => None,
        };
        check_length(value.map(|value| value.into_bytes().into()), max)
    }
}

fn check_length(value: Option<Arc<[u8]>>, max: usize) -> Result<Option<Arc<[u8]>>, Code> {
    if value.as_ref().is_some_and(|value| value.len() > max) { Err(Code::ClaimMalformed) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;
    use serde_json::json;

    fn value(form: Form, claim: Value) -> Result<Option<String>, Code> {
        form.of(&ClaimRef::parse("c").unwrap(), &(&json!({ "c": claim })).into())
    }

    #[test]
    fn text_stands_in_a_header_as_it_is_or_not_at_all() {
        for (claim, text) in [(json!("a b,c"), "a b,c"), (json!(12), "12"), (json!(true), "true")] {
            assert_eq!(value(Form::Text, claim), Ok(Some(text.into())));
        }
        for bad in [
            json!(""),
            json!(" a"),
            json!("a "),
            json!("a  b"),
            json!("a\tb"),
            json!("é"),
            json!(null),
            json!([]),
        ] {
            assert_eq!(value(Form::Text, bad.clone()), Err(Code::ClaimMalformed), "{bad}");
        }
    }

    #[test]
    fn json_is_ascii_whatever_the_claim() {
        let claim = json!({"é": "\u{7f}\n\"\u{1f600}"});
        let json = r#"{"\u00e9":"\u007f\n\"\ud83d\ude00"}"#;
        assert_eq!(value(Form::Json, claim.clone()), Ok(Some(json.into())));
        assert_eq!(serde_json::from_str::<Value>(json).unwrap(), claim);
        assert_eq!(value(Form::Base64Url, claim), Ok(Some(URL_SAFE_NO_PAD.encode(json))));
    }

    #[test]
    fn a_list_is_joined_and_its_members_are_never_split() {
        assert_eq!(value(Form::List, json!(["a", "b"])), Ok(Some("a,b".into())));
        assert_eq!(value(Form::List, json!([])), Ok(None));
        assert_eq!(value(Form::List, json!(["a,b"])), Err(Code::ClaimMalformed));
    }
}
