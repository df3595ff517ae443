//! `vestibule test`: whether requests come out as their authors say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vestibule::denial::Code;

use crate::document::Fault;
use crate::scenario::{Case, Doors, File, Mask, Outcome, Refusal, difference};
use crate::{Exit, Failure, file, print, tell, terminal};

/// Decide about the requests in scenario files, and report each that does not come out as expected.
///
/// A scenario is a configuration, requests, and what is to become of each: a denial with its code, or the
/// headers that the service sees. It brings its own keys, secrets and clock, and neither Envoy nor an issuer
/// takes part. No token and no secret is printed: {{name}} stands in its place.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  vestibule test scenarios/*.yaml\n  vestibule test --json scenarios/*.yaml | jq \
    '.files[].cases[] | select(.result == \"failed\")'\n\n\
    docs/scenarios.md has every member of a scenario.\n\n\
    Exit codes: 0 every case passes, 1 a case fails or a file could not be read, 3 a configuration is invalid."
)]
pub(crate) struct Args {
    /// Scenarios, as JSON or YAML
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON document with every case
    #[arg(long)]
    json: bool,
}

/// A scenario has a few hundred kilobytes at most; the files that it names are smaller.
const MOST: u64 = 16 * 1024 * 1024;

/// What came of a file.
#[derive(Default)]
struct Report {
    /// What kept the file, or some of its cases, from being run.
    faults: Vec<Fault>,
    /// Whether a configuration is at fault, and whether anything else is.
    invalid: bool,
    unread: bool,
    cases: Vec<Ran>,
}

/// What came of a case.
struct Ran {
    name: String,
    end: End,
}

enum End {
    Passed,
    Failed { difference: String, expected: Value, got: Value },
    NotRun,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    // Opened once: who verifies is settled only once then.
    let mut doors = Doors::new();
    let mut reports = Vec::new();
    for path in &args.files {
        let report = Report::of(path, &mut doors);
        if !args.json {
            report.print(path)?;
        }
        reports.push((path, report));
    }
    let count = |is: fn(&End) -> bool| {
        let cases = reports.iter().flat_map(|(_, report)| &report.cases);
        cases.filter(|case| is(&case.end)).count()
    };
    let passed = count(|end| matches!(end, End::Passed));
    let failed = count(|end| matches!(end, End::Failed { .. }));
    let not_run = count(|end| matches!(end, End::NotRun));
    if args.json {
        let files = reports.iter().map(|(path, report)| report.to_json(path)).collect::<Vec<_>>();
        let document = json!({ "passed": passed, "failed": failed, "notRun": not_run, "files": files });
        print(terminal::plain_json(&document.to_string()))?;
    } else {
        let not_run = if not_run == 0 { String::new() } else { format!(", {not_run} not run") };
        print(format_args!("{passed} passed, {failed} failed{not_run}"))?;
    }
    let any = |is: fn(&Report) -> bool| reports.iter().any(|(_, report)| is(report));
    Ok(match (failed > 0 || any(|report| report.unread), any(|report| report.invalid)) {
        (true, _) => Exit::Failure,
        (false, true) => Exit::Invalid,
        (false, false) => Exit::Fine,
    })
}

impl Report {
    fn of(path: &Path, doors: &mut Doors) -> Self {
        let mut report = Self::default();
        match load(path) {
            Err(refusal) => report.refuse(refusal, ""),
            Ok(file) => {
                let mut told = BTreeSet::new();
                for case in &file.cases {
                    let end = judge(case, doors).unwrap_or_else(|refusal| {
                        // What cases share is told for the first of them.
                        if told.insert(format!("{refusal:?}")) {
                            report.refuse(refusal, &case.name);
                        }
                        End::NotRun
                    });
                    report.cases.push(Ran { name: case.name.clone(), end });
                }
            }
        }
        report
    }

    /// Notes what is wrong with a case, or with the file where no case is named.
    fn refuse(&mut self, refusal: Refusal, case: &str) {
        let (faults, at) = match refusal {
            Refusal::Scenario(faults) => {
                self.unread = true;
                (faults, case.to_owned())
            }
            Refusal::Configuration(faults) => {
                self.invalid = true;
                (faults, if case.is_empty() { String::new() } else { format!("{case}: config") })
            }
        };
        self.faults.extend(faults.into_iter().map(|fault| fault.inside(&at)));
    }

    fn print(&self, path: &Path) -> Result<(), Failure> {
        let file = file::name(path);
        self.faults.iter().for_each(|fault| tell(format_args!("{file}: {fault}")));
        for case in &self.cases {
            if let End::Failed { difference, .. } = &case.end {
                let line = format!("{file}: {}", Fault::new(&case.name, difference));
                print(terminal::plain(&line))?;
            }
        }
        Ok(())
    }

    fn to_json(&self, path: &Path) -> Value {
        let case = |case: &Ran| match &case.end {
            End::Passed => json!({ "name": case.name, "result": "passed" }),
            End::NotRun => json!({ "name": case.name, "result": "not run" }),
            End::Failed { difference, expected, got } => json!({
                "name": case.name, "result": "failed", "difference": difference, "expected": expected, "got": got,
            }),
        };
        json!({
            "file": file::name(path),
            "errors": self.faults.iter().map(Fault::to_string).collect::<Vec<_>>(),
            "cases": self.cases.iter().map(case).collect::<Vec<_>>(),
        })
    }
}

fn load(path: &Path) -> Result<File, Refusal> {
    let read = |path: &Path| file::read(path, MOST).map_err(|failure| failure.0);
    let text = file::read(path, MOST).map_err(|failure| Fault::new("", failure.0))?;
    File::parse(path, &text, &read)
}

fn judge(case: &Case, doors: &mut Doors) -> Result<End, Refusal> {
    let exchange = case.at(case.now)?;
    let door = doors.open(case)?;
    let (outcome, unseen) = door.decide(&exchange.request.delivered(), &exchange.request);
    let outcome = (exchange.opened(outcome), unseen);
    let mask = Mask::of(case, &exchange);
    let Some(mut difference) = difference::of_decision(&exchange, &outcome, &mask) else {
        return Ok(End::Passed);
    };
    if outcome.0 == Outcome::Denied(Code::KeysUnavailable) {
        let issuers = case.config.get("issuers").and_then(Value::as_object);
        let issuers = issuers.into_iter().flat_map(|issuers| issuers.keys());
        let silent: Vec<_> = issuers
            .filter(|name| door.has_remote_keys(name) && !case.published.contains_key(*name))
            .map(|name| format!("`{name}`"))
            .collect();
        if !silent.is_empty() {
            difference.push_str(&format!(": give the keys of {} under `published`", silent.join(", ")));
        }
    }
    let expected = difference::expected(&exchange, &mask);
    Ok(End::Failed { difference, expected, got: difference::got(&outcome, &mask) })
}
