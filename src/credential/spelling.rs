//! Which names of cookies and parameters some server takes for a given one, although they are spelt
//! otherwise.
//!
//! A token under such a name is one that a service might read and no issuer has judged. It decides nothing:
//! to the one who asks, such a name is not readable in one way only.

/// How a name may be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// `%` and two digits (RFC 3986 section 2.1).
    Percent,
    /// The same, and `+` for a space (`application/x-www-form-urlencoded`).
    Form,
}

/// Whether some server reads `given` as `name`, the very name among them. Besides decoding it, servers trim
/// it; PHP writes `_` for `.`, space and `[`, and ends a name at the `[` of an array or at a NUL.
pub(super) fn may_be(given: &[u8], name: &str, encoding: Encoding) -> bool {
    let mut bytes = decoded(given, encoding).skip_while(|byte| is_space(*byte));
    for expected in name.bytes() {
        let is_read_so = |byte| byte == expected || (expected == b'_' && matches!(byte, b'.' | b' ' | b'['));
        if !bytes.next().is_some_and(is_read_so) {
            return false;
        }
    }
    match bytes.next() {
        None | Some(0 | b'[') => true,
        Some(byte) => is_space(byte) && bytes.all(is_space),
    }
}

/// White space and control characters, and every byte that is not ASCII: a server may take it, or the
/// character that it is a part of, for white space, and no name has one.
pub(super) fn is_space(byte: u8) -> bool {
    !byte.is_ascii_graphic()
}

fn decoded(text: &[u8], encoding: Encoding) -> impl Iterator<Item = u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut rest = text;
    std::iter::from_fn(move || {
        if let [b'%', high, low, after @ ..] = rest
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            rest = after;
            return Some(high << 4 | low);
        }
        let (first, after) = rest.split_first()?;
        rest = after;
        Some(if *first == b'+' && encoding == Encoding::Form { b' ' } else { *first })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_through_escapes_white_space_and_arrays() {
        for given in [
            &b"access_token"[..],
            b"%61ccess_token",
            b"access%5Ftoken",
            b"access%5ftoken",
            b" access_token\t",
            b"%20access_token%09",
            b"\xa0access_token",
            b"access_token%00x",
            b"access_token[]",
            b"access_token%5B0]",
            b"access.token",
            b"access token",
            b"access[token",
        ] {
            assert!(may_be(given, "access_token", Encoding::Percent), "{}", given.escape_ascii());
        }
        assert!(may_be(b"+access+token+", "access_token", Encoding::Form));
    }

    #[test]
    fn another_name_is_another() {
        for given in [
            &b""[..],
            b"access_toke",
            b"access_tokenx",
            b"xaccess_token",
            b"Access_Token",
            b"access-token",
            b"access%255Ftoken",
            b"access%5token",
            b"access_token%",
            b"access_token x",
            b"access_token]",
        ] {
            assert!(!may_be(given, "access_token", Encoding::Form), "{}", given.escape_ascii());
        }
        assert!(!may_be(b"+token", "token", Encoding::Percent));
        assert!(may_be(b"+token", "+token", Encoding::Percent));
    }
}
