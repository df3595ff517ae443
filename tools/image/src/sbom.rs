//! The bill of materials of a module, as CycloneDX: SPDX demands the time at which it was made, and a name that no
//! other document has.

use serde_json::{Value, json};

use crate::layout::sha256;
use crate::linked::{Linked, Name};

/// Of a module and what is linked into it. `variant` is the module's own name.
#[must_use]
pub fn of(module: &[u8], variant: &str, linked: &Linked) -> Value {
    let root = &linked.root;
    let mut components = standard_library(module);
    let mut dependencies = Vec::new();
    for (name, of) in &linked.crates {
        let mut needs: Vec<String> = of.needs.iter().map(|need| reference(root, need)).collect();
        if name == root {
            needs.extend([RUST.into(), LIBC.into()]);
        }
        needs.sort();
        dependencies.push(json!({ "ref": reference(root, name), "dependsOn": needs }));
        if name != root {
            let purl = reference(root, name);
            components.push(object([
                ("type", Some(json!("library"))),
                ("bom-ref", Some(json!(purl))),
                ("purl", Some(json!(purl))),
                ("name", Some(json!(name.name))),
                ("version", Some(json!(name.version))),
                ("licenses", of.license.as_deref().map(licenses)),
                ("hashes", of.checksum.as_deref().map(hashes)),
            ]));
        }
    }
    let license = linked.crates.get(root).and_then(|root| root.license.as_deref());
    let this = object([
        ("type", Some(json!("application"))),
        ("bom-ref", Some(json!(root.name))),
        ("name", Some(json!(variant))),
        ("version", Some(json!(root.version))),
        ("description", Some(json!(linked.description))),
        ("licenses", license.map(licenses)),
        ("hashes", Some(hashes(&sha256(module)))),
    ]);
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": { "lifecycles": [{ "phase": "build" }], "component": this },
        "components": components, "dependencies": dependencies,
    })
}

/// The SHA-256 of the module that a bill is of.
#[must_use]
pub fn module_of(bill: &Value) -> Option<&str> {
    bill.pointer("/metadata/component/hashes/0/content")?.as_str()
}

const RUST: &str = "rust-standard-library";
const LIBC: &str = "wasi-libc";

/// What Cargo does not know of, for it comes with the compiler. Which compiler, panics say: the paths of the
/// standard library begin with the commit that it is of.
fn standard_library(module: &[u8]) -> Vec<Value> {
    let commit = compiler_commit(module);
    let rust = object([
        ("type", Some(json!("library"))),
        ("bom-ref", Some(json!(RUST))),
        ("name", Some(json!(RUST))),
        ("description", Some(json!("Rust's standard library, and the crates that it brings"))),
        ("licenses", Some(licenses("MIT OR Apache-2.0"))),
        ("version", commit.map(|commit| json!(commit))),
        ("purl", commit.map(|commit| json!(format!("pkg:github/rust-lang/rust@{commit}")))),
    ]);
    let libc = json!({
        "type": "library", "bom-ref": LIBC, "name": LIBC,
        "description": "The C library below Rust's, of the toolchain that built the module",
    });
    vec![rust, libc]
}

fn compiler_commit(module: &[u8]) -> Option<&str> {
    const BEFORE: &[u8] = b"/rustc/";
    module.windows(BEFORE.len() + 41).find_map(|window| {
        let (before, rest) = window.split_at(BEFORE.len());
        let (commit, after) = rest.split_at(40);
        let commit = std::str::from_utf8(commit).ok()?;
        let hex = commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (before == BEFORE && hex && after == b"/").then_some(commit)
    })
}

/// Of the members that there are.
fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn licenses(expression: &str) -> Value {
    json!([{ "expression": expression }])
}

fn hashes(sha256: &str) -> Value {
    json!([{ "alg": "SHA-256", "content": sha256 }])
}

/// The package is in no registry, and a URL would claim that it were.
fn reference(root: &Name, name: &Name) -> String {
    if name == root {
        root.name.clone()
    } else {
        // `+` must be escaped (Package URL specification, "Rules for each component": version).
        format!("pkg:cargo/{}@{}", name.name, name.version.replace('+', "%2B"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_is_known_by_the_paths_of_panics() {
        let commit = "59807616e1fa2540724bfbac14d7976d7e4a3860";
        let module = format!("\0asm …/rustc/short/ /rustc/{commit}/library/core/src/lib.rs");
        assert_eq!(compiler_commit(module.as_bytes()), Some(commit));
        assert_eq!(compiler_commit(b"\0asm"), None);
    }

    #[test]
    fn a_version_with_a_plus_is_escaped() {
        let root = Name { name: "root".into(), version: "1.0.0".into() };
        let wasi = Name { name: "wasi".into(), version: "0.11.1+wasi-snapshot-preview1".into() };
        assert_eq!(reference(&root, &wasi), "pkg:cargo/wasi@0.11.1%2Bwasi-snapshot-preview1");
        assert_eq!(reference(&root, &root), "root");
    }
}
