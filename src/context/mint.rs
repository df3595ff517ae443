//! Minting: a context for a request that was decided about, signed.
//!
//! Whether a request gets one is the policy's business, and who signs is settled when a policy is adopted.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::TYPE;
pub use super::claims::Occasion;
use super::claims::{self, Names};
use crate::denial::Code;
use crate::header::HeaderName;
use crate::jose::algorithm::Algorithm;
use crate::jose::signature::{Backend, Engines};
use crate::jose::signing::SigningKey;
use crate::time::UnixTime;

/// Who mints the contexts of an outer door.
#[derive(Clone, Debug)]
pub struct Mint {
    header: HeaderName,
    names: Names,
    key: SigningKey,
    backend: Backend,
    /// The JWS header (RFC 7515 section 4), encoded: every context has the same.
    protected: String,
}

/// What a mint is made of, besides its key.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// The header that carries its contexts.
    pub header: HeaderName,
    /// Their `iss`.
    pub issuer: &'a str,
    /// Their `aud`, where no route says otherwise.
    pub audience: &'a str,
    /// Their `req_wl`.
    pub workload: &'a str,
    /// How long one lives at most.
    pub ttl: Duration,
}

/// A context. It shows itself nowhere: it is a token.
#[derive(Clone)]
pub struct Context {
    /// In compact form (RFC 7515 section 7.1).
    pub(crate) token: Arc<[u8]>,
    /// Whom it is for.
    pub(crate) audience: Arc<str>,
    /// When it ends.
    pub(crate) expires: UnixTime,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("audience", &self.audience)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl Mint {
    /// A mint whose contexts are signed inside the module, as long as nobody else is [settled](Self::settle)
    /// on.
    #[must_use]
    #[inline(never)]
    pub fn new(terms: Terms<'_>, key: SigningKey) -> Self {
        let Terms { header, issuer, audience, workload, ttl } = terms;
        let names =
            Names { issuer: issuer.into(), audience: audience.into(), workload: workload.into(), ttl };
        let protected = json!({ "alg": key.algorithm().as_str(), "kid": key.kid(), "typ": TYPE });
        let protected = URL_SAFE_NO_PAD.encode(protected.to_string());
        Self { header, names, key, backend: Backend::Module, protected }
    }

    /// Finds out which of the engines signs with the key, and has it sign from now on.
    pub fn settle(&mut self, engines: &Engines) -> (Algorithm, Backend) {
        self.backend = engines.settle_signing(&self.key);
        (self.key.algorithm(), self.backend)
    }

    /// What signs them.
    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The header that carries its contexts.
    #[must_use]
    pub fn header(&self) -> &HeaderName {
        &self.header
    }

    /// The context of a request.
    ///
    /// # Errors
    /// [`Code::HostFailed`] where nobody can sign, or where nothing tells the request from others;
    /// [`Code::ClaimMalformed`] for one of over `max` bytes.
    pub fn mint(&self, engines: &Engines, occasion: &Occasion<'_>, max: usize) -> Result<Context, Code> {
        let (mut claims, expires) = claims::claims(&self.names, occasion)?;
        let signature = self.key.public().signature_length(self.key.algorithm());
        let room = max.saturating_sub((signature * 4).div_ceil(3) + 1);
        let unsigned =
            |claims: &Value| [self.protected.as_str(), &URL_SAFE_NO_PAD.encode(claims.to_string())].join(".");
        let mut token = unsigned(&claims);
        // Who may pass does not depend on how long a path is, which is told for the logs.
        if token.len() > room && claims::leave_path_out(&mut claims) {
            token = unsigned(&claims);
        }
        if token.len() > room {
            return Err(Code::ClaimMalformed);
        }
        let signature = engines.sign(self.backend, &self.key, token.as_bytes()).ok_or(Code::HostFailed)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        let audience = occasion.audience.map_or_else(|| Arc::clone(&self.names.audience), Arc::from);
        Ok(Context { token: token.into_bytes().into(), audience, expires })
    }
}
