//! Where this suite writes, and what `make test-istio` has told it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// What a variable says that `make test-istio` sets.
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test-istio`"))
}

/// A folder of this run, empty at its start. It stays until the next run.
pub fn folder(name: &str) -> PathBuf {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("istio");
        drop(fs::remove_dir_all(&root)); // of the run before, if there was one
        root
    });
    let folder = ROOT.join(name);
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    folder
}

/// Writes a file, and the folders that it is in.
pub fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("a file is in a folder");
    fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
