//! Which keys a token is tried with, and the only way from [`Compact`] to [`Verified`].
//!
//! The arithmetic is an [`Engine`]'s: the host's where it can, the module's where not. Which one serves an
//! algorithm is settled once, by known answers.

use std::fmt;

use super::algorithm::Algorithm;
use super::compact::Compact;
use super::header::Header;
use super::jwk::Key;
use super::key::VerifyingKey;
use super::known_answers;
use super::signing::SigningKey;
use super::software::Software;
use crate::denial::Code;
use crate::json::Tree;

/// What an engine says of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The key made it.
    Valid,
    /// The key did not make it.
    Invalid,
    /// The engine cannot tell.
    Unavailable,
}

/// Something that verifies signatures, and may make some. A signature is in JOSE form (RFC 7518 section 3), of
/// the length that its key demands.
pub trait Engine {
    /// Whether `key` made `signature` over `text`.
    fn verify(&self, algorithm: Algorithm, key: &VerifyingKey, text: &[u8], signature: &[u8]) -> Outcome;

    /// The signature of `text` by this key; none where the engine cannot make one, as one that only verifies.
    fn sign(&self, _key: &SigningKey, _text: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

/// Who serves an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Envoy's BoringSSL.
    Host,
    /// The code in this module.
    Module,
    /// Nobody: no engine gave the known answers. Tokens of this algorithm are answered `keys_unavailable`, where
    /// a key could verify them.
    Nobody,
}

impl Backend {
    /// As logs spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Module => "module",
            Self::Nobody => "nobody",
        }
    }
}

/// The engines, and which of them serves what.
pub struct Engines {
    host: Option<Box<dyn Engine>>,
    backends: [(Algorithm, Backend); Algorithm::ALL.len()],
}

impl std::fmt::Debug for Engines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engines").field("backends", &self.backends).finish_non_exhaustive()
    }
}

/// How many keys a token may be tried with.
#[derive(Clone, Copy, Debug)]
pub struct Tries {
    /// All in all.
    pub all: usize,
    /// Of these, inside the module, where one try costs a millisecond or two.
    pub module: usize,
}

impl Engines {
    /// Verification inside the module only.
    #[must_use]
    pub fn in_module() -> Self {
        Self::settle(None)
    }

    /// Verification inside the module by these algorithms only, for whoever has one token to check: to ask for
    /// all known answers costs more than that.
    #[must_use]
    pub fn in_module_for(algorithms: &[Algorithm]) -> Self {
        let backends = Algorithm::ALL.map(|algorithm| {
            let serves = algorithms.contains(&algorithm) && known_answers::right(&Software, algorithm);
            (algorithm, if serves { Backend::Module } else { Backend::Nobody })
        });
        Self { host: None, backends }
    }

    /// As if these algorithms alone were served.
    #[cfg(test)]
    pub(crate) fn served_as_if(algorithms: &[Algorithm]) -> Self {
        let backends = Algorithm::ALL.map(|algorithm| {
            (algorithm, if algorithms.contains(&algorithm) { Backend::Host } else { Backend::Nobody })
        });
        Self { host: None, backends }
    }

    /// Asks the host, then the module, for the known answers of each algorithm, and remembers who gave them.
    #[must_use]
    pub fn settle(host: Option<Box<dyn Engine>>) -> Self {
        let backends = Algorithm::ALL.map(|algorithm| {
            let backend = if host.as_deref().is_some_and(|host| known_answers::right(host, algorithm)) {
                Backend::Host
            } else if known_answers::right(&Software, algorithm) {
                Backend::Module
            } else {
                Backend::Nobody
            };
            (algorithm, backend)
        });
        Self { host, backends }
    }

    /// Who serves each algorithm.
    #[must_use]
    pub fn backends(&self) -> &[(Algorithm, Backend)] {
        &self.backends
    }

    pub(super) fn host(&self) -> Option<&dyn Engine> {
        self.host.as_deref()
    }

    /// Who serves this algorithm.
    #[must_use]
    pub fn backend(&self, algorithm: Algorithm) -> Backend {
        self.backends
            .iter()
            .find(|(served, _)| *served == algorithm)
            .map_or(Backend::Nobody, |(_, backend)| *backend)
    }

    pub(super) fn verify(
        &self,
        backend: Backend,
        algorithm: Algorithm,
        key: &VerifyingKey,
        text: &[u8],
        signature: &[u8],
    ) -> Outcome {
        match (backend, self.host.as_deref()) {
            (Backend::Host, Some(host)) => host.verify(algorithm, key, text, signature),
            (Backend::Module, _) => Software.verify(algorithm, key, text, signature),
            (Backend::Host, None) | (Backend::Nobody, _) => Outcome::Unavailable,
        }
    }
}

/// A token whose signature one of the given keys made. Its claims are the issuer's words; whether they
/// suffice is not said yet.
pub struct Verified<'t> {
    claims: Tree<'t>,
    payload: &'t [u8],
}

/// Without the claims, which are the caller's own affairs.
impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified")
    }
}

impl<'t> Verified<'t> {
    /// The claims, a JSON object.
    #[must_use]
    pub fn claims(&self) -> &Tree<'t> {
        &self.claims
    }

    /// The part of the token that they stand in, as it came: base64url.
    #[must_use]
    pub fn payload(&self) -> &'t [u8] {
        self.payload
    }
}

/// Checks a token's signature with an issuer's keys, all that are believed now.
///
/// # Errors
/// [`Code::AlgorithmNotAllowed`], [`Code::KeyUnknown`], [`Code::SignatureInvalid`], and
/// [`Code::KeysUnavailable`] where no engine could tell.
pub fn verify<'t>(
    token: Compact<'t>,
    keys: &[&Key],
    engines: &Engines,
    tries: Tries,
) -> Result<Verified<'t>, Code> {
    let algorithm = token.header.algorithm.ok_or(Code::AlgorithmNotAllowed)?;
    let backend = engines.backend(algorithm);
    let limit = if backend == Backend::Host { tries.all } else { tries.all.min(tries.module) };
    let mut unavailable = false;
    // A key that could not make a signature of this length is ruled out without a try.
    let fits = |key: &&Key| key.material().signature_length(algorithm) == token.signature.len();
    let is_valid = candidates(&token.header, algorithm, keys)?.filter(fits).take(limit).any(|key| {
        let outcome =
            engines.verify(backend, algorithm, key.material(), token.signing_input, token.signature);
        unavailable |= outcome == Outcome::Unavailable;
        outcome == Outcome::Valid
    });
    if is_valid {
        let (claims, payload) = token.into_claims();
        return Ok(Verified { claims, payload });
    }
    Err(if unavailable { Code::KeysUnavailable } else { Code::SignatureInvalid })
}

/// Whether one of the keys has this `kid`.
#[must_use]
pub fn knows(keys: &[&Key], kid: &str) -> bool {
    keys.iter().any(|key| key.kid() == Some(kid))
}

/// The keys that may have signed: those of the token's `kid`; those without one where none has it; without a
/// `kid`, all. Of these, the ones that serve its algorithm.
fn candidates<'k>(
    header: &Header,
    algorithm: Algorithm,
    keys: &'k [&'k Key],
) -> Result<impl Iterator<Item = &'k Key>, Code> {
    let kid = header.kid.as_deref();
    // Whether a key without a `kid` is meant by one that no key has.
    let nameless = kid.is_some_and(|kid| !knows(keys, kid));
    let named = move |key: &&Key| kid.is_none() || key.kid() == kid.filter(|_| !nameless);
    let serves = move |key: &&Key| key.algorithms().contains(&algorithm);
    if keys.is_empty() {
        Err(Code::KeyUnknown)
    } else if !keys.iter().any(serves) {
        Err(Code::AlgorithmNotAllowed)
    } else if !keys.iter().any(named) {
        Err(Code::KeyUnknown)
    } else if !keys.iter().any(|key| named(key) && serves(key)) {
        Err(Code::AlgorithmNotAllowed)
    } else {
        Ok(keys.iter().copied().filter(named).filter(serves))
    }
}
