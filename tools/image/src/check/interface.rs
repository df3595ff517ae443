//! Whether a module is one of ours: what it shares with its host, as `tools/interface.txt` has it.

use std::path::Path;
use std::process::Command;

use crate::Fault;

/// Asks `tools/interface.mjs`; `root` is the directory of the repository.
///
/// # Errors
/// Where the module has another interface, or Node does not run.
pub fn interface(root: &Path, module: &[u8], place: &str) -> Result<(), Fault> {
    let file = std::env::temp_dir().join(format!("vestibule-image-{}.wasm", std::process::id()));
    crate::layout::write(&file, module)?;
    let output = Command::new("node")
        .arg(root.join("tools/interface.mjs"))
        .arg("check")
        .arg(root.join("tools/interface.txt"))
        .arg(&file)
        .output();
    let removed = std::fs::remove_file(&file);
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
