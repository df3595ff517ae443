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
mod documentation;
mod hash;
mod keygen;
mod published;
mod route;
mod scenarios;
mod test;
mod token;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const KEY_SHA256: &str = "3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9";

/// What a run of the command left behind.
struct Run {
    code: i32,
    out: String,
    err: String,
}

struct Cli(Command);

fn vestibule(arguments: &[&str]) -> Cli {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(arguments).env_remove("VESTIBULE_GATEWAY_KEY");
    Cli(command)
}

impl Cli {
    fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    fn run(self) -> Run {
        self.input(b"")
    }

    fn input(mut self, input: impl AsRef<[u8]>) -> Run {
        let mut child =
            self.0.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that reads no input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_ref());
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    #[track_caller]
    fn succeeded(self) -> String {
        assert_eq!(self.code, 0, "{}", self.err);
        self.out
    }

    #[track_caller]
    fn failed(self, code: i32, message: &str) {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{}", self.err);
        assert!(self.err.contains(message), "{}", self.err);
    }
}

/// A directory of the test's own, empty at its start.
fn directory(test: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(test);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

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
