//! The permissions of a principal, in the order in which they were granted, and how one of them is found.
//!
//! What is asked about again and again, as a remembered token is, has an index; what comes with one request and
//! goes with it is searched through. Nothing but the time depends on it.

use std::collections::BTreeSet;

use super::Grant;

/// Permissions as they were granted.
#[derive(Clone, Debug)]
pub struct Permissions {
    granted: Vec<Grant>,
    index: Option<Index>,
}

/// Positions among what was granted.
#[derive(Clone, Debug)]
struct Index {
    /// In the order of the names.
    sorted: Box<[usize]>,
    /// Of those that end in `*`.
    stars: Box<[usize]>,
}

/// Up to here searching through is as quick.
const FEW: usize = 8;

/// Two are the same if they were granted the same.
impl PartialEq for Permissions {
    fn eq(&self, other: &Self) -> bool {
        self.granted == other.granted
    }
}

impl Eq for Permissions {}

impl Permissions {
    /// Permissions that are asked about for one request.
    #[must_use]
    pub fn of_request(granted: Vec<Grant>) -> Self {
        Self { granted, index: None }
    }

    /// Permissions that are asked about for many requests.
    #[must_use]
    pub fn indexed(granted: Vec<Grant>) -> Self {
        let index = (granted.len() > FEW).then(|| Index::of(&granted));
        Self { granted, index }
    }

    /// All of them, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Grant] {
        &self.granted
    }

    /// The one of this name.
    #[must_use]
    pub fn named(&self, name: &Grant) -> Option<&Grant> {
        let Some(index) = &self.index else { return self.granted.iter().find(|granted| *granted == name) };
        let found =
            index.sorted.binary_search_by(|position| self.granted.get(*position).cmp(&Some(name))).ok()?;
        index.sorted.get(found).and_then(|position| self.granted.get(*position))
    }

    /// Those that end in `*`.
    pub fn stars(&self) -> impl Iterator<Item = &Grant> {
        let positions = self.index.as_ref().map(|index| &*index.stars);
        let searched = if positions.is_some() { &[] } else { &*self.granted };
        let indexed = positions.into_iter().flatten().filter_map(|position| self.granted.get(*position));
        indexed.chain(searched.iter().filter(|granted| granted.as_str().ends_with('*')))
    }

    /// One whose name is among these.
    #[must_use]
    pub fn among(&self, names: &BTreeSet<Grant>) -> Option<&Grant> {
        if self.index.is_some() && names.len() < self.granted.len() {
            names.iter().find_map(|name| self.named(name))
        } else {
            self.granted.iter().find(|granted| names.contains(*granted))
        }
    }

    /// What the index takes, in bytes.
    pub(crate) fn index_bytes(&self) -> usize {
        let positions = self.index.as_ref().map_or(0, |index| index.sorted.len() + index.stars.len());
        positions.saturating_mul(size_of::<usize>())
    }
}

impl Index {
    fn of(granted: &[Grant]) -> Self {
        let mut sorted: Box<[usize]> = (0..granted.len()).collect();
        sorted.sort_by_key(|position| granted.get(*position));
        let ends_in_star =
            |(position, granted): (usize, &Grant)| granted.as_str().ends_with('*').then_some(position);
        Self { sorted, stars: granted.iter().enumerate().filter_map(ends_in_star).collect() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    fn grants(names: &[&str]) -> Vec<Grant> {
        names.iter().map(|name| Grant::parse(name.as_bytes()).unwrap()).collect()
    }

    #[test]
    fn an_index_changes_nothing_that_is_found() {
        let names = ["b", "a:*", "ab", "c", "a", "*", "a:b", "b:c", "zz", "a:", "d*", "e", "b"];
        for count in 0..=names.len() {
            let granted = grants(names.get(..count).unwrap());
            let (searched, indexed) =
                (Permissions::of_request(granted.clone()), Permissions::indexed(granted.clone()));
            assert_eq!(searched, indexed);
            assert_eq!(indexed.as_slice(), granted);
            assert_eq!(indexed.index.is_some(), count > FEW);
            assert_eq!(searched.stars().collect::<Vec<_>>(), indexed.stars().collect::<Vec<_>>());
            for name in grants(&names).iter().chain(&grants(&["aa", "0", "zzz", "a:bb"])) {
                let is_granted = granted.contains(name);
                assert_eq!(
                    (searched.named(name), indexed.named(name)),
                    match is_granted {
                        true => (Some(name), Some(name)),
                        false => (None, None),
                    }
                );
                for others in [&["x", "y"][..], &["c", "x", "y"], &[]] {
                    let among: BTreeSet<Grant> = grants(others).into_iter().chain([name.clone()]).collect();
                    let is_among = among.iter().any(|name| granted.contains(name));
                    let found = [searched.among(&among), indexed.among(&among)];
                    assert!(found.iter().all(|found| found.is_some() == is_among), "{count}: {among:?}");
                    assert!(found.into_iter().flatten().all(|found| among.contains(found)));
                }
            }
        }
    }
}
