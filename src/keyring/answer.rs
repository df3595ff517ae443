//! What an answer to a fetch is worth: keys, or the reason why it brought none.

use std::fmt;

use crate::jose::algorithm::Algorithm;
use crate::jose::jwk::{Key, KeySet};
use crate::json::{self, Bounds};

/// The largest body of an answer, in bytes. A longer one is not read at all.
pub const MAX_BODY: usize = 1024 * 1024;

/// What the text of a JWK Set may cost.
const BOUNDS: Bounds = Bounds { depth: 16, duplicates: 1 };

/// What came back, as the host saw it.
#[derive(Clone, Copy)]
pub enum Answer<'a> {
    /// A response. Redirects are not followed: their status is not 200.
    Response {
        /// The value of `:status`.
        status: &'a [u8],
        /// The body; none where it is longer than [`MAX_BODY`].
        body: Option<&'a [u8]>,
    },
    /// The stream was reset, or nobody was there to answer.
    Reset,
}

/// Why a fetch brought no keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The host did not send the request: it has no such cluster, or not yet.
    NotSent,
    /// No answer in time.
    TimedOut,
    /// The stream was reset before the answer was whole.
    Reset,
    /// Any status but 200; 0 where it is no number.
    Status(u16),
    /// A body over [`MAX_BODY`].
    TooLarge,
    /// A body that is no JSON, or has members twice.
    NotJson,
    /// JSON that is no JWK Set.
    NotASet(&'static str),
    /// A JWK Set without a usable key.
    NoUsableKey,
}

impl Failure {
    /// In a word, for logs and counters.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::TimedOut => "timed_out",
            Self::Reset => "reset",
            Self::Status(_) => "status",
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
            Self::NotASet(_) => "not_a_set",
            Self::NoUsableKey => "no_usable_key",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent => f.write_str("Envoy has no such cluster, or it is not ready yet"),
            Self::TimedOut => f.write_str("no answer came in time"),
            Self::Reset => f.write_str("the connection was reset"),
            Self::Status(status) => write!(f, "the answer has the status {status} and not 200"),
            Self::TooLarge => write!(f, "the answer is longer than {MAX_BODY} bytes"),
            Self::NotJson => f.write_str("the answer is no JSON, or has members twice"),
            Self::NotASet(reason) => write!(f, "of the answer: {reason}"),
            Self::NoUsableKey => f.write_str("the answer has no usable key"),
        }
    }
}

/// The usable keys of an answer, at least one.
pub(super) fn judge(answer: Answer<'_>, algorithms: Option<&[Algorithm]>) -> Result<Vec<Key>, Failure> {
    let Answer::Response { status, body } = answer else { return Err(Failure::Reset) };
    if status != b"200" {
        let number = std::str::from_utf8(status).ok().and_then(|status| status.parse().ok());
        return Err(Failure::Status(number.unwrap_or(0)));
    }
    let body = body.filter(|body| body.len() <= MAX_BODY).ok_or(Failure::TooLarge)?;
    let set = json::parse(body, BOUNDS).map_err(|_| Failure::NotJson)?;
    let KeySet { keys, unusable: _ } = KeySet::parse(&set, algorithms).map_err(Failure::NotASet)?;
    if keys.is_empty() { Err(Failure::NoUsableKey) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;
    use crate::jose::module::Module;
    use crate::jose::signing::SigningKey;
    use crate::jose::thumbprint::named_jwk;

    const RSA: &str = include_str!("../../tests/support/keys/rsa-1.pem");

    #[test]
    fn a_set_of_which_this_module_serves_no_key_is_no_answer() {
        let public = SigningKey::from_pem(RSA).unwrap().public().clone();
        let judged = |algorithm| {
            let body = serde_json::json!({ "keys": [named_jwk(&public, algorithm).unwrap()] }).to_string();
            judge(Answer::Response { status: b"200", body: Some(body.as_bytes()) }, None)
        };
        assert_eq!(judged(Algorithm::Rs256).unwrap().len(), 1);
        match Module::BUILT {
            Module::Full => assert_eq!(judged(Algorithm::Ps256).unwrap().len(), 1),
            Module::Host => assert!(matches!(judged(Algorithm::Ps256), Err(Failure::NoUsableKey))),
        }
    }
}
