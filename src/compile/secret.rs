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
pub(super) fn resolve(secret: &Secret<'_>, secrets: &Secrets<'_>) -> Option<Resolved> {
    let environment = match secrets {
        Secrets::Unchecked => return Some(Resolved::Unchecked),
        Secrets::From(environment) => environment,
    };
    let name = secret.env;
    let refuse = |message: String| secret.node.below("env").refuse(message);
    let Some(text) = environment(name) else {
        return refuse(format!(
            "{name} is not set in the filter's environment: list it under the VM's environment variables"
        ));
    };
    if text.is_empty() {
        return refuse(format!("{name} is empty"));
    }
    if text.trim() != text {
        return refuse(format!(
            "{name} has white space at its ends (a line break at the end of a file, most often): remove it"
        ));
    }
    let decoded = match secret.encoding {
        Encoding::Utf8 => Some(text.into_bytes()),
        Encoding::Base64 => STANDARD.decode(text).ok(),
        Encoding::Base64Url => URL_SAFE_NO_PAD.decode(text).ok(),
        Encoding::Hex => hex(&text),
    };
    match decoded {
        Some(value) => Some(Resolved::Value(value)),
        None => refuse(format!("{name} does not decode as its `encoding` says")),
    }
}
