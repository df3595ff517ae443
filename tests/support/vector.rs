//! The vector files, `tests/vectors/*.json`, and the grids of sources, access rules and entrances: one set of scenarios (`docs/scenarios.md`)
//! that runs natively and through Envoy. What reads them is what `vestibule test` reads with.

mod access_grid;
mod entrance_grid;
mod grid;

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::scenario::{self, Exchange, Read};
use super::secrets;

pub(crate) use super::scenario::{Expect, NOW, PATH, RequestBytes};

/// One file of cases.
pub(crate) struct File {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What is in it.
    pub(crate) cases: Vec<Case>,
}

/// One request and what is to become of it.
pub(crate) struct Case(scenario::Case);

impl Deref for Case {
    type Target = scenario::Case;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Case {
    /// The same with another configuration.
    pub(crate) fn reconfigured(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.0.config);
        self
    }

    /// The request as it is sent at this time, which need not be the case's: its tokens live around `now`.
    pub(crate) fn request(&self, now: u64) -> RequestBytes {
        self.exchange(now).request
    }

    /// What is to become of the request that is sent at this time: a forwarded token is the one of that time.
    pub(crate) fn expect(&self, now: u64) -> Expect {
        self.exchange(now).expect
    }

    /// Both, with the same tokens.
    pub(crate) fn exchange(&self, now: u64) -> Exchange {
        let exchange = self.at(now).unwrap_or_else(|fault| panic!("{}: {fault}", self.name));
        exchange.tokens.values().for_each(|token| secrets::remember(token));
        exchange
    }
}

/// All vector files in order of their names, and the grids.
pub(crate) fn load_all() -> Vec<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let entries = fs::read_dir(&folder).expect("tests/vectors is there");
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("tests/vectors can be listed").path()).collect();
    paths.sort();
    paths.iter().map(|path| load(path)).chain(grids()).collect()
}

const READ: Read<'static> = &|path| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));

fn load(path: &Path) -> File {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    loaded(path, scenario::File::parse(path, &text, READ))
}

fn grids() -> impl Iterator<Item = File> {
    let grids = [
        ("grid", grid::document()),
        ("access-grid", access_grid::document()),
        ("entrance-grid", entrance_grid::document()),
    ];
    grids.into_iter().map(|(name, document)| {
        let path = Path::new(name);
        loaded(path, scenario::File::of(path, document, READ))
    })
}

fn loaded(path: &Path, file: Result<scenario::File, scenario::Refusal>) -> File {
    let file = file.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", path.display()));
    File { path: file.path, cases: file.cases.into_iter().map(Case).collect() }
}
