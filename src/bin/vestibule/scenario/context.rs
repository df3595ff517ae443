//! A context as an upstream sees it, and as a case writes it: what it says, and not its bytes, of which a signature
//! has others each time.
//!
//! It is believed by the public half of the minting key alone. `iat` and `exp` are written as in tokens, by the time of
//! the decision; `txn` is some UUID where the door drew one.

use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};
use vestibule::config::context::CONTEXT_HEADER;
use vestibule::context::TYPE;
use vestibule::jose::base64url;
use vestibule::jose::signature::{Engine as _, Outcome};
use vestibule::jose::signing::SigningKey;
use vestibule::jose::software::Software;

use super::super::document::Fault;
use super::Case;
use super::members::object;
use super::outcome::Upstream;

/// What opens the contexts that a configuration mints.
pub(crate) struct Opener {
    header: String,
    key: SigningKey,
}

impl Opener {
    /// Of the configuration of this case, where it mints any.
    pub(crate) fn of(case: &Case) -> Option<Self> {
        let mint = case.config.pointer("/context/mint")?;
        let pem = case.env.get(mint.pointer("/key/env")?.as_str()?)?;
        let header = mint.get("header").and_then(Value::as_str).unwrap_or(CONTEXT_HEADER);
        Some(Self { header: header.to_ascii_lowercase(), key: SigningKey::from_pem(pem).ok()? })
    }

    /// Puts in the place of each context what it says. It was minted at one of these times.
    pub(crate) fn open(&self, upstream: &mut Upstream, times: RangeInclusive<u64>) {
        for value in upstream.get_mut(&self.header).into_iter().flatten() {
            *value = match self.claims(value) {
                Some(claims) => text(&relative(claims, times.clone())).into_bytes(),
                None => b"no context by this key".to_vec(),
            };
        }
    }

    fn claims(&self, context: &[u8]) -> Option<Map<String, Value>> {
        let mut parts = context.split(|byte| *byte == b'.');
        let (header, payload, signature) = (parts.next()?, parts.next()?, base64url(parts.next()?)?);
        let signed = context.get(..header.len() + 1 + payload.len())?;
        let (algorithm, key) = (self.key.algorithm(), self.key.public());
        let outcome = Software.verify(algorithm, key, signed, &signature);
        let header: Value = serde_json::from_slice(&base64url(header)?).ok()?;
        let is_ours = header == json!({ "alg": algorithm.as_str(), "kid": self.key.kid(), "typ": TYPE });
        let claims = serde_json::from_slice(&base64url(payload)?).ok()?;
        (parts.next().is_none() && outcome == Outcome::Valid && is_ours).then_some(claims)
    }
}

/// The claims as a case writes them.
fn relative(mut claims: Map<String, Value>, times: RangeInclusive<u64>) -> Map<String, Value> {
    let issued = claims.get("iat").and_then(Value::as_u64).filter(|issued| times.contains(issued));
    let now = issued.unwrap_or(*times.start());
    for name in ["iat", "exp"] {
        let time = claims.get(name).and_then(Value::as_u64);
        let since = time.and_then(|time| i64::try_from(i128::from(time) - i128::from(now)).ok());
        if let Some(since) = since {
            claims.insert(name.to_owned(), json!({ "$now": since }));
        }
    }
    if claims.get("txn").and_then(Value::as_str).is_some_and(is_drawn) {
        claims.insert("txn".to_owned(), json!({ "$uuid": 4 }));
    }
    claims
}

/// Whether it is a UUID of version 4 (RFC 9562 section 5.4).
fn is_drawn(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == b'4',
            19 => b"89ab".contains(&byte),
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

/// What stands in the place of a context that a case describes; none where it describes none.
pub(super) fn described(at: &str, value: &Value) -> Result<Option<String>, Fault> {
    let claims = value.as_object().filter(|members| members.len() == 1);
    let Some(claims) = claims.and_then(|members| members.get("$context")) else { return Ok(None) };
    object(&format!("{at}.$context"), claims.clone()).map(|claims| Some(text(&claims)))
}

fn text(claims: &Map<String, Value>) -> String {
    format!("a context that says {}", json!(claims))
}
