//! The examples of RFC 7515, 7520 and 8037 that a public key verifies.

use serde_json::Value;
use vestibule::jose::algorithm::Algorithm;
use vestibule::jose::base64url;
use vestibule::jose::jwk::Key;

use super::engine::Question;

/// An example, as `rfc.json` has it.
pub(crate) struct Example {
    pub(crate) name: String,
    pub(crate) key: Key,
    pub(crate) algorithm: Algorithm,
    /// Up to the second dot.
    pub(crate) signing_input: String,
    pub(crate) signature: Vec<u8>,
    pub(crate) claims: Option<Value>,
}

impl Example {
    /// The engine's part of it, with this signature.
    pub(crate) fn question(&self, signature: Vec<u8>) -> Question {
        Question {
            algorithm: self.algorithm,
            key: self.key.material().clone(),
            text: self.signing_input.clone().into_bytes(),
            signature,
        }
    }
}

/// Every example.
pub(crate) fn load() -> Vec<Example> {
    let listed: Value = serde_json::from_str(include_str!("rfc.json")).expect("rfc.json is JSON");
    listed.as_array().expect("rfc.json is an array").iter().map(example).collect()
}

fn example(entry: &Value) -> Example {
    let text = |member: &str| entry[member].as_str().expect("a text").to_owned();
    let token = text("token");
    let (signing_input, signature) = token.rsplit_once('.').expect("a signature");
    let (header, _) = signing_input.split_once('.').expect("a payload");
    let header: Value =
        serde_json::from_slice(&base64url(header.as_bytes()).expect("base64url")).expect("a header");
    let algorithm = header["alg"].as_str().and_then(Algorithm::parse).expect("an algorithm");
    Example {
        name: text("name"),
        key: Key::from_jwk(&entry["jwk"], Some(&[algorithm])).expect("a usable key"),
        algorithm,
        signing_input: signing_input.to_owned(),
        signature: base64url(signature.as_bytes()).expect("base64url"),
        claims: entry.get("claims").cloned(),
    }
}
