//! How many instructions Vestibule's own work takes: `make bench-instructions`. A count is the same on a machine
//! that does other things besides, so that a change of a hundredth is seen; how long an instruction takes it does
//! not tell. It judges nothing.
//!
//! Each case runs in a process of its own under Valgrind, which counts what happens within [`counted`] alone. The
//! counts are kept in `target/instructions.txt`, or the file that is named, and the next run is told beside them.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement that cannot go on ends with the reason"
)]

mod cases;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::process::{Command, ExitCode};

use cases::{Case, NAMES};

const KEPT: &str = "target/instructions.txt";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--case", name] => {
            let case = Case::named(name);
            // What is remembered is remembered then, and the allocator has settled.
            (0..100).for_each(|_| case.run());
            counted(&case);
        }
        [] => compare(KEPT),
        ["--kept", file] => compare(file),
        other => {
            eprintln!("{other:?} is not understood: bench-instructions [--kept FILE]");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// What Valgrind is told to count, by its name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn counted(case: &Case) {
    case.run();
}

fn compare(file: &str) {
    let before = fs::read_to_string(file).unwrap_or_default();
    let before: BTreeMap<&str, u64> = before.lines().filter_map(line).collect();
    let mut kept = String::new();
    println!("{:<28} {:>12} {:>12} {:>8}", "case", "instructions", "before", "change");
    for name in NAMES {
        let count = count(name);
        writeln!(kept, "{count} {name}").expect("a text grows");
        match before.get(name) {
            Some(before) => println!("{name:<28} {count:>12} {before:>12} {:>7.1}%", change(*before, count)),
            None => println!("{name:<28} {count:>12} {:>12}", "-"),
        }
    }
    fs::write(file, kept).unwrap_or_else(|error| panic!("{file}: {error}"));
}

fn line(line: &str) -> Option<(&str, u64)> {
    let (count, name) = line.split_once(' ')?;
    Some((name, count.parse().ok()?))
}

#[expect(clippy::cast_precision_loss, reason = "a percentage")]
fn change(before: u64, now: u64) -> f64 {
    (now as f64 / before as f64 - 1.0) * 100.0
}

fn count(name: &str) -> u64 {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .args(["--toggle-collect=counted"])
        .arg(env::current_exe().expect("a program knows where it is"))
        .args(["--case", name])
        .output()
        .unwrap_or_else(|error| panic!("valgrind: {error}"));
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{name}: {told}");
    let collected = told.lines().find_map(|line| line.split_once("Collected :"));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    count.filter(|count| *count > 0).unwrap_or_else(|| panic!("{name}: nothing was counted: {told}"))
}
