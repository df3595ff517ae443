//! What a route requires of a principal, compiled so that what it holds is compared and nothing expanded.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::grants::{Grants, covers};
use crate::denial::Code;
use crate::principal::{Grant, Principal};
use crate::tenant::TenantRule;

/// Requirements; all that are there must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// The word of any of these issuers.
    pub(crate) issuers: Option<Vec<Arc<str>>>,
    /// All of these.
    pub(crate) permissions: Vec<Arc<Permission>>,
    /// Any of these.
    pub(crate) any_permission: Option<Vec<Arc<Permission>>>,
    /// All of these.
    pub(crate) scopes: Vec<Grant>,
    /// Any of these.
    pub(crate) roles: Option<Vec<Grant>>,
    /// Instead of the door's own rule.
    pub(crate) tenant: Option<TenantRule>,
    /// What a principal that lacks a scope is told.
    pub(crate) challenge: Option<Arc<str>>,
}

/// A permission that is required, and all that gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    pub(crate) name: Grant,
    /// The roles and permissions that imply it.
    implied_by: BTreeSet<Grant>,
}

/// What of a principal gives a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding<'p> {
    /// A permission: the one that is asked for, one that ends in `*`, or one that implies it.
    Permission(&'p Grant),
    /// A role that implies it.
    Role(&'p Grant),
}

/// What a principal lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack<'a> {
    /// An issuer that the route believes.
    Issuer,
    /// This permission, or any of several.
    Permission,
    /// A scope; with the challenge that names all that are needed.
    Scope(Option<&'a Arc<str>>),
    /// Any of the roles.
    Role,
    /// There is nothing that it could have.
    Access,
}

impl Lack<'_> {
    /// The reason for the denial.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Issuer => Code::IssuerNotAllowed,
            Self::Permission => Code::PermissionMissing,
            Self::Scope(_) => Code::ScopeMissing,
            Self::Role => Code::RoleMissing,
            Self::Access => Code::RouteDenied,
        }
    }
}

impl Permission {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Grant {
        &self.name
    }

    /// A permission that is required where these grants hold.
    #[must_use]
    pub fn new(name: Grant, grants: &Grants) -> Self {
        let implied_by = grants.implying(&name);
        Self { name, implied_by }
    }

    /// What gives it to a principal: the permission itself before what covers it, that before what implies it.
    #[must_use]
    pub fn held_by<'p>(&self, principal: &'p Principal) -> Option<Holding<'p>> {
        let permissions = || principal.permissions.iter();
        let implies = |held: &&Grant| self.implied_by.contains(*held);
        let own = permissions().find(|held| **held == self.name);
        let own = own.or_else(|| permissions().find(|held| covers(held, &self.name)));
        // Most doors have no grants, and then nothing is looked up.
        if own.is_some() || self.implied_by.is_empty() {
            return own.map(Holding::Permission);
        }
        let implying = permissions().find(implies).map(Holding::Permission);
        implying.or_else(|| principal.roles.iter().find(implies).map(Holding::Role))
    }
}

/// One of the requirements.
#[derive(Clone, Copy, Debug)]
pub enum Requirement<'r> {
    /// Any of these issuers.
    Issuers(&'r [Arc<str>]),
    /// This permission.
    Permission(&'r Permission),
    /// Any of these permissions.
    AnyPermission(&'r [Arc<Permission>]),
    /// This scope.
    Scope(&'r Grant),
    /// Any of these roles.
    Roles(&'r [Grant]),
}

impl Requirement<'_> {
    /// Whether a principal has it.
    #[must_use]
    pub fn is_met(&self, principal: &Principal) -> bool {
        match self {
            Self::Issuers(issuers) => issuers.iter().any(|issuer| principal.issuer.as_ref() == Some(issuer)),
            Self::Permission(permission) => permission.held_by(principal).is_some(),
            Self::AnyPermission(permissions) => {
                permissions.iter().any(|permission| permission.held_by(principal).is_some())
            }
            Self::Scope(scope) => principal.scopes.contains(scope),
            Self::Roles(roles) => roles.iter().any(|role| principal.roles.contains(role)),
        }
    }
}

impl Requirements {
    /// Each of them, in the order in which they are checked.
    pub fn each(&self) -> impl Iterator<Item = Requirement<'_>> {
        let issuers = self.issuers.iter().map(|issuers| Requirement::Issuers(issuers));
        let permissions = self.permissions.iter().map(|permission| Requirement::Permission(permission));
        let any_permission = self.any_permission.iter().map(|any| Requirement::AnyPermission(any));
        let scopes = self.scopes.iter().map(Requirement::Scope);
        let roles = self.roles.iter().map(|roles| Requirement::Roles(roles));
        issuers.chain(permissions).chain(any_permission).chain(scopes).chain(roles)
    }

    /// Whether a principal has all of it.
    ///
    /// # Errors
    /// The first thing that it lacks.
    pub fn check(&self, principal: &Principal) -> Result<(), Lack<'_>> {
        match self.each().find(|requirement| !requirement.is_met(principal)) {
            None => Ok(()),
            Some(Requirement::Issuers(_)) => Err(Lack::Issuer),
            Some(Requirement::Permission(_) | Requirement::AnyPermission(_)) => Err(Lack::Permission),
            Some(Requirement::Scope(_)) => Err(Lack::Scope(self.challenge.as_ref())),
            Some(Requirement::Roles(_)) => Err(Lack::Role),
        }
    }
}
