//! What the module and its host know of each other by name: `tools/interface.txt`, held against the host
//! layer's source and against the module.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails where it stands")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use wasmparser::{Parser, Payload};

/// What has no function of its own in `src/host`: the SDK answers it.
const OF_THE_SDK: [&str; 6] = [
    "memory",
    "_initialize",
    "proxy_abi_version_0_2_1",
    "proxy_on_memory_allocate",
    "proxy_on_context_create",
    "proxy_on_delete",
];

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines of `tools/interface.txt` that say something.
fn written() -> BTreeSet<String> {
    let lines = text("tools/interface.txt");
    lines.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// The text of every file of a folder and of those below.
fn sources(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let read = |path: PathBuf| match path.is_dir() {
        true => sources(&path),
        false => vec![fs::read_to_string(&path).expect("a source")],
    };
    paths.flat_map(read).collect()
}

#[test]
fn what_the_host_calls_is_what_the_host_layer_answers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/host");
    let mut answered: BTreeSet<String> = OF_THE_SDK.map(|name| format!("export {name}")).into();
    for source in sources(&folder) {
        let callbacks = source.lines().filter_map(|line| line.trim_start().strip_prefix("fn on_"));
        for name in callbacks.filter_map(|rest| rest.split('(').next()) {
            // Of a request's callbacks, the SDK's traits say what they are of; the ABI does not.
            let name = name.strip_prefix("http_").filter(|_| name != "http_call_response").unwrap_or(name);
            answered.insert(format!("export proxy_on_{name}"));
        }
    }
    let called: BTreeSet<String> = written().into_iter().filter(|line| line.starts_with("export ")).collect();
    assert_eq!(called, answered, "tools/interface.txt, and what src/host answers");
}

#[test]
fn the_module_shares_with_its_host_what_is_written_down_and_nothing_else() {
    let module = std::env::var("VESTIBULE_WASM").expect("VESTIBULE_WASM is not set: run `make test`");
    let bytes = fs::read(&module).unwrap_or_else(|error| panic!("{module}: {error}"));
    let mut found = BTreeSet::new();
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.expect("a module that can be read") {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.expect("an import");
                    found.insert(format!("import {} {}", import.module, import.name));
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    found.insert(format!("export {}", export.expect("an export").name));
                }
            }
            _ => {}
        }
    }
    assert_eq!(found, written(), "{module}, and tools/interface.txt");
}
