//! What the documentation promises of itself: every link leads somewhere, every page is in the book, every code has
//! its entry. It reads the files as they are, and asks no network.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

mod denials;
mod links;
mod logs;
mod page;
mod quick_start;

use std::fs;
use std::path::{Path, PathBuf};

use page::Page;

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page, in the order of its path.
fn pages() -> Vec<Page> {
    let mut paths = Vec::new();
    for folder in ["", "docs", "envoy", "istio", "monitoring"] {
        let path = root().join(folder);
        // Of the root its own pages alone: what is built there has some too.
        if path.is_dir() {
            collect(&path, !folder.is_empty(), &mut paths);
        }
    }
    paths.sort();
    paths.into_iter().map(|path| Page::read(&path)).collect()
}

fn collect(folder: &Path, deep: bool, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && deep {
            collect(&path, deep, paths);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
}
