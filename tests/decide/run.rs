//! `vestibule decide` as a process.

use std::fs;
use std::path::{Path, PathBuf};

use super::command::vestibule;
pub(crate) use super::command::{Cli, Run, directory};

/// `vestibule decide` with these arguments.
pub(crate) fn decide(configuration: &Path, arguments: &[&str]) -> Cli {
    let mut decide = vestibule(&["decide"]);
    decide.0.arg(configuration).args(arguments);
    decide
}

/// A file in the directory.
pub(crate) fn file(directory: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, content).unwrap();
    path
}
