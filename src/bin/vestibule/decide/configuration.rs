//! The configuration of the door that is asked: a document of its own, or one filter of an Envoy bootstrap.

use std::path::Path;

use serde_json::Value;
use vestibule::policy::Door;

use crate::bootstrap::{self, Filter};
use crate::check::{MOST, is_manifest};
use crate::document::{self, Document, Fault};
use crate::{Failure, file};

/// What the file holds.
pub(crate) struct Source {
    name: String,
    document: Document,
}

/// One door's configuration.
pub(crate) struct Configuration<'s> {
    pub(crate) value: &'s Value,
    /// Where it stands in its file; empty where it is the file.
    pub(crate) path: String,
    /// The filter around it, whose environment its secrets come from.
    pub(crate) filter: Option<&'s Filter<'s>>,
}

impl Source {
    pub(crate) fn read(path: &Path) -> Result<Result<Self, Vec<Fault>>, Failure> {
        let text = file::read(path, MOST)?;
        Ok(document::parse(path, &text).map(|document| Self { name: file::name(path), document }))
    }

    /// How messages call the file.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The Vestibule filters in its listeners, where it is a bootstrap: those in clusters decide nothing new.
    pub(crate) fn filters(&self) -> Option<Vec<Filter<'_>>> {
        bootstrap::is_bootstrap(&self.document.value).then(|| {
            bootstrap::filters(&self.document.value)
                .into_iter()
                .filter(|filter| filter.is_vestibule && filter.cluster.is_none())
                .collect()
        })
    }

    /// The configuration of the one door there is, or of the one of this kind.
    pub(crate) fn door<'s>(
        &'s self,
        filters: Option<&'s [Filter<'s>]>,
        door: Option<Door>,
    ) -> Result<Configuration<'s>, Vec<Fault>> {
        let fault = |message: &str| vec![Fault::new("", message)];
        let is_asked = |value: &Value| {
            door.is_none_or(|door| value.get("door").and_then(Value::as_str) == Some(door.as_str()))
        };
        let Some(filters) = filters else {
            let value = &self.document.value;
            return match () {
                () if is_manifest(value) => Err(fault(
                    "a Kubernetes manifest, which is not read here: give what stands under spec.pluginConfig",
                )),
                () if !self.document.ambiguities.is_empty() => Err(self.document.ambiguities.clone()),
                () if !is_asked(value) => Err(fault("is not for the door that --door asks for")),
                () => Ok(Configuration { value, path: String::new(), filter: None }),
            };
        };
        // One that cannot be read may be the one that is asked for.
        let faults =
            filters.iter().filter(|filter| filter.configuration.is_none()).flat_map(|filter| &filter.faults);
        let faults: Vec<Fault> = faults.cloned().collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        let found = filters.iter().filter_map(|filter| Some((filter, filter.configuration.as_ref()?)));
        let found: Vec<_> = found.filter(|(_, value)| is_asked(value)).collect();
        match (found.as_slice(), door) {
            ([(filter, value)], _) => {
                Ok(Configuration { value, path: filter.path.clone(), filter: Some(filter) })
            }
            ([], _) => Err(fault("an Envoy configuration without such a Vestibule filter")),
            (_, None) => {
                Err(fault("has several Vestibule filters: choose one by --door outer or --door inner"))
            }
            (_, Some(_)) => Err(fault(
                "has several Vestibule filters of this door: put the configuration of one into a file, and give that",
            )),
        }
    }
}
