//! What the filter and its host called of each other, read from the log of an Envoy that logs everything.

use std::collections::{BTreeMap, BTreeSet};

/// The periods, in milliseconds, that the filter has set its timers to, by thread and in order.
pub fn tick_periods(log: &str) -> BTreeMap<&str, Vec<u64>> {
    let mut periods: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (thread, call) in calls(log) {
        if let Some(rest) = call.strip_prefix("[vm->host] env.proxy_set_tick_period_milliseconds(") {
            let period = rest.trim_end_matches(')').parse().expect("a period");
            periods.entry(thread).or_default().push(period);
        }
    }
    periods
}

/// How many requests went on within a call that brought an answer to a fetch, and not at a look at the clock.
pub fn gone_on_with_an_answer(log: &str) -> usize {
    // What other threads do stands in between.
    let mut answering = BTreeSet::new();
    let mut count = 0;
    for (thread, call) in calls(log) {
        if call.starts_with("[host->vm] proxy_on_http_call_response(") {
            answering.insert(thread);
        } else if call.starts_with("[host<-vm] proxy_on_http_call_response ") {
            answering.remove(thread);
        } else if call.starts_with("[vm->host] env.proxy_continue_stream(") && answering.contains(thread) {
            count += 1;
        }
    }
    count
}

/// Every call, with its thread; a call's end is one too.
fn calls(log: &str) -> impl Iterator<Item = (&str, &str)> {
    // [date][thread][trace][wasm] [file:line] [host->vm] proxy_on_tick(1)
    log.lines().filter_map(|line| {
        let thread = line.split(['[', ']']).nth(3)?;
        let (_, call) = line.split_once("][trace][wasm] [")?.1.split_once("] ")?;
        Some((thread, call))
    })
}
