//! Tokens that are signed, so that what stands behind the signature is reached, around whatever the fuzzer
//! says.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::algorithms::{HS256Key, MACLike as _};
use serde_json::{Value, json};

/// Seconds since the epoch, in all targets.
pub const NOW: u64 = 1_800_000_000;
/// What the issuers of the doors share with their verifier. They guard nothing.
pub const SECRET: &str = "the-first-issuers-secret-which-stands-in-this-file-and-guards-nothing";
pub const OTHER_SECRET: &str = "the-other-issuers-secret-which-stands-in-this-file-and-guards-nothing";

/// A token of these parts, signed by HMAC with SHA-256 whatever its header says.
pub fn sign(header: &[u8], payload: &[u8], secret: &str) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let tag = HS256Key::from_bytes(secret.as_bytes()).authentication_tag(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// The text with a token of this time in the place of each `<…>`; both were bytes before and are after.
///
/// `<>` is a good token. `<{"exp":0}>` has this member instead of its own, or besides;
/// `<{"kid":"a"}|{"exp":0}>` says something of the header, too; what is no JSON object is the whole part as
/// it stands. `2` in front makes it the other issuer's, `!` another signature.
pub fn fill(text: &[u8], now: u64) -> Vec<u8> {
    let Some(start) = text.iter().position(|byte| *byte == b'<') else { return text.to_vec() };
    let (before, rest) = (&text[..start], &text[start + 1..]);
    let Some(end) = rest.iter().position(|byte| *byte == b'>') else { return text.to_vec() };
    [before, described(&rest[..end], now).as_bytes(), &fill(&rest[end + 1..], now)].concat()
}

fn described(mut description: &[u8], now: u64) -> String {
    let (mut other, mut tampered) = (false, false);
    while let [flag @ (b'2' | b'!'), rest @ ..] = description {
        *(if *flag == b'2' { &mut other } else { &mut tampered }) = true;
        description = rest;
    }
    let (header, payload) = match description.iter().position(|byte| *byte == b'|') {
        Some(bar) => (&description[..bar], &description[bar + 1..]),
        None => (&b""[..], description),
    };
    let header = part(json!({ "alg": "HS256", "typ": "JWT" }), header);
    let issuer = if other { "https://other.test" } else { "https://issuer.test" };
    let good = json!({
        "iss": issuer, "aud": "https://api.test", "sub": "alice", "tenant_id": "acme",
        "permissions": ["blog:read", "blog:write"], "iat": now, "exp": now + 300,
    });
    let token = sign(&header, &part(good, payload), if other { OTHER_SECRET } else { SECRET });
    if tampered { flipped(&token) } else { token }
}

/// Another signature: its first character is another.
fn flipped(token: &str) -> String {
    let (input, tag) = token.rsplit_once('.').expect("a token has three parts");
    let first = if tag.starts_with('A') { "B" } else { "A" };
    format!("{input}.{first}{}", tag.chars().skip(1).collect::<String>())
}

fn part(mut good: Value, changes: &[u8]) -> Vec<u8> {
    match serde_json::from_slice(changes) {
        Ok(Value::Object(changes)) => {
            good.as_object_mut().expect("a good part is an object").extend(changes);
            good.to_string().into()
        }
        _ if changes.is_empty() => good.to_string().into(),
        _ => changes.to_vec(),
    }
}
