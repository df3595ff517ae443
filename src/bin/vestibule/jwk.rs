//! `vestibule jwk`: the public JWK of a key that is at hand as PEM.

use std::path::PathBuf;

use serde_json::Value;
use vestibule::jose::jwk::Key;
use vestibule::jose::key::{Unusable, VerifyingKey};
use vestibule::jose::signing::SigningKey;
use vestibule::jose::thumbprint::named_jwk;

use crate::{Exit, Failure, file, print};

/// Print the public JWK of a key, as `context.mint.announce` takes it.
///
/// Of a private key the public part alone is printed. `kid` is the key's RFC 7638 thumbprint, by which a context
/// names the key that signed it.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  vestibule keygen p256 --out next.pem > /dev/null\n  vestibule jwk next.pem\n  \
    kubectl get secret context-key -o jsonpath='{.data.key}' | base64 -d | vestibule jwk -"
)]
pub(crate) struct Args {
    /// The key: PKCS#8 PEM where it is private, SubjectPublicKeyInfo PEM where it is public; `-` is standard
    /// input
    #[arg(value_name = "FILE")]
    key: PathBuf,
}

/// A PEM of the largest key in use is a tenth of this.
const MOST: u64 = 64 * 1024;

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let name = file::name(&args.key);
    let pem = String::from_utf8(file::read(&args.key, MOST)?)
        .map_err(|_| Failure(format!("{name}: it is not PEM, but other bytes")))?;
    print(jwk(&pem).map_err(|reason| Failure(format!("{name}: {reason}")))?)?;
    Ok(Exit::Fine)
}

fn jwk(pem: &str) -> Result<Value, Unusable> {
    // What is wrong with a private key is told as of a private key.
    let (public, algorithm) = if pem.contains("PRIVATE KEY-----") {
        let key = SigningKey::from_pem(pem)?;
        (key.public().clone(), key.algorithm())
    } else {
        let key = Key::new(VerifyingKey::from_pem(pem)?, None, None, None)?;
        let algorithm = key.algorithms().first().copied().ok_or("it serves no algorithm")?;
        (key.material().clone(), algorithm)
    };
    named_jwk(&public, algorithm).ok_or("it has no public part")
}
