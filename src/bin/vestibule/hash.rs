//! `vestibule hash`: the SHA-256 by which an inner door knows a gateway key.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, BufRead, IsTerminal, Read};

use sha2::{Digest, Sha256};
use vestibule::credential::gateway_key::GatewayKey;

use crate::{Exit, Failure, file, print, tell};

/// Print the SHA-256 of a gateway key, for an inner door's `entrances`.
///
/// The key is read from standard input and never from an argument, which every process of the machine could
/// read. One line end after it is not part of it.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  vestibule hash < gateway.key\n  \
    kubectl get secret gateway-key -o jsonpath='{.data.key}' | base64 -d | vestibule hash")]
pub(crate) struct Args {
    // Caught here, for clap would repeat a key given by mistake in its message.
    #[arg(hide = true, num_args = 0.., allow_hyphen_values = true, trailing_var_arg = true)]
    arguments: Vec<OsString>,
}

/// More than any gateway key; what is not one need not be read to its end.
const MOST: u64 = 8192;

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    if !args.arguments.is_empty() {
        return Err(Failure::new(
            "hash takes no arguments: it reads the key from standard input. \
             If a key was given as an argument, other processes could read it: make a new one",
        ));
    }
    let key = GatewayKey::new(&read()?).map_err(Failure::new)?;
    print(hex_of_sha256(key.as_bytes()))?;
    Ok(Exit::Fine)
}

/// The SHA-256 of a key, as the configuration wants it.
pub(crate) fn hex_of_sha256(key: &[u8]) -> String {
    Sha256::digest(key).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn read() -> Result<Vec<u8>, Failure> {
    let mut stdin = io::stdin().lock();
    let key = if io::stdin().is_terminal() {
        tell(
            "Paste the gateway key and press Enter. The terminal shows it; `vestibule hash < FILE` does not.",
        );
        let mut line = Vec::new();
        stdin.take(MOST).read_until(b'\n', &mut line).map(|_| Some(line))
    } else {
        file::read_to_limit(&mut stdin, MOST)
    };
    let mut key = key
        .map_err(|error| Failure(format!("standard input: {error}")))?
        .ok_or_else(|| Failure(format!("standard input: more than {MOST} bytes are no gateway key")))?;
    if key.last() == Some(&b'\n') {
        key.pop();
        if key.last() == Some(&b'\r') {
            key.pop();
        }
    }
    Ok(key)
}
