//! `vestibule token`: a signed token for tests.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde_json::{Map, Value};
use vestibule::json::{self, Bounds};

use crate::signing_key::{Algorithm, SigningKey};
use crate::{Exit, Failure, clock, file, print};

/// Print a signed token for tests.
///
/// For tests only: whoever can sign tokens that a door believes can be anyone. Keep keys made here out of
/// the configuration of anything that matters.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  vestibule keygen p256 --out signing.pem > jwks.json\n  \
    vestibule token --key signing.pem --issuer https://issuer.example --audience api \\\n    \
    --subject alice --tenant acme --permission orders:read --claim 'plan=\"gold\"'\n\n\
    A context, as `context.mint` makes them:\n  \
    vestibule token --key signing.pem --typ txntoken+jwt --issuer https://gateway.example --audience mesh \\\n    \
    --subject alice --claim 'txn=\"1\"' --claim 'tctx={\"tenant\":\"acme\",\"permissions\":[\"orders:read\"]}'")]
pub(crate) struct Args {
    /// The private key: PKCS#8 PEM, RSA, P-256, P-384 or Ed25519
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The key id in the header [default: the key's RFC 7638 thumbprint, as `keygen` prints it]
    #[arg(long)]
    kid: Option<String>,
    /// How to sign [default: RS256, ES256, ES384 or EdDSA, by the key]
    #[arg(long, value_enum)]
    alg: Option<Algorithm>,
    /// The type in the header; of a context it is txntoken+jwt
    #[arg(long, value_name = "TYPE", default_value = "JWT")]
    typ: String,
    /// The claim `iss`
    #[arg(long)]
    issuer: String,
    /// The claim `aud`; given several times, a list
    #[arg(long, required = true)]
    audience: Vec<String>,
    /// The claim `sub`
    #[arg(long)]
    subject: Option<String>,
    /// The claim `tenant_id`
    #[arg(long)]
    tenant: Option<String>,
    /// An element of the claim `permissions`; repeatable
    #[arg(long, value_name = "PERMISSION")]
    permission: Vec<String>,
    /// Another claim, its value as JSON; repeatable
    #[arg(long, value_name = "NAME=JSON", value_parser = claim)]
    claim: Vec<(String, Value)>,
    /// How long the token is good for: 90s, 5m, 24h at most
    #[arg(long, value_name = "DURATION", value_parser = lifetime, default_value = "5m")]
    lifetime: i64,
}

/// A PEM of the largest key in use is a tenth of this.
const PEM_MOST: u64 = 64 * 1024;

/// As deep as the claims of a token may go.
const DEPTH: usize = 32;

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let key = read_key(args)?;
    let kid = args.kid.clone().unwrap_or_else(|| key.thumbprint());
    let token = key
        .sign(&kid, &args.typ, claims(args)?)
        .ok_or_else(|| Failure::new("the token could not be signed with this key"))?;
    print(token)?;
    Ok(Exit::Fine)
}

fn read_key(args: &Args) -> Result<SigningKey, Failure> {
    let name = file::name(&args.key);
    let pem = String::from_utf8(file::read(&args.key, PEM_MOST)?)
        .map_err(|_| Failure(format!("{name}: not a private key in PEM")))?;
    SigningKey::from_pem(&pem, args.alg).ok_or_else(|| {
        let kind = match args.alg {
            None => "an RSA key of 2048 to 4096 bits, a P-256, a P-384 or an Ed25519 key",
            Some(Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512) => "an RSA key of 2048 to 4096 bits",
            Some(Algorithm::Es256) => "a P-256 key",
            Some(Algorithm::Es384) => "a P-384 key",
            Some(Algorithm::EdDsa) => "an Ed25519 key",
        };
        Failure(format!(
            "{name}: not {kind} as unencrypted PKCS#8 PEM; `openssl pkcs8 -topk8 -nocrypt` converts other PEM"
        ))
    })
}

fn claims(args: &Args) -> Result<Map<String, Value>, Failure> {
    let now = i64::try_from(clock::now()?).map_err(|_| Failure::new("this machine's clock is far ahead"))?;
    let audience = match args.audience.as_slice() {
        [audience] => audience.as_str().into(),
        audiences => audiences.into(),
    };
    let mut claims = Map::new();
    claims.insert("iss".to_owned(), args.issuer.as_str().into());
    claims.insert("aud".to_owned(), audience);
    claims.insert("iat".to_owned(), now.into());
    claims.insert("exp".to_owned(), now.saturating_add(args.lifetime).into());
    if let Some(subject) = &args.subject {
        claims.insert("sub".to_owned(), subject.as_str().into());
    }
    if let Some(tenant) = &args.tenant {
        claims.insert("tenant_id".to_owned(), tenant.as_str().into());
    }
    if !args.permission.is_empty() {
        claims.insert("permissions".to_owned(), args.permission.as_slice().into());
    }
    for (name, value) in &args.claim {
        if claims.insert(name.clone(), value.clone()).is_some() {
            return Err(Failure(format!("--claim {name}: the token has a claim `{name}` already")));
        }
    }
    Ok(claims)
}

fn claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=JSON")?;
    if name.is_empty() {
        return Err("the name is empty".to_owned());
    }
    let value =
        json::parse(value.as_bytes(), Bounds { depth: DEPTH, duplicates: 1 }).map_err(
            |error| match error {
                json::Error::Syntax(_) => {
                    format!("the value is not JSON; text is written in quotes: '{name}=\"text\"'")
                }
                json::Error::Duplicates(paths) => format!("members occur twice: {}", paths.join(", ")),
            },
        )?;
    Ok((name.to_owned(), value))
}

fn lifetime(text: &str) -> Result<i64, String> {
    const DAY: i64 = 24 * 60 * 60;
    match text.parse::<SignedDuration>().map(|duration| (duration.as_secs(), duration.subsec_nanos())) {
        Ok((seconds @ 1..=DAY, 0)) => Ok(seconds),
        Ok(_) => Err("whole seconds, from 1s to 24h".to_owned()),
        Err(_) => Err("write a number and a unit: 90s, 5m, 24h".to_owned()),
    }
}
