//! What stands in a scenario for a value that nobody wants to type.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::super::document::Fault;
use super::key_folder::KeyNamed;
use super::members::{array, list, mistaken, string};
use super::patch::merge;

/// The longest text that `$repeat` makes, in bytes.
const LONGEST: usize = 1024 * 1024;

/// The value with every `{"$…": …}` replaced by what it stands for; `$now` is left to the token it is in, and
/// `$time` to the time at which the case happens.
pub(crate) fn resolve(at: &str, value: Value, keys: KeyNamed<'_>) -> Result<Value, Fault> {
    match value {
        Value::Array(items) => {
            let items = items.into_iter().enumerate();
            items.map(|(index, item)| resolve(&format!("{at}[{index}]"), item, keys)).collect()
        }
        Value::Object(members) => match single(&members) {
            Some((name, argument)) if name.starts_with('$') && name != "$now" && name != "$time" => {
                stand_in(&format!("{at}.{name}"), name, argument.clone(), keys)
            }
            _ => {
                let members = members.into_iter();
                members
                    .map(|(name, value)| Ok((name.clone(), resolve(&format!("{at}.{name}"), value, keys)?)))
                    .collect()
            }
        },
        plain => Ok(plain),
    }
}

/// The configuration with every `{"$time": seconds}` replaced by the time so long after `now` (RFC 3339).
pub(crate) fn resolve_time(value: &Value, now: u64) -> Result<Value, Fault> {
    match value {
        Value::Array(items) => items.iter().map(|item| resolve_time(item, now)).collect(),
        Value::Object(members) => match single(members) {
            Some((name, after)) if name == "$time" => {
                let time = after.as_i64().and_then(|after| i64::try_from(now).ok()?.checked_add(after));
                let time = time.and_then(|time| jiff::Timestamp::from_second(time).ok());
                time.map(|time| time.to_string().into())
                    .ok_or_else(|| mistaken("config.$time", "a number of seconds", after))
            }
            _ => members.iter().map(|(name, value)| Ok((name.clone(), resolve_time(value, now)?))).collect(),
        },
        plain => Ok(plain.clone()),
    }
}

/// The member of an object that has just one.
fn single(members: &Map<String, Value>) -> Option<(&String, &Value)> {
    if members.len() == 1 { members.iter().next() } else { None }
}

fn stand_in(at: &str, name: &str, argument: Value, keys: KeyNamed<'_>) -> Result<Value, Fault> {
    let key = |argument| {
        let name = string(at, argument)?;
        keys(&name).map_err(|message| Fault::new(at, message))
    };
    Ok(match name {
        "$jwks" => {
            let entries = array(at, argument)?.into_iter().enumerate();
            let entries = entries.map(|(index, entry)| jwk(&format!("{at}[{index}]"), entry, keys));
            json!({ "keys": entries.collect::<Result<Vec<_>, _>>()? })
        }
        "$jwk" => jwk(at, argument, keys)?,
        "$pem" => key(argument)?.public_pem().into(),
        "$json" => resolve(at, argument, keys)?.to_string().into(),
        "$sha256" => {
            let mut hex = String::new();
            for byte in Sha256::digest(string(at, argument)?) {
                write!(hex, "{byte:02x}").map_err(|error| Fault::new(at, error.to_string()))?;
            }
            hex.into()
        }
        "$repeat" => repeat(at, argument)?.into(),
        "$concat" => list(at, resolve(at, argument, keys)?)?.concat().into(),
        _ => {
            let known = "$jwks, $jwk, $pem, $json, $sha256, $repeat, $concat, in tokens $now, and in \
                         configurations $time";
            return Err(Fault::new(at, format!("stands for nothing; there are {known}")));
        }
    })
}

fn repeat(at: &str, argument: Value) -> Result<String, Fault> {
    if let Value::Array(arguments) = &argument
        && let [Value::String(text), times] = arguments.as_slice()
        && let Some(times) = times.as_u64().and_then(|times| usize::try_from(times).ok())
        && text.len().saturating_mul(times) <= LONGEST
    {
        return Ok(text.repeat(times));
    }
    Err(mistaken(at, &format!("[text, times] of at most {LONGEST} bytes"), &argument))
}

/// An entry of a key set: a key by name, one with changes, or anything else as it stands.
fn jwk(at: &str, entry: Value, keys: KeyNamed<'_>) -> Result<Value, Fault> {
    let named = |name: &str| keys(name).map_err(|message| Fault::new(at, message));
    match entry {
        Value::String(key) => Ok(named(&key)?.public_jwk()),
        Value::Object(mut changes) => match changes.remove("$key") {
            Some(key) => {
                let mut jwk = named(&string(at, key)?)?.public_jwk();
                merge(&mut jwk, Value::Object(changes));
                Ok(jwk)
            }
            None => resolve(at, Value::Object(changes), keys),
        },
        literal => Ok(literal),
    }
}
