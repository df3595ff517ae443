//! A header map as the proxy-wasm ABI serialises it (proxy-wasm/spec: abi-versions/v0.2.1): a count, the length of
//! each name and value, then the bytes of each, closed by a zero. Numbers are 32 bits, little-endian.
//!
//! It knows neither what a header means nor which names there are.

/// The names and values, in their order, borrowed from the bytes; none where these are no such map. No bytes at all
/// are a map of nothing.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let number = |at: usize| {
        let bytes = bytes.get(at..at.checked_add(4)?)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    };
    let count = number(0)?;
    let mut at = count.checked_mul(8)?.checked_add(4)?;
    let mut take = |length: usize| {
        let end = at.checked_add(length)?;
        let text = bytes.get(at..end)?;
        at = end.checked_add(1)?;
        Some(text)
    };
    let lengths = |index: usize| {
        Some((number(index.checked_mul(8)?.checked_add(4)?)?, number(index.checked_mul(8)?.checked_add(8)?)?))
    };
    let mut pairs = Vec::with_capacity(count.min(bytes.len() / 8));
    for index in 0..count {
        let (name, value) = lengths(index)?;
        pairs.push((take(name)?, take(value)?));
    }
    Some(pairs)
}

/// The form that [`parse`] reads.
#[must_use]
pub fn serialize<'p>(pairs: impl ExactSizeIterator<Item = (&'p [u8], &'p [u8])> + Clone) -> Vec<u8> {
    let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = number(pairs.len()).to_vec();
    for (name, value) in pairs.clone() {
        bytes.extend_from_slice(&number(name.len()));
        bytes.extend_from_slice(&number(value.len()));
    }
    for text in pairs.flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(text);
        bytes.push(0);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pair = (&'static [u8], &'static [u8]);

    const PAIRS: [Pair; 4] =
        [(b":path", b"/"), (b"x-empty", b""), (b"cookie", b"a\0b"), (b"cookie", b"\xff")];

    fn serialized(pairs: &[Pair]) -> Vec<u8> {
        serialize(pairs.iter().copied())
    }

    #[test]
    fn a_map_is_laid_out_as_the_abi_says() {
        let bytes = b"\x02\0\0\0\x01\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0a\0bc\0d\0\0";
        assert_eq!(serialized(&[(b"a", b"bc"), (b"d", b"")]), bytes);
    }

    #[test]
    fn whatever_is_serialised_is_read_again_in_its_order_with_every_copy_and_byte() {
        for count in 0..=PAIRS.len() {
            let pairs: Vec<Pair> = PAIRS.into_iter().take(count).collect();
            assert_eq!(parse(&serialized(&pairs)), Some(pairs));
        }
        assert_eq!(parse(b""), Some(Vec::new()));
    }

    #[test]
    fn a_map_that_ends_too_soon_is_none() {
        let whole = serialized(&PAIRS);
        // Without its last byte, which closes what is whole already, it can be read.
        for end in 1..whole.len() - 1 {
            assert_eq!(parse(whole.get(..end).unwrap_or_default()), None, "{end}");
        }
    }

    #[test]
    fn a_number_that_is_too_large_makes_no_map() {
        let whole = serialized(&PAIRS);
        for place in (0..4 + 8 * PAIRS.len()).step_by(4) {
            for number in [u32::MAX, u32::MAX / 8, 1 << 31, 1 << 20] {
                let mut bytes = whole.clone();
                bytes.splice(place..place + 4, number.to_le_bytes());
                assert_eq!(parse(&bytes), None, "{number} at {place}");
            }
        }
    }
}
