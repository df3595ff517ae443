//! `context`: what an outer door's contexts need besides, and the mint that makes them.

use super::secret::{self, Resolved, Secrets};
use crate::config::Config;
use crate::config::context::Mint as Written;
use crate::config::error::{ConfigError, ConfigErrors};
use crate::context::mint::{Mint, Terms};
use crate::jose::algorithm::{Algorithm, Family};
use crate::jose::module::Module;
use crate::jose::signature::{Backend, Engines};
use crate::jose::signing::SigningKey;
use crate::policy::Policy;

/// What an outer door's context may not stand beside, and must.
#[inline(never)]
pub(super) fn check_outer(config: &Config<'_>) {
    if config.requires_context() {
        config
            .node
            .below("context.require")
            .error("is an inner door's: an outer one has `context.mint`, for it is where contexts come from");
    }
    let Some(mint) = &config.mint else { return };
    if config.node.value().get("issuers").is_none() {
        mint.node.error("is for somebody, and nothing here proves who: add `issuers`, or remove it");
    }
    if mint.to.is_some() && config.gateway_key.is_some() {
        mint.node.below("to").error("is what `gatewayKey.to` says, for both go the same way: remove it");
    }
    if mint.attach.is_some() && config.gateway_key.is_some() {
        mint.node
            .below("attach")
            .error("is what `gatewayKey.attach` says, for both go the same way: remove it");
    }
}

/// The mint, where there is one. Its key is a secret like any other, but that a PEM ends with a line break.
#[inline(never)]
pub(super) fn mint(config: &Config<'_>, secrets: &Secrets<'_>) -> Option<Option<Mint>> {
    let Some(written) = &config.mint else { return Some(None) };
    let Written {
        header,
        issuer,
        audience,
        workload,
        ttl,
        key,
        announce: _,
        publish: _,
        // How far it goes is said of all that is attached.
        to: _,
        attach: _,
        node: _,
    } = written;
    let key = key.as_ref().and_then(|secret| match secret::resolve_lines(secret, secrets)? {
        Resolved::Unchecked => None,
        Resolved::Value(pem) => {
            let key = String::from_utf8(pem).map_err(|_| "it is not text");
            match key.and_then(|pem| SigningKey::from_pem_for(config.module, &pem)) {
                Ok(key) => Some(key),
                Err(reason) => {
                    secret.node.below("env").refuse(format!("names a variable with no usable key: {reason}"))
                }
            }
        }
    });
    let terms = Terms {
        header: header.clone()?,
        issuer: (*issuer)?,
        audience: (*audience)?,
        workload: (*workload)?,
        ttl: *ttl,
    };
    Some(Some(Mint::new(terms, key?)))
}

/// Settles which of the engines signs the contexts of a policy, where it mints some, and by what algorithm. It is
/// found out with the very key, so it comes after compiling; until then the module signs.
///
/// # Errors
/// Where none signs rightly with the key.
#[inline(never)]
pub fn settle_signing(
    policy: &mut Policy,
    engines: &Engines,
) -> Result<Option<(Algorithm, Backend)>, ConfigErrors> {
    match policy.settle_signing(engines) {
        Some((algorithm, Backend::Nobody)) => {
            // The module signs by no RSA key, and the smaller one by none.
            let or = match (algorithm.family(), Module::BUILT) {
                (Family::Rsa, _) => ", or, where the key is sound, have an Envoy with `sign` (1.37 or later)",
                (_, Module::Host) => {
                    ", or, where the key is sound, have an Envoy with `sign` (1.37 or later), or use \
                     dist/vestibule.wasm"
                }
                (_, Module::Full) => "",
            };
            let reason = format!(
                "is a key with which nothing here signs {algorithm} rightly: give one that \
                 `vestibule keygen p256` made{or}"
            );
            Err(ConfigError::new("context.mint.key", reason).into())
        }
        settled => Ok(settled),
    }
}
