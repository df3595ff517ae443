//! What a report must not show: tokens, their parts, and the values of secrets.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::outcome::text;
use super::{Case, Exchange};

/// Parts of tokens that are shorter say nothing, and stand in other text by chance.
const SHORTEST_PART: usize = 8;

/// What to show in place of what.
pub(crate) struct Mask(Vec<(String, String)>);

impl Mask {
    /// Everything is shown.
    #[allow(dead_code, reason = "for tests, whose secrets are none")]
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// What must not be shown of this case.
    pub(crate) fn of(case: &Case, exchange: &Exchange) -> Self {
        let mut hidden = Vec::new();
        for (name, token) in &exchange.tokens {
            hide_token(&mut hidden, name, &text(token));
        }
        let request = &exchange.request;
        for value in request.headers.iter().map(|(_, value)| value).chain(&request.path) {
            // Somebody has pasted one.
            let value = text(value);
            let words = value.split([' ', '=', '&', ';', ',', '"']);
            for token in words.filter(|word| word.starts_with("ey") && word.matches('.').count() == 2) {
                hide_token(&mut hidden, "a token", token);
            }
        }
        for (name, secret) in &case.env {
            let shown = format!("{{{{{name}}}}}");
            // A configuration may say that it is encoded.
            let decoded = [STANDARD.decode(secret), URL_SAFE_NO_PAD.decode(secret)].into_iter().flatten();
            let decoded = decoded.chain(unhex(secret)).filter(|bytes| bytes.len() >= SHORTEST_PART);
            hidden.extend(decoded.map(|bytes| (text(&bytes), shown.clone())));
            hidden.push((text(secret.as_bytes()), shown));
        }
        hidden.retain(|(secret, _)| !secret.is_empty());
        // A part of something else must not be found before it.
        hidden.sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
        Self(hidden)
    }

    /// The bytes as text, one character each, with nothing in it that must not be shown.
    pub(crate) fn show(&self, bytes: &[u8]) -> String {
        let shown = |text: String, (secret, name): &(String, String)| text.replace(secret, name);
        self.0.iter().fold(text(bytes), shown)
    }
}

fn hide_token(hidden: &mut Vec<(String, String)>, name: &str, token: &str) {
    for (part, what) in token.split('.').zip(["header", "payload", "signature"]) {
        if part.len() >= SHORTEST_PART {
            hidden.push((part.to_owned(), format!("{{{{{name}: {what}}}}}")));
        }
    }
    hidden.push((token.to_owned(), format!("{{{{{name}}}}}")));
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
