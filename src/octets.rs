//! Bytes, eight at a time: how every request's token is looked through.
//!
//! Where the standard library compares and searches bytes, a 32-bit module does it one by one, and a token has
//! hundreds of them or thousands. What the bytes mean is not known here.

/// Whether two texts are the same. Where they are not it ends early, so no secret is compared by it.
#[must_use]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    let ((one, one_rest), (other, other_rest)) = (one.as_chunks(), other.as_chunks());
    let is_same = |(one, other): (&[u8; 8], &[u8; 8])| u64::from_ne_bytes(*one) == u64::from_ne_bytes(*other);
    one.len() == other.len() && one_rest == other_rest && one.iter().zip(other).all(is_same)
}

/// Whether every byte is visible ASCII and no comma. Of nothing that is true.
#[must_use]
pub fn is_one_word(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks();
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b',';
    rest.iter().all(is_plain)
        && words.iter().all(|word: &[u8; 8]| {
            let word = u64::from_ne_bytes(*word);
            // No borrow or carry makes a byte out of bounds where there is none.
            let below = word.wrapping_sub(each(b'!')) & !word;
            let above = word.wrapping_add(each(0x7f - b'~')) | word;
            let comma = word ^ each(b',');
            let comma = comma.wrapping_sub(each(1)) & !comma;
            (below | above | comma) & each(0x80) == 0
        })
}

/// A word of eight such bytes.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_texts_are_the_same_where_every_byte_is() {
        let text: Vec<u8> = (0..40).collect();
        for length in 0..text.len() {
            let text = text.get(..length).unwrap_or_default();
            assert!(same(text, text));
            assert!(!same(text, &[text, b"x"].concat()) && !same(&[text, b"x"].concat(), text), "{length}");
            for at in 0..length {
                let mut other = text.to_vec();
                other.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 0x80);
                assert!(!same(text, &other) && !same(&other, text), "{length} {at}");
            }
        }
    }

    #[test]
    fn one_word_is_visible_ascii_without_a_comma_at_every_position() {
        assert!(is_one_word(b""));
        for (byte, length) in (0..=255).flat_map(|byte| (1..20).map(move |length| (byte, length))) {
            let is_plain = (0x21..0x7f).contains(&byte) && byte != b',';
            // Neighbours at the bounds, from which a carry or a borrow could come.
            for (at, other) in (0..length).flat_map(|at| [b'!', b'~', b'-', b'+'].map(|other| (at, other))) {
                let mut text = vec![other; length];
                text.iter_mut().skip(at).take(1).for_each(|place| *place = byte);
                assert_eq!(is_one_word(&text), is_plain, "{byte:#x} at {at} of {length} {other:#x}");
            }
        }
    }
}
