//! What Cargo links into the module: its crates, and which of them needs which. Not what runs during the build
//! (build scripts, procedural macros), not what tests and the operator's command need.
//!
//! `cargo tree` answers, for it resolves features as the build does. `cargo metadata`, which other tools ask, unites
//! them with those of the tests and of the native targets, and names crates that no module has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::Fault;

/// What the module is built for.
const TARGET: &str = "wasm32-wasip1";

/// A crate by its name and version, as Cargo prints them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What is known of a crate.
#[derive(Debug, Default)]
pub struct Crate {
    /// The SPDX expression that its manifest has.
    pub license: Option<String>,
    /// The SHA-256 of the archive that its registry gives, in hexadecimal.
    pub checksum: Option<String>,
    /// The crates that it needs by itself.
    pub needs: BTreeSet<Name>,
}

/// A module's package, and the crates below it.
#[derive(Debug)]
pub struct Linked {
    /// The package itself.
    pub root: Name,
    /// What the package says of itself.
    pub description: String,
    /// All crates, the package among them.
    pub crates: BTreeMap<Name, Crate>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

impl Linked {
    /// Asks Cargo about the package in a directory; `features` are the arguments with which the module is built.
    ///
    /// # Errors
    /// Where Cargo fails, or answers what is not understood here.
    pub fn of(directory: &Path, package: &str, features: &[String]) -> Result<Self, Fault> {
        let mut tree = vec![
            "tree",
            "--locked",
            "--package",
            package,
            "--target",
            TARGET,
            "--edges",
            "normal,no-proc-macro",
            "--prefix",
            "depth",
            "--charset",
            "ascii",
            "--format",
            " {p}",
        ];
        tree.extend(features.iter().map(String::as_str));
        let (root, mut crates) = parse_tree(&cargo(directory, &tree)?)?;

        let metadata = ["metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET];
        let metadata: Metadata = serde_json::from_str(&cargo(directory, &metadata)?)
            .map_err(|error| not_understood("cargo metadata", &error.to_string()))?;
        let lock = directory.join("Cargo.lock");
        let text = std::fs::read_to_string(&lock)
            .map_err(|error| not_understood("Cargo.lock", &error.to_string()))?;
        let lock: Lock =
            toml::from_str(&text).map_err(|error| not_understood("Cargo.lock", &error.to_string()))?;

        let mut description = String::new();
        for package in metadata.packages {
            let name = Name { name: package.name, version: package.version };
            if name == root {
                description = package.description.unwrap_or_default();
            }
            if let Some(found) = crates.get_mut(&name) {
                // Manifests from before Cargo knew expressions separate their choices by a slash.
                found.license = package.license.map(|license| license.replace('/', " OR "));
            }
        }
        for Locked { name, version, checksum } in lock.package {
            if let Some(found) = crates.get_mut(&Name { name, version }) {
                found.checksum = checksum;
            }
        }
        Ok(Self { root, description, crates })
    }
}

fn cargo(directory: &Path, arguments: &[&str]) -> Result<String, Fault> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let place = format!("cargo {}", arguments.join(" "));
    let remedy = "run it by hand in the package's directory";
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output()
        .map_err(|error| Fault::new(place.clone(), error.to_string(), remedy))?;
    if !output.status.success() {
        return Err(Fault::new(place, String::from_utf8_lossy(&output.stderr).into_owned(), remedy));
    }
    String::from_utf8(output.stdout).map_err(|error| not_understood(&place, &error.to_string()))
}

/// Lines are `DEPTH NAME vVERSION`, then whatever else Cargo says of it; what has been listed before is not listed
/// with its own needs again.
fn parse_tree(text: &str) -> Result<(Name, BTreeMap<Name, Crate>), Fault> {
    let mut crates: BTreeMap<Name, Crate> = BTreeMap::new();
    let mut above: Vec<Name> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split(' ');
        let depth = words.next().and_then(|depth| depth.parse::<usize>().ok());
        let name = words.next();
        let version = words.next().and_then(|version| version.strip_prefix('v'));
        let (Some(depth), Some(name), Some(version)) = (depth, name, version) else {
            return Err(not_understood("cargo tree", line));
        };
        let name = Name { name: name.to_owned(), version: version.to_owned() };
        above.truncate(depth);
        if above.len() != depth || (depth == 0 && !crates.is_empty()) {
            return Err(not_understood("cargo tree", line));
        }
        crates.entry(name.clone()).or_default();
        if let Some(parent) = above.last().and_then(|parent| crates.get_mut(parent)) {
            parent.needs.insert(name.clone());
        }
        above.push(name);
    }
    match above.into_iter().next() {
        Some(root) => Ok((root, crates)),
        None => Err(not_understood("cargo tree", "nothing")),
    }
}

fn not_understood(place: &str, found: &str) -> Fault {
    Fault::new(
        place,
        format!("not understood: {found}"),
        "tools/image reads what Cargo 1.95 says; mend it there",
    )
}

#[cfg(test)]
#[expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test ends where something is amiss")]
mod tests {
    use super::*;

    fn name(name: &str, version: &str) -> Name {
        Name { name: name.into(), version: version.into() }
    }

    #[test]
    fn a_tree_gives_each_crate_once_with_all_that_it_needs() {
        let text =
            "0 root v1.0.0 (/somewhere)\n1 a v1.0.0\n2 b v2.0.0\n1 c v3.0.0\n2 a v1.0.0 (*)\n2 b v2.1.0\n";
        let (root, crates) = parse_tree(text).expect("understood");
        assert_eq!(root, name("root", "1.0.0"));
        let needs = |of: &Name| crates[of].needs.iter().cloned().collect::<Vec<_>>();
        assert_eq!(crates.len(), 5);
        assert_eq!(needs(&root), [name("a", "1.0.0"), name("c", "3.0.0")]);
        assert_eq!(needs(&name("a", "1.0.0")), [name("b", "2.0.0")]);
        assert_eq!(needs(&name("c", "3.0.0")), [name("a", "1.0.0"), name("b", "2.1.0")]);
    }

    #[test]
    fn a_tree_that_is_not_understood_is_no_empty_tree() {
        for text in ["", "0 root\n", "x root v1\n", "0 root v1\n2 deep v1\n", "0 root v1\n0 other v1\n"] {
            assert!(parse_tree(text).is_err(), "{text:?}");
        }
    }
}
