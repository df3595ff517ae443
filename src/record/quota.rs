//! How many of the same are told of: some of each kind and minute, so that nobody fills a disk by being denied, nor
//! an Envoy by failing. What is left out is counted, and told of with the next line or at the end of the minute.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::denial::Code;
use crate::time::UnixTime;

/// The time for which the bound on lines is.
const WINDOW: Duration = Duration::from_secs(60);

/// What comes as often as requests do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Denials of a code.
    Denial(Code),
    /// Failures of a call of the host.
    Failure(&'static str),
}

/// What was told of lately, of each kind.
#[derive(Debug, Default)]
pub struct Quota(BTreeMap<Kind, Window>);

#[derive(Debug)]
struct Window {
    start: UnixTime,
    told: usize,
    left_out: u64,
}

impl Quota {
    /// Whether one of this kind is told of, of which `most` are in a minute. If so, how many were not since the
    /// last that was.
    pub fn ask(&mut self, kind: Kind, most: usize, now: UnixTime) -> Option<u64> {
        let window = self.0.entry(kind).or_insert(Window { start: now, told: 0, left_out: 0 });
        if window.is_over(now) {
            (window.start, window.told) = (now, 0);
        }
        if window.told >= most {
            window.left_out = window.left_out.saturating_add(1);
            return None;
        }
        window.told = window.told.saturating_add(1);
        Some(std::mem::take(&mut window.left_out))
    }

    /// What was left out in minutes that are over, and has not been told of.
    pub fn settle(&mut self, now: UnixTime) -> Vec<(Kind, u64)> {
        let over = self.0.extract_if(.., |_, window| window.is_over(now));
        over.map(|(kind, window)| (kind, window.left_out)).filter(|(_, left_out)| *left_out > 0).collect()
    }
}

impl Window {
    /// So it is where the clock was set back.
    fn is_over(&self, now: UnixTime) -> bool {
        now < self.start || self.start.later_by(WINDOW) <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPIRED: Kind = Kind::Denial(Code::TokenExpired);

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(1_000 + seconds)
    }

    #[test]
    fn so_many_of_a_kind_are_told_of_in_a_minute_and_the_next_line_counts_the_others() {
        let mut quota = Quota::default();
        let mut ask = |seconds| quota.ask(EXPIRED, 2, at(seconds));
        assert_eq!([0, 1, 2, 59].map(&mut ask), [Some(0), Some(0), None, None]);
        assert_eq!([60, 61, 62].map(&mut ask), [Some(2), Some(0), None]);
        assert_eq!([120, 121].map(&mut ask), [Some(1), Some(0)]);
    }

    #[test]
    fn no_kind_takes_a_line_from_another() {
        let mut quota = Quota::default();
        let others = [Kind::Denial(Code::KeysUnavailable), Kind::Failure("a"), Kind::Failure("b")];
        assert_eq!(quota.ask(EXPIRED, 1, at(0)), Some(0));
        assert_eq!(quota.ask(EXPIRED, 1, at(0)), None);
        assert_eq!(others.map(|kind| quota.ask(kind, 1, at(0))), [Some(0); 3]);
    }

    #[test]
    fn what_was_left_out_is_told_once_when_its_minute_is_over() {
        let mut quota = Quota::default();
        for _ in 0..5 {
            quota.ask(EXPIRED, 2, at(0));
        }
        quota.ask(Kind::Denial(Code::RouteDenied), 2, at(0));
        assert_eq!(quota.settle(at(59)), []);
        assert_eq!(quota.settle(at(60)), [(EXPIRED, 3)]);
        assert_eq!(quota.settle(at(200)), []);
        assert_eq!(quota.ask(EXPIRED, 2, at(201)), Some(0));
    }

    #[test]
    fn a_clock_that_is_set_back_silences_nobody() {
        let mut quota = Quota::default();
        assert_eq!(quota.ask(EXPIRED, 1, at(500)), Some(0));
        assert_eq!(quota.ask(EXPIRED, 1, at(500)), None);
        assert_eq!(quota.ask(EXPIRED, 1, at(0)), Some(1));
    }
}
