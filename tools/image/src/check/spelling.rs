//! Whether all readers see the same members in a document. The agent's, being Go's, takes a name in any case for the
//! one that it knows, and of several the last: it would pull another layer than was looked at.

use serde_json::Value;

/// What manifests, indexes and configurations are read for, by somebody.
const KNOWN: [&str; 17] = [
    "annotations",
    "architecture",
    "artifactType",
    "config",
    "data",
    "diff_ids",
    "digest",
    "layers",
    "manifests",
    "mediaType",
    "os",
    "platform",
    "rootfs",
    "schemaVersion",
    "size",
    "subject",
    "urls",
];

/// A name that some readers take for another.
pub(super) fn misspelt(value: &Value) -> Option<&str> {
    match value {
        Value::Array(elements) => elements.iter().find_map(misspelt),
        Value::Object(members) => members.iter().find_map(|(name, value)| {
            let is_misspelt =
                !KNOWN.contains(&name.as_str()) && KNOWN.iter().any(|known| fold(known) == fold(name));
            // These are anybody's names.
            let is_free = name == "annotations" || name == "Labels";
            match (is_misspelt, is_free) {
                (true, _) => Some(name.as_str()),
                (false, true) => None,
                (false, false) => misspelt(value),
            }
        }),
        _ => None,
    }
}

/// Up and down, for some letters have more than two cases: `ſ` is an `s`.
fn fold(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}
