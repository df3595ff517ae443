//! Which listeners of a proxy get a door, by `match`: an outer door stands where a gateway listens, an inner one
//! where requests come in, and both on every port.

use serde_json::Value;
use vestibule::policy::Door;

use super::findings::Findings;
use super::object::{list, text};
use super::plugin::Plugin;

/// What a `match` entry says of the listeners. Those of a gateway count as the client's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Client,
    Server,
    Both,
    /// Nothing that Istio knows.
    Unknown,
}

impl Mode {
    fn of(entry: &Value) -> Self {
        match text(entry, "/mode") {
            Some("CLIENT") => Self::Client,
            Some("SERVER") => Self::Server,
            None | Some("CLIENT_AND_SERVER" | "UNDEFINED") => Self::Both,
            Some(_) => Self::Unknown,
        }
    }

    fn covers(self, other: Self) -> bool {
        self == other || self == Self::Both
    }
}

pub(crate) fn check(plugin: &Plugin<'_>, findings: &mut Findings) {
    let Some(door) = plugin.door else { return };
    let (object, entries) = (plugin.object, plugin.object.list("/spec/match"));
    for (index, entry) in entries.iter().enumerate() {
        if Mode::of(entry) == Mode::Unknown {
            let path = format!("spec.match[{index}].mode");
            findings.error(
                object,
                &path,
                "is no mode: write CLIENT for an outer door, SERVER for an inner one",
            );
        }
    }
    match door {
        Door::Outer => outer(plugin, entries, findings),
        Door::Inner => inner(plugin, entries, findings),
    }
}

fn outer(plugin: &Plugin<'_>, entries: &[Value], findings: &mut Findings) {
    let object = plugin.object;
    if entries.is_empty() {
        // A reference is to a gateway, which has listeners of one kind.
        if plugin.target_refs().is_empty() {
            findings.warn(
                object,
                "spec.match",
                "is missing: should the selector ever mean a sidecar, the outer door would stand on both of its sides. \
                 Write `- mode: CLIENT`, which a gateway's listeners are",
            );
        }
        return;
    }
    if !entries.iter().any(|entry| Mode::of(entry).covers(Mode::Client)) {
        findings.error(
            object,
            "spec.match",
            "has no mode CLIENT, which a gateway's listeners are, so the gateway has no door and lets everybody \
             through: write `- mode: CLIENT`",
        );
        return;
    }
    ports(plugin, entries, Mode::Client, findings);
}

fn inner(plugin: &Plugin<'_>, entries: &[Value], findings: &mut Findings) {
    let object = plugin.object;
    let wrong = "the door would stand before the service's own calls too, and answer wrong_door to them";
    if entries.is_empty() {
        // A waypoint has no other side.
        if plugin.target_refs().is_empty() {
            let message =
                format!("is missing, which means both sides of a sidecar: {wrong}. Write `- mode: SERVER`");
            findings.error(object, "spec.match", message);
        }
        return;
    }
    for (index, entry) in entries.iter().enumerate() {
        let path = format!("spec.match[{index}].mode");
        let message = match Mode::of(entry) {
            Mode::Client => format!("is CLIENT: {wrong}, and none where requests come in. Write SERVER"),
            Mode::Both => format!("means both sides of a sidecar: {wrong}. Write SERVER"),
            Mode::Server | Mode::Unknown => continue,
        };
        findings.error(object, &path, message);
    }
    if entries.iter().any(|entry| Mode::of(entry).covers(Mode::Server)) {
        ports(plugin, entries, Mode::Server, findings);
    }
}

/// One entry for the right side without ports is enough, whatever others say.
fn ports(plugin: &Plugin<'_>, entries: &[Value], mode: Mode, findings: &mut Findings) {
    let right = || entries.iter().enumerate().filter(|(_, entry)| Mode::of(entry).covers(mode));
    if right().any(|(_, entry)| list(entry, "/ports").is_empty()) {
        return;
    }
    for (index, _) in right() {
        findings.error(
            plugin.object,
            &format!("spec.match[{index}].ports"),
            "leaves every other port without a door, and all ports that no Service names: remove it",
        );
    }
}
