//! What the filter and its host called of each other, read from the log of an Envoy that logs everything.

use std::collections::BTreeMap;

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

/// What the filter called of its host within each call of it that begins so, such as `proxy_on_tick(1)`.
pub fn within<'l>(log: &'l str, call: &str) -> Vec<Vec<&'l str>> {
    let begin = format!("[host->vm] {call}");
    let end = format!("[host<-vm] {} ", call.split('(').next().unwrap_or(call));
    let mut open: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut closed = Vec::new();
    // What other threads do stands in between.
    for (thread, call) in calls(log) {
        if call.starts_with(&begin) {
            open.insert(thread, Vec::new());
        } else if call.starts_with(&end) {
            closed.extend(open.remove(thread));
        } else if let (Some(calls), Some(call)) = (open.get_mut(thread), call.strip_prefix("[vm->host] env."))
        {
            calls.push(call);
        }
    }
    closed
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
