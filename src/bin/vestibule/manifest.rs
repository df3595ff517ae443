//! `vestibule check` of a manifest stream: the configurations in it, and what stands around them.
//!
//! An error is what leaves a door open or shut, a warning what is probably not meant. It knows Istio's kinds, and
//! asks no cluster: what is not in the stream is not seen.

mod attachment;
mod authorization;
mod condition;
mod destination;
mod destination_rule;
mod disclosure;
mod environment;
mod envoy_filter;
mod failure;
mod findings;
mod gateway;
mod header_change;
mod key_host;
mod module_source;
mod object;
mod order;
mod overlap;
mod peer_authentication;
mod peers;
mod plugin;
mod protocol;
mod rerouting;
mod route;
mod secret_place;
pub(crate) mod stream;
mod uncovered;
mod workload;

use serde_json::Value;
use vestibule::compile::{self, Compiled, Secrets};
use vestibule::config::error::ConfigErrors;
use vestibule::fingerprint::Fingerprint;
use vestibule::jose::module::Module;
use vestibule::policy::Door;
use vestibule::time::UnixTime;

use crate::document::{self, Fault};
use crate::pair;
use findings::Findings;
use plugin::Plugin;
use stream::Stream;

/// How configurations are to be checked.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// Whether secrets have this process' environment for their values.
    pub(crate) env: bool,
    /// Whether fingerprints are told.
    pub(crate) hash: bool,
    pub(crate) module: Module,
    pub(crate) now: UnixTime,
}

impl Terms {
    /// What is said of a configuration that is fine.
    pub(crate) fn fine(self, door: Door, configuration: &Value) -> String {
        let door = door.as_str();
        match self.hash {
            true => format!("ok ({door} door, {})", Fingerprint::of(configuration)),
            false => format!("ok ({door} door)"),
        }
    }
}

/// What a stream holds.
pub(crate) struct Checked {
    pub(crate) fine: Vec<String>,
    pub(crate) errors: Vec<Fault>,
    pub(crate) warnings: Vec<Fault>,
    /// The plugins that are not Vestibule.
    pub(crate) foreign: Vec<String>,
    /// What could not be seen.
    pub(crate) notes: Vec<&'static str>,
    /// Whether there are secrets whose values were not looked at.
    pub(crate) secrets_unchecked: bool,
}

/// Checks every door of a stream, and what is around it.
pub(crate) fn check(stream: &Stream, terms: Terms) -> Checked {
    let (mut plugins, foreign) = plugin::plugins(stream);
    let mut findings = Findings::default();
    findings.errors.extend(stream.faults.iter().cloned());
    let mut notes = Vec::new();
    if plugins.is_empty() {
        let message = "a manifest without a door: no WasmPlugin and no TrafficExtension here has a Vestibule configuration \
                       (spec.pluginConfig with `door`)";
        findings.errors.push(Fault::new("", message));
    }
    for plugin in &mut plugins {
        configuration(plugin, terms, &mut findings);
    }
    for plugin in &plugins {
        order::check(plugin, &mut findings);
        failure::check(plugin, &mut findings);
        attachment::check(plugin, &mut findings);
        environment::check(plugin, &mut findings);
        module_source::check(plugin, &mut findings);
        gateway::check(plugin, stream, &mut findings);
        peers::check(plugin, &mut findings);
    }
    gateway::check_selectors(&plugins, &mut findings);
    overlap::check(&plugins, &mut findings);
    order::check_neighbours(&plugins, &foreign, &mut findings);
    if stream.has_plugins_alone() {
        notes.push("nothing but plugins here, so what stands around them was not looked at");
    } else {
        around(&plugins, stream, &mut findings);
    }
    if plugins.iter().any(|plugin| envoy_filter::near(plugin, stream).next().is_some()) {
        notes.push(
            "an EnvoyFilter can change anything about a door; only patches that name one, come before one or take its \
             connection manager away were looked at",
        );
    }
    if pairs(&plugins, &mut findings) {
        notes.push(pair::KEYS_UNSEEN);
    }
    let fine = plugins.iter().filter(|plugin| findings.is_fine(plugin.object)).filter_map(|plugin| {
        let door = plugin.outline.as_ref()?.door();
        let said = terms.fine(door, plugin.at("/pluginConfig")?);
        Some(format!("{}: {said}", plugin.object.title()))
    });
    let names_secrets =
        |plugin: &Plugin<'_>| plugin.outline.as_ref().is_none_or(|outline| !outline.secrets().is_empty());
    Checked {
        fine: fine.collect(),
        secrets_unchecked: !terms.env && plugins.iter().any(names_secrets),
        errors: findings.errors,
        warnings: findings.warnings,
        foreign: foreign.iter().map(|plugin| plugin.object.title()).collect(),
        notes,
    }
}

/// What the filter would say to its configuration.
fn configuration(plugin: &mut Plugin<'_>, terms: Terms, findings: &mut Findings) {
    let (object, path) = (plugin.object, plugin.path("pluginConfig"));
    findings.errors_inside(object, "", object.ambiguities.iter().cloned());
    let Some(configuration) = plugin.at("/pluginConfig") else {
        findings.error(object, &path, "is missing; without it the filter denies everything");
        return;
    };
    if !matches!(configuration, Value::Object(_)) {
        findings.error(object, &path, "is no object: write the configuration there, with its `door`");
        return;
    }
    let process = |name: &str| std::env::var(name).ok();
    let variable = |name: &str| environment::value_of(plugin, name, process);
    let secrets = if terms.env { Secrets::From(&variable) } else { Secrets::Unchecked };
    match compile::check_for(terms.module, configuration, &secrets, terms.now) {
        Ok(Compiled { value: outline, warnings }) => {
            let warnings = warnings.into_iter().collect::<ConfigErrors>();
            findings.warnings_inside(object, &path, document::faults(&warnings));
            plugin.outline = Some(outline);
        }
        Err(errors) => findings.errors_inside(object, &path, document::faults(&errors)),
    }
}

/// What the other objects of the stream mean to the doors.
fn around(plugins: &[Plugin<'_>], stream: &Stream, findings: &mut Findings) {
    for plugin in plugins {
        key_host::check(plugin, stream, findings);
        if plugin.door == Some(Door::Outer) {
            destination::check(plugin, plugins, stream, findings);
            rerouting::check(plugin, stream, findings);
            header_change::check(plugin, stream, findings);
        }
    }
    uncovered::check(plugins, stream, findings);
    workload::check(plugins, stream, findings);
    gateway::check_waypoints(plugins, stream, findings);
    peer_authentication::check(plugins, stream, findings);
    authorization::check(plugins, stream, findings);
    condition::check(plugins, stream, findings);
    protocol::check(plugins, stream, findings);
    disclosure::check(plugins, stream, findings);
    secret_place::check(plugins, stream, findings);
    envoy_filter::check(plugins, stream, findings);
}

/// Compares every inner door with the outer one that fits it best; whether keys could not be compared.
fn pairs(plugins: &[Plugin<'_>], findings: &mut Findings) -> bool {
    let of = |door| plugins.iter().filter(move |plugin| plugin.door == Some(door));
    let mut keys_unseen = false;
    for inner in of(Door::Inner) {
        let Some(inside) = &inner.outline else { continue };
        let misfits = of(Door::Outer)
            .filter_map(|outer| Some(pair::check(outer.outline.as_ref()?, &outer.object.title(), inside)));
        let Some(misfits) = misfits.min_by_key(|misfits| misfits.errors.len()) else { continue };
        let path = inner.path("pluginConfig");
        findings.errors_inside(inner.object, &path, misfits.errors);
        findings.warnings_inside(inner.object, &path, misfits.warnings);
        keys_unseen |= misfits.keys_unseen;
    }
    keys_unseen
}
