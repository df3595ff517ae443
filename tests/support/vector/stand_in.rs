//! What stands in a vector for a value that nobody wants to type, and merge patches.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::keys;
use super::members::{list, string};

/// The value with every `{"$…": …}` replaced by what it stands for; `$now` is left to `token`.
pub(super) fn resolve(at: &str, value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| resolve(at, item)).collect(),
        Value::Object(members) => match members.iter().next() {
            Some((name, argument)) if members.len() == 1 && name.starts_with('$') && name != "$now" => {
                stand_in(at, name, argument.clone())
            }
            _ => members.into_iter().map(|(name, value)| (name, resolve(at, value))).collect(),
        },
        plain => plain,
    }
}

fn stand_in(at: &str, name: &str, argument: Value) -> Value {
    match (name, argument) {
        ("$jwks", Value::Array(entries)) => {
            json!({ "keys": entries.into_iter().map(|entry| jwk(at, entry)).collect::<Vec<_>>() })
        }
        ("$jwk", Value::String(key)) => keys::named(&key).public_jwk(),
        ("$pem", Value::String(key)) => keys::named(&key).public_pem().into(),
        ("$json", value) => resolve(at, value).to_string().into(),
        ("$sha256", Value::String(text)) => Sha256::digest(text)
            .iter()
            .fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").expect("a string takes all text");
                hex
            })
            .into(),
        ("$repeat", Value::Array(arguments)) => {
            match (arguments.first(), arguments.get(1).and_then(Value::as_u64)) {
                (Some(Value::String(text)), Some(times)) => {
                    text.repeat(usize::try_from(times).expect("few repetitions")).into()
                }
                _ => panic!("{at}: $repeat takes a text and a number"),
            }
        }
        ("$concat", parts) => list(at, resolve(at, parts)).concat().into(),
        _ => panic!("{at}: {name} stands for nothing"),
    }
}

/// An entry of a key set: a test key by name, one with changes, or anything else as it stands.
fn jwk(at: &str, entry: Value) -> Value {
    match entry {
        Value::String(key) => keys::named(&key).public_jwk(),
        Value::Object(mut changes) => match changes.remove("$key") {
            Some(key) => {
                let mut jwk = keys::named(&string(at, key)).public_jwk();
                merge(&mut jwk, Value::Object(changes));
                jwk
            }
            None => resolve(at, Value::Object(changes)),
        },
        literal => literal,
    }
}

/// RFC 7396.
pub(super) fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        match value {
            Value::Null => drop(target.as_object_mut().and_then(|members| members.remove(&name))),
            value => merge(&mut target[name], value),
        }
    }
}
