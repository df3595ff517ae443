//! The claims of a token whose signature is right, as any bytes: whoever gets in by them is whom they name,
//! for as long as they say, and what is injected is what they hold.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use vestibule::denial::Code;

use super::credentials::Credentials;
use super::door::{Asked, Door, Ended, Forwarded, Headers, doors};
use super::invariants;
use super::token::{self, NOW, SECRET};

pub fn run(data: &[u8]) {
    let token = token::sign(br#"{"alg":"HS256"}"#, data, SECRET);
    let has_issuer = |door: &&Door| door.config["issuers"]["main"].is_object();
    // What is only reported says nothing of the claims.
    let denies = |door: &&Door| door.config.get("report").is_none();
    for door in doors().iter().filter(has_issuer).filter(denies) {
        let mut headers: Headers = vec![(b":method".to_vec(), b"GET".to_vec())];
        headers.push((b":authority".to_vec(), b"api.test".to_vec()));
        headers.push(Credentials::present(&door.config["issuers"]["main"], &token));
        if headers.iter().all(|(name, _)| name != b":path") {
            headers.push((b":path".to_vec(), b"/".to_vec()));
        }
        if door.config.get("entrances").is_some() {
            headers.push((b"x-gateway-key".to_vec(), super::door::KEY.into()));
        }
        let asked = Asked { headers, cluster: None, peer: None, now: NOW };
        match invariants::check(door, &asked) {
            Ok(Forwarded { principal: Some(_), headers, .. }) => {
                let claims = serde_json::from_slice(data).expect("what was believed is JSON");
                check_claims(&door.config["issuers"]["main"], &claims);
                check_identity(&door.config, &claims, data, &headers);
                check_end(door, &claims, asked);
            }
            Ok(_) => assert_eq!(door.config["default"], "public", "a token was passed over"),
            // What another issuer of the door is named by, this key has not signed.
            Err(Ended::Denied(Code::SignatureInvalid | Code::KeyUnknown)) if names_another(door, data) => {}
            Err(Ended::Answered(_)) => panic!("nothing is published at /"),
            Err(Ended::Denied(code)) => assert!(
                !matches!(
                    code,
                    Code::SignatureInvalid | Code::KeyUnknown | Code::KeysUnavailable | Code::HostFailed
                ),
                "{code:?} for a token that is signed"
            ),
        }
    }
}

/// Whether the claims name an issuer of the door other than the one whose key signs here.
fn names_another(door: &Door, data: &[u8]) -> bool {
    let claims: Value = serde_json::from_slice(data).unwrap_or_default();
    let issuers = door.config["issuers"].as_object().into_iter().flatten();
    claims["iss"].is_string()
        && issuers.filter(|(name, _)| *name != "main").any(|(_, other)| other["issuer"] == claims["iss"])
}

fn strings(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(texts) => texts.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// The claim that an issuer's rule names.
fn named<'c>(claims: &'c Value, reference: &str) -> Option<&'c Value> {
    if reference.starts_with('/') { claims.pointer(reference) } else { claims.get(reference) }
}

fn check_claims(issuer: &Value, claims: &Value) {
    assert!(issuer["issuer"] == "*" || claims["iss"] == issuer["issuer"]);
    let accepted = strings(&issuer["audiences"]).expect("audiences are texts");
    let audiences = claims.get("aud").map(|audiences| strings(audiences).expect("aud is of texts"));
    assert!(
        accepted == ["*"] || audiences.is_some_and(|named| named.iter().any(|one| accepted.contains(one)))
    );

    let leeway = if issuer.get("leeway").is_some() { 5.0 } else { 60.0 };
    let date = |name| claims.get(name).map(|date: &Value| date.as_f64().expect("a date is a number"));
    let now = f64::from(u32::try_from(NOW).expect("it is before 2106"));
    assert!(
        ["exp", "nbf", "iat"]
            .into_iter()
            .filter_map(date)
            .all(|date| (0.0..253_402_300_800.0).contains(&date))
    );
    match date("exp") {
        Some(end) => assert!(now < end + leeway),
        None => assert_eq!(issuer["expiration"], "optional"),
    }
    assert!([date("nbf"), date("iat")].into_iter().flatten().all(|start| start <= now + leeway));
    if issuer.get("maxLifetime").is_some() {
        let life =
            date("exp").zip(date("iat")).map(|(end, start)| end - start).expect("a lifetime has two ends");
        assert!(life <= 600.001);
    }
    for (reference, values) in issuer.get("claims").and_then(Value::as_object).into_iter().flatten() {
        let claim = named(claims, reference).and_then(strings).expect("it is there");
        let values = strings(values).expect("accepted values are texts");
        assert!(claim.iter().any(|one| values.contains(one)), "{reference}");
    }
    assert!(claims.get("cnf").is_none() || issuer["confirmation"] == "ignore");
    assert!(["iss", "sub", "jti"].into_iter().filter_map(|name| claims.get(name)).all(Value::is_string));
}

/// Each value that goes on is the claim's, and several that are joined come apart again.
fn check_identity(config: &Value, claims: &Value, payload: &[u8], headers: &Headers) {
    let issuer = &config["issuers"]["main"];
    let identity =
        |name: &str, default: &str| issuer["identity"][name].as_str().unwrap_or(default).to_owned();
    let claim =
        |reference: &str| named(claims, reference).and_then(Value::as_str).unwrap_or_default().to_owned();
    let header = |name: &str| {
        let found = headers.iter().find(|(given, _)| given == name.as_bytes());
        found.map(|(_, value)| String::from_utf8(value.clone()).expect("an injected value is text"))
    };
    let prefix = issuer["subjectPrefix"].as_str().unwrap_or_default();
    assert_eq!(header("x-user-id"), Some(format!("{prefix}{}", claim(&identity("subject", "sub")))));
    let tenant = claim(&identity("tenant", "tenant_id"));
    assert_eq!(header("x-tenant-id").unwrap_or_default(), tenant);
    let tenants = issuer.get("tenants").and_then(strings);
    let accepts = |tenants: Vec<&str>| tenants == ["*"] || tenants.contains(&tenant.as_str());
    assert!(tenant.is_empty() || tenants.is_none_or(accepts));

    let references = issuer["identity"]
        .get("permissions")
        .map_or(vec!["permissions"], |list| strings(list).expect("texts"));
    let mut permissions: Vec<&str> = Vec::new();
    for value in references.into_iter().filter_map(|reference| named(claims, reference)) {
        let texts = match value {
            Value::String(text) => text.split(' ').filter(|text| !text.is_empty()).collect(),
            list => strings(list).expect("permissions are texts"),
        };
        texts.into_iter().for_each(|text| {
            if !permissions.contains(&text) {
                permissions.push(text)
            }
        });
    }
    let injected = header("x-user-permissions").unwrap_or_default();
    assert_eq!(injected.split(',').filter(|text| !text.is_empty()).collect::<Vec<_>>(), permissions);

    if let Some(encoded) = header("x-claims") {
        assert_eq!(URL_SAFE_NO_PAD.decode(encoded).as_deref(), Ok(payload));
    }
    let decoded = header("x-base64").map(|text| URL_SAFE_NO_PAD.decode(text).expect("it is base64url"));
    for (json, reference) in [(header("x-json").map(String::into_bytes), "json"), (decoded, "/deep/json")] {
        if let Some(json) = json {
            assert_eq!(serde_json::from_slice::<Value>(&json).ok().as_ref(), named(claims, reference));
        }
    }
}

/// Nobody stays longer than the token, however long the leeway may be.
fn check_end(door: &Door, claims: &Value, asked: Asked) {
    let Some(end) = claims.get("exp").and_then(Value::as_f64) else { return };
    let now = (0..)
        .map(|power| NOW + (1 << power))
        .find(|now| *now as f64 > end + 300.0)
        .expect("a date is bounded");
    assert_eq!(door.decide(&Asked { now, ..asked }), Err(Ended::Denied(Code::TokenExpired)));
}
