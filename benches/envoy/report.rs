//! What was measured, as a table for readers and as JSON for programs.

use serde_json::{Value, json};

use super::sample::{Ratio, Row};
use super::statistics::Spread;

/// The table of the variants.
pub fn rows(rows: &[Row<'_>]) -> String {
    let mut lines = vec![format!(
        "{:<20} {:<44} {:>8} {:>8} {:>17} {:>8} {:>8} {:>8}",
        "variant", "", "CPU us", "added", "middle half", "req/s", "p50 us", "p99 us"
    )];
    lines.extend(rows.iter().map(|row| {
        let [p50, p99] = row.latency.map(|latency| latency.as_secs_f64() * 1e6);
        let (added, half) = row
            .added
            .map_or_else(Default::default, |added| (format!("{:.2}", added.median), middle_half(added)));
        format!(
            "{:<20} {:<44} {:>8.2} {added:>8} {half:>17} {:>8.0} {p50:>8.0} {p99:>8.0}",
            row.variant.name, row.variant.title, row.cpu.median, row.rate.median
        )
    }));
    lines.join("\n")
}

/// The table of the comparisons.
pub fn ratios(ratios: &[Ratio]) -> String {
    let mut lines = vec![format!(
        "{:<50} {:>7} {:>17} {:>7}",
        "what it adds, over its peer", "ratio", "middle half", "goal"
    )];
    lines.extend(ratios.iter().map(|Ratio { comparison, ratio }| {
        let (goal, side) = match comparison.goal {
            Some(goal) => (format!("<={goal}"), ratio.beside(goal).as_str()),
            None => (String::new(), ""),
        };
        let (median, half) = (ratio.median, middle_half(*ratio));
        format!("{:<50} {median:>7.3} {half:>17} {goal:>7} {side}", comparison.title).trim_end().to_owned()
    }));
    lines.join("\n")
}

/// Both, for programs.
pub fn to_json(rows: &[Row<'_>], ratios: &[Ratio]) -> Value {
    let variants: Vec<Value> = rows
        .iter()
        .map(|row| {
            let micros = |which: usize| (row.latency[which].as_secs_f64() * 1e7).round() / 10.0;
            json!({
                "name": row.variant.name,
                "title": row.variant.title,
                "base": row.variant.base,
                "cpu_us": row.cpu.to_json(),
                "added_us": row.added.map(Spread::to_json),
                "requests_per_second": row.rate.to_json(),
                "latency_us": { "p50": micros(0), "p99": micros(1) },
                "requests": row.requests,
            })
        })
        .collect();
    let comparisons: Vec<Value> = ratios
        .iter()
        .map(|Ratio { comparison, ratio }| {
            json!({
                "title": comparison.title,
                "variant": comparison.variant,
                "peer": comparison.peer,
                "ratio": ratio.to_json(),
                "goal": comparison.goal,
                "side": comparison.goal.map(|goal| ratio.beside(goal).as_str()),
            })
        })
        .collect();
    json!({ "variants": variants, "comparisons": comparisons })
}

pub(super) fn middle_half(spread: Spread) -> String {
    format!("{:.2} to {:.2}", spread.low, spread.high)
}
