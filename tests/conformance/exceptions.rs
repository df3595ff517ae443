//! The cases in which an engine may differ from Wycheproof, each with its reason.

use std::collections::BTreeMap;

use serde_json::Value;

/// Engine, set and `tcId` to the reason.
pub(crate) struct Exceptions(BTreeMap<(String, String, usize), String>);

impl Exceptions {
    /// Reads `exceptions.json`: an array of objects with `engine`, `set`, `tcId` and `reason`.
    pub(crate) fn load() -> Self {
        let listed: Value =
            serde_json::from_str(include_str!("exceptions.json")).expect("exceptions.json is JSON");
        let mut exceptions = BTreeMap::new();
        for entry in listed.as_array().expect("exceptions.json is an array") {
            let text = |member: &str| {
                let text = entry[member].as_str().filter(|text| !text.trim().is_empty());
                text.unwrap_or_else(|| panic!("an exception without {member}: {entry}")).to_owned()
            };
            let id = entry["tcId"].as_u64().unwrap_or_else(|| panic!("an exception without tcId: {entry}"));
            let case = (text("engine"), text("set"), usize::try_from(id).expect("a small number"));
            assert!(exceptions.insert(case, text("reason")).is_none(), "listed twice: {entry}");
        }
        Self(exceptions)
    }

    pub(crate) fn names(&self, engine: &str, set: &str, id: usize) -> bool {
        self.of(engine, set).any(|listed| listed == id)
    }

    /// The cases listed for an engine and a set.
    pub(crate) fn of<'e>(&'e self, engine: &'e str, set: &'e str) -> impl Iterator<Item = usize> + 'e {
        self.0.keys().filter(move |(of, in_, _)| of == engine && in_ == set).map(|(_, _, id)| *id)
    }

    /// Every engine and set for which a case is listed.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.keys().map(|(engine, set, _)| (engine.as_str(), set.as_str()))
    }
}
