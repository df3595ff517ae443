//! What operators read in the log: one JSON object to a line. `vestibule` is its first member and says what it
//! tells of; the others have a fixed order.
//!
//! Nothing here is a secret: no token, no key, and of a token nothing but the `kid` of its header. What comes
//! from a request is cut to a bound.

mod denial;
mod quota;

use serde::Serialize;
use serde_json::Value;

pub use denial::Denied;
pub use quota::{Kind, Quota};

use crate::json;

/// What is told. A member that does not apply is null.
#[derive(Debug, Serialize)]
#[serde(tag = "vestibule", rename_all = "snake_case")]
pub enum Record<'a> {
    /// A request was denied, or would have been.
    Denial(Denied<'a>),
    /// So many more denials of this code were not told of.
    DenialsLeftOut {
        /// The code.
        code: &'static str,
        /// How many.
        count: u64,
    },
    /// A configuration is served from now on.
    Configuration {
        /// The door.
        door: &'static str,
        /// Its fingerprint.
        hash: &'a str,
        /// The filter's version.
        version: &'static str,
        /// Where signatures are verified: `host`, `module`, `both`, or `_none` where none are.
        crypto: &'static str,
        /// The algorithm of the contexts that it signs.
        signs: Option<&'static str>,
        /// Where that is done.
        signs_in: Option<&'static str>,
    },
    /// It is served, and says what is probably not meant.
    ConfigurationWarning {
        /// Where in it, such as `routes.orders.access`.
        path: &'a str,
        /// What, and the remedy.
        message: &'a str,
    },
    /// A configuration is not served.
    ConfigurationRefused {
        /// Where in it, such as `routes.orders.access`.
        path: &'a str,
        /// What is wrong, and the remedy.
        message: &'a str,
    },
    /// Who verifies the signatures of each algorithm, as known answers showed.
    Crypto {
        /// `host`, `module` or `nobody`, by algorithm.
        algorithms: &'a Value,
    },
    /// A fetch of an issuer's keys ended.
    Keys {
        /// The issuers that believe them, by their configured names.
        issuers: &'a [String],
        /// Whence, without the query.
        url: &'a str,
        /// The word of `vestibule_keys_fetch_total`.
        result: &'static str,
        /// How many usable keys it brought.
        keys: Option<usize>,
        /// Why it brought none.
        reason: Option<&'a str>,
    },
    /// The filter is where its door does not belong, and denies everything there.
    Misplaced {
        /// What is wrong, and the remedy.
        message: &'a str,
    },
    /// The host did not carry out a call.
    CallFailed {
        /// The call.
        call: &'static str,
        /// Its status (proxy-wasm ABI 0.2.1, `proxy_status_t`).
        status: u32,
        /// How many failures of this call were not told of since the last that was.
        left_out: u64,
    },
    /// So many more failures of this call were not told of.
    FailuresLeftOut {
        /// The call.
        call: &'static str,
        /// How many.
        count: u64,
    },
}

impl Record<'_> {
    /// The line, in visible ASCII; none where it cannot be written, which none of these is.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        json::ascii(self).ok()
    }
}
