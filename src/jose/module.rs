//! Which of the two modules a configuration is for, and so whether signatures are the host's business alone.

use super::algorithm::Algorithm;
use super::key::Unusable;

/// A module that is built of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Module {
    /// `dist/vestibule.wasm`: what the host does not verify or sign it does itself.
    Full,
    /// `dist/vestibule-host.wasm`: all signatures are the host's. It is built without the feature `software`.
    Host,
}

impl Module {
    /// The one that this code is part of; natively the full one, as long as the feature is on.
    pub const BUILT: Self = if cfg!(feature = "software") { Self::Full } else { Self::Host };

    /// Whether signatures of this algorithm can be verified, given a host that does all that hosts do.
    #[must_use]
    pub const fn verifies(self, algorithm: Algorithm) -> bool {
        match self {
            Self::Full => true,
            Self::Host => algorithm.hosts_verify(),
        }
    }
}

/// Why a key cannot be used that only the full module could.
pub(super) const NOT_THE_HOSTS: Unusable = "hosts do not verify its algorithm: it takes dist/vestibule.wasm";
