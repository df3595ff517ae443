//! A request of any bytes at any of the doors: whatever comes of it, the invariants hold.
//!
//! The first line has a door's position, an offset in seconds from the time of the tokens, a cluster and
//! a peer; each further line is a header. What stands in `<>` becomes a token. No bytes are refused: what is missing
//! has a default.

use super::door::{Asked, doors};
use super::invariants;
use super::token::{self, NOW};

pub fn run(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut words = lines.next().unwrap_or_default().split(|byte| *byte == b' ');
    let mut number = || std::str::from_utf8(words.next()?).ok()?.parse::<i64>().ok();
    let (door, offset) = (number().unwrap_or(0), number().unwrap_or(0));
    let asked = Asked {
        headers: lines.map(header).collect(),
        cluster: words.next().map(<[u8]>::to_vec),
        peer: words.next().map(<[u8]>::to_vec),
        now: NOW.saturating_add_signed(offset),
    };
    let door = usize::try_from(door).unwrap_or(0) % doors().len();
    let _ = invariants::check(&doors()[door], &asked);
}

/// `name: value`; the name in lower case, as Envoy's codecs have it.
fn header(line: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (name, value) = match line.windows(2).position(|pair| pair == b": ") {
        Some(end) => (&line[..end], &line[end + 2..]),
        None => (line, &b""[..]),
    };
    (name.to_ascii_lowercase(), token::fill(value, NOW))
}
