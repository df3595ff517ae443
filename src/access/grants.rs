//! What a role or a permission implies.
//!
//! It is turned round at compile: a required permission knows every name that gives it, so that a request is
//! decided about by what the principal holds, and nothing is expanded for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::principal::Grant;

/// Names of roles or permissions, each with the permissions that it implies. INVARIANT: no name implies
/// itself, however many steps away.
#[derive(Clone, Debug, Default)]
pub struct Grants(BTreeMap<Grant, Vec<Grant>>);

/// A name that implies itself: every name on the way, first and last the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle(pub Vec<Grant>);

/// Whether who was granted `granted` has `permission`: it is the same, or ends in `*` and begins it.
#[must_use]
pub fn covers(granted: &Grant, permission: &Grant) -> bool {
    match granted.as_str().strip_suffix('*') {
        Some(prefix) => permission.as_str().starts_with(prefix),
        None => granted == permission,
    }
}

impl Grants {
    /// What each name implies.
    ///
    /// # Errors
    /// The first [`Cycle`]. A permission that ends in `*` closes none, for it leads no further.
    pub fn new(implied: BTreeMap<Grant, Vec<Grant>>) -> Result<Self, Cycle> {
        let grants = Self(implied);
        let mut done = BTreeSet::new();
        for name in grants.0.keys() {
            grants.walk(name, &mut Vec::new(), &mut done)?;
        }
        Ok(grants)
    }

    /// Follows a name depth first. What is on the way is in `way`; what was followed to its end is `done`.
    fn walk<'g>(
        &'g self,
        name: &'g Grant,
        way: &mut Vec<&'g Grant>,
        done: &mut BTreeSet<&'g Grant>,
    ) -> Result<(), Cycle> {
        if let Some(start) = way.iter().position(|earlier| *earlier == name) {
            let cycle = way.iter().skip(start).chain([&name]);
            return Err(Cycle(cycle.map(|name| (*name).clone()).collect()));
        }
        if done.contains(name) {
            return Ok(());
        }
        way.push(name);
        for implied in self.0.get(name).into_iter().flatten() {
            self.walk(implied, way, done)?;
        }
        way.pop();
        done.insert(name);
        Ok(())
    }

    /// Every name that implies the permission, in however many steps. What ends in `*` gives a permission that
    /// it covers, but not what that permission implies: a wide grant of one thing is none of another.
    #[must_use]
    pub fn implying(&self, permission: &Grant) -> BTreeSet<Grant> {
        let mut implying = BTreeSet::new();
        let gives =
            |granted: &Grant, known: &BTreeSet<Grant>| covers(granted, permission) || known.contains(granted);
        loop {
            let more: Vec<&Grant> = self
                .0
                .iter()
                .filter(|(name, _)| !implying.contains(*name))
                .filter(|(_, implied)| implied.iter().any(|granted| gives(granted, &implying)))
                .map(|(name, _)| name)
                .collect();
            if more.is_empty() {
                return implying;
            }
            implying.extend(more.into_iter().cloned());
        }
    }

    /// The shortest way from a name to what gives the permission, both ends included; none where there is
    /// none.
    #[must_use]
    pub fn way(&self, from: &Grant, permission: &Grant) -> Option<Vec<Grant>> {
        let mut ways = vec![vec![from.clone()]];
        let mut seen = BTreeSet::from([from.clone()]);
        while !ways.is_empty() {
            if let Some(way) = ways.iter().find(|way| way.last().is_some_and(|end| covers(end, permission))) {
                return Some(way.clone());
            }
            let mut longer = Vec::new();
            for way in ways {
                let next = way.last().and_then(|end| self.0.get(end)).into_iter().flatten();
                for implied in next.filter(|implied| seen.insert((*implied).clone())) {
                    longer.push(way.iter().chain([implied]).cloned().collect());
                }
            }
            ways = longer;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    fn grant(text: &str) -> Grant {
        Grant::parse(text.as_bytes()).unwrap()
    }

    fn grants(implied: &[(&str, &[&str])]) -> Result<Grants, Cycle> {
        let implied = implied.iter();
        Grants::new(
            implied
                .map(|(name, implied)| (grant(name), implied.iter().map(|text| grant(text)).collect()))
                .collect(),
        )
    }

    fn implying(grants: &Grants, permission: &str) -> Vec<String> {
        grants.implying(&grant(permission)).iter().map(|name| name.as_str().to_owned()).collect()
    }

    #[test]
    fn a_grant_covers_itself_and_with_a_star_what_it_begins() {
        for (granted, permission, does) in [
            ("blog:read", "blog:read", true),
            ("blog:read", "blog:reader", false),
            ("blog:reader", "blog:read", false),
            ("blog:*", "blog:read", true),
            ("blog:*", "blog:", true),
            ("blog:*", "blog", false),
            ("blog:*", "blogs:read", false),
            ("*", "blog:read", true),
            ("b*g:read", "blog:read", false),
            ("BLOG:READ", "blog:read", false),
        ] {
            assert_eq!(covers(&grant(granted), &grant(permission)), does, "{granted} {permission}");
        }
    }

    #[test]
    fn names_imply_through_each_other() {
        let grants = grants(&[
            ("owner", &["editor", "billing"]),
            ("editor", &["read", "write"]),
            ("auditor", &["read"]),
        ])
        .unwrap();
        assert_eq!(implying(&grants, "read"), ["auditor", "editor", "owner"]);
        assert_eq!(implying(&grants, "billing"), ["owner"]);
        assert_eq!(implying(&grants, "editor"), ["owner"]);
        assert!(implying(&grants, "owner").is_empty());
        let way = grants.way(&grant("owner"), &grant("write")).unwrap();
        assert_eq!(way.iter().map(Grant::as_str).collect::<Vec<_>>(), ["owner", "editor", "write"]);
        assert_eq!(grants.way(&grant("auditor"), &grant("write")), None);
    }

    #[test]
    fn a_star_gives_what_it_covers_and_not_what_that_implies() {
        let grants = grants(&[("bloggers", &["blog:*"]), ("blog:admin", &["users:delete"])]).unwrap();
        assert_eq!(implying(&grants, "blog:read"), ["bloggers"]);
        assert_eq!(implying(&grants, "users:delete"), ["blog:admin"]);
    }

    #[test]
    fn a_cycle_is_refused_with_all_its_names() {
        let cycle = |implied: &[(&str, &[&str])]| {
            let Cycle(names) = grants(implied).unwrap_err();
            names.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(cycle(&[("a", &["a"])]), ["a", "a"]);
        assert_eq!(cycle(&[("a", &["b"]), ("b", &["x", "c"]), ("c", &["b"])]), ["b", "c", "b"]);
        assert!(grants(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &["d"])]).is_ok());
        assert!(grants(&[("blog:owner", &["blog:*"])]).is_ok());
    }
}
