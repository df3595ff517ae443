//! A point in time, given to the core and never asked for by it.

use std::time::Duration;

/// Time since 1970-01-01T00:00:00Z, to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(Duration);

/// 9999-12-31T23:59:59Z. A date past it is a mistake (milliseconds, most often), not a very long life.
const LATEST: Duration = Duration::from_secs(253_402_300_799);

impl UnixTime {
    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Whole seconds since the epoch; what is left of one is dropped.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0.as_secs()
    }

    /// Nanoseconds since the epoch, as the host's clock gives them.
    #[must_use]
    pub const fn from_nanos(nanoseconds: u64) -> Self {
        Self(Duration::from_nanos(nanoseconds))
    }

    /// A NumericDate (RFC 7519 section 2): seconds, perhaps with a fraction. `None` where the number is
    /// negative or lies past the year 9999. Zero is a date like any other.
    #[must_use]
    pub fn from_numeric_date(number: &serde_json::Number) -> Option<Self> {
        let since_epoch = match number.as_u64() {
            Some(seconds) => Duration::from_secs(seconds),
            None => Duration::try_from_secs_f64(number.as_f64()?).ok()?,
        };
        (since_epoch <= LATEST).then_some(Self(since_epoch))
    }

    /// This time moved later. It cannot overflow for the times and leeways that Vestibule accepts; it
    /// saturates.
    #[must_use]
    pub fn later_by(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// This time moved earlier, at most to the epoch.
    #[must_use]
    pub fn earlier_by(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration))
    }

    /// The time from `earlier` to this; zero where it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    fn date(json: &str) -> Option<UnixTime> {
        UnixTime::from_numeric_date(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn zero_is_a_date() {
        assert_eq!(date("0"), Some(UnixTime::from_secs(0)));
    }

    #[test]
    fn a_fraction_keeps_its_part_of_a_second() {
        assert_eq!(date("1.5"), Some(UnixTime::from_nanos(1_500_000_000)));
    }

    #[test]
    fn a_negative_number_is_no_date() {
        assert_eq!(date("-1"), None);
        assert_eq!(date("-0.5"), None);
    }

    /// In 2106, where 32 bits end.
    #[test]
    fn a_date_past_32_bits_is_that_date_and_none_that_is_past() {
        assert_eq!(date("4294967295"), Some(UnixTime::from_secs(4_294_967_295)));
        assert_eq!(date("4294967296"), Some(UnixTime::from_secs(4_294_967_296)));
        assert_eq!(date("4294967296.5"), Some(UnixTime::from_nanos(4_294_967_296_500_000_000)));
        assert!(UnixTime::from_secs(4_294_967_295) < UnixTime::from_secs(4_294_967_296));
        let later = UnixTime::from_secs(4_294_967_295).later_by(Duration::from_secs(60));
        assert_eq!(later, UnixTime::from_secs(4_294_967_355));
    }

    #[test]
    fn a_number_past_the_year_9999_is_no_date() {
        assert_eq!(date("253402300799"), Some(UnixTime::from_secs(253_402_300_799)));
        assert_eq!(date("253402300800"), None);
        assert_eq!(date("1e300"), None);
        assert_eq!(date("18446744073709551616"), None);
    }
}
