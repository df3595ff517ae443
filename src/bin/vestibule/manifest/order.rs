//! Where in the chain of filters a door stands: before everything that believes what it removes.

use vestibule::policy::Door;

use super::findings::Findings;
use super::object::text;
use super::overlap::meet;
use super::plugin::Plugin;

pub(crate) fn check(plugin: &Plugin<'_>, findings: &mut Findings) {
    let object = plugin.object;
    match object.text("/spec/phase") {
        Some("AUTHN") => {}
        None | Some("UNSPECIFIED_PHASE") => findings.error(
            object,
            "spec.phase",
            "is missing, so the door comes after Istio's authorization, which believes the headers that clients wrote: \
             write AUTHN",
        ),
        Some("AUTHZ") => findings.error(
            object,
            "spec.phase",
            "is AUTHZ, so Istio's authentication comes before the door and sees what it has not yet removed: write AUTHN",
        ),
        Some(_) => findings.error(
            object,
            "spec.phase",
            "is not AUTHN, so the door comes after Istio's authorization, or is no phase at all: write AUTHN",
        ),
    }
    if object.at("/spec/priority").is_some_and(|priority| !priority.is_i64()) {
        findings.error(
            object,
            "spec.priority",
            "is no whole number, so an API server refuses it: write one, as in 1000",
        );
    }
    if object.at("/spec/priority").is_none() {
        findings.warn(
            object,
            "spec.priority",
            "is missing, which is last of the phase: another plugin sees what the door has not yet removed. Write a high \
             number, as in 1000",
        );
    }
}

/// Another plugin of the same phase and priority, so that its name may put it before the door.
pub(crate) fn check_neighbours(plugins: &[Plugin<'_>], foreign: &[Plugin<'_>], findings: &mut Findings) {
    for plugin in plugins {
        let Some(door) = plugin.door else { continue };
        let priority = |plugin: &Plugin<'_>| plugin.object.at("/spec/priority").cloned();
        let is_beside = |other: &&Plugin<'_>| {
            other.object.text("/spec/phase") == Some("AUTHN")
                && priority(plugin).is_some()
                && priority(other) == priority(plugin)
                && is_on_the_side_of(other, door)
                && meet(plugin, other)
        };
        for other in foreign.iter().filter(is_beside) {
            let message = format!(
                "is that of {} too, and their names say which of two comes first: before the door it sees what that has not \
                 yet removed. Write another number",
                other.object.title()
            );
            findings.warn(plugin.object, "spec.priority", message);
        }
    }
}

/// Whether a plugin stands where a door of this kind does.
fn is_on_the_side_of(plugin: &Plugin<'_>, door: Door) -> bool {
    let other = match door {
        Door::Outer => "SERVER",
        Door::Inner => "CLIENT",
    };
    let entries = plugin.object.list("/spec/match");
    entries.is_empty() || entries.iter().any(|entry| text(entry, "/mode") != Some(other))
}
