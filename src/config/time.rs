//! Points in time, as written.

use time::{Date, Month, PrimitiveDateTime, Time, UtcOffset};

use super::node::Node;
use crate::time::UnixTime;

/// 9999-12-31T23:59:59Z.
const LATEST: i64 = 253_402_300_799;

/// An RFC 3339 time to the second, with its offset.
pub(crate) fn timestamp(node: &Node<'_>) -> Option<UnixTime> {
    let Some(seconds) = seconds(node.text()?) else {
        return node.refuse("is not a time to the second as in `2026-01-31T00:00:00Z` (RFC 3339)");
    };
    let time = u64::try_from(seconds).ok().map(UnixTime::from_secs);
    time.or_else(|| node.refuse("lies before 1970: remove it or correct it"))
}

/// The seconds since 1970 of a time in just this form, until the end of the year 9999.
fn seconds(text: &str) -> Option<i64> {
    let shape: String = text.chars().map(|digit| if digit.is_ascii_digit() { '0' } else { digit }).collect();
    let shapes = ["0000-00-00T00:00:00Z", "0000-00-00T00:00:00+00:00", "0000-00-00T00:00:00-00:00"];
    if !shapes.contains(&shape.as_str()) {
        return None;
    }
    let number = |at: std::ops::Range<usize>| text.get(at)?.parse().ok();
    let two = |at: usize| number(at..at + 2).and_then(|number| u8::try_from(number).ok());
    let date = Date::from_calendar_date(number(0..4)?, Month::try_from(two(5)?).ok()?, two(8)?).ok()?;
    // A leap second is the one before, as for every clock that knows none.
    let second = two(17).map(|second| if second == 60 { 59 } else { second })?;
    let time = Time::from_hms(two(11)?, two(14)?, second).ok()?;
    let offset = match text.get(19..20)? {
        "Z" => UtcOffset::UTC,
        sign => {
            let sign = if sign == "-" { -1 } else { 1 };
            let part = |at| two(at).and_then(|part| i8::try_from(part).ok()).map(|part| sign * part);
            UtcOffset::from_hms(part(20)?, part(23)?, 0).ok()?
        }
    };
    let seconds = PrimitiveDateTime::new(date, time).assume_offset(offset).unix_timestamp();
    (seconds <= LATEST).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds are GNU `date`'s.
    #[test]
    fn a_time_is_read_to_the_second() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2026-01-31T00:00:00Z", 1_769_817_600),
            ("2026-01-31T12:34:56Z", 1_769_862_896),
            ("2028-02-29T23:59:59Z", 1_835_481_599),
            ("2000-02-29T00:00:00Z", 951_782_400),
            // What is east of Greenwich has its times earlier.
            ("2026-01-31T00:00:00+00:00", 1_769_817_600),
            ("2026-01-31T00:00:00-00:00", 1_769_817_600),
            ("2026-01-31T00:00:00+05:30", 1_769_797_800),
            ("2026-01-31T00:00:00-05:30", 1_769_837_400),
            ("2026-01-31T00:00:00+23:59", 1_769_731_260),
            ("2026-01-31T00:00:00-23:59", 1_769_903_940),
            ("2026-01-31T00:00:00-25:59", 1_769_911_140),
            // A leap second is the one before, as clocks that know none show it.
            ("2016-12-31T23:59:60Z", 1_483_228_799),
            ("2017-01-01T05:29:60+05:30", 1_483_228_799),
            ("0000-01-01T00:00:00Z", -62_167_219_200),
            ("9999-12-30T21:59:59Z", 253_402_207_199),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_in_just_this_form_is_none() {
        for text in [
            "",
            "2026-01-31",
            "2026-01-31T00:00:00",
            "2026-01-31 00:00:00Z",
            "2026-01-31t00:00:00Z",
            "2026-01-31T00:00:00z",
            "2026-01-31T00:00:00.5Z",
            "2026-01-31T00:00:00,5Z",
            "2026-01-31T00:00Z",
            "2026-01-31T00Z",
            "2026-01-31T00:00:00+05",
            "2026-01-31T00:00:00+0530",
            "2026-01-31T00:00:00+05:30:00",
            "2026-01-31T00:00:00\u{2212}05:30",
            "2026-01-31T00:00:00+5:30",
            "2026-01-31T00:00:00Z[UTC]",
            " 2026-01-31T00:00:00Z",
            "2026-01-31T00:00:00Z ",
            "2026-01-31T00:00:00Z\n",
            "+2026-01-31T00:00:00Z",
            "12026-01-31T00:00:00Z",
            "026-01-31T00:00:00Z",
            "-026-01-31T00:00:00Z",
            "20260131T000000Z",
            "2026-1-31T00:00:00Z",
            "2026-031T00:00:00Z",
            "2026-W05-6T00:00:00Z",
            "1769817600",
            "\u{662}026-01-31T00:00:00Z",
            // No day of the calendar, or no time of day.
            "2026-00-31T00:00:00Z",
            "2026-13-31T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-32T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T25:00:00Z",
            "2026-01-31T00:60:00Z",
            "2026-01-31T00:00:61Z",
            "2026-01-31T00:00:00+00:60",
            "2026-01-31T00:00:00+26:00",
            "2026-01-31T00:00:00+99:99",
            // The year 10000.
            "9999-12-31T23:59:59-00:01",
        ] {
            assert_eq!(seconds(text), None, "{text:?}");
        }
    }
}
