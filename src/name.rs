//! The names that an operator gives: of issuers, routes, entrances, keys. They stand in logs, as labels of
//! metrics, and in contexts.

/// Whether a configuration may have this name for something: 1 to 63 lower-case letters, digits and `-`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(allowed)
}
