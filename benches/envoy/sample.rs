//! Everything that was measured of every variant, round by round, and what follows from it.

use std::time::Duration;

use super::rounds::Sampled;
use super::statistics::{Spread, percentile};
use super::variants::{COMPARISONS, Comparison, Variant};

/// The rounds of all launches.
pub struct Samples<'v> {
    variants: &'v [Variant],
    series: Vec<Series>,
}

#[derive(Default)]
struct Series {
    cpu: Vec<f64>,
    rate: Vec<f64>,
    latencies: Vec<Duration>,
}

/// A variant as it was measured.
pub struct Row<'v> {
    /// Which.
    pub variant: &'v Variant,
    /// The worker's time for a request, in microseconds.
    pub cpu: Spread,
    /// What of it the filter added; none for a base.
    pub added: Option<Spread>,
    /// Answers in a second.
    pub rate: Spread,
    /// How soon half of the answers came, and how soon all but one in a hundred.
    pub latency: [Duration; 2],
    /// How many requests.
    pub requests: usize,
}

/// A comparison as it was measured.
pub struct Ratio {
    /// Which.
    pub comparison: &'static Comparison,
    /// What the variant adds over what its peer adds, round by round.
    pub ratio: Spread,
}

impl<'v> Samples<'v> {
    /// None so far.
    pub fn of(variants: &'v [Variant]) -> Self {
        Self { variants, series: variants.iter().map(|_| Series::default()).collect() }
    }

    /// One more round of the variant of this number.
    pub fn add(&mut self, which: usize, sampled: Sampled) {
        let series = &mut self.series[which];
        series.cpu.push(sampled.cpu);
        series.rate.push(sampled.rate);
        series.latencies.extend(sampled.latencies);
    }

    /// Each variant.
    pub fn rows(&self) -> Vec<Row<'v>> {
        let row = |(variant, series): (&'v Variant, &Series)| {
            let mut latencies = series.latencies.clone();
            latencies.sort_unstable();
            Row {
                variant,
                cpu: Spread::of(&series.cpu),
                added: self.added(&variant.name).map(|added| Spread::of(&added)),
                rate: Spread::of(&series.rate),
                latency: [50, 99].map(|percent| percentile(&latencies, percent)),
                requests: latencies.len(),
            }
        };
        self.variants.iter().zip(&self.series).map(row).collect()
    }

    /// Each comparison both sides of which were measured.
    pub fn ratios(&self) -> Vec<Ratio> {
        let ratio = |comparison: &'static Comparison| {
            let (added, peer) = (self.added(comparison.variant)?, self.added(comparison.peer)?);
            let ratios: Vec<f64> = added.iter().zip(&peer).map(|(added, peer)| added / peer).collect();
            Some(Ratio { comparison, ratio: Spread::of(&ratios) })
        };
        COMPARISONS.iter().filter_map(ratio).collect()
    }

    /// What a variant has added to its base, round by round.
    fn added(&self, name: &str) -> Option<Vec<f64>> {
        let which = self.variants.iter().position(|variant| variant.name == name)?;
        let base = self.variants[which].base?;
        let base = self.variants.iter().position(|variant| variant.name == base)?;
        let [series, base] = [which, base].map(|which| &self.series[which].cpu);
        Some(series.iter().zip(base).map(|(cpu, base)| cpu - base).collect())
    }
}
