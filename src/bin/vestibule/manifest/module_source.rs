//! Which module the proxy will run: whether it is the one that was looked at.

use super::findings::Findings;
use super::plugin::Plugin;

pub(crate) fn check(plugin: &Plugin<'_>, findings: &mut Findings) {
    let (object, path) = (plugin.object, plugin.path("url"));
    let Some(url) = plugin.text("/url").filter(|url| !url.is_empty()) else {
        findings.error(object, &path, "is missing, so there is no module to run: name its image by digest");
        return;
    };
    // Istio takes what has no scheme for an image.
    let (scheme, place) = url.split_once("://").unwrap_or(("oci", url));
    let sha256 = plugin.text("/sha256").filter(|sha256| !sha256.is_empty());
    if sha256.is_some_and(|sha256| !is_digest(sha256)) {
        let message =
            "is no SHA-256 in 64 lower-case hexadecimal digits, without `sha256:` before it: correct it";
        findings.error(object, &plugin.path("sha256"), message);
    }
    match scheme {
        "oci" => check_image(plugin, place, sha256, findings),
        "https" if sha256.is_none() => findings.warn(
            object,
            &path,
            "is pinned by nothing, so whoever keeps the file there chooses who is let in: give its sha256",
        ),
        "http" if sha256.is_none() => findings.error(
            object,
            &path,
            "is http, so whoever is on the way can put another module in its place: give its sha256",
        ),
        "file" if sha256.is_some() => findings.warn(
            object,
            &plugin.path("sha256"),
            "is not looked at for a file: remove it, and pin the image that brings the file",
        ),
        "https" | "http" | "file" => {}
        _ => findings.error(object, &path, "has a scheme that Istio does not know: oci, https, http or file"),
    }
}

fn check_image(plugin: &Plugin<'_>, place: &str, sha256: Option<&str>, findings: &mut Findings) {
    let (object, path) = (plugin.object, plugin.path("url"));
    let digest = place.split_once('@').map(|(_, digest)| digest);
    match (digest, sha256) {
        (Some(digest), _) if !digest.strip_prefix("sha256:").is_some_and(is_digest) => findings.error(
            object,
            &path,
            "has after `@` no `sha256:` with 64 lower-case hexadecimal digits, so nothing can be pulled: give the \
             digest that `make image` prints",
        ),
        (Some(digest), Some(sha256)) if digest.strip_prefix("sha256:") != Some(sha256) => findings.error(
            object,
            &plugin.path("sha256"),
            "is another than the digest in `url`, so nothing can be pulled: keep the one in `url`",
        ),
        (None, None) => findings.warn(
            object,
            &path,
            "is pinned by no digest, and a tag can be moved: write NAME@sha256:DIGEST, which `make image` prints",
        ),
        (Some(_) | None, _) => {}
    }
    let is_pinned = digest.is_some() || sha256.is_some();
    if is_pinned && plugin.text("/imagePullPolicy") == Some("Always") {
        findings.warn(
            object,
            &plugin.path("imagePullPolicy"),
            "is Always, and what a digest names does not change: whenever the registry is away, a change of this plugin \
             shuts its doors. Write IfNotPresent",
        );
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
