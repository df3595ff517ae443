//! What becomes of requests when the filter fails, and whether the proxy loads it as a filter of HTTP at all.

use super::findings::Findings;
use super::plugin::Plugin;

pub(crate) fn check(plugin: &Plugin<'_>, findings: &mut Findings) {
    let (object, path) = (plugin.object, plugin.path("failStrategy"));
    let forever =
        "a worker whose filter panicked answers 503 for ever: write FAIL_RELOAD (Istio 1.27 or later)";
    match plugin.text("/failStrategy") {
        Some("FAIL_RELOAD") => {}
        Some("FAIL_CLOSE") => findings.warn(object, &path, format!("is FAIL_CLOSE: {forever}")),
        None => findings.warn(object, &path, format!("is missing, which is FAIL_CLOSE: {forever}")),
        Some("FAIL_OPEN") => findings.error(
            object,
            &path,
            "is FAIL_OPEN: requests pass unchecked when the filter fails, or when its module cannot be had. Write \
             FAIL_RELOAD",
        ),
        Some(_) => findings.error(object, &path, "is no strategy that Istio has: write FAIL_RELOAD"),
    }
    if plugin.text("/type").is_some_and(|kind| !matches!(kind, "HTTP" | "UNSPECIFIED_PLUGIN_TYPE")) {
        findings.error(
            object,
            &plugin.path("type"),
            "is not HTTP, and the door is a filter of HTTP: no request would come to it. Remove it",
        );
    }
}
