//! The JOSE header of a token (RFC 7515 section 4): what it may say, and what is refused because it changes
//! what a signature means.
//!
//! `jwk`, `jku`, `x5u` and `x5c` are not read at all: a token does not bring its own key.

use super::algorithm::Algorithm;
use crate::denial::Code;
use crate::json::Tree;

/// The parameters that choose a key and an issuer's rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// `alg`; none where it names an algorithm that is not verified here, `none` among them.
    pub algorithm: Option<Algorithm>,
    /// `kid`.
    pub kid: Option<String>,
    /// `typ`, lower-case and without `application/` (RFC 7515 section 4.1.9).
    pub typ: Option<String>,
}

impl Header {
    /// Reads a header.
    ///
    /// # Errors
    /// [`Code::CriticalHeader`] where `crit` stands in it, whatever its value: no extension is understood
    /// here (section 4.1.11). [`Code::TokenMalformed`] for `b64` (RFC 7797) or `zip`, which change what was
    /// signed; for `alg` missing; and for `alg`, `kid`, `typ` or `cty` that is no string.
    pub fn parse(header: &Tree<'_>) -> Result<Self, Code> {
        if header.get("crit").is_some() {
            return Err(Code::CriticalHeader);
        }
        if header.get("b64").is_some() || header.get("zip").is_some() {
            return Err(Code::TokenMalformed);
        }
        let text = |name| match header.get(name) {
            None => Ok(None),
            Some(Tree::String(text)) => Ok(Some(&**text)),
            Some(_) => Err(Code::TokenMalformed),
        };
        text("cty")?;
        Ok(Self {
            algorithm: Algorithm::parse(text("alg")?.ok_or(Code::TokenMalformed)?),
            kid: text("kid")?.map(str::to_owned),
            typ: text("typ")?.map(media_type),
        })
    }
}

/// A `typ` in the form in which two are compared: media types compare without case, and `application/` may be
/// left out where no other `/` follows.
#[must_use]
pub fn media_type(typ: &str) -> String {
    let lower = typ.to_ascii_lowercase();
    match lower.strip_prefix("application/") {
        Some(rest) if !rest.contains('/') => rest.to_owned(),
        _ => lower,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;
    use serde_json::{Value, json};

    fn parse(header: &Value) -> Result<Header, Code> {
        Header::parse(&header.into())
    }

    #[test]
    fn crit_is_refused_whatever_its_value() {
        for crit in [json!(["exp"]), json!([]), json!(null), json!("b64")] {
            assert_eq!(parse(&json!({"alg": "RS256", "crit": crit})), Err(Code::CriticalHeader));
        }
    }

    #[test]
    fn parameters_that_change_what_was_signed_are_refused() {
        for name in ["b64", "zip"] {
            assert_eq!(parse(&json!({"alg": "RS256", name: true})), Err(Code::TokenMalformed));
        }
    }

    #[test]
    fn a_parameter_of_the_wrong_type_is_malformed_and_not_absent() {
        for name in ["alg", "kid", "typ", "cty"] {
            for value in [json!(null), json!(1), json!(["RS256"]), json!({}), json!(true)] {
                let mut header = json!({"alg": "RS256"});
                header.as_object_mut().unwrap().insert(name.into(), value);
                assert_eq!(parse(&header), Err(Code::TokenMalformed), "{header}");
            }
        }
        assert_eq!(parse(&json!({})), Err(Code::TokenMalformed));
    }

    #[test]
    fn algorithm_names_are_case_sensitive() {
        for alg in [
            "none", "None", "hs256", "HS1", "rs256", "RS256 ", "", "ES256K", "ps256", "eddsa", "ED25519",
            "RSA-OAEP",
        ] {
            assert_eq!(parse(&json!({"alg": alg})).unwrap().algorithm, None, "{alg}");
        }
    }

    #[test]
    fn media_types_compare_without_case_and_prefix() {
        assert_eq!(media_type("application/AT+jwt"), "at+jwt");
        assert_eq!(media_type("application/a/b"), "application/a/b");
    }
}
