//! Scenarios: requests, and what is to become of each by a configuration. The format of the files that
//! `vestibule test` runs; `docs/scenarios.md` has every member.
//!
//! Everything is read strictly: an unknown member, an unknown code, a token that no request presents or a
//! sent header that a permit does not account for is an error, so that a slip of the pen cannot switch a
//! check off. No file is opened here: what reads them is an argument.
//!
//! In a `mod.rs`, so that the tests, which include it by its path, find its files where the command does.

mod case;
mod context;
mod derived;
pub(crate) mod difference;
mod door;
mod expect;
mod key;
mod key_folder;
mod mask;
mod members;
mod outcome;
mod patch;
mod request;
mod stand_in;
mod template;
mod token;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};
use vestibule::json::{self, Bounds};

use super::document::{self, Document, Fault};
use case::Shared;
use key_folder::KeyFolder;
use members::{Members, array, mistaken, string};
use stand_in::resolve;

#[allow(unused_imports, reason = "the tests, which include this too, use more of it than the command")]
pub(crate) use {
    case::{Case, Exchange, NOW},
    context::Opener,
    door::{Door, Doors},
    expect::{Expect, PATH},
    key::Key,
    mask::Mask,
    outcome::{Outcome, Unseen},
    request::{Headers, RequestBytes},
    token::Token,
};

/// What reads a file, or says why it cannot be read.
pub(crate) type Read<'r> = &'r dyn Fn(&Path) -> Result<Vec<u8>, String>;

/// Deeper than any scenario, which may hold tokens deeper than a token may be.
const DEPTH: usize = 100;

/// One file of cases.
pub(crate) struct File {
    /// Where it is.
    #[allow(dead_code, reason = "for those who load many")]
    pub(crate) path: PathBuf,
    /// What is in it; at least one.
    pub(crate) cases: Vec<Case>,
}

/// Why there is nothing to run.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The scenario has these faults.
    Scenario(Vec<Fault>),
    /// The configuration has these.
    Configuration(Vec<Fault>),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Scenario(vec![fault])
    }
}

impl File {
    /// The scenario that this text is; `read` reads the files that it names.
    pub(crate) fn parse(path: &Path, text: &[u8], read: Read<'_>) -> Result<Self, Refusal> {
        let document = document::parse_as(path, text, &json).and_then(plain).map_err(Refusal::Scenario)?;
        Self::of(path, document, read)
    }

    /// The scenario that this document is.
    pub(crate) fn of(path: &Path, document: Value, read: Read<'_>) -> Result<Self, Refusal> {
        let mut file = Members::of("", document)?;
        let about = file.require("about", "say in one sentence what the cases show");
        let keys = file.text("keys")?.map(|folder| beside(path, &folder));
        let keys = KeyFolder::new(keys, read);
        let named = |name: &str| keys.key(name);
        let config = file.require("config", "give a configuration, or the path of one");
        let env = file.object("env")?.into_iter().map(|(name, value)| {
            let value = variable(&format!("env.{name}"), value, &named)?;
            Ok::<_, Fault>((name, value))
        });
        let env = env.collect::<Result<_, _>>()?;
        let published = Value::Object(file.object("published")?);
        let descriptions = file.object("tokens")?;
        let request = Value::Object(file.object("request")?);
        let cases = file.require("cases", "give a list of cases");
        // What is unknown may be what is missing, misspelt.
        file.end()?;
        string("about", about?)?;
        let cases = array("cases", cases?)?;
        if cases.is_empty() {
            return Err(Fault::new("cases", "is empty: a scenario without cases tests nothing").into());
        }
        let shared = Shared {
            config: config_of(path, config?, read, &named)?,
            env,
            published: resolve("published", published, &named)?,
            tokens: tokens(&descriptions, &named)?,
            descriptions,
            request,
            keys: &named,
        };
        let cases = parse_cases(cases, &shared).map_err(Refusal::Scenario)?;
        Ok(Self { path: path.to_owned(), cases })
    }
}

/// The cases, or what is wrong with each that has a fault.
fn parse_cases(cases: Vec<Value>, shared: &Shared<'_>) -> Result<Vec<Case>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut parsed = Vec::new();
    let mut names = BTreeSet::new();
    let mut unused: BTreeSet<&String> = shared.tokens.keys().collect();
    for (index, case) in cases.into_iter().enumerate() {
        let case = Case::name_of(&case, index).and_then(|name| {
            if !names.insert(name.clone()) {
                return Err(Fault::new(name, "is the name of two cases: give each its own"));
            }
            Case::parse(name.clone(), case, shared).map_err(|fault| fault.inside(&name))
        });
        match case {
            Ok((case, used)) => {
                unused.retain(|name| !used.contains(*name));
                parsed.push(case);
            }
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        let message = "no case presents it, expects it or has a token from it: remove it, or use it";
        faults.extend(unused.into_iter().map(|name| Fault::new(format!("tokens.{name}"), message)));
    }
    if faults.is_empty() { Ok(parsed) } else { Err(faults) }
}

/// The value of a variable: a text, or a private key by its name.
fn variable(at: &str, value: Value, keys: key_folder::KeyNamed<'_>) -> Result<String, Fault> {
    let named = value.as_object().filter(|members| members.len() == 1);
    match named.and_then(|members| members.get("$privatePem")) {
        None => string(at, value),
        Some(name) => {
            let at = format!("{at}.$privatePem");
            let key = keys(&string(&at, name.clone())?).map_err(|message| Fault::new(&at, message))?;
            Ok(key.private_pem().to_owned())
        }
    }
}

/// The tokens of the file.
fn tokens(
    descriptions: &Map<String, Value>,
    keys: key_folder::KeyNamed<'_>,
) -> Result<BTreeMap<String, Arc<Token>>, Fault> {
    let token = |(name, spec): (&String, &Value)| {
        let token = case::token(&format!("tokens.{name}"), spec.clone(), descriptions, keys)?;
        Ok((name.clone(), Arc::new(token)))
    };
    descriptions.iter().map(token).collect()
}

/// The configuration: what stands here, or as it stands in the file that is named here.
fn config_of(
    path: &Path,
    config: Value,
    read: Read<'_>,
    keys: key_folder::KeyNamed<'_>,
) -> Result<Value, Refusal> {
    match config {
        Value::Object(_) => Ok(resolve("config", config, keys)?),
        Value::String(name) => {
            let path = beside(path, &name);
            let text = read(&path).map_err(|error| Fault::new("config", error))?;
            document::parse(&path, &text).and_then(plain).map_err(|faults| {
                let at = format!("config: {}", path.display());
                Refusal::Configuration(faults.into_iter().map(|fault| fault.inside(&at)).collect())
            })
        }
        other => Err(mistaken("config", "a configuration, or the path of one", &other).into()),
    }
}

/// A path that a scenario names, which is relative to the scenario's own.
fn beside(scenario: &Path, path: &str) -> PathBuf {
    scenario.parent().unwrap_or(Path::new("")).join(path)
}

/// The document, if it can be read in one way only.
fn plain(document: Document) -> Result<Value, Vec<Fault>> {
    if document.ambiguities.is_empty() { Ok(document.value) } else { Err(document.ambiguities) }
}

fn json(text: &[u8]) -> Result<Value, Vec<Fault>> {
    json::parse(text, Bounds { depth: DEPTH, duplicates: 20 }).map_err(|error| match error {
        json::Error::Syntax(message) => vec![Fault::new("", format!("is {message}"))],
        json::Error::Duplicates(paths) => {
            paths.into_iter().map(|path| Fault::new(path, "is there twice: remove one")).collect()
        }
    })
}
