//! Which objects of a stream put a Vestibule into proxies, and where in them its parts stand.

use serde_json::Value;
use vestibule::compile::Outline;
use vestibule::policy::Door;

use super::object::{Object, list, text};
use super::stream::{EXTENSIONS, Stream};

/// A `WasmPlugin`, or a `TrafficExtension`, which has the same fields, those of the module below `wasm`.
pub(crate) struct Plugin<'s> {
    pub(crate) object: &'s Object,
    /// Which door it says that it is.
    pub(crate) door: Option<Door>,
    /// What the configuration says, once it is checked.
    pub(crate) outline: Option<Outline>,
    /// Where the module's fields stand.
    wasm: &'static str,
}

/// Every plugin of the stream that is Vestibule or meant to be, and the others.
pub(crate) fn plugins(stream: &Stream) -> (Vec<Plugin<'_>>, Vec<Plugin<'_>>) {
    let (mut ours, mut foreign) = (Vec::new(), Vec::new());
    for object in &stream.objects {
        let wasm = match (object.group.as_str(), object.kind.as_str()) {
            (EXTENSIONS, "WasmPlugin") => "spec",
            (EXTENSIONS, "TrafficExtension") => "spec.wasm",
            _ => continue,
        };
        let mut plugin = Plugin { object, door: None, outline: None, wasm };
        plugin.door = match plugin.text("/pluginConfig/door") {
            Some("outer") => Some(Door::Outer),
            Some("inner") => Some(Door::Inner),
            Some(_) | None => None,
        };
        if plugin.is_vestibule() { ours.push(plugin) } else { foreign.push(plugin) }
    }
    (ours, foreign)
}

impl<'s> Plugin<'s> {
    /// The path of a field that is the module's.
    pub(crate) fn path(&self, field: &str) -> String {
        format!("{}.{field}", self.wasm)
    }

    fn module(&self) -> Option<&'s Value> {
        self.object.at(&format!("/{}", self.wasm.replace('.', "/")))
    }

    /// A field of the module's, by a JSON Pointer from there.
    pub(crate) fn at(&self, pointer: &str) -> Option<&'s Value> {
        self.module()?.pointer(pointer).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, pointer: &str) -> Option<&'s str> {
        text(self.module()?, pointer)
    }

    pub(crate) fn list(&self, pointer: &str) -> &'s [Value] {
        self.module().map(|module| list(module, pointer)).unwrap_or_default()
    }

    /// Its references to what it stands before, by the list or by the one of an older Istio.
    pub(crate) fn target_refs(&self) -> Vec<(String, &'s Value)> {
        let many = self.object.list("/spec/targetRefs").iter().enumerate();
        let many = many.map(|(index, target)| (format!("spec.targetRefs[{index}]"), target));
        let one = self.object.at("/spec/targetRef").map(|target| ("spec.targetRef".to_owned(), target));
        many.chain(one).collect()
    }

    /// The labels of the workloads that it is for; none where it is for all.
    pub(crate) fn labels(&self) -> Option<&'s Value> {
        let labels = self.object.at("/spec/selector/matchLabels")?;
        labels.as_object().is_some_and(|labels| !labels.is_empty()).then_some(labels)
    }

    /// A stream may have other plugins too. One is Vestibule if its configuration has a door, or if its name or
    /// its module's says so: a mistake in one of them leaves the others.
    fn is_vestibule(&self) -> bool {
        let says_so = |text: &str| text.to_ascii_lowercase().contains("vestibule");
        let names = [Some(self.object.name.as_str()), self.text("/url"), self.text("/pluginName")];
        self.at("/pluginConfig/door").is_some() || names.into_iter().flatten().any(says_so)
    }
}
