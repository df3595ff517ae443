//! Who may pass: what a route asks of the one who calls.

pub mod grants;
pub mod requirements;

use std::sync::Arc;

use crate::principal::Principal;
use crate::tenant::TenantRule;
use requirements::{Lack, Requirements};

/// What a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing; no credential is looked at.
    Public,
    /// Nothing; but a credential that is present must be good.
    Optional,
    /// A principal.
    Authenticated,
    /// A principal of whom all of this holds.
    Requires(Arc<Requirements>),
    /// What nobody has.
    Deny,
}

impl Access {
    /// Whether the request's credential is looked at.
    #[must_use]
    pub fn reads_credential(&self) -> bool {
        match self {
            Self::Public | Self::Deny => false,
            Self::Optional | Self::Authenticated | Self::Requires(_) => true,
        }
    }

    /// Whether nobody passes without a principal.
    #[must_use]
    pub fn needs_principal(&self) -> bool {
        match self {
            Self::Public | Self::Optional => false,
            Self::Authenticated | Self::Requires(_) | Self::Deny => true,
        }
    }

    /// The rule about the principal's tenant, where the door's is this.
    #[must_use]
    pub fn tenant(&self, door: TenantRule) -> TenantRule {
        match self {
            Self::Requires(requirements) => requirements.tenant.unwrap_or(door),
            Self::Public | Self::Optional | Self::Authenticated | Self::Deny => door,
        }
    }

    /// Whether a principal has what is required.
    ///
    /// # Errors
    /// The first thing that it lacks.
    pub fn check<'a>(&'a self, principal: &Principal) -> Result<(), Lack<'a>> {
        match self {
            Self::Public | Self::Optional | Self::Authenticated => Ok(()),
            Self::Requires(requirements) => requirements.check(principal),
            Self::Deny => Err(Lack::Access),
        }
    }
}
