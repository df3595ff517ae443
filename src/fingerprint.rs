//! By what two configurations are known to be the same one: what they say, and not how they are written.
//!
//! A configuration passes through others' hands on its way (YAML, a `Struct` of Istio's, JSON again), which
//! order its members and write its numbers anew. So what is hashed is a form that has one spelling.

use std::fmt;
use std::io::{self, Write};

use serde_json::{Number, Value};
use sha2::{Digest as _, Sha256};

/// What a configuration is known by: the first 64 bits of a hash of what it says. It is no proof against
/// anybody who would make another one with the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 8]);

impl Fingerprint {
    /// The fingerprint of a document: SHA-256 (FIPS 180-4) of its JSON with members sorted by their bytes, no
    /// spaces, and whole numbers below 2^53 without fraction and exponent.
    #[must_use]
    pub fn of(document: &Value) -> Self {
        let mut hash = Hash(Sha256::new());
        // A hash takes whatever is written to it.
        let _taken = write(document, &mut hash);
        let digest: [u8; 32] = hash.0.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        Self([a, b, c, d, e, f, g, h])
    }
}

/// 16 hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

struct Hash(Sha256);

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The depth is that of a document that was parsed within bounds.
fn write(value: &Value, to: &mut Hash) -> io::Result<()> {
    match value {
        Value::Array(elements) => {
            to.write_all(b"[")?;
            for (index, element) in elements.iter().enumerate() {
                to.write_all(if index == 0 { b"" } else { b"," })?;
                write(element, to)?;
            }
            to.write_all(b"]")
        }
        Value::Object(members) => {
            // The library's map is sorted; with its feature `preserve_order` it would not be, and a test says so.
            to.write_all(b"{")?;
            for (index, (name, member)) in members.iter().enumerate() {
                to.write_all(if index == 0 { b"" } else { b"," })?;
                serde_json::to_writer(&mut *to, name)?;
                to.write_all(b":")?;
                write(member, to)?;
            }
            to.write_all(b"}")
        }
        Value::Number(number) => match whole(number) {
            Some(number) => write!(to, "{number}"),
            None => write!(to, "{number}"),
        },
        Value::String(text) => Ok(serde_json::to_writer(to, text)?),
        Value::Null => to.write_all(b"null"),
        Value::Bool(flag) => write!(to, "{flag}"),
    }
}

/// A number without a fraction, however it is written; none where it may have lost digits on its way.
fn whole(number: &Number) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let float = number.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and below 2^53")]
    (float.fract() == 0.0 && float.abs() < EXACT).then_some(float as i64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    fn of(text: &str) -> String {
        Fingerprint::of(&serde_json::from_str(text).unwrap()).to_string()
    }

    #[test]
    fn what_is_only_written_otherwise_has_one_fingerprint() {
        let plain = of(r#"{"a":[1,60,true,null],"b":{"c":"\u00e9","d":-2}}"#);
        for other in [
            "{ \"b\": {\"d\": -2, \"c\": \"é\"},\n \"a\": [1, 60, true, null] }",
            r#"{"a":[1.0,6e1,true,null],"b":{"c":"é","d":-2.0}}"#,
        ] {
            assert_eq!(of(other), plain, "{other}");
        }
    }

    #[test]
    fn what_says_something_else_has_another() {
        let texts = [
            "{}",
            "[]",
            "null",
            "1",
            "\"1\"",
            "-1",
            "1.5",
            "[1]",
            "[[1]]",
            "[1,1]",
            "[11]",
            "{\"a\":1}",
            "{\"a\":{}}",
            "{\"a\":[]}",
            "{\"b\":1}",
            "[\"a\",1]",
            "[\"a\\\",1\"]",
            "9007199254740993",
            "9007199254740992",
        ];
        let mut prints: Vec<_> = texts.iter().map(|text| of(text)).collect();
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), texts.len());
    }

    #[test]
    fn it_is_the_beginning_of_the_sha_256_of_the_canonical_text() {
        // printf '{"a":1,"door":"outer"}' | sha256sum
        assert_eq!(of(r#"{"door": "outer", "a": 1.0}"#), "0060793807a563fa");
    }
}
