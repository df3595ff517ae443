//! What may be written where people read: no line that steers a terminal, and no token that was given in place
//! of something else. It knows nothing of what is said.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A line that cannot steer a terminal, whatever it holds.
pub(crate) fn plain(line: &str) -> String {
    let is_plain = |char: char| {
        !char.is_control()
            && !matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    line.chars().fold(String::with_capacity(line.len()), |mut plain, char| {
        match is_plain(char) {
            true => plain.push(char),
            false => plain.extend(char.escape_default()),
        }
        plain
    })
}

/// The text of a JSON value with everything but visible ASCII escaped.
pub(crate) fn plain_json(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for char in text.chars() {
        if char == '\n' || matches!(char, ' '..='~') {
            plain.push(char);
        } else {
            for unit in char.encode_utf16(&mut [0; 2]) {
                plain.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    plain
}

/// The text with `(token)` for each token in it. A message repeats what somebody gave as a file or an option's
/// value, and that may be a token for want of a quote.
pub(crate) fn without_tokens(text: &str) -> String {
    let is_alphabet = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
    let mut without = text.to_owned();
    for token in text.split(|char| !is_alphabet(char)).filter(|piece| is_token(piece.as_bytes())) {
        without = without.replace(token, "(token)");
    }
    without
}

/// Whether it looks like a compact JWS or JWE: parts with dots between, of which the first is a JSON object.
pub(crate) fn is_token(piece: &[u8]) -> bool {
    let mut parts = piece.split(|byte| *byte == b'.');
    let header = parts.next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok());
    header.is_some_and(|header| header.trim_ascii_start().first() == Some(&b'{')) && parts.count() >= 2
}
