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
        let permissions = &principal.permissions;
        let covering = || permissions.stars().find(|held| covers(held, &self.name));
        let own = permissions.named(&self.name).or_else(covering);
        // Most doors have no grants, and then nothing is looked up.
        if own.is_some() || self.implied_by.is_empty() {
            return own.map(Holding::Permission);
        }
        let role = || principal.roles.iter().find(|held| self.implied_by.contains(*held));
        let implying = permissions.among(&self.implied_by).map(Holding::Permission);
        implying.or_else(|| role().map(Holding::Role))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use std::collections::BTreeMap;

    use super::*;
    use crate::principal::{Permissions, Subject};

    fn grants(names: &[&str]) -> Vec<Grant> {
        names.iter().map(|name| Grant::parse(name.as_bytes()).unwrap()).collect()
    }

    /// Somebody with these permissions, scopes and roles, by the word of `main`.
    fn principal(permissions: &[&str], scopes: &[&str], roles: &[&str]) -> Principal {
        Principal {
            issuer: Some("main".into()),
            subject: Subject::parse(b"alice").unwrap(),
            tenant: None,
            permissions: Permissions::of_request(grants(permissions)),
            scopes: grants(scopes),
            roles: grants(roles),
        }
    }

    /// `editor` and `blog:admin` imply `blog:write`; `owner` implies `editor` and all of `shop:`.
    fn permissions(names: &[&str]) -> Vec<Arc<Permission>> {
        let implied: [(&str, &[&str]); 3] =
            [("editor", &["blog:write"]), ("blog:admin", &["blog:write"]), ("owner", &["editor", "shop:*"])];
        let implied: BTreeMap<Grant, Vec<Grant>> =
            implied.iter().map(|(name, implied)| (grants(&[*name]).remove(0), grants(implied))).collect();
        let implied = Grants::new(implied).unwrap();
        grants(names).into_iter().map(|name| Arc::new(Permission::new(name, &implied))).collect()
    }

    fn issuers(names: &[&str]) -> Option<Vec<Arc<str>>> {
        Some(names.iter().map(|name| Arc::from(*name)).collect())
    }

    #[test]
    fn where_nothing_is_required_everybody_passes_and_where_any_of_nothing_is_nobody_does() {
        let everything = principal(&["*"], &["a"], &["a"]);
        assert_eq!(Requirements::default().check(&principal(&[], &[], &[])), Ok(()));
        let none = Requirements { issuers: issuers(&[]), ..Requirements::default() };
        assert_eq!(none.check(&everything), Err(Lack::Issuer));
        let none = Requirements { any_permission: Some(vec![]), ..Requirements::default() };
        assert_eq!(none.check(&everything), Err(Lack::Permission));
        let none = Requirements { roles: Some(vec![]), ..Requirements::default() };
        assert_eq!(none.check(&everything), Err(Lack::Role));
    }

    #[test]
    fn an_issuer_is_any_of_those_that_are_named_and_an_entrance_is_none() {
        let required = Requirements { issuers: issuers(&["other", "main"]), ..Requirements::default() };
        let mut somebody = principal(&[], &[], &[]);
        assert_eq!(required.check(&somebody), Ok(()));
        somebody.issuer = Some("mai".into());
        assert_eq!(required.check(&somebody), Err(Lack::Issuer));
        somebody.issuer = None;
        assert_eq!(required.check(&somebody), Err(Lack::Issuer));
    }

    #[test]
    fn of_permissions_all_are_required_and_of_any_permission_one() {
        let names = ["blog:read", "blog:write"];
        let all = Requirements { permissions: permissions(&names), ..Requirements::default() };
        let any = Requirements { any_permission: Some(permissions(&names)), ..Requirements::default() };
        for (held, has_all, has_any) in [
            (&["blog:read", "blog:write"][..], true, true),
            (&["blog:*"], true, true),
            (&["blog:write"], false, true),
            (&["blog:read"], false, true),
            (&["blog:rea"], false, false),
            (&["shop:read"], false, false),
            (&[], false, false),
        ] {
            let somebody = principal(held, &["blog:read", "blog:write"], &[]);
            assert_eq!(all.check(&somebody).is_ok(), has_all, "{held:?}");
            assert_eq!(any.check(&somebody).is_ok(), has_any, "{held:?}");
        }
    }

    #[test]
    fn scopes_and_roles_are_compared_as_they_are() {
        let required = Requirements {
            scopes: grants(&["a", "b"]),
            roles: Some(grants(&["x", "y"])),
            ..Requirements::default()
        };
        for (scopes, roles, outcome) in [
            (&["b", "a"][..], &["y"][..], Ok(())),
            (&["a"], &["y"], Err(Lack::Scope(None))),
            (&["*"], &["y"], Err(Lack::Scope(None))),
            (&["a", "b"], &["z"], Err(Lack::Role)),
            (&["a", "b"], &["*"], Err(Lack::Role)),
        ] {
            let somebody = principal(&["a", "b", "x", "*"], scopes, roles);
            assert_eq!(required.check(&somebody), outcome, "{scopes:?} {roles:?}");
        }
    }

    #[test]
    fn the_first_lack_is_told_issuer_permission_scope_role() {
        let required = Requirements {
            issuers: issuers(&["main"]),
            permissions: permissions(&["blog:read"]),
            any_permission: Some(permissions(&["shop:read"])),
            scopes: grants(&["a"]),
            roles: Some(grants(&["x"])),
            tenant: None,
            challenge: Some("Bearer".into()),
        };
        let mut somebody = principal(&[], &[], &[]);
        somebody.issuer = None;
        assert_eq!(required.check(&somebody), Err(Lack::Issuer));
        somebody.issuer = Some("main".into());
        assert_eq!(required.check(&somebody), Err(Lack::Permission));
        somebody.permissions = Permissions::of_request(grants(&["blog:read"]));
        assert_eq!(required.check(&somebody), Err(Lack::Permission));
        somebody.permissions = Permissions::of_request(grants(&["blog:read", "shop:read"]));
        assert_eq!(required.check(&somebody), Err(Lack::Scope(Some(&"Bearer".into()))));
        somebody.scopes = grants(&["a"]);
        assert_eq!(required.check(&somebody), Err(Lack::Role));
        somebody.roles = grants(&["x"]);
        assert_eq!(required.check(&somebody), Ok(()));
    }

    #[test]
    fn a_permission_is_held_by_itself_before_a_star_before_what_implies_it_before_a_role() {
        let write = permissions(&["blog:write"]).remove(0);
        for (held, roles, by) in [
            (&["blog:admin", "blog:*", "blog:write"][..], &["editor"][..], Some("blog:write")),
            (&["blog:admin", "blog:*"], &["editor"], Some("blog:*")),
            (&["blog:admin"], &["editor"], Some("blog:admin")),
            (&["editor"], &[], Some("editor")),
            (&["blog:read"], &["owner"], Some("owner")),
            (&["shop:*"], &["blog:write", "*"], None),
        ] {
            let somebody = principal(held, &["blog:write"], roles);
            let holding = write.held_by(&somebody);
            let name = holding.map(|holding| match holding {
                Holding::Permission(name) | Holding::Role(name) => name.as_str(),
            });
            assert_eq!(name, by, "{held:?} {roles:?}");
            assert_eq!(matches!(holding, Some(Holding::Role(_))), by == Some("owner"), "{held:?}");
        }
        let buy = permissions(&["shop:buy"]).remove(0);
        assert!(
            buy.held_by(&principal(&[], &[], &["owner"])).is_some(),
            "by what a role implies with a star"
        );
    }
}
