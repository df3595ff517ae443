//! Whether what a policy needs is verified here: by this host, or else in the module.
//!
//! What hosts verify a configuration may ask for, and then this one may not give the known answers. It is for
//! whoever loads a policy to ask, since a policy by itself knows no host.

use crate::config::error::{ConfigError, ConfigErrors};
use crate::credential::issuer::Issuer;
use crate::jose::algorithm::{Algorithm, Family};
use crate::jose::module::Module;
use crate::jose::signature::{Backend, Engines};
use crate::policy::Policy;

/// Checks that somebody verifies every algorithm that the tokens of a policy may be signed by: those that an
/// issuer names, and else those of its keys, which may be any where they are published.
///
/// # Errors
/// Each issuer with the algorithms that nobody verifies.
#[inline(never)]
pub fn check_engines(policy: &Policy, engines: &Engines) -> Result<(), ConfigErrors> {
    let errors: Vec<ConfigError> = policy
        .issuers
        .each()
        .filter_map(|issuer| {
            let nobodys: Vec<&str> = needed(issuer)
                .filter(|algorithm| engines.backend(*algorithm) == Backend::Nobody)
                .map(Algorithm::as_str)
                .collect();
            let path = if policy.requires_context {
                "context.require.keys".to_owned()
            } else if issuer.algorithms.is_some() {
                format!("issuers.{}.algorithms", issuer.name)
            } else {
                format!("issuers.{}.keys", issuer.name)
            };
            let reason = format!(
                "may need {}, which this host does not verify rightly: have Envoy 1.30 or later, or use \
                 dist/vestibule.wasm",
                nobodys.join(", ")
            );
            (!nobodys.is_empty()).then(|| ConfigError::new(path, reason))
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.into_iter().collect()) }
}

/// Where the signatures of a policy's credentials are verified: `host`, `module`, `both`, or `_none` where none
/// are.
#[must_use]
pub fn crypto(policy: &Policy, engines: &Engines) -> &'static str {
    let serves = |backend| {
        policy.issuers.each().flat_map(needed).any(|algorithm| engines.backend(algorithm) == backend)
    };
    match (serves(Backend::Host), serves(Backend::Module)) {
        (true, true) => "both",
        (true, false) => "host",
        (false, true) => "module",
        (false, false) => "_none",
    }
}

fn needed(issuer: &Issuer) -> impl Iterator<Item = Algorithm> {
    let published = !issuer.remote.is_empty();
    Algorithm::ALL.into_iter().filter(move |algorithm| match &issuer.algorithms {
        Some(named) => named.contains(algorithm),
        None => {
            issuer.keys.iter().any(|key| key.algorithms().contains(algorithm))
                || (published && algorithm.family() != Family::Hmac && Module::BUILT.verifies(*algorithm))
        }
    })
}
