//! Every file of `fuzz/corpus`, through the very functions that libFuzzer runs: what fuzzing once showed
//! stays shown, on stable Rust and without a fuzzer.
//!
//! A property of a target belongs into `fuzz/src`; here stands only that none is left out.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails where it stands"
)]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;
#[path = "corpus/seeds.rs"]
mod seeds;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fuzz::{TARGETS, Target};

/// All corpora together, in bytes: what everybody who clones this downloads.
const AT_MOST: u64 = 1_000_000;

#[test]
fn every_file_of_every_corpus_has_the_properties_of_its_target() {
    let mut failures = Vec::new();
    for (name, target) in TARGETS {
        let corpus = files(&root().join("corpus").join(name));
        assert!(!corpus.is_empty(), "the corpus of {name} is empty");
        let fails =
            |path: &&PathBuf| !holds(target, &fs::read(path).expect("a file of the corpus can be read"));
        failures.extend(corpus.iter().filter(fails).map(|path| path.display().to_string()));
    }
    assert!(failures.is_empty(), "{} files fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_seed_of_the_vectors_has_the_properties_of_its_target() {
    let seeds = seeds::of_vectors();
    let mut failures = Vec::new();
    for (name, target) in TARGETS {
        let of_target = seeds.iter().filter(|((of, _), _)| *of == name);
        assert!(of_target.clone().count() > 0, "the vectors have nothing for {name}");
        let failing = of_target.filter(|((_, seed), _)| !holds(target, seed));
        failures.extend(failing.map(|(_, case)| format!("{name}: {case}")));
    }
    assert!(failures.is_empty(), "{} seeds fail:\n{}", failures.len(), failures.join("\n"));
}

/// The message of a failure goes to the output as it is.
fn holds(target: Target, data: &[u8]) -> bool {
    catch_unwind(|| target(data)).is_ok()
}

#[test]
fn every_target_is_fuzzed_has_a_corpus_and_is_replayed() {
    let targets: BTreeSet<String> = TARGETS.map(|(name, _)| name.to_owned()).into();
    let names = |directory: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root().join(directory)).expect("the directory is there");
        let stem = |path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
        entries.filter_map(|entry| stem(entry.ok()?.path())).collect()
    };
    assert_eq!(names("targets"), targets);
    assert_eq!(names("corpus"), targets);
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the package has a manifest");
    for name in &targets {
        assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name} is not built");
    }
}

#[test]
fn the_corpora_stay_small() {
    let size = |path: &PathBuf| fs::metadata(path).expect("a file of the corpus has a size").len();
    let total: u64 = TARGETS
        .iter()
        .flat_map(|(name, _)| files(&root().join("corpus").join(name)))
        .map(|path| size(&path))
        .sum();
    assert!(total <= AT_MOST, "{total} bytes");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry can be read").path()).collect();
    files.sort();
    files
}
