//! Whether a module is one of ours: what it shares with its host, as `tools/interface.txt` has it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Fault;

/// Asks `tools/interface.mjs`; `root` is the directory of the repository.
///
/// # Errors
/// Where the module has another interface, or Node does not run.
pub fn interface(root: &Path, module: &[u8], place: &str) -> Result<(), Fault> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = [std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)].map(|number| number.to_string());
    let file = std::env::temp_dir().join(format!("vestibule-image-{}.wasm", name.join("-")));
    // Nothing that somebody else has put there, a link to another file least of all, is written to.
    let made = OpenOptions::new().write(true).create_new(true).open(&file);
    made.and_then(|mut new| new.write_all(module)).map_err(|error| {
        Fault::new(file.display().to_string(), error.to_string(), "remove it, or set TMPDIR to another place")
    })?;
    let output = Command::new("node")
        .arg(root.join("tools/interface.mjs"))
        .arg("check")
        .arg(root.join("tools/interface.txt"))
        .arg(&file)
        .output();
    let removed = fs::remove_file(&file);
    let output = output.map_err(|error| Fault::new("node", error.to_string(), "install Node.js"))?;
    removed
        .map_err(|error| Fault::new(file.display().to_string(), error.to_string(), "remove it by hand"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).replace(&*file.display().to_string(), "the module");
    let found = format!("the module has not the interface of Vestibule's:\n{}", said.trim_end());
    Err(Fault::new(place, found, "put dist/vestibule.wasm or dist/vestibule-host.wasm in (`make image`)"))
}
