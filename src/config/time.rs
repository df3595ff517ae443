//! Points in time, as written.

use super::node::Node;
use crate::time::UnixTime;

/// An RFC 3339 time to the second, with its offset. `jiff` reads more than that, so the shape is checked
/// first.
pub(crate) fn timestamp(node: &Node<'_>) -> Option<UnixTime> {
    let text = node.text()?;
    let shape: String = text.chars().map(|digit| if digit.is_ascii_digit() { '0' } else { digit }).collect();
    let shapes = ["0000-00-00T00:00:00Z", "0000-00-00T00:00:00+00:00", "0000-00-00T00:00:00-00:00"];
    let time = shapes.contains(&shape.as_str()).then(|| text.parse::<jiff::Timestamp>().ok()).flatten();
    let Some(time) = time else {
        return node.refuse("is not a time to the second as in `2026-01-31T00:00:00Z` (RFC 3339)".into());
    };
    let time = u64::try_from(time.as_second()).ok().map(UnixTime::from_secs);
    time.or_else(|| node.refuse("lies before 1970: remove it or correct it".into()))
}
