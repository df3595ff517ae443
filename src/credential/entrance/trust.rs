//! What an entrance is trusted to say: the headers in which the principal comes in.

use crate::denial::Code;
use crate::header::HeaderName;
use crate::principal::{Grant, Permissions, Principal, Subject};
use crate::request::{Copies, Request};
use crate::tenant::Tenant;

/// The headers that carry the principal. They are believed because the entrance was, never by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    pub(crate) subject: HeaderName,
    pub(crate) tenant: Option<HeaderName>,
    pub(crate) permissions: Option<HeaderName>,
}

impl Trust {
    /// The headers it names.
    pub fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        [Some(&self.subject), self.tenant.as_ref(), self.permissions.as_ref()].into_iter().flatten()
    }

    /// The parts of the principal, as the configuration calls them, each with the header that carries it.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &HeaderName)> {
        let Self { subject, tenant, permissions } = self;
        let all =
            [("subject", Some(subject)), ("tenant", tenant.as_ref()), ("permissions", permissions.as_ref())];
        all.into_iter().filter_map(|(part, header)| Some((part, header?)))
    }

    /// The principal that the trusted headers carry: one where the subject's header is there.
    ///
    /// # Errors
    /// [`Code::HeaderMalformed`] where a trusted header is there several times or its value cannot be one;
    /// [`Code::TenantMalformed`].
    #[inline(never)]
    pub fn principal(&self, request: &Request<'_>) -> Result<Option<Principal>, Code> {
        let value = |header: Option<&HeaderName>| match header.map(|header| request.single(header.as_bytes()))
        {
            None | Some(Err(Copies::None)) => Ok(None),
            Some(Ok(value)) => Ok(Some(value)),
            Some(Err(Copies::Several)) => Err(Code::HeaderMalformed),
        };
        let (subject, tenant) = (value(Some(&self.subject))?, value(self.tenant.as_ref())?);
        let permissions = value(self.permissions.as_ref())?;
        let Some(subject) = subject else { return Ok(None) };
        let permissions =
            permissions.map(|list| list.split(|byte| *byte == b',').map(Grant::parse).collect::<Option<_>>());
        Ok(Some(Principal {
            issuer: None,
            subject: Subject::parse(subject).ok_or(Code::HeaderMalformed)?,
            tenant: tenant.map(|tenant| Tenant::parse(tenant).ok_or(Code::TenantMalformed)).transpose()?,
            permissions: Permissions::of_request(
                permissions.unwrap_or(Some(Vec::new())).ok_or(Code::HeaderMalformed)?,
            ),
            scopes: Vec::new(),
            roles: Vec::new(),
        }))
    }
}
