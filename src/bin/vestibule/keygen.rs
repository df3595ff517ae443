//! `vestibule keygen`: key pairs for an issuer in tests and for contexts, and gateway keys.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Subcommand, ValueEnum};

use crate::hash::hex_of_sha256;
use crate::signing_key::{Algorithm, SigningKey};
use crate::{Exit, Failure, file, print, tell};

/// Make a key pair or a gateway key.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Subcommand)]
enum Kind {
    /// Make an RSA key pair: the private key goes to a file, the public JWK set to standard output
    #[command(after_help = "Example:\n  vestibule keygen rsa --out signing.pem > jwks.json\n\n\
        The JWK set is ready for `keys: [{jwks: ...}]` of an issuer.")]
    Rsa {
        /// Size of the modulus
        #[arg(long, value_enum, default_value = "2048")]
        bits: Bits,
        /// What the JWK says that the key is for; a JWK serves one algorithm
        #[arg(long, value_name = "ALG", value_parser = rsa_algorithm, default_value = "RS256")]
        alg: Algorithm,
        #[command(flatten)]
        out: KeyFile,
    },
    /// Make a P-256 key pair (ES256): the private key goes to a file, the public JWK set to standard output
    #[command(after_help = "Example:\n  vestibule keygen p256 --out signing.pem > jwks.json\n\n\
        The JWK set is ready for `keys: [{jwks: ...}]` of an issuer.")]
    P256 {
        #[command(flatten)]
        out: KeyFile,
    },
    /// Make a P-384 key pair (ES384): the private key goes to a file, the public JWK set to standard output
    #[command(after_help = "Example:\n  vestibule keygen p384 --out signing.pem > jwks.json\n\n\
        The JWK set is ready for `keys: [{jwks: ...}]` of an issuer.")]
    P384 {
        #[command(flatten)]
        out: KeyFile,
    },
    /// Make an Ed25519 key pair (EdDSA): the private key goes to a file, the public JWK set to standard output
    #[command(after_help = "Example:\n  vestibule keygen ed25519 --out signing.pem > jwks.json\n\n\
        The JWK set is ready for `keys: [{jwks: ...}]` of an issuer.")]
    Ed25519 {
        #[command(flatten)]
        out: KeyFile,
    },
    /// Make a gateway key: 32 random bytes as 43 characters of base64url
    ///
    /// The key goes to standard output, or with --out to a file that holds the key and no line end. Its
    /// SHA-256, for the inner door, goes to standard error; it is no secret.
    #[command(after_help = "Example:\n  vestibule keygen gateway-key --out gateway.key\n  \
        kubectl create secret generic gateway-key --from-file=key=gateway.key")]
    GatewayKey {
        /// Write the key here instead (mode 0600)
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Replace the file if it exists
        #[arg(long, requires = "out")]
        force: bool,
    },
}

#[derive(clap::Args)]
struct KeyFile {
    /// Where the private key goes, as PKCS#8 PEM (mode 0600)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Bits {
    #[value(name = "2048")]
    B2048 = 2048,
    #[value(name = "3072")]
    B3072 = 3072,
    #[value(name = "4096")]
    B4096 = 4096,
}

fn rsa_algorithm(name: &str) -> Result<Algorithm, String> {
    match Algorithm::from_str(name, false) {
        Ok(algorithm @ (Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512)) => Ok(algorithm),
        _ => Err("an RSA key serves RS256, RS384 or RS512".to_owned()),
    }
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    match &args.kind {
        Kind::Rsa { bits, alg, out } => key_pair(*alg, *bits, out),
        Kind::P256 { out } => key_pair(Algorithm::Es256, Bits::B2048, out),
        Kind::P384 { out } => key_pair(Algorithm::Es384, Bits::B2048, out),
        Kind::Ed25519 { out } => key_pair(Algorithm::EdDsa, Bits::B2048, out),
        Kind::GatewayKey { out, force } => gateway_key(out.as_ref(), *force),
    }
}

fn key_pair(algorithm: Algorithm, bits: Bits, out: &KeyFile) -> Result<Exit, Failure> {
    file::check_writable(&out.out, out.force)?;
    let key = SigningKey::generate(algorithm, bits as usize)
        .ok_or_else(|| Failure::new("the key pair could not be made"))?;
    let pem = key.to_pem().ok_or_else(|| Failure::new("the key pair could not be written as PEM"))?;
    file::write_private(&out.out, pem.as_bytes(), out.force)?;
    print(key.public_jwk_set())?;
    Ok(Exit::Fine)
}

fn gateway_key(out: Option<&PathBuf>, force: bool) -> Result<Exit, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure(format!("no randomness from the system: {error}")))?;
    let key = URL_SAFE_NO_PAD.encode(bytes);
    match out {
        Some(out) => file::write_private(out, key.as_bytes(), force)?,
        None => print(&key)?,
    }
    tell("# for the inner door, under entrances.NAME.keys.NAME:");
    tell(format_args!("sha256: {}", hex_of_sha256(key.as_bytes())));
    Ok(Exit::Fine)
}
