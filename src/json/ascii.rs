//! JSON in visible ASCII alone: for a header, and for a line of a log, where a character may be none to some
//! reader and a command to another.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// A value as JSON of visible ASCII and spaces. `serde_json` escapes control characters, and this the rest.
///
/// # Errors
/// Where the value cannot be written as JSON, such as a map whose keys are no texts.
pub fn ascii(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut json = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut json, Ascii))?;
    // Every byte of it is ASCII.
    Ok(String::from_utf8_lossy(&json).into_owned())
}

struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        for character in fragment.chars() {
            if matches!(character, ' '..='~') {
                write!(to, "{character}")?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(to, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn what_is_no_visible_ascii_is_escaped_and_reads_as_it_was() {
        for text in ["plain, \"quoted\"\\", "\n\t\u{0}\u{1b}[2J", "\u{7f}\u{9b}2J", "é\u{2028}\u{202e}", "🔑"]
        {
            let json = ascii(&text).unwrap();
            assert!(json.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{json}");
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
