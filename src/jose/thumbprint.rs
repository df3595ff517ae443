//! A public key as a JWK (RFC 7517), and the name that it gives itself: its thumbprint (RFC 7638).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use der::Decode as _;
use der::asn1::UintRef;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use spki::SubjectPublicKeyInfoRef;

use super::algorithm::{Algorithm, Family};
use super::key::VerifyingKey;

/// The members of a JWK that say which key it is and nothing else; none for a shared secret, which has no
/// public form.
#[must_use]
pub fn jwk(key: &VerifyingKey) -> Option<Map<String, Value>> {
    members(key).map(|members| {
        members.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
    })
}

/// The key's thumbprint by SHA-256, base64url; none for a shared secret.
#[must_use]
pub fn thumbprint(key: &VerifyingKey) -> Option<String> {
    // RFC 7638 section 3.3: the required members in the order of their names, without white space. None of
    // their values has a character that JSON would escape.
    let members = members(key)?.into_iter().map(|(name, value)| format!(r#""{name}":"{value}""#));
    let canonical = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
    Some(URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)))
}

/// The JWK by which others are given the key: with its thumbprint for a name, and what it is for; none for a
/// shared secret.
#[must_use]
pub fn named_jwk(key: &VerifyingKey, algorithm: Algorithm) -> Option<Value> {
    let mut jwk = jwk(key)?;
    let more = [("kid", thumbprint(key)?), ("alg", algorithm.to_string()), ("use", "sig".to_owned())];
    jwk.extend(more.map(|(name, value)| (name.to_owned(), Value::String(value))));
    Some(Value::Object(jwk))
}

/// The required members of RFC 7638 section 3.2 and RFC 8037 section 2, by their names.
fn members(key: &VerifyingKey) -> Option<BTreeMap<&'static str, String>> {
    let curve = match key.family() {
        Family::Rsa => None,
        Family::P256 => Some(("EC", "P-256")),
        Family::P384 => Some(("EC", "P-384")),
        Family::P521 => Some(("EC", "P-521")),
        Family::Ed25519 => Some(("OKP", "Ed25519")),
        Family::Hmac => return None,
    };
    let info = SubjectPublicKeyInfoRef::from_der(key.spki()).ok()?;
    let bytes = info.subject_public_key.as_bytes()?;
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let members = match curve {
        None => match Vec::<UintRef<'_>>::from_der(bytes).ok()?.as_slice() {
            [n, e] => {
                vec![("kty", "RSA".to_owned()), ("n", encode(n.as_bytes())), ("e", encode(e.as_bytes()))]
            }
            _ => return None,
        },
        Some((kty @ "OKP", crv)) => {
            vec![("kty", kty.to_owned()), ("crv", crv.to_owned()), ("x", encode(bytes))]
        }
        Some((kty, crv)) => {
            // SEC 1 section 2.3.3: 4, x, y. A coordinate is as long as the field (RFC 7518 section 6.2.1.2).
            let (4, point) = bytes.split_first()? else { return None };
            let (x, y) = point.split_at_checked(point.len() / 2)?;
            vec![("kty", kty.to_owned()), ("crv", crv.to_owned()), ("x", encode(x)), ("y", encode(y))]
        }
    };
    Some(members.into_iter().collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use serde_json::json;

    use super::*;
    use crate::jose::jwk::Key;

    /// The keys and their thumbprints: RFC 7638 section 3.1 and RFC 8037 appendix A.3. The others, from
    /// RFC 7517 appendix A.1 and RFC 7515 appendix A.4, are named by OpenSSL's SHA-256 of what section 3.3 says.
    fn examples() -> [(Value, &'static str); 4] {
        [
            (
                json!({"kty": "RSA", "e": "AQAB", "n": "\
                    0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3ok\
                    njhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu\
                    6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8a\
                    wapJzKnqDKgw"}),
                "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
                "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            ),
            (
                json!({"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                       "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}),
                "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
            ),
            (
                json!({"kty": "EC", "crv": "P-521",
                       "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
                       "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}),
                "u5YUSjQ2-2chBi51NSk3t3g7IM4o2KYcnPqPtCNGd3U",
            ),
        ]
    }

    #[test]
    #[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
    fn a_thumbprint_is_the_one_of_the_rfcs() {
        for (jwk, thumbprint) in examples() {
            let key = Key::from_jwk(&jwk, None).unwrap();
            assert_eq!(super::thumbprint(key.material()).unwrap(), thumbprint, "{jwk}");
        }
    }

    #[test]
    #[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
    fn a_key_becomes_the_jwk_that_it_came_of_without_what_does_not_tell_it_from_others() {
        for (jwk, _) in examples() {
            let mut more = jwk.clone();
            for (name, value) in [("kid", "k"), ("use", "sig")] {
                more.as_object_mut().unwrap().insert(name.to_owned(), value.into());
            }
            let key = Key::from_jwk(&more, None).unwrap();
            assert_eq!(Value::Object(super::jwk(key.material()).unwrap()), jwk);
        }
    }

    #[test]
    #[cfg_attr(not(feature = "software"), ignore = "needs the module's own signatures")]
    fn a_shared_secret_has_neither() {
        let secret = VerifyingKey::hmac(&[7; 32]).unwrap();
        assert!(super::jwk(&secret).is_none() && super::thumbprint(&secret).is_none());
    }
}
