//! What was measured of memory and loading, as a table for readers and as JSON for programs.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::memory::{Cost, Goals, Subject};
use super::report::middle_half;
use super::statistics::Spread;

/// The workers that the goals speak of.
const WORKERS: usize = 2;

/// A goal, and what there is of it.
struct Judged {
    what: String,
    is: Spread,
    goal: f64,
}

/// The table, and how it compares with the goals.
///
/// # Errors
/// Where the file of a module cannot be read.
pub fn table(subjects: &[Subject], costs: &[Cost]) -> Result<String, String> {
    let head = ["RssAnon MiB", "added", "middle half", "serves ms", "added", "CPU ms", "added"];
    let [memory, added, half, wall, later, cpu, more] = head;
    let mut lines = vec![format!(
        "{:<30} {:>7} {memory:>12} {added:>7} {half:>15} {wall:>10} {later:>7} {cpu:>7} {more:>7}",
        "", "workers"
    )];
    lines.extend(costs.iter().map(|cost| {
        let ([memory, added], [wall, later], [cpu, more]) = (cost.memory, cost.wall, cost.cpu);
        let (name, half) = (&subjects[cost.subject].name, middle_half(added));
        format!(
            "{name:<30} {:>7} {:>12.1} {:>7.1} {half:>15} {:>10.0} {:>7.0} {:>7.0} {:>7.0}",
            cost.workers, memory.median, added.median, wall.median, later.median, cpu.median, more.median
        )
    }));
    lines.push(String::new());
    for Judged { what, is, goal } in judged(subjects, costs)? {
        let side = is.beside(goal).as_str();
        lines.push(format!(
            "{what:<52} {:>7.1} {:>17} {:>7} {side}",
            is.median,
            middle_half(is),
            format!("<={goal}")
        ));
    }
    Ok(lines.join("\n"))
}

/// The same for programs.
///
/// # Errors
/// Where the file of a module cannot be read.
pub fn to_json(subjects: &[Subject], costs: &[Cost]) -> Result<Value, String> {
    let both = |[all, added]: [Spread; 2]| json!({ "all": all.to_json(), "added": added.to_json() });
    let costs_of: Vec<Value> = costs
        .iter()
        .map(|cost| {
            json!({
                "name": subjects[cost.subject].name,
                "workers": cost.workers,
                "anonymous_mib": both(cost.memory),
                "until_it_serves_ms": both(cost.wall),
                "cpu_ms": both(cost.cpu),
            })
        })
        .collect();
    let goals: Vec<Value> = judged(subjects, costs)?
        .into_iter()
        .map(|Judged { what, is, goal }| {
            json!({ "what": what, "is": is.to_json(), "goal": goal, "side": is.beside(goal).as_str() })
        })
        .collect();
    Ok(json!({ "starts": costs_of, "goals": goals }))
}

fn judged(subjects: &[Subject], costs: &[Cost]) -> Result<Vec<Judged>, String> {
    let mut judged = Vec::new();
    for (which, Subject { name, module, goals: Goals { size, load, memory }, .. }) in
        subjects.iter().enumerate()
    {
        let cost = costs.iter().find(|cost| cost.subject == which && cost.workers == WORKERS);
        let mut add = |what: &str, is: Option<Spread>, goal: &Option<f64>| {
            let judge =
                |(is, goal): (Spread, &f64)| Judged { what: format!("{name}: {what}"), is, goal: *goal };
            judged.extend(is.zip(goal.as_ref()).map(judge));
        };
        let size_of = module.as_deref().map(kilobytes).transpose()?;
        add("size, KB", size_of.map(|size| Spread::of(&[size])), size);
        add("added until 2 workers serve, ms", cost.map(|cost| cost.wall[1]), load);
        add("added with 2 workers, MiB", cost.map(|cost| cost.memory[1]), memory);
    }
    Ok(judged)
}

fn kilobytes(module: &Path) -> Result<f64, String> {
    let bytes = fs::metadata(module).map_err(|error| format!("{}: {error}", module.display()))?.len();
    #[expect(clippy::cast_precision_loss, reason = "some hundred thousand bytes")]
    let kilobytes = bytes as f64 / 1e3;
    Ok(kilobytes)
}
