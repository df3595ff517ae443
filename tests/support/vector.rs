//! The vector files, `tests/vectors/*.json`: requests and what becomes of them. One set runs natively and
//! through Envoy.
//!
//! Everything is read strictly: an unknown member, an unknown code, a token that no request presents or a
//! sent header that a permit does not account for is an error, so that a slip of the pen cannot switch a
//! check off.
//!
//! | member of a file | meaning |
//! | --- | --- |
//! | `about` | one sentence |
//! | `config`, `env` | the plugin's configuration and environment |
//! | `tokens` | name → token (see `token`), for all cases |
//! | `request` | members that a case's `request` does not give |
//! | `cases` | the cases |
//!
//! | member of a case | meaning |
//! | --- | --- |
//! | `name` | the rule, as a sentence; unique in the whole set |
//! | `config` | a merge patch (RFC 7396) onto the file's |
//! | `now` | seconds since the epoch; 1800000000 unless told |
//! | `clock` | `"exact"`: the decision needs exactly this `now`, so the case runs natively only |
//! | `envoy` | why the case cannot run through Envoy, e.g. because Envoy refuses the bytes first |
//! | `tokens` | more tokens; `from` names one to start from, `header` and `payload` then overlay its members, `without` and `withoutHeader` remove some |
//! | `request` | `method` (GET), `path` (/), `headers`, `cluster`; a `null` one is missing |
//! | `expect` | `{"code": …}`, a denial; or `{"upstream": {name: [values]}}`, a permit, with all that the upstream sees of these headers, and of the path as `:path` |
//!
//! A header's value and the path are Latin-1, one character a byte, and `{{name}}` in it is that token.
//! Headers of a permit that are not named in `upstream` must not be there at all, and a path that is not
//! named must be there as it was sent. In configurations and tokens an object stands for a value that nobody
//! wants to type: `{"$jwks": [key, …]}` a set of public keys, each a test key's name, `{"$key": name, …}`
//! (one that is merged with these members, `null` removing one) or any literal; `{"$jwk": name}`, `{"$pem":
//! name}` one public key; `{"$json": value}` its JSON text; `{"$sha256": text}` the hash in hex; `{"$repeat":
//! [text, times]}`; `{"$concat": [text, …]}`.

mod grid;
mod members;
mod stand_in;
mod tokens;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use vestibule::denial::Code;
use vestibule::json::{self, Bounds};

use super::{secrets, token};
use members::{Members, list, optional_string, string, strings};
use stand_in::{merge, resolve};

/// The time at which a case happens unless it says otherwise: 2027-01-15T08:00:00Z.
pub const NOW: u64 = 1_800_000_000;

/// The pseudo-header that carries the path and the query.
pub const PATH: &str = ":path";

/// Deeper than any vector file, which may hold tokens deeper than a token may be.
const DEPTH: usize = 100;

/// One file of cases.
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub cases: Vec<Case>,
}

/// One request and what is to become of it.
pub struct Case {
    /// The rule that it shows.
    pub name: String,
    /// The plugin's configuration.
    pub config: Value,
    /// The plugin's environment.
    pub env: BTreeMap<String, String>,
    /// Seconds since the epoch.
    pub now: u64,
    /// Whether the decision needs exactly this `now`.
    pub exact_clock: bool,
    /// Why the case cannot run through Envoy.
    pub envoy_skip: Option<String>,
    tokens: BTreeMap<String, Value>,
    method: Option<String>,
    path: Option<String>,
    headers: Vec<(String, String)>,
    cluster: Option<String>,
    outcome: Outcome,
}

/// The bytes that a client sends. Names are spelt as the client spells them.
pub struct RequestBytes {
    /// Missing in some cases that never run through Envoy.
    pub method: Option<Vec<u8>>,
    /// Missing in some cases that never run through Envoy.
    pub path: Option<Vec<u8>>,
    /// Names and values in order; pseudo-headers only in cases that never run through Envoy.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The upstream cluster that the request would go to, where it matters.
    pub cluster: Option<String>,
}

/// What is to become of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Expect {
    /// Denied for this reason.
    Deny(String),
    /// Forwarded; of each header named the upstream sees exactly these values, and of `:path` the one.
    Permit(BTreeMap<String, Vec<Vec<u8>>>),
}

enum Outcome {
    Deny(String),
    Permit(BTreeMap<String, Vec<String>>),
}

/// All vector files in order of their names, and the grid of sources.
pub fn load_all() -> Vec<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let entries = std::fs::read_dir(&folder).expect("tests/vectors is there");
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("tests/vectors can be listed").path()).collect();
    paths.sort();
    paths.into_iter().map(load).chain([read(PathBuf::from("grid"), "grid", grid::document())]).collect()
}

fn load(path: PathBuf) -> File {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let document = json::parse(&text, Bounds { depth: DEPTH, duplicates: 20 })
        .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    read(path, &name, document)
}

fn read(path: PathBuf, name: &str, document: Value) -> File {
    let mut file = Members::of(name, document);
    file.require("about");
    let shared = Shared {
        config: file.require("config"),
        env: file.take("env").map(|env| strings(name, env)).unwrap_or_default(),
        tokens: file.take("tokens").map(|tokens| Members::of(name, tokens).rest).unwrap_or_default(),
        request: file.take("request").unwrap_or_else(|| json!({})),
    };
    let Value::Array(cases) = file.require("cases") else { panic!("{name}: `cases` is an array") };
    file.end();
    let cases = cases.into_iter().map(|case| Case::parse(name, case, &shared)).collect();
    File { path, cases }
}

/// What all cases of a file share.
struct Shared {
    config: Value,
    env: BTreeMap<String, String>,
    tokens: Map<String, Value>,
    request: Value,
}

impl Case {
    fn parse(file: &str, case: Value, shared: &Shared) -> Self {
        let mut case = Members::of(file, case);
        let name = string(file, case.require("name"));
        let at = format!("{file}: {name}");
        case.at.clone_from(&at);
        let mut config = shared.config.clone();
        merge(&mut config, case.take("config").unwrap_or_else(|| json!({})));
        let now = case
            .take("now")
            .map_or(NOW, |now| now.as_u64().unwrap_or_else(|| panic!("{at}: now is a number of seconds")));
        let exact_clock =
            case.take("clock").is_some_and(|clock| clock == "exact" || panic!("{at}: clock is \"exact\""));
        let envoy_skip = case.take("envoy").map(|reason| string(&at, reason));
        let own_tokens = case.take("tokens").map(|tokens| Members::of(&at, tokens).rest).unwrap_or_default();
        let mut request = Members::of(&at, shared.request.clone());
        request.rest.extend(Members::of(&at, case.take("request").unwrap_or_else(|| json!({}))).rest);
        let method = request.take("method").map_or(Some("GET".into()), |method| optional_string(&at, method));
        let path = request.take("path").map_or(Some("/".into()), |path| optional_string(&at, path));
        let headers = request.take("headers").map(|headers| pairs(&at, headers)).unwrap_or_default();
        let cluster = request.take("cluster").and_then(|cluster| optional_string(&at, cluster));
        let outcome = Outcome::parse(&at, case.require("expect"));
        let tokens = tokens::of(&at, &shared.tokens, &own_tokens);
        request.end();
        case.end();
        let config = resolve(&at, config);
        let env = shared.env.clone();
        let case = Self {
            name,
            config,
            env,
            now,
            exact_clock,
            envoy_skip,
            tokens,
            method,
            path,
            headers,
            cluster,
            outcome,
        };
        case.check(&at, own_tokens.keys());
        case
    }

    /// What the parts of a case owe each other.
    fn check<'t>(&self, at: &str, own_tokens: impl Iterator<Item = &'t String>) {
        for name in own_tokens {
            let placeholder = format!("{{{{{name}}}}}");
            let mut sent = self.headers.iter().map(|(_, value)| value).chain(&self.path);
            assert!(sent.any(|text| text.contains(&placeholder)), "{at}: nothing presents the token {name}");
        }
        let sendable = self.method.is_some()
            && self.path.is_some()
            && self.headers.iter().all(|(name, _)| !name.starts_with(':'));
        assert!(
            sendable || self.envoy_skip.is_some(),
            "{at}: no client of Envoy can send this; say so under `envoy`"
        );
        if let Outcome::Permit(upstream) = &self.outcome {
            for (name, _) in self.headers.iter().filter(|(name, _)| !name.starts_with(':')) {
                assert!(
                    upstream.contains_key(&name.to_ascii_lowercase()),
                    "{at}: `upstream` does not say what becomes of {name}"
                );
            }
            assert!(
                upstream
                    .get(PATH)
                    .is_none_or(|values| values.len() == 1 && Some(&values[0]) != self.path.as_ref()),
                "{at}: `upstream` names `:path` where it is one other than was sent"
            );
        }
    }

    /// The request as it is sent at this time, which need not be the case's: its tokens live around `now`.
    pub fn request(&self, now: u64) -> RequestBytes {
        let value = |text: &String| latin_1(&self.fill(text, now));
        RequestBytes {
            method: self.method.as_ref().map(value),
            path: self.path.as_ref().map(value),
            headers: self.headers.iter().map(|(name, text)| (latin_1(name), value(text))).collect(),
            cluster: self.cluster.clone(),
        }
    }

    /// What is to become of the request that is sent at this time: a forwarded token is the one of that time.
    pub fn expect(&self, now: u64) -> Expect {
        match &self.outcome {
            Outcome::Deny(code) => Expect::Deny(code.clone()),
            Outcome::Permit(upstream) => {
                let value = |text: &String| latin_1(&self.fill(text, now));
                let sent = self.path.iter().map(|path| (PATH.to_owned(), vec![value(path)]));
                let named = upstream.iter();
                let named = named.map(|(name, values)| (name.clone(), values.iter().map(value).collect()));
                Expect::Permit(sent.chain(named).collect())
            }
        }
    }

    /// The text with each `{{name}}` replaced by that token.
    fn fill(&self, text: &str, now: u64) -> String {
        let Some((before, rest)) = text.split_once("{{") else { return text.to_owned() };
        let (name, after) =
            rest.split_once("}}").unwrap_or_else(|| panic!("{}: `{{{{` without `}}}}`", self.name));
        let spec = self.tokens.get(name).unwrap_or_else(|| panic!("{}: there is no token {name}", self.name));
        let token = token::mint(spec, now);
        secrets::remember(token.as_bytes());
        format!("{before}{token}{}", self.fill(after, now))
    }
}

impl Outcome {
    fn parse(at: &str, expect: Value) -> Self {
        let mut expect = Members::of(at, expect);
        let outcome = match (expect.take("code"), expect.take("upstream")) {
            (Some(code), None) => {
                let code = string(at, code);
                assert!(
                    Code::ALL.iter().any(|known| known.as_str() == code),
                    "{at}: there is no code {code}"
                );
                Self::Deny(code)
            }
            (None, Some(upstream)) => {
                let members = Members::of(at, upstream).rest.into_iter();
                Self::Permit(members.map(|(name, values)| (lower_case(at, name), list(at, values))).collect())
            }
            _ => panic!("{at}: `expect` is either a code or an upstream"),
        };
        expect.end();
        outcome
    }
}

fn pairs(at: &str, value: Value) -> Vec<(String, String)> {
    let Value::Array(pairs) = value else { panic!("{at}: `headers` is a list") };
    let pair = |pair| match <[String; 2]>::try_from(list(at, resolve(at, pair))) {
        Ok([name, value]) => (name, value),
        Err(other) => panic!("{at}: {other:?} should be a name and a value"),
    };
    pairs.into_iter().map(pair).collect()
}

fn lower_case(at: &str, name: String) -> String {
    assert!(
        !name.bytes().any(|byte| byte.is_ascii_uppercase()),
        "{at}: an upstream sees {name} in lower case"
    );
    name
}

fn latin_1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|character| u8::try_from(character).unwrap_or_else(|_| panic!("{text:?} is not Latin-1")))
        .collect()
}
