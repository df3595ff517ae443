//! The version of the Envoy under test, as far as the files in `envoy/` depend on it.

use std::process::Command;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::envoy::binary;

/// The minor version of Envoy 1 since which a filter is told whether Envoy has validated the certificate on this
/// very connection.
const TELLS_VALIDATED: u32 = 39;

/// Whether an Envoy of this minor version tells that.
pub fn tells_validated_in(minor: u32) -> bool {
    minor >= TELLS_VALIDATED
}

/// The minor version of the Envoy under test, which says `…/envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`.
pub fn of_this_envoy() -> u32 {
    static MINOR: LazyLock<u32> = LazyLock::new(|| {
        let output = Command::new(binary()).arg("--version").output().expect("Envoy says its version");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let build = said.split_once("version: ").map(|(_, build)| build);
        minor_of(build.and_then(|build| build.split('/').nth(1)).unwrap_or(&said))
    });
    *MINOR
}

/// The minor version of a whole one.
pub fn minor_of(version: &str) -> u32 {
    let minor = version.strip_prefix("1.").and_then(|version| version.split('.').next()?.parse().ok());
    minor.unwrap_or_else(|| panic!("{version} is no version of Envoy 1"))
}

/// Has the entrances of an inner door rely on the listener for their peers where this Envoy says nothing of them, as
/// `docs/support.md` tells.
pub fn rely_on_listener(configuration: &mut Value) {
    if tells_validated_in(of_this_envoy()) {
        return;
    }
    let entrances = configuration["entrances"].as_object_mut().into_iter().flatten();
    for (_, entrance) in entrances.filter(|(_, entrance)| entrance.get("peers").is_some()) {
        entrance["resumed"] = json!("admit");
    }
}
