//! Whether somebody has what a route requires, once more: by the rule as operators are told it, from the
//! configuration as it is written. All that a principal was granted is expanded, step by step.

use std::collections::BTreeSet;

use serde_json::Value;

/// Somebody, as far as requirements go.
#[derive(Clone, Debug, Default)]
pub struct Holder {
    /// None where an entrance vouched.
    pub issuer: Option<String>,
    pub permissions: Vec<String>,
    pub scopes: Vec<String>,
    pub roles: Vec<String>,
}

impl Holder {
    /// Every permission that it has: what it was granted, and what that and its roles imply by these grants.
    pub fn expanded(&self, grants: &Value) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = self.permissions.iter().chain(&self.roles).cloned().collect();
        let mut permissions: BTreeSet<String> = self.permissions.iter().cloned().collect();
        loop {
            let implied: Vec<String> = names.iter().flat_map(|name| texts(&grants[name])).collect();
            let known = names.len();
            names.extend(implied.iter().cloned());
            permissions.extend(implied);
            if names.len() == known {
                return permissions;
            }
        }
    }

    /// The code of the first thing that it lacks.
    pub fn lacks(&self, requirements: &Value, grants: &Value) -> Option<&'static str> {
        let permissions = self.expanded(grants);
        let has = |wanted: &String| {
            permissions.iter().any(|granted| match granted.strip_suffix('*') {
                Some(start) => wanted.starts_with(start),
                None => granted == wanted,
            })
        };
        let list = |name: &str| requirements.get(name).map(texts);
        let all =
            |name: &str, has: &dyn Fn(&String) -> bool| list(name).is_none_or(|all| all.iter().all(has));
        let any =
            |name: &str, has: &dyn Fn(&String) -> bool| list(name).is_none_or(|any| any.iter().any(has));
        if !any("issuers", &|issuer| self.issuer.as_ref() == Some(issuer)) {
            Some("issuer_not_allowed")
        } else if !all("permissions", &has) || !any("anyPermission", &has) {
            Some("permission_missing")
        } else if !all("scopes", &|scope| self.scopes.contains(scope)) {
            Some("scope_missing")
        } else if !any("roles", &|role| self.roles.contains(role)) {
            Some("role_missing")
        } else {
            None
        }
    }
}

/// Whether a name of these grants implies itself.
pub fn has_cycle(grants: &Value) -> bool {
    let names = grants.as_object().into_iter().flatten().map(|(name, _)| name);
    names.into_iter().any(|name| {
        let implied = Holder { permissions: texts(&grants[name]), ..Holder::default() };
        implied.expanded(grants).contains(name)
    })
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
