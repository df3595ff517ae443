//! The bytes of a turn's requests, made before the clock runs.

use std::collections::BTreeMap;

use super::doors::GATEWAY_KEY;
use super::support::http::{Call, get};
use super::tokens::{Form, Mint, Minted, PERMISSIONS, TENANT};
use super::variants::{Requests, Variant};

/// How many callers come again and again.
const CALLERS: usize = 64;

/// The credentials of one launch.
pub struct Wallet {
    mint: Mint,
    seen: BTreeMap<Form, Vec<Minted>>,
    /// Of this round: every variant that wants new ones gets the same, which its own listener has never seen.
    new: BTreeMap<Form, Vec<Minted>>,
}

impl Wallet {
    /// With nothing in it.
    pub fn new() -> Self {
        Self { mint: Mint::new(), seen: BTreeMap::new(), new: BTreeMap::new() }
    }

    /// A token that was never there before, and is never there again.
    pub fn token(&mut self, form: Form) -> Minted {
        self.mint.token(form)
    }

    /// Throws away what the last round has used up.
    pub fn begin_round(&mut self) {
        self.new.clear();
    }

    /// So many requests for this variant.
    pub fn requests(&mut self, variant: &Variant, count: usize) -> Vec<Vec<u8>> {
        let mint = &mut self.mint;
        let (form, tokens) = match variant.requests {
            Requests::GatewayKey => {
                return vec![with_gateway_key(variant.path).bytes(); count];
            }
            Requests::Seen(form) => {
                let tokens = self.seen.entry(form).or_default();
                while tokens.len() < CALLERS {
                    tokens.push(mint.token(form));
                }
                (form, &*tokens)
            }
            Requests::New(form) => {
                let tokens = self.new.entry(form).or_default();
                while tokens.len() < count {
                    tokens.push(mint.token(form));
                }
                (form, &*tokens)
            }
        };
        let tokens = tokens.iter().cycle().take(count);
        tokens.map(|minted| with_token(variant.path, form, &minted.token).bytes()).collect()
    }
}

/// What a client sends with this token.
pub fn with_token(path: &str, form: Form, token: &str) -> Call {
    match form {
        Form::Context => without_credential(path).header("txn-token", token),
        _ => without_credential(path).bearer(token),
    }
}

/// What the outer door sends on.
pub fn with_gateway_key(path: &str) -> Call {
    as_from_the_gateway(path).header("x-gateway-key", GATEWAY_KEY)
}

/// The same without the key, as anybody could send it.
pub fn as_from_the_gateway(path: &str) -> Call {
    without_credential(path)
        .header("x-user-id", "alice")
        .header("x-tenant-id", TENANT)
        .header("x-user-permissions", PERMISSIONS.join(","))
}

/// What any client sends.
pub fn without_credential(path: &str) -> Call {
    get(path).header("host", "api.eu.example.com").header("user-agent", "bench/1").header("accept", "*/*")
}
