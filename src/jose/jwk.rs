//! JSON Web Keys (RFC 7517): which keys of a set can verify what. A key that cannot be used is left out with
//! its reason and never spoils its set.

use serde_json::Value;

use super::algorithm::{Algorithm, Family};
use super::base64url;
use super::key::{Unusable, VerifyingKey};
use super::module::{Module, NOT_THE_HOSTS};

/// A key with the algorithms that it serves.
#[derive(Clone, Debug)]
pub struct Key {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    material: VerifyingKey,
}

/// Public keys are equal that serve the same and have the same parts; secrets are never compared.
impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.kid == other.kid
            && self.algorithms == other.algorithms
            && self.material.family() != Family::Hmac
            && self.material.spki() == other.material.spki()
    }
}

/// The most keys a set may hold; a longer one is refused whole, lest the one that matters be cut off.
pub const MAX_KEYS: usize = 100;

/// A set, read: what can be used, and why the rest cannot.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    /// The usable keys, in the set's order.
    pub keys: Vec<Key>,
    /// Position in the set and reason of each key left out.
    pub unusable: Vec<(usize, Unusable)>,
}

impl Key {
    /// A key that serves `alg`, or, where none is given, what a key of its kind serves.
    ///
    /// # Errors
    /// Why it cannot be used with these algorithms.
    pub fn new(
        material: VerifyingKey,
        kid: Option<String>,
        alg: Option<&str>,
        allowed: Option<&[Algorithm]>,
    ) -> Result<Self, Unusable> {
        let mut algorithms = match alg {
            Some(name) => vec![Algorithm::parse(name).ok_or("its `alg` is not supported")?],
            None => default_algorithms(material.family(), allowed),
        };
        algorithms.retain(|algorithm| algorithm.family() == material.family());
        if algorithms.is_empty() {
            return Err("its `alg` does not go with its type or curve");
        }
        algorithms.retain(|algorithm| allowed.is_none_or(|allowed| allowed.contains(algorithm)));
        if algorithms.is_empty() {
            return Err("none of the issuer's `algorithms` goes with it");
        }
        if let Some(secret) = material.secret_length() {
            algorithms.retain(|algorithm| algorithm.mac_length().is_some_and(|least| least <= secret));
            if algorithms.is_empty() {
                return Err("it is shorter than the hash of its algorithm (RFC 7518 section 3.2)");
            }
        }
        Ok(Self { kid, algorithms, material })
    }

    /// The key as this module can use it: with the algorithms that it or its host verifies.
    ///
    /// # Errors
    /// Why the module cannot use it at all.
    pub fn served_by(mut self, module: Module) -> Result<Self, Unusable> {
        self.algorithms.retain(|algorithm| module.verifies(*algorithm));
        if self.algorithms.is_empty() { Err(NOT_THE_HOSTS) } else { Ok(self) }
    }

    /// A key of a JWK.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn from_jwk(jwk: &Value, allowed: Option<&[Algorithm]>) -> Result<Self, Unusable> {
        if is_private(jwk) && jwk.get("kty").is_none_or(|kty| kty != "oct") {
            return Err("it gives away its private part, so anybody may sign with it");
        }
        let text = |name, wrong| match jwk.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(wrong),
        };
        let kid = text("kid", "its `kid` is not a string")?;
        let alg = text("alg", "its `alg` is not a string")?;
        match text("use", "its `use` is not a string")? {
            None | Some("sig") => {}
            Some(_) => return Err("its `use` is not `sig`"),
        }
        match jwk.get("key_ops") {
            None => {}
            Some(Value::Array(operations)) if operations.iter().any(|operation| operation == "verify") => {}
            Some(_) => return Err("its `key_ops` lack `verify`"),
        }
        let number =
            |name, wrong| text(name, wrong)?.and_then(|text| base64url(text.as_bytes())).ok_or(wrong);
        let public = match text("kty", "its `kty` is not a string")? {
            Some("RSA") => VerifyingKey::rsa(
                &number("n", "its `n` is not base64url")?,
                &number("e", "its `e` is not base64url")?,
            )?,
            Some("EC") => {
                let family = match text("crv", "its `crv` is not a string")? {
                    Some("P-256") => Family::P256,
                    Some("P-384") => Family::P384,
                    Some("P-521") => Family::P521,
                    _ => return Err("its `crv` is not supported"),
                };
                let (x, y) =
                    (number("x", "its `x` is not base64url")?, number("y", "its `y` is not base64url")?);
                // RFC 7518 section 6.2.1.2: exactly the length of the curve's field.
                if [x.len(), y.len()].iter().any(|length| Some(*length) != family.scalar_length()) {
                    return Err("its coordinates are not as long as its curve's field");
                }
                VerifyingKey::ec(family, &[&[4], &*x, &*y].concat())?
            }
            Some("OKP") => match text("crv", "its `crv` is not a string")? {
                Some("Ed25519") => VerifyingKey::ed25519(&number("x", "its `x` is not base64url")?)?,
                _ => return Err("its `crv` is not supported"),
            },
            Some("oct") => return Err("it is a symmetric key (`oct`)"),
            Some(_) => return Err("its `kty` is not supported"),
            None => return Err("it has no `kty`"),
        };
        Self::new(public, kid.map(str::to_owned), alg, allowed)
    }

    /// `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// What it serves.
    #[must_use]
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// The key itself.
    #[must_use]
    pub fn material(&self) -> &VerifyingKey {
        &self.material
    }
}

/// What a key without `alg` serves: an EC key the algorithm of its curve, an RSA key RS256 only unless the
/// issuer names more.
fn default_algorithms(family: Family, allowed: Option<&[Algorithm]>) -> Vec<Algorithm> {
    match (family, allowed) {
        (Family::Rsa, None) => vec![Algorithm::Rs256],
        (Family::Hmac, None) => vec![Algorithm::Hs256],
        (Family::Rsa | Family::Hmac, Some(_))
        | (Family::P256 | Family::P384 | Family::P521 | Family::Ed25519, _) => family.algorithms().collect(),
    }
}

impl KeySet {
    /// Reads a JWK Set.
    ///
    /// # Errors
    /// What makes it no set: not an object, no array `keys`, or more than [`MAX_KEYS`] of them.
    pub fn parse(set: &Value, allowed: Option<&[Algorithm]>) -> Result<Self, Unusable> {
        Self::parse_for(Module::BUILT, set, allowed)
    }

    /// Reads a JWK Set for this module.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_for(module: Module, set: &Value, allowed: Option<&[Algorithm]>) -> Result<Self, Unusable> {
        let Some(Value::Array(jwks)) = set.get("keys") else {
            return Err("it is not a JWK Set: an object with an array `keys`");
        };
        if jwks.len() > MAX_KEYS {
            return Err("it holds more than 100 keys");
        }
        let mut read = Self::default();
        for (position, jwk) in jwks.iter().enumerate() {
            match Key::from_jwk(jwk, allowed).and_then(|key| key.served_by(module)) {
                Ok(key) => read.keys.push(key),
                Err(reason) => read.unusable.push((position, reason)),
            }
        }
        Ok(read)
    }
}

/// Whether a JWK Set holds the private part of a key (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1), and at which
/// position.
#[must_use]
pub fn private_key(set: &Value) -> Option<usize> {
    let jwks = set.get("keys")?.as_array()?;
    jwks.iter().position(is_private)
}

/// Whether a JWK holds the private part of a key, or a shared secret.
#[must_use]
pub fn is_private(jwk: &Value) -> bool {
    ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|member| jwk.get(member).is_some())
}
