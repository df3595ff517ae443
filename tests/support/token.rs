//! Tokens from a description in JSON: well-formed ones, and ones that are wrong in exactly one way.
//!
//! | member | meaning |
//! | --- | --- |
//! | `header`, `payload` | the object; `{"$now": 300}` inside stands for 300 seconds from now |
//! | `headerText`, `payloadText` | raw text in its place, for duplicate members and bad JSON |
//! | `headerBase64`, `payloadBase64`, `signatureBase64` | the part itself, as it stands in the token |
//! | `key` | the name of the test key that signs, by the header's `alg` |
//! | `sign` | `{"alg": "HS256", "secret": text}`: an HMAC, or with `secretPem` one keyed with a public key's PEM |
//! | `tamper` | `"signature"` or `"payload"`: one bit is flipped after signing |
//! | `compact` | the whole token, as it stands |
//!
//! Without `header` it is `{"alg": by key, "typ": "JWT", "kid": key}`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::algorithms::{HS256Key, HS384Key, HS512Key, MACLike as _};
use serde_json::{Value, json};

use super::keys::{self, TestKey};

/// The token that the description stands for, signed with the test keys.
pub fn mint(spec: &Value, now: u64) -> String {
    mint_with(spec, now, &|name| keys::named(name))
}

/// The same, with keys from elsewhere.
pub fn mint_with<'k>(spec: &Value, now: u64, key_named: &dyn Fn(&str) -> &'k TestKey) -> String {
    if let Some(compact) = text(spec, "compact") {
        return compact.to_owned();
    }
    let key = text(spec, "key").map(key_named);
    let header = part(spec, "header", now, || default_header(key));
    let payload = part(spec, "payload", now, || json!({}));
    let signing_input = format!("{header}.{payload}");
    let signature = match text(spec, "signatureBase64") {
        Some(literal) => literal.to_owned(),
        None => URL_SAFE_NO_PAD.encode(signature(spec, key, key_named, &signing_input)),
    };
    match text(spec, "tamper") {
        None => format!("{signing_input}.{signature}"),
        Some("signature") => format!("{signing_input}.{}", flip_one_bit(&signature)),
        Some("payload") => format!("{header}.{}.{signature}", flip_one_digit(&payload)),
        Some(other) => panic!("tamper is \"signature\" or \"payload\", not {other:?}"),
    }
}

/// Replaces every `{"$now": offset}` by the number that it stands for.
pub fn resolve_now(value: &Value, now: u64) -> Value {
    match value {
        Value::Object(members) => match members.get("$now").and_then(Value::as_i64) {
            Some(offset) if members.len() == 1 => json!(now.saturating_add_signed(offset)),
            _ => members.iter().map(|(name, value)| (name.clone(), resolve_now(value, now))).collect(),
        },
        Value::Array(items) => items.iter().map(|item| resolve_now(item, now)).collect(),
        other => other.clone(),
    }
}

fn text<'s>(spec: &'s Value, member: &str) -> Option<&'s str> {
    spec.get(member).map(|value| value.as_str().unwrap_or_else(|| panic!("{member} of a token is a string")))
}

/// The header of a token that gives none.
pub fn default_header(key: Option<&TestKey>) -> Value {
    let key = key.expect("a token without header, headerText and headerBase64 names its key");
    json!({ "alg": key.algorithm(), "typ": "JWT", "kid": key.name() })
}

fn part(spec: &Value, name: &str, now: u64, default: impl FnOnce() -> Value) -> String {
    if let Some(literal) = text(spec, &format!("{name}Base64")) {
        return literal.to_owned();
    }
    if let Some(raw) = text(spec, &format!("{name}Text")) {
        return URL_SAFE_NO_PAD.encode(raw);
    }
    let object = spec.get(name).cloned().unwrap_or_else(default);
    URL_SAFE_NO_PAD.encode(resolve_now(&object, now).to_string())
}

fn signature<'k>(
    spec: &Value,
    key: Option<&TestKey>,
    key_named: &dyn Fn(&str) -> &'k TestKey,
    signing_input: &str,
) -> Vec<u8> {
    if let Some(sign) = spec.get("sign") {
        let secret = match text(sign, "secret") {
            Some(secret) => secret.to_owned(),
            None => {
                key_named(text(sign, "secretPem").expect("sign names its secret or secretPem")).public_pem()
            }
        };
        let (secret, message) = (secret.as_bytes(), signing_input.as_bytes());
        return match text(sign, "alg") {
            Some("HS256") => HS256Key::from_bytes(secret).authentication_tag(message),
            Some("HS384") => HS384Key::from_bytes(secret).authentication_tag(message),
            Some("HS512") => HS512Key::from_bytes(secret).authentication_tag(message),
            other => panic!("sign.alg is HS256, HS384 or HS512, not {other:?}"),
        };
    }
    let algorithm = spec.pointer("/header/alg").and_then(Value::as_str);
    key.map(|key| key.sign(algorithm.unwrap_or(key.algorithm()), signing_input.as_bytes()))
        .unwrap_or_default()
}

/// Flips the lowest bit of the part's first byte; the part stays canonical base64url.
fn flip_one_bit(part: &str) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(part).expect("only a decodable signature can be tampered with");
    *bytes.first_mut().expect("an empty signature has no bit to flip") ^= 1;
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Changes the payload and leaves it well-formed JSON, so that nothing but the signature can tell.
fn flip_one_digit(part: &str) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(part).expect("only a decodable payload can be tampered with");
    let digit = bytes.iter_mut().rev().find(|byte| byte.is_ascii_digit());
    *digit.expect("the payload holds a digit") ^= 1;
    URL_SAFE_NO_PAD.encode(bytes)
}
