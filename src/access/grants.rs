//! What a role or a permission implies.
//!
//! It is turned round at compile: a required permission knows every name that gives it, so that a request is
//! decided about by what the principal holds, and nothing is expanded for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::principal::Grant;

/// Names of roles or permissions, each with the permissions that it implies. INVARIANT: no name implies
/// itself, however many steps away.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    implied: BTreeMap<Grant, Vec<Grant>>,
    /// The same turned round: a permission, and the names that imply it.
    implying: BTreeMap<Grant, Vec<Grant>>,
    /// What stands before a `*`, and the names that imply all that begins so.
    covering: BTreeMap<Box<str>, Vec<Grant>>,
}

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
        let mut grants = Self::default();
        for (name, granted) in implied.iter().flat_map(|(name, all)| all.iter().map(move |one| (name, one))) {
            let names = match granted.as_str().strip_suffix('*') {
                Some(prefix) => grants.covering.entry(prefix.into()).or_default(),
                None => grants.implying.entry(granted.clone()).or_default(),
            };
            names.push(name.clone());
        }
        grants.implied = implied;
        let mut done = BTreeSet::new();
        for name in grants.implied.keys() {
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
        if done.contains(name) {
            return Ok(());
        }
        if let Some(start) = way.iter().position(|earlier| *earlier == name) {
            let cycle = way.iter().skip(start).chain([&name]);
            return Err(Cycle(cycle.map(|name| (*name).clone()).collect()));
        }
        way.push(name);
        for implied in self.implied.get(name).into_iter().flatten() {
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
        let text = permission.as_str();
        let prefixes = (0..=text.len()).filter_map(|end| text.get(..end));
        let covering = prefixes.filter_map(|prefix| self.covering.get(prefix));
        let mut found: Vec<&Grant> = covering.chain(self.implying.get(permission)).flatten().collect();
        let mut implying = BTreeSet::new();
        while let Some(name) = found.pop() {
            if implying.insert(name.clone()) {
                found.extend(self.implying.get(name).into_iter().flatten());
            }
        }
        implying
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
                let next = way.last().and_then(|end| self.implied.get(end)).into_iter().flatten();
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
        let grants = grants(&[
            ("bloggers", &["blog:*"]),
            ("blog:admin", &["users:delete"]),
            ("chief", &["bloggers"]),
            ("root", &["*"]),
        ])
        .unwrap();
        for permission in ["blog:read", "blog:"] {
            assert_eq!(implying(&grants, permission), ["bloggers", "chief", "root"], "{permission}");
        }
        assert_eq!(implying(&grants, "blog"), ["root"]);
        assert_eq!(implying(&grants, "users:delete"), ["blog:admin", "root"]);
    }

    #[test]
    fn a_way_is_followed_through_however_many_names() {
        let name = |step: usize| grant(&format!("n{step:04}"));
        let steps = 1_000;
        let grants =
            Grants::new((0..steps).map(|step| (name(step), vec![name(step + 1)])).collect()).unwrap();
        assert!((0..=steps).map(|step| grants.implying(&name(step)).len()).eq(0..=steps));
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
