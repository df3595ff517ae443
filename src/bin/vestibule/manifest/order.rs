//! Where in the chain of filters a door stands: before everything that believes what it removes.

use super::findings::Findings;
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
    if object.at("/spec/priority").is_none() {
        findings.warn(
            object,
            "spec.priority",
            "is missing, which is last of the phase: another plugin sees what the door has not yet removed. Write a high \
             number, as in 1000",
        );
    }
}
