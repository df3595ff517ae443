//! Which client of Keycloak gets which token of the table, and what the token must look like.
//!
//! It does not know how Keycloak is reached.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// What `istio/kind/region` says.
pub const AUDIENCE: &str = "https://api.kind.example.com";

/// How long after its end a door believes a token: the default of `leeway`, in seconds.
const LEEWAY: i64 = 60;

/// The realm and the client by which alice gets this token; one that is spoilt afterwards begins as a good
/// one.
pub fn realm_and_client<'n>(name: &'n str, spec: &Value) -> (&'static str, &'n str) {
    match name {
        "other-issuer" => ("elsewhere", name),
        _ if spec.get("tamper").is_some() || spec.get("header").is_some() => ("kind", "good"),
        _ => ("kind", name),
    }
}

/// The token, spoilt as the table says.
pub fn spoilt(token: &str, spec: &Value) -> String {
    let [header, payload, signature] = parts(token);
    let header = match spec["header"].as_object() {
        None => header.to_owned(),
        Some(changes) => {
            let mut header = decoded(header);
            header.as_object_mut().expect("a header is an object").extend(changes.clone());
            URL_SAFE_NO_PAD.encode(header.to_string())
        }
    };
    let signature = match spec["tamper"].as_str() {
        None => signature.to_owned(),
        Some("signature") => {
            let mut bytes = URL_SAFE_NO_PAD.decode(signature).expect("a signature is base64url");
            bytes[0] ^= 1;
            URL_SAFE_NO_PAD.encode(bytes)
        }
        Some(part) => panic!("nobody has said how a {part} is tampered with"),
    };
    format!("{header}.{payload}.{signature}")
}

/// That the token is, at this time, what the table says of it, and in nothing else different from a good one
/// of this issuer.
///
/// # Panics
/// Where it is not: a door would refuse or accept it for another reason than the row's.
pub fn check(name: &str, token: &str, spec: &Value, issuer: &str, now: i64) {
    let payload = decoded(parts(token)[1]);
    let mut expected = json!({
        "iss": issuer, "aud": AUDIENCE, "sub": "alice", "tenant_id": "acme", "permissions": ["blog:read"],
    });
    for (claim, value) in spec["payload"].as_object().into_iter().flatten() {
        expected[claim] = value.clone();
    }
    if name == "other-issuer" {
        // Keycloak's other realm has another address than the table's, and an alice of its own.
        let other = payload["iss"].as_str().unwrap_or_default();
        assert!(!other.is_empty() && other != issuer, "{name}: the issuer is {other:?}");
        expected["iss"] = payload["iss"].clone();
        expected["sub"] = payload["sub"].clone();
    }
    let expected = expected.as_object_mut().expect("it is an object");
    let past = expected.remove("exp").is_some();
    let end = payload["exp"].as_i64().unwrap_or_else(|| panic!("{name}: a token of Keycloak has an end"));
    let ended = end + LEEWAY < now;
    assert_eq!(ended, past, "{name}: it ends at {end}, and now is {now}");
    for (claim, value) in expected {
        let found = &payload[claim];
        assert_eq!(sorted(found), sorted(value), "{name}: {claim}");
    }
}

/// In how many seconds no door believes the token any more.
pub fn seconds_until_the_end(token: &str, now: i64) -> u64 {
    let end = decoded(parts(token)[1])["exp"].as_i64().expect("a token of Keycloak has an end");
    // Neither the doors' clocks nor this one are asked for less than a second.
    u64::try_from(end + LEEWAY + 2 - now).unwrap_or_default()
}

/// Keycloak has roles in no order.
fn sorted(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(list) = value.as_array_mut() {
        list.sort_by_key(Value::to_string);
    }
    value
}

fn parts(token: &str) -> [&str; 3] {
    let parts: Vec<_> = token.split('.').collect();
    parts.try_into().unwrap_or_else(|_| panic!("a token has three parts"))
}

fn decoded(part: &str) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("a part of a token is base64url");
    serde_json::from_slice(&bytes).expect("a part of a token is JSON")
}

/// The time.
pub fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("the clock is past 1970").as_secs().try_into().expect("it is not far past it")
}
