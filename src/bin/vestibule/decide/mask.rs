//! What an explanation must not show: secrets, tokens and their parts, whatever it was about to say.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use vestibule::request::Request;

use crate::terminal::is_token;

/// What is shorter stands in other text by chance.
const SHORTEST: usize = 16;

/// What to show in place of what.
pub(crate) struct Mask(Vec<(String, &'static str)>);

impl Mask {
    /// What must not be shown of these secrets and of the tokens in this request.
    pub(crate) fn new(secrets: &[String], request: &Request<'_>) -> Self {
        let mut hidden = Vec::new();
        for secret in secrets {
            // A configuration may say that it is encoded.
            let decode = |engine: &GeneralPurpose| engine.decode(secret).ok();
            let decoded = [decode(&STANDARD), decode(&URL_SAFE_NO_PAD), unhex(secret)];
            let decoded = decoded.into_iter().flatten().filter_map(|bytes| String::from_utf8(bytes).ok());
            hidden.extend(decoded.chain([secret.clone()]).map(|secret| (secret, "(secret)")));
        }
        for (name, value) in request.headers() {
            let is_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            let pieces =
                value.split(|byte| !is_alphabet(byte)).filter_map(|piece| str::from_utf8(piece).ok());
            for token in pieces.filter(|piece| is_token(piece.as_bytes())) {
                hidden.extend(token.split('.').chain([token]).map(|part| (part.to_owned(), "(token)")));
            }
            // What stands behind a scheme, whatever it is.
            let credential =
                value.split(|byte| *byte == b' ').next_back().filter(|_| name == b"authorization");
            let credential = credential.and_then(|credential| str::from_utf8(credential).ok());
            hidden.extend(credential.map(|credential| (credential.to_owned(), "(token)")));
        }
        hidden.retain(|(text, _)| text.len() >= SHORTEST);
        // A part of something else must not be found before it.
        hidden.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        Self(hidden)
    }

    /// The text without what must not be shown.
    pub(crate) fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (hidden, shown)| text.replace(hidden, shown))
    }

    /// The same for every text in a value.
    pub(crate) fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(elements) => elements.iter_mut().for_each(|element| self.value(element)),
            Value::Object(members) => members.values_mut().for_each(|member| self.value(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}
