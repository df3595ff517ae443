//! The tokens that the requests carry: by whom, of which size, and never the same one twice.
//!
//! They are signed by `ring`, many thousands a minute, outside the time that is measured. It knows no door
//! and no variant.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use super::support::keys;

/// Who issues the tokens.
pub const ISSUER: &str = "https://issuer.example.com";
/// Whom they are for.
pub const AUDIENCE: &str = "https://api.example.com";
/// Who signs contexts.
pub const GATEWAY: &str = "https://gateway.example.com";
/// Whom contexts are for.
pub const MESH: &str = "mesh.example.com";
/// Where an outer door runs that signs contexts.
pub const WORKLOAD: &str = "spiffe://mesh.example.com/ns/edge/sa/gateway";
/// Every caller's tenant.
pub const TENANT: &str = "acme";
/// What every caller may do, but for [`Form::Powerless`].
pub const PERMISSIONS: [&str; 3] = ["orders:read", "orders:write", "invoices:read"];
/// The key of the tests that signs RS256 tokens.
pub const RSA_KEY: &str = "rsa-1";
/// The one that signs ES256 tokens.
pub const EC_KEY: &str = "ec-256b";
/// The one that signs contexts.
pub const CONTEXT_KEY: &str = "ec-256";

/// Long enough for the longest launch.
const LIFE: u64 = 3_600;

/// A kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// RS256, with what every token of the benchmark says: about 0.6 KB.
    Rs256,
    /// The same with groups, up to this many bytes.
    Rs256Of(usize),
    /// The same from the issuer of this number, where there are many.
    Rs256From(usize),
    /// ES256, of the size of a context.
    Es256,
    /// A context, as an outer door signs it.
    Context,
    /// RS256, for somebody who may do nothing here.
    Powerless,
}

/// Signs tokens, each for another subject.
pub struct Mint {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    context: EcdsaKeyPair,
    random: SystemRandom,
    serial: u64,
}

/// A token and whom it is for.
#[derive(Clone)]
pub struct Minted {
    /// As it is presented.
    pub token: String,
    /// Its `sub`.
    pub subject: String,
}

impl Mint {
    /// With the keys of the tests.
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let ec = |name| {
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der(name), &random)
                .expect("a P-256 key")
        };
        let (ec, context) = (ec(EC_KEY), ec(CONTEXT_KEY));
        Self {
            rsa: RsaKeyPair::from_pkcs8(&der(RSA_KEY)).expect("an RSA key"),
            ec,
            context,
            random,
            serial: 0,
        }
    }

    /// A token that was never there before.
    pub fn token(&mut self, form: Form) -> Minted {
        self.serial += 1;
        let subject = format!("user-{:08}", self.serial);
        let header = URL_SAFE_NO_PAD.encode(header(form).to_string());
        let payload = URL_SAFE_NO_PAD.encode(self.payload(form, &subject).to_string());
        let input = format!("{header}.{payload}");
        let signature = self.sign(form, input.as_bytes());
        Minted { token: format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)), subject }
    }

    /// How long the tokens are, for the report.
    pub fn sizes(&mut self) -> Value {
        let mut size = |form| self.token(form).token.len();
        json!({
            "rs256": size(Form::Rs256), "es256": size(Form::Es256), "context": size(Form::Context),
            "2k": size(Form::Rs256Of(2_048)), "8k": size(Form::Rs256Of(8_192)),
        })
    }

    fn payload(&self, form: Form, subject: &str) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_secs();
        let base = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "tenant_id": TENANT, "permissions": PERMISSIONS,
            "iat": now, "exp": now + LIFE,
        });
        let with = |member: &str, value: Value| {
            let mut payload = base.clone();
            payload[member] = value;
            payload
        };
        match form {
            Form::Rs256 => base,
            Form::Rs256Of(size) => with("groups", groups(size, &base)),
            Form::Rs256From(number) => with("iss", json!(numbered_issuer(number))),
            Form::Powerless => with("permissions", json!(["invoices:write"])),
            // A context's claims, so that both sides verify as many bytes and read as much JSON.
            Form::Es256 => {
                let mut payload = with("iss", json!(ISSUER));
                payload["txn"] = json!(transaction(self.serial));
                payload["workload"] = json!(WORKLOAD);
                payload["client"] = json!({ "name": "main", "origin": GATEWAY });
                payload["session"] = json!({ "method": "GET", "path": PATH, "address": "127.0.0.1" });
                payload
            }
            Form::Context => json!({
                "iss": GATEWAY, "aud": MESH, "sub": subject, "txn": transaction(self.serial),
                "iat": now, "exp": now + 300, "req_wl": WORKLOAD,
                "tctx": { "tenant": TENANT, "permissions": PERMISSIONS, "issuer": "main" },
                "rctx": { "method": "GET", "path": PATH, "req_ip": "127.0.0.1" },
            }),
        }
    }

    fn sign(&self, form: Form, input: &[u8]) -> Vec<u8> {
        let rsa = |key: &RsaKeyPair| {
            let mut signature = vec![0; key.public().modulus_len()];
            key.sign(&RSA_PKCS1_SHA256, &self.random, input, &mut signature).expect("the key can sign");
            signature
        };
        let ec =
            |key: &EcdsaKeyPair| key.sign(&self.random, input).expect("the key can sign").as_ref().to_vec();
        match form {
            Form::Rs256 | Form::Rs256Of(_) | Form::Rs256From(_) | Form::Powerless => rsa(&self.rsa),
            Form::Es256 => ec(&self.ec),
            Form::Context => ec(&self.context),
        }
    }
}

/// The path of the requests, and so of what contexts say of them.
pub const PATH: &str = "/v1/service-6/orders/17";

/// The issuer of this number, where there are many.
pub fn numbered_issuer(number: usize) -> String {
    format!("https://issuer-{number}.example.com")
}

fn header(form: Form) -> Value {
    match form {
        Form::Es256 => json!({ "alg": "ES256", "typ": "JWT", "kid": EC_KEY }),
        Form::Context => {
            let kid = keys::context_jwk(CONTEXT_KEY)["kid"].clone();
            json!({ "alg": "ES256", "typ": "txntoken+jwt", "kid": kid })
        }
        _ => json!({ "alg": "RS256", "typ": "JWT", "kid": RSA_KEY }),
    }
}

/// As many names of groups as make of this payload a token of about this many bytes.
fn groups(size: usize, payload: &Value) -> Value {
    // Without the signature of 256 bytes, the header and the dots, base64url undone.
    let header = header(Form::Rs256).to_string().len();
    let room = (size - 344) * 3 / 4 - header;
    let mut left = room.saturating_sub(payload.to_string().len() + r#","groups":[]"#.len());
    let mut groups = Vec::new();
    while left > 8 {
        let name = format!("team-{:04}-engineering", groups.len());
        let name = name.get(..name.len().min(left - 3)).unwrap_or_default().to_owned();
        left -= name.len() + 3;
        groups.push(name);
    }
    json!(groups)
}

fn transaction(serial: u64) -> String {
    format!("5f0c1e57-0000-4000-8000-{serial:012x}")
}

fn der(name: &str) -> Vec<u8> {
    der::pem::decode_vec(keys::pem(name).as_bytes()).expect("a PEM file").1
}
