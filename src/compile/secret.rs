//! Secrets: out of the environment, decoded, and in no message.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::config::entrance::hex;
use crate::config::secret::{Encoding, Secret};

/// Where the values of secrets come from.
#[derive(Clone, Copy)]
pub enum Secrets<'a> {
    /// An environment.
    From(&'a dyn Fn(&str) -> Option<String>),
    /// Nowhere: the values are somewhere else and are not checked.
    Unchecked,
}

impl std::fmt::Debug for Secrets<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::From(_) => "From(..)",
            Self::Unchecked => "Unchecked",
        })
    }
}

pub(super) enum Resolved {
    Value(Vec<u8>),
    Unchecked,
}

/// The secret's bytes; errors, which never show them, go to its node.
#[inline(never)]
pub(super) fn resolve(secret: &Secret<'_>, secrets: &Secrets<'_>) -> Option<Resolved> {
    let Some(text) = read(secret, secrets)? else { return Some(Resolved::Unchecked) };
    if text.trim() != text {
        return refuse(
            secret,
            "names a variable that has white space at its ends (a line break at the end of a file, most often): \
             remove it",
        );
    }
    decode(secret, text).map(Resolved::Value)
}

/// A secret that is text of several lines, so that white space at its ends, as every such file has it, is no
/// part of it.
pub(super) fn resolve_lines(secret: &Secret<'_>, secrets: &Secrets<'_>) -> Option<Resolved> {
    let Some(text) = read(secret, secrets)? else { return Some(Resolved::Unchecked) };
    decode(secret, text.trim().to_owned()).map(Resolved::Value)
}

/// What the variable holds; none where that is unknown.
#[inline(never)]
fn read(secret: &Secret<'_>, secrets: &Secrets<'_>) -> Option<Option<String>> {
    let environment = match secrets {
        Secrets::Unchecked => return Some(None),
        Secrets::From(environment) => environment,
    };
    let Some(text) = environment(secret.env) else {
        return refuse(
            secret,
            "names a variable that is not set in the filter's environment: \
             list it under the VM's environment variables, and set it where Envoy runs",
        );
    };
    if text.is_empty() {
        return refuse(secret, "names a variable that is empty: set it, or remove this");
    }
    Some(Some(text))
}

fn decode(secret: &Secret<'_>, text: String) -> Option<Vec<u8>> {
    let decoded = match secret.encoding {
        Encoding::Utf8 => Some(text.into_bytes()),
        Encoding::Base64 => STANDARD.decode(text).ok(),
        Encoding::Base64Url => URL_SAFE_NO_PAD.decode(text).ok(),
        Encoding::Hex => hex(&text),
    };
    if decoded.is_none() {
        return refuse(secret, "names a variable that does not decode as `encoding` says");
    }
    decoded
}

/// The variable's name stays out of the messages: somebody may have written the secret itself in its place.
fn refuse<T>(secret: &Secret<'_>, message: &'static str) -> Option<T> {
    secret.node.below("env").refuse(message)
}
