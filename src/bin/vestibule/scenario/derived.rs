//! Tokens that are described by what sets them apart from a token of the file.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::document::Fault;
use super::key_folder::KeyNamed;
use super::members::{list, object, string};
use super::token::default_header;

/// The parts of a token that are overlaid, each with the member that says what to leave out of it and those
/// that give it raw.
const PARTS: [(&str, &str, [&str; 2]); 2] = [
    ("header", "withoutHeader", ["headerText", "headerBase64"]),
    ("payload", "without", ["payloadText", "payloadBase64"]),
];

/// The whole description: what the token says, and for the rest what that says which it is `from`.
pub(crate) fn whole(
    at: &str,
    spec: Value,
    of_file: &Map<String, Value>,
    keys: KeyNamed<'_>,
) -> Result<Value, Fault> {
    let mut spec = object(at, spec)?;
    let Some(from) = spec.remove("from") else { return Ok(Value::Object(spec)) };
    let from_at = format!("{at}.from");
    let base = of_file.get(&string(&from_at, from)?);
    let base = base.ok_or_else(|| Fault::new(&from_at, "names no token of the file"))?;
    let mut whole = object(&from_at, base.clone())?;
    if whole.contains_key("from") {
        return Err(Fault::new(from_at, "names a token that is itself `from` another: describe one in full"));
    }
    if let Some(key) = spec.remove("key") {
        whole.insert("key".into(), key);
    }
    for (part, without, raw) in PARTS {
        let changes = spec.remove(part).map(|more| object(&format!("{at}.{part}"), more)).transpose()?;
        let removed =
            spec.remove(without).map(|names| list(&format!("{at}.{without}"), names)).transpose()?;
        let is_changed = changes.is_some() || removed.is_some();
        if raw.iter().any(|raw| spec.contains_key(*raw)) {
            // What a raw part replaces is left out, so that a description never says two things.
            [part].iter().chain(&raw).for_each(|name| drop(whole.remove(*name)));
            if is_changed {
                return Err(Fault::new(at, format!("gives the {part} raw, of which nothing can be changed")));
            }
        }
        if !is_changed {
            continue;
        }
        if raw.iter().any(|raw| whole.contains_key(*raw)) {
            let message =
                format!("is from a token whose {part} is raw, of which nothing can be changed: give it anew");
            return Err(Fault::new(at, message));
        }
        let base = match (whole.remove(part), whole.get("key")) {
            (Some(base), _) => base,
            (None, Some(key)) if part == "header" => {
                let key = keys(&string(&format!("{at}.key"), key.clone())?);
                default_header(&*key.map_err(|message| Fault::new(format!("{at}.key"), message))?)
            }
            (None, _) => json!({}),
        };
        let mut base = object(&from_at, base)?;
        base.extend(changes.unwrap_or_default());
        for name in removed.unwrap_or_default().into_iter().collect::<BTreeSet<_>>() {
            if base.remove(&name).is_none() {
                let message = format!("names `{name}`, which the {part} does not have");
                return Err(Fault::new(format!("{at}.{without}"), message));
            }
        }
        whole.insert(part.into(), Value::Object(base));
    }
    for (signature, other) in [("signatureBase64", "sign"), ("sign", "signatureBase64")] {
        if spec.contains_key(signature) {
            whole.remove(other);
        }
    }
    whole.extend(spec);
    Ok(Value::Object(whole))
}
