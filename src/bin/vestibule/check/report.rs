//! One file of `vestibule check`: which kind it is, and what is to be said of what it holds.

use std::path::Path;

use serde_json::Value;
use vestibule::compile::{self, Compiled, Outline, Secrets};
use vestibule::config::error::ConfigErrors;

use crate::document::{self, Document, Fault};
use crate::manifest::stream::Stream;
use crate::manifest::{self, Checked, Terms};
use crate::{bootstrap, key_bounds, key_clusters, key_upstream, peer_validation, placement};

/// What a file holds: a line for each configuration that is fine, all faults, what is probably not meant, what
/// was passed over, and what could not be seen.
pub(super) struct Report {
    pub(super) fine: Vec<String>,
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Fault>,
    pub(super) foreign: Vec<String>,
    pub(super) notes: Vec<&'static str>,
    pub(super) secrets_unchecked: bool,
    /// What the file says, where it is one configuration that is fine.
    pub(super) outline: Option<Outline>,
    terms: Terms,
}

pub(super) fn check(path: &Path, text: &[u8], terms: Terms) -> Report {
    let mut report = Report::of(terms);
    if let Some(stream) = Stream::parse(path, text) {
        report.add(manifest::check(&stream, terms));
        return report;
    }
    match document::parse(path, text) {
        Err(faults) => report.faults = faults,
        Ok(Document { value, .. }) if bootstrap::is_bootstrap(&value) => report.check_bootstrap(&value),
        Ok(Document { value, .. }) if is_manifest(&value) => {
            report.add(manifest::check(&Stream::of(value), terms));
        }
        Ok(Document { value, ambiguities }) => {
            let variable = |name: &str| std::env::var(name).ok();
            let variable = terms.env.then_some(&variable);
            report.outline = report.check_configuration(&value, "", ambiguities, variable, |_| Vec::new());
        }
    }
    report
}

impl Report {
    fn of(terms: Terms) -> Self {
        let (fine, faults, warnings, foreign, notes) = Default::default();
        Self { fine, faults, warnings, foreign, notes, secrets_unchecked: false, outline: None, terms }
    }

    fn add(&mut self, checked: Checked) {
        let Checked { fine, errors, warnings, foreign, notes, secrets_unchecked } = checked;
        self.fine.extend(fine);
        self.faults.extend(errors);
        self.warnings.extend(warnings);
        self.foreign.extend(foreign);
        self.notes.extend(notes);
        self.secrets_unchecked |= secrets_unchecked;
    }

    fn check_bootstrap(&mut self, document: &Value) {
        let (filters, foreign): (Vec<_>, Vec<_>) =
            bootstrap::filters(document).into_iter().partition(|filter| filter.is_vestibule);
        self.foreign = foreign.into_iter().map(|filter| filter.path).collect();
        if filters.is_empty() {
            self.faults.push(Fault::new("", "an Envoy configuration without a Vestibule filter"));
        }
        for filter in &filters {
            let faults = filter.faults.clone();
            let variable = |name: &str| filter.variable(name, |name| std::env::var(name).ok());
            match &filter.configuration {
                None => self.faults.extend(faults),
                Some(configuration) => {
                    let around = |outline: &Outline| {
                        let mut faults = key_bounds::check(filter, &filters, document, outline);
                        faults.extend(key_upstream::check(filter, &filters, document, outline));
                        faults.extend(key_clusters::check(filter, &filters, document, outline));
                        faults.extend(placement::check(filter, document, outline));
                        faults.extend(peer_validation::check(filter, configuration));
                        faults
                    };
                    let variable = self.terms.env.then_some(&variable);
                    self.check_configuration(configuration, &filter.path, faults, variable, around);
                }
            }
        }
    }

    /// Checks one configuration, which stands at `path` of its file and about which `faults` are known
    /// already, and with `around` what surrounds it. What it says, if it is fine.
    fn check_configuration<V>(
        &mut self,
        configuration: &Value,
        path: &str,
        mut faults: Vec<Fault>,
        variable: Option<&V>,
        around: impl FnOnce(&Outline) -> Vec<Fault>,
    ) -> Option<Outline>
    where
        V: Fn(&str) -> Option<String>,
    {
        let secrets = match variable {
            Some(variable) => Secrets::From(variable),
            None => Secrets::Unchecked,
        };
        let mut says = None;
        match compile::check_for(self.terms.module, configuration, &secrets, self.terms.now) {
            Ok(Compiled { value: outline, warnings }) => {
                faults.extend(around(&outline));
                let warnings = warnings.into_iter().collect::<ConfigErrors>();
                self.warnings.extend(document::faults(&warnings).into_iter().map(|fault| fault.inside(path)));
                if faults.is_empty() {
                    let separator = if path.is_empty() { "" } else { ": " };
                    let said = self.terms.fine(outline.door(), configuration);
                    self.fine.push(format!("{path}{separator}{said}"));
                    says = Some(outline);
                }
            }
            Err(errors) => {
                faults.extend(document::faults(&errors).into_iter().map(|fault| fault.inside(path)))
            }
        }
        self.faults.extend(faults);
        self.secrets_unchecked |= variable.is_none() && names_a_secret(configuration);
        says
    }
}

/// Whether the document is one that Kubernetes reads.
pub(crate) fn is_manifest(document: &Value) -> bool {
    ["apiVersion", "kind"].iter().all(|name| document.get(name).is_some())
}

/// Whether a value anywhere comes from an environment variable.
fn names_a_secret(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(names_a_secret),
        Value::Object(members) => members.contains_key("env") || members.values().any(names_a_secret),
        _ => false,
    }
}
