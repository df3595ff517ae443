//! The operator's command, run as an operator runs it: arguments, standard input, files, and what comes back.
//!
//! Here is how it is run; the commands each have a file.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

mod bootstrap;
mod check;
#[path = "../support/command.rs"]
mod command;
mod documentation;
mod hash;
mod jwk;
mod keygen;
mod manifests;
mod peers;
mod published;
mod route;
mod scenarios;
mod test;
mod token;

use std::path::Path;

use command::{Run, directory, vestibule};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const KEY_SHA256: &str = "3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_usage_error_is_a_failure_and_help_is_none() {
    vestibule(&["nonsense"]).run().failed(1, "nonsense");
    vestibule(&[]).run().failed(1, "Usage");
    vestibule(&["check"]).run().failed(1, "FILE");
    vestibule(&["token"]).run().failed(1, "--issuer");
    for arguments in [&["--help"][..], &["--version"], &["check", "--help"], &["hash", "--help"]] {
        vestibule(arguments).run().succeeded();
    }
}
