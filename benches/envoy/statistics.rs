//! What is said of many samples: the one in the middle, and the quarters that the middle half lies between.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::thread::quartiles;

/// Of so many samples, the median and the quartiles.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// A quarter lies below.
    pub low: f64,
    /// Half lies below.
    pub median: f64,
    /// Three quarters lie below.
    pub high: f64,
}

/// On which side of a goal a spread lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Its middle half does not exceed the goal.
    Meets,
    /// Its middle half exceeds the goal.
    Misses,
    /// Its quartiles lie on both sides.
    Open,
}

impl Spread {
    /// Of these samples.
    ///
    /// # Panics
    /// Where there are none.
    pub fn of(samples: &[f64]) -> Self {
        assert!(!samples.is_empty(), "nothing was measured");
        let [median, low, high] = quartiles(samples);
        Self { low, median, high }
    }

    /// Where it lies.
    pub fn beside(self, goal: f64) -> Side {
        match (self.low <= goal, self.high <= goal) {
            (_, true) => Side::Meets,
            (true, false) => Side::Open,
            (false, false) => Side::Misses,
        }
    }

    /// As JSON.
    pub fn to_json(self) -> Value {
        let rounded = |value: f64| json!((value * 1e4).round() / 1e4);
        json!({ "q1": rounded(self.low), "median": rounded(self.median), "q3": rounded(self.high) })
    }
}

impl Side {
    /// In a table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Meets => "meets",
            Self::Misses => "misses",
            Self::Open => "open",
        }
    }
}

/// The time within which this share of the answers came: all are kept, so it is exact.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    // The nearest rank.
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted[rank - 1]
}
