//! Trusted headers: what of a principal is written into which header.

use std::sync::Arc;

use crate::denial::Code;
use crate::header::HeaderName;
use crate::principal::{Grant, Principal};

/// A header that is set on permitted requests.
#[derive(Clone, Debug)]
pub struct Injection {
    pub(crate) header: HeaderName,
    pub(crate) source: Source,
}

/// Where an injected value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The principal's subject.
    Subject,
    /// Its tenant.
    Tenant,
    /// Its permissions, joined with `,`.
    Permissions,
    /// Its scopes, joined with `,`.
    Scopes,
    /// Its roles, joined with `,`.
    Roles,
    /// The configured name of the issuer that vouched for it.
    Issuer,
    /// This text, on every permitted request, with a principal or without.
    Text(Arc<[u8]>),
}

impl Injection {
    /// The header's value; none, and so no header, where the principal has no such thing.
    ///
    /// # Errors
    /// [`Code::ClaimMalformed`] for a value of over `max` bytes: upstreams cut or refuse what is too long for
    /// them.
    pub(crate) fn value(&self, principal: Option<&Principal>, max: usize) -> Result<Option<Arc<[u8]>>, Code> {
        if let Source::Text(text) = &self.source {
            return Ok(Some(Arc::clone(text)));
        }
        let Some(principal) = principal else { return Ok(None) };
        let list = |grants: &[Grant]| {
            let texts: Vec<&str> = grants.iter().map(Grant::as_str).collect();
            (!texts.is_empty()).then(|| texts.join(","))
        };
        let value = match &self.source {
            Source::Subject => Some(principal.subject().to_owned()),
            Source::Tenant => principal.tenant().map(str::to_owned),
            Source::Permissions => list(&principal.permissions),
            Source::Scopes => list(&principal.scopes),
            Source::Roles => list(&principal.roles),
            Source::Issuer => principal.issuer().map(str::to_owned),
            Source::Text(_) => None,
        };
        match value {
            Some(value) if value.len() > max => Err(Code::ClaimMalformed),
            value => Ok(value.map(|value| value.into_bytes().into())),
        }
    }
}
