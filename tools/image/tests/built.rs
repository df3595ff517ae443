//! What `build` makes: the same bytes each time, with the crates that the compiler is given, and a bill of materials
//! that is of the image beside it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it should be"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use vestibule_image::build::{self, Image, Places};
use vestibule_image::check;
use vestibule_image::layout::sha256;
use vestibule_image::linked::Linked;

const FULL: [&str; 0] = [];
const HOST: [&str; 3] = ["--no-default-features", "--features", "plugin"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn linked(features: &[&str]) -> Linked {
    let features: Vec<String> = features.iter().map(|&word| word.to_owned()).collect();
    Linked::of(&repository(), "vestibule", &features).unwrap()
}

/// Something of which much repeats, and which does not end soon.
fn module(seed: u32) -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    let mut state = seed;
    for _ in 0..200_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.push((state >> 24) as u8 & 0x1f);
    }
    bytes
}

struct Built {
    image: PathBuf,
    sbom: PathBuf,
    bill: PathBuf,
    digest: String,
}

fn built(name: &str, module: &[u8], linked: &Linked) -> Built {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("built").join(name);
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("vestibule.wasm");
    fs::write(&file, module).unwrap();
    let (image, sbom) = (directory.join("image"), directory.join("image.sbom"));
    let bill = directory.join("vestibule.cdx.json");
    let places = Places { module: &file, image: &image, sbom: &sbom, bill: &bill };
    let digest = build::layouts(&places, linked).unwrap();
    Built { image, sbom, bill, digest }
}

/// Every file below a directory, by its name.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.insert(path.strip_prefix(directory).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

#[test]
fn what_is_built_passes_its_own_check() {
    let (module, linked) = (module(1), linked(&HOST));
    let Built { image, sbom, digest, .. } = built("checked", &module, &linked);
    let checked = check::image(&image).unwrap();
    assert_eq!((&checked.manifest.digest, &checked.module), (&digest, &module));
    check::bill(&sbom, &checked).unwrap();
}

#[test]
fn the_same_module_gives_the_same_files() {
    let (module, linked) = (module(2), linked(&HOST));
    let (one, other) = (built("one", &module, &linked), built("other", &module, &linked));
    assert_eq!(one.digest, other.digest);
    for (one, other) in [(&one.image, &other.image), (&one.sbom, &other.sbom)] {
        assert_eq!(files(one), files(other));
        assert!(files(one).len() >= 4);
    }
    assert_eq!(fs::read(one.bill).unwrap(), fs::read(other.bill).unwrap());
}

/// Whoever changes this has changed the digest of every image: a release note is due.
#[test]
fn the_digest_is_the_same_on_every_machine() {
    let labels = BTreeMap::from([("org.opencontainers.image.title", "vestibule".to_owned())]);
    let image = Image::of(&module(3), &labels).unwrap();
    assert_eq!(sha256(&image.manifest), "eb469d63c97863ec1da36a199429f083a10f12995b0c4ebdbd95875d285dc78f");
}

#[test]
fn what_was_there_before_is_gone() {
    let linked = linked(&HOST);
    let before = built("again", &module(4), &linked);
    let after = built("again", &module(5), &linked);
    assert_ne!(before.digest, after.digest);
    assert_eq!(files(&after.image).len(), 5, "{:?}", files(&after.image).keys());
}

#[test]
fn a_bill_of_another_image_or_module_is_refused() {
    let linked = linked(&HOST);
    let (one, other) = (built("bill-one", &module(6), &linked), built("bill-other", &module(7), &linked));
    let mut checked = check::image(&one.image).unwrap();
    let fault = check::bill(&other.sbom, &checked).expect_err("refused");
    assert!(fault.found.contains("its subject is not the image"), "{fault}");
    // The subject is right, and the bill says that the module is another.
    checked.module.push(0);
    let fault = check::bill(&one.sbom, &checked).expect_err("refused");
    assert!(fault.found.contains("another module"), "{fault}");
}

/// What the compiler is given for the module itself, by Cargo's own list of what is to be compiled for the target.
fn compiled(features: &[&str]) -> BTreeSet<String> {
    let output = Command::new("cargo")
        .args([
            "rustc",
            "-Z",
            "unstable-options",
            "--unit-graph",
            "--locked",
            "--package",
            "vestibule",
            "--lib",
        ])
        .args(["--target", "wasm32-wasip1", "--profile", "module", "--crate-type", "cdylib"])
        .args(features)
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let graph: Value = serde_json::from_slice(&output.stdout).unwrap();
    let units = graph["units"].as_array().unwrap().iter();
    // What has no platform runs on this machine, during the build; so do build scripts.
    units
        .filter(|unit| !unit["platform"].is_null() && unit["mode"] == "build")
        .map(|unit| {
            let id = unit["pkg_id"].as_str().unwrap();
            let name = id.rsplit(['#', '/']).next().unwrap();
            // Of a path, the name is that of the directory unless it is said.
            if name.contains('@') { name.to_owned() } else { format!("vestibule@{name}") }
        })
        .collect()
}

#[test]
fn the_crates_are_those_that_the_compiler_gets_for_the_module() {
    for features in [FULL.as_slice(), &HOST] {
        let said: BTreeSet<String> =
            linked(features).crates.keys().map(|of| format!("{}@{}", of.name, of.version)).collect();
        assert_eq!(said, compiled(features), "{features:?}");
    }
}

#[test]
fn what_tests_and_the_command_need_is_in_no_bill() {
    for features in [FULL.as_slice(), &HOST] {
        let linked = linked(features);
        let names: BTreeSet<&str> = linked.crates.keys().map(|of| of.name.as_str()).collect();
        for absent in ["clap", "jiff", "proptest", "ring", "serde_derive", "syn", "cc"] {
            assert!(!names.contains(absent), "{absent}");
        }
        assert!(names.contains("proxy-wasm") && names.contains("serde_json"));
        assert_eq!(names.contains("jwt-simple"), features.is_empty());
    }
}

#[test]
fn every_crate_has_its_licence_and_the_checksum_of_its_registry() {
    let linked = linked(&FULL);
    for (name, of) in &linked.crates {
        assert!(of.license.is_some(), "{name:?}");
        assert_eq!(of.checksum.is_none(), *name == linked.root, "{name:?}");
    }
}

#[test]
fn a_bill_names_every_crate_once_and_nothing_that_it_does_not_describe() {
    let bill = vestibule_image::sbom::of(&module(8), "vestibule", &linked(&FULL));
    let references = |of: &Value| of["bom-ref"].as_str().unwrap().to_owned();
    let mut described: Vec<String> = bill["components"].as_array().unwrap().iter().map(references).collect();
    described.push(references(&bill["metadata"]["component"]));
    let once: BTreeSet<&String> = described.iter().collect();
    assert_eq!(once.len(), described.len());
    let dependencies = bill["dependencies"].as_array().unwrap();
    for dependency in dependencies {
        let named = dependency["dependsOn"].as_array().unwrap().iter().chain([&dependency["ref"]]);
        for name in named {
            assert!(once.contains(&name.as_str().unwrap().to_owned()), "{name}");
        }
    }
}

#[test]
fn a_bill_says_neither_when_nor_where_it_was_made() {
    let bill = vestibule_image::sbom::of(&module(9), "vestibule", &linked(&FULL));
    assert!(bill.get("serialNumber").is_none() && bill["metadata"].get("timestamp").is_none());
    let text = bill.to_string();
    for place in [env!("CARGO_MANIFEST_DIR"), "file://", "path+"] {
        assert!(!text.contains(place), "{place}");
    }
}
