//! Everything secret that this run has sent or set, and whether a text holds any of it.
//!
//! Kept once for the whole process: a secret must not show in any log, whichever test it came from.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Shorter pieces stand in harmless text by chance.
const SHORTEST: usize = 20;

static KNOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Remembers a secret and, if it is a token, each of its parts.
pub fn remember(secret: &[u8]) {
    let secret = String::from_utf8_lossy(secret);
    let pieces = secret.split(['.', ' ', ',']).chain([&*secret]);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.extend(pieces.filter(|piece| piece.len() >= SHORTEST).map(str::to_owned));
}

/// Remembers the value of a header that carries a credential.
pub fn remember_header(name: &[u8], value: &[u8]) {
    let name = name.to_ascii_lowercase();
    if name.ends_with(b"authorization") || name.ends_with(b"gateway-key") {
        remember(value);
    }
}

/// The first secret that stands in the text.
pub fn first_in(text: &str) -> Option<String> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.iter().find(|secret| text.contains(secret.as_str())).cloned()
}
