//! The operator's command line: checks configurations, explains and tests their decisions, makes keys and test
//! tokens, and says what a configuration may hold.
//!
//! What is right or wrong the library says; the commands read, ask and print. None of them prints a secret
//! that it was not asked to make.

mod bootstrap;
mod check;
mod clock;
mod decide;
mod document;
mod file;
mod hash;
mod jwk;
mod key_bounds;
mod key_clusters;
mod key_upstream;
mod keygen;
mod manifest;
mod pair;
mod peer_validation;
mod placement;
mod published;
mod scenario;
mod schema;
mod signing_key;
mod terminal;
mod test;
mod token;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks Vestibule's configurations, explains and tests their decisions, and makes keys and test tokens.
#[derive(Parser)]
#[command(name = "vestibule", version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 fine or allowed, 1 failure, 2 denied, 3 invalid configuration.";

#[derive(Subcommand)]
enum Command {
    Check(check::Args),
    Decide(decide::Args),
    Test(test::Args),
    Keygen(keygen::Args),
    Jwk(jwk::Args),
    Token(token::Args),
    Hash(hash::Args),
    Schema(schema::Args),
}

/// How the process ends.
#[derive(Clone, Copy)]
enum Exit {
    Fine = 0,
    Failure = 1,
    Denied = 2,
    Invalid = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not do its work, in words for the operator. Never holds a secret.
#[derive(Debug)]
struct Failure(String);

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(usage) => {
            // clap would end with 2, which means "denied" here.
            let exit = if usage.use_stderr() { Exit::Failure } else { Exit::Fine };
            // It repeats what it cannot use.
            let text = usage.render().to_string();
            let shown = terminal::without_tokens(&text);
            let printed =
                if shown == text { usage.print() } else { io::stderr().write_all(shown.as_bytes()) };
            return if printed.is_ok() { exit.into() } else { Exit::Failure.into() };
        }
    };
    let outcome = match &command {
        Command::Check(args) => check::run(args),
        Command::Decide(args) => decide::run(args),
        Command::Test(args) => test::run(args),
        Command::Keygen(args) => keygen::run(args),
        Command::Jwk(args) => jwk::run(args),
        Command::Token(args) => token::run(args),
        Command::Hash(args) => hash::run(args),
        Command::Schema(args) => schema::run(args),
    };
    outcome
        .unwrap_or_else(|failure| {
            tell(format_args!("vestibule: {}", failure.0));
            Exit::Failure
        })
        .into()
}

/// Writes a line to standard output: what the command was asked for.
fn print(line: impl Display) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure(format!("standard output: {error}")))
}

/// Writes a line to standard error: what went wrong, or what to know. Who closed it does not want to know.
fn tell(line: impl Display) {
    let line = terminal::without_tokens(&line.to_string());
    let _ = writeln!(io::stderr(), "{}", terminal::plain(&line));
}
