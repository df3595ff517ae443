//! Tokens from a description: well-formed ones, and ones that are wrong in exactly one way.
//!
//! | member | meaning |
//! | --- | --- |
//! | `header`, `payload` | the object; `{"$now": 300}` inside stands for 300 seconds from now |
//! | `headerText`, `payloadText` | raw text in its place, for duplicate members and bad JSON |
//! | `headerBase64`, `payloadBase64`, `signatureBase64` | the part itself, as it stands in the token |
//! | `key` | the name of the key that signs, by the header's `alg` |
//! | `sign` | `{"alg": "HS256", "secret": text}`: an HMAC, or with `secretPem` one keyed with a public key's PEM |
//! | `tamper` | `"signature"` or `"payload"`: one bit is flipped after signing |
//! | `compact` | the whole token, as it stands |
//!
//! Without `header` it is `{"alg": by key, "typ": "JWT", "kid": key}`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::algorithms::{HS256Key, HS384Key, HS512Key, MACLike as _};
use serde_json::{Map, Value, json};

use super::super::document::Fault;
use super::key::Key;
use super::key_folder::KeyNamed;
use super::members::{Members, mistaken, object, string};

/// A token that is made for the time at which it is presented.
pub(crate) struct Token(Form);

enum Form {
    Compact(String),
    Parts { header: Part, payload: Part, signature: Signature, tamper: Option<Tamper> },
}

enum Part {
    /// An object, in which `$now` is still to be replaced.
    Object(Value),
    /// The part as it stands in the token.
    Encoded(String),
}

enum Signature {
    Encoded(String),
    Hmac(Hash, Vec<u8>),
    By(Arc<Key>, String),
    Nothing,
}

#[derive(Clone, Copy)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Clone, Copy)]
enum Tamper {
    Signature,
    Payload,
}

impl Token {
    /// The token that this describes; its stand-ins are resolved, but for `$now`.
    pub(crate) fn parse(at: &str, spec: Value, keys: KeyNamed<'_>) -> Result<Self, Fault> {
        let mut spec = Members::of(at, spec)?;
        if let Some(compact) = spec.text("compact")? {
            return match spec.rest().is_empty() {
                true => Ok(Self(Form::Compact(compact))),
                false => {
                    Err(Fault::new(at, "`compact` is the whole token: leave out what else describes it"))
                }
            };
        }
        let key = spec.text("key")?.map(|name| keys(&name)).transpose();
        let key = key.map_err(|message| Fault::new(spec.path("key"), message))?;
        let algorithm = spec.rest().get("header").and_then(|header| header.get("alg"));
        let algorithm = algorithm.and_then(Value::as_str).map(str::to_owned);
        let header = part(&mut spec, ["header", "headerText", "headerBase64"])?;
        let header = match (header, &key) {
            (Some(header), _) => header,
            (None, Some(key)) => Part::Object(default_header(key)),
            (None, None) => {
                return Err(Fault::new(at, "has neither `key` nor `header`: name the key that signs it"));
            }
        };
        let payload = part(&mut spec, ["payload", "payloadText", "payloadBase64"])?;
        let signature = match (spec.text("signatureBase64")?, spec.take("sign"), key) {
            (Some(encoded), None, _) => Signature::Encoded(encoded),
            (None, Some(sign), _) => hmac(&spec.path("sign"), sign, keys)?,
            (None, None, Some(key)) => {
                let algorithm = algorithm.unwrap_or_else(|| key.algorithm().to_owned());
                Signature::By(key, algorithm)
            }
            (None, None, None) => Signature::Nothing,
            (Some(_), Some(_), _) => {
                return Err(Fault::new(at, "has two signatures: give `signatureBase64` or `sign`"));
            }
        };
        let tamper = match spec.text("tamper")?.as_deref() {
            None => None,
            Some("signature") => Some(Tamper::Signature),
            Some("payload") => Some(Tamper::Payload),
            Some(_) => return Err(Fault::new(spec.path("tamper"), "should be \"signature\" or \"payload\"")),
        };
        spec.end()?;
        let payload = payload.unwrap_or_else(|| Part::Object(json!({})));
        Ok(Self(Form::Parts { header, payload, signature, tamper }))
    }

    /// The token as it is presented at this time, in seconds since the epoch, or why there can be none.
    pub(crate) fn mint(&self, now: u64) -> Result<String, &'static str> {
        let (header, payload, signature, tamper) = match &self.0 {
            Form::Compact(compact) => return Ok(compact.clone()),
            Form::Parts { header, payload, signature, tamper } => (header, payload, signature, tamper),
        };
        let (header, payload) = (header.encoded(now), payload.encoded(now));
        let signing_input = format!("{header}.{payload}");
        let signature = signature.encoded(signing_input.as_bytes())?;
        Ok(match tamper {
            None => format!("{signing_input}.{signature}"),
            Some(Tamper::Signature) => format!("{signing_input}.{}", flip_one_bit(&signature)?),
            Some(Tamper::Payload) => format!("{header}.{}.{signature}", flip_one_digit(&payload)?),
        })
    }
}

impl Part {
    fn encoded(&self, now: u64) -> String {
        match self {
            Self::Object(object) => URL_SAFE_NO_PAD.encode(at_time(object, now).to_string()),
            Self::Encoded(part) => part.clone(),
        }
    }
}

impl Signature {
    fn encoded(&self, message: &[u8]) -> Result<String, &'static str> {
        let bytes = match self {
            Self::Encoded(part) => return Ok(part.clone()),
            Self::Hmac(Hash::Sha256, secret) => HS256Key::from_bytes(secret).authentication_tag(message),
            Self::Hmac(Hash::Sha384, secret) => HS384Key::from_bytes(secret).authentication_tag(message),
            Self::Hmac(Hash::Sha512, secret) => HS512Key::from_bytes(secret).authentication_tag(message),
            Self::By(key, algorithm) => {
                key.sign(algorithm, message).ok_or("the key is too small to sign by this `alg`")?
            }
            Self::Nothing => Vec::new(),
        };
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// The header of a token that gives none.
pub(crate) fn default_header(key: &Key) -> Value {
    json!({ "alg": key.algorithm(), "typ": "JWT", "kid": key.name() })
}

/// A part by one of the members that can give it: as an object, as text, or encoded.
fn part(spec: &mut Members, names: [&'static str; 3]) -> Result<Option<Part>, Fault> {
    let [as_object, as_text, encoded] = names;
    let path = spec.path(as_object);
    match (spec.take(as_object), spec.text(as_text)?, spec.text(encoded)?) {
        (None, None, None) => Ok(None),
        (Some(value), None, None) => {
            let object = Value::Object(object(&path, value)?);
            check_times(&path, &object)?;
            Ok(Some(Part::Object(object)))
        }
        (None, Some(text), None) => Ok(Some(Part::Encoded(URL_SAFE_NO_PAD.encode(text)))),
        (None, None, Some(part)) => Ok(Some(Part::Encoded(part))),
        _ => Err(Fault::new(
            path,
            format!("is there in two ways: give one of {as_object}, {as_text}, {encoded}"),
        )),
    }
}

fn hmac(at: &str, sign: Value, keys: KeyNamed<'_>) -> Result<Signature, Fault> {
    let mut sign = Members::of(at, sign)?;
    let hash = match string(&sign.path("alg"), sign.require("alg", "HS256, HS384 or HS512")?)?.as_str() {
        "HS256" => Hash::Sha256,
        "HS384" => Hash::Sha384,
        "HS512" => Hash::Sha512,
        _ => {
            let message = "should be HS256, HS384 or HS512; what a key signs is told by `key`";
            return Err(Fault::new(sign.path("alg"), message));
        }
    };
    let secret = match (sign.text("secret")?, sign.text("secretPem")?) {
        (Some(secret), None) => secret,
        (None, Some(key)) => {
            keys(&key).map_err(|message| Fault::new(sign.path("secretPem"), message))?.public_pem()
        }
        _ => return Err(Fault::new(at, "is keyed with either a `secret` or a `secretPem`")),
    };
    sign.end()?;
    Ok(Signature::Hmac(hash, secret.into_bytes()))
}

/// The offset of a value that stands for a time.
fn offset(members: &Map<String, Value>) -> Option<&Value> {
    members.get("$now").filter(|_| members.len() == 1)
}

fn check_times(at: &str, value: &Value) -> Result<(), Fault> {
    match value {
        Value::Object(members) => match offset(members) {
            Some(offset) if offset.as_i64().is_none() => {
                Err(mistaken(&format!("{at}.$now"), "a whole number of seconds", offset))
            }
            Some(_) => Ok(()),
            None => members.iter().try_for_each(|(name, value)| check_times(&format!("{at}.{name}"), value)),
        },
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.try_for_each(|(index, item)| check_times(&format!("{at}[{index}]"), item))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// The value with every `{"$now": offset}` replaced by the number that it stands for.
fn at_time(value: &Value, now: u64) -> Value {
    match value {
        Value::Object(members) => match offset(members).and_then(Value::as_i64) {
            Some(offset) => json!(now.saturating_add_signed(offset)),
            None => members.iter().map(|(name, value)| (name.clone(), at_time(value, now))).collect(),
        },
        Value::Array(items) => items.iter().map(|item| at_time(item, now)).collect(),
        other => other.clone(),
    }
}

/// Flips the lowest bit of the part's first byte; the part stays canonical base64url.
fn flip_one_bit(part: &str) -> Result<String, &'static str> {
    let decoded = URL_SAFE_NO_PAD.decode(part);
    let mut bytes = decoded.map_err(|_| "a signature that is no base64url cannot be tampered with")?;
    *bytes.first_mut().ok_or("there is no signature to tamper with")? ^= 1;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Changes the payload and leaves it well-formed JSON, so that nothing but the signature can tell.
fn flip_one_digit(part: &str) -> Result<String, &'static str> {
    let decoded = URL_SAFE_NO_PAD.decode(part);
    let mut bytes = decoded.map_err(|_| "a payload that is no base64url cannot be tampered with")?;
    let digit = bytes.iter_mut().rev().find(|byte| byte.is_ascii_digit());
    *digit.ok_or("the payload holds no digit to tamper with")? ^= 1;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
