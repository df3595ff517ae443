//! Random tokens as an issuer of any kind may make them: each a header, claims, a key and an algorithm.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};
use vestibule::jose::algorithm::Algorithm;

use super::signer::{Seed, Signer};

/// A token of which everything is known.
#[derive(Debug)]
pub struct Token {
    pub algorithm: Algorithm,
    pub seed: Seed,
    /// As JSON texts, the order of the members and the white space being the issuer's own.
    pub header: String,
    pub payload: String,
}

pub const ISSUER: &str = "https://issuer.test";
pub const AUDIENCE: &str = "https://api.test";
/// When every token is presented; it lies between their dates.
pub const NOW: u64 = 1_800_000_000;

impl Token {
    pub fn signer(&self) -> Signer {
        Signer::new(self.algorithm, &self.seed)
    }

    /// The token's three parts, decoded.
    pub fn parts(&self) -> [Vec<u8>; 3] {
        let (header, payload) = (self.header.as_bytes(), self.payload.as_bytes());
        let signing_input = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        [header.to_vec(), payload.to_vec(), self.signer().sign(signing_input.as_bytes())]
    }
}

/// A token out of its three parts.
pub fn compact(parts: &[Vec<u8>; 3]) -> String {
    parts.each_ref().map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
}

/// Any token that [`ISSUER`] may make for [`AUDIENCE`], with whatever else in header and payload.
pub fn tokens() -> impl Strategy<Value = Token> {
    let algorithm = proptest::sample::select(Algorithm::ALL.to_vec());
    algorithm.prop_flat_map(|algorithm| {
        let typ =
            proptest::sample::select(vec![None, Some("JWT"), Some("at+jwt"), Some("application/AT+JWT")]);
        let header = (typ, additions(NOT_IN_A_HEADER)).prop_map(move |(typ, additions)| {
            let own = [("alg", Some(json!(algorithm.as_str()))), ("typ", typ.map(Value::from))];
            members(own, additions)
        });
        let payload = ("[!-~]{1,40}", additions(NOT_IN_A_PAYLOAD)).prop_map(|(subject, additions)| {
            let own = [
                ("iss", Some(json!(ISSUER))),
                ("aud", Some(json!([AUDIENCE, "https://elsewhere.test"]))),
                ("sub", Some(subject.into())),
                ("tenant_id", Some(json!("acme"))),
                ("exp", Some(json!(NOW + 1))),
            ];
            members(own, additions)
        });
        (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u8; 2]>(), written(header), written(payload)).prop_map(
            move |(one, two, three, header, payload)| {
                let mut seed = [0; 66];
                seed[..32].copy_from_slice(&one);
                seed[32..64].copy_from_slice(&two);
                seed[64..].copy_from_slice(&three);
                Token { algorithm, seed, header, payload }
            },
        )
    })
}

/// What has a meaning there, and so is not added.
const NOT_IN_A_HEADER: &[&str] = &["alg", "typ", "kid", "cty", "crit", "b64", "zip"];
const NOT_IN_A_PAYLOAD: &[&str] =
    &["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "cnf", "tenant_id", "permissions", "scope", "roles"];

type Members = Vec<(String, Value)>;

fn members<const N: usize>(own: [(&str, Option<Value>); N], additions: Members) -> Members {
    let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    own.chain(additions).collect()
}

/// Members that nobody knows or that are never used, keys that a token brings along among them.
fn additions(taken: &'static [&'static str]) -> impl Strategy<Value = Members> {
    let name = prop_oneof![
        4 => any::<String>().prop_map(|name| name.chars().take(12).collect()),
        1 => proptest::sample::select(vec!["jwk", "jku", "x5u", "x5c", "x5t"]).prop_map(str::to_owned),
        1 => proptest::sample::select(vec!["ALG", "Iss", "exp ", "crit\0", "kid_", "sub.0", "/aud"]).prop_map(str::to_owned),
    ];
    btree_map(name, json_value(), 0..5).prop_map(|members| {
        members.into_iter().filter(|(name, _): &(String, Value)| !taken.contains(&name.as_str())).collect()
    })
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(|text| text.chars().take(20).collect::<String>().into()),
    ];
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map("[a-c\"\\\\é]{0,2}", inner, 0..3).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// The text of an object: its members in any order, with any white space (RFC 8259 section 2) between them.
fn written(members: impl Strategy<Value = Members>) -> impl Strategy<Value = String> {
    (members.prop_shuffle(), "[ \t\r\n]{0,2}", "[ \t\r\n]{0,2}").prop_map(|(members, before, after)| {
        let member = |(name, value): &(String, Value)| {
            format!("{before}{}{after}:{before}{value}{after}", Value::from(name.as_str()))
        };
        format!("{after}{{{}}}{before}", members.iter().map(member).collect::<Vec<_>>().join(","))
    })
}
