//! The tokens of a case: each is described in full, or by what sets it apart from a token of the file.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::{keys, token};
use super::members::{Members, list, string};
use super::stand_in::resolve;

/// The tokens that a case can present, each a complete description for `token`.
pub(super) fn of(at: &str, shared: &Map<String, Value>, own: &Map<String, Value>) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (name, spec) in shared.iter().chain(own) {
        let spec = resolve(at, derive(at, Members::of(at, spec.clone()), shared));
        Members::of(at, spec.clone()).only(&TOKEN);
        assert!(all.insert(name.clone(), spec).is_none(), "{at}: the file has a token {name} already");
    }
    all
}

/// What describes a token; `token` says what each means.
const TOKEN: [&str; 11] = [
    "header",
    "headerText",
    "headerBase64",
    "payload",
    "payloadText",
    "payloadBase64",
    "signatureBase64",
    "key",
    "sign",
    "tamper",
    "compact",
];

/// The description, with those of the token that it is `from`.
fn derive(at: &str, mut spec: Members, shared: &Map<String, Value>) -> Value {
    let Some(from) = spec.take("from") else { return Value::Object(spec.rest) };
    let base =
        shared.get(&string(at, from)).unwrap_or_else(|| panic!("{at}: `from` names a token of the file"));
    let mut whole = Members::of(at, base.clone()).rest;
    let removed = |names: Option<Value>| names.map(|names| list(at, names)).unwrap_or_default();
    let (without, without_header) = (removed(spec.take("without")), removed(spec.take("withoutHeader")));
    if let Some(key) = spec.take("key") {
        whole.insert("key".into(), key);
    }
    // A token that is signed with a secret has no key, and says its header itself.
    let key = whole.get("key").cloned().map(|key| keys::named(&string(at, key)));
    let mut header =
        Members::of(at, whole.remove("header").unwrap_or_else(|| token::default_header(key))).rest;
    header.extend(spec.take("header").map(|more| Members::of(at, more).rest).unwrap_or_default());
    let mut payload = Members::of(at, whole.remove("payload").unwrap_or_else(|| json!({}))).rest;
    payload.extend(spec.take("payload").map(|more| Members::of(at, more).rest).unwrap_or_default());
    for (part, names) in [(&mut header, without_header), (&mut payload, without)] {
        for name in names {
            assert!(part.remove(&name).is_some(), "{at}: there is no {name} to be without");
        }
    }
    // What a raw part replaces is left out, so that a description never says two things.
    for (name, part) in [("header", header), ("payload", payload)] {
        let is_raw =
            spec.rest.keys().any(|raw| *raw == format!("{name}Text") || *raw == format!("{name}Base64"));
        if !is_raw {
            whole.insert(name.into(), Value::Object(part));
        }
    }
    whole.extend(spec.rest);
    Value::Object(whole)
}
