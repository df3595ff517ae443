//! The cases in which the engine may differ from Wycheproof, each with its reason.

use std::collections::BTreeMap;

use serde_json::Value;

/// Set and `tcId` to the reason.
pub(crate) struct Exceptions(BTreeMap<(String, usize), String>);

impl Exceptions {
    /// Reads `exceptions.json`: an array of objects with `set`, `tcId` and `reason`.
    pub(crate) fn load() -> Self {
        let listed: Value =
            serde_json::from_str(include_str!("exceptions.json")).expect("exceptions.json is JSON");
        let mut exceptions = BTreeMap::new();
        for entry in listed.as_array().expect("exceptions.json is an array") {
            let (Some(set), Some(id), Some(reason)) =
                (entry["set"].as_str(), entry["tcId"].as_u64(), entry["reason"].as_str())
            else {
                panic!("an exception without set, tcId or reason: {entry}");
            };
            assert!(!reason.trim().is_empty(), "an exception without a reason: {entry}");
            let case = (set.to_owned(), usize::try_from(id).expect("a small number"));
            assert!(exceptions.insert(case, reason.to_owned()).is_none(), "listed twice: {entry}");
        }
        Self(exceptions)
    }

    pub(crate) fn names(&self, set: &str, id: usize) -> bool {
        self.0.contains_key(&(set.to_owned(), id))
    }

    /// The cases listed for a set.
    pub(crate) fn of<'e>(&'e self, set: &'e str) -> impl Iterator<Item = usize> + 'e {
        self.0.keys().filter(move |(listed, _)| listed == set).map(|(_, id)| *id)
    }

    pub(crate) fn sets(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|(set, _)| set.as_str())
    }
}
