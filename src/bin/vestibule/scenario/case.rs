//! One request and what is to become of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::document::Fault;
use super::derived;
use super::expect::{Expect, ExpectUnseen, Expectation};
use super::key_folder::KeyNamed;
use super::members::{Members, mistaken, string};
use super::patch::merge;
use super::request::{RequestBytes, Written};
use super::stand_in::{resolve, resolve_time};
use super::template::{Minted, Template, latin_1};
use super::token::Token;

/// The time at which a case happens unless it says otherwise: 2027-01-15T08:00:00Z.
pub(crate) const NOW: u64 = 1_800_000_000;

/// One request and what is to become of it.
pub(crate) struct Case {
    /// The rule that it shows.
    pub(crate) name: String,
    /// The filter's configuration, in which a `$time` may stand.
    pub(crate) config: Value,
    /// The filter's environment.
    pub(crate) env: BTreeMap<String, String>,
    /// Issuers' names, and the JWK sets that they publish.
    pub(crate) published: Map<String, Value>,
    /// Seconds since the epoch.
    pub(crate) now: u64,
    /// Whether the decision needs exactly this `now`.
    #[allow(dead_code, reason = "for those who run cases through Envoy, whose clock is the machine's")]
    pub(crate) exact_clock: bool,
    /// Why the case cannot run through Envoy.
    #[allow(dead_code, reason = "for those who run cases through Envoy")]
    pub(crate) envoy_skip: Option<String>,
    tokens: BTreeMap<String, Arc<Token>>,
    request: Written,
    expectation: Expectation,
    unseen: ExpectUnseen,
}

/// A case at a certain time: around it its tokens live.
pub(crate) struct Exchange {
    /// What is sent.
    pub(crate) request: RequestBytes,
    /// What is to become of it: a forwarded token is the one that was sent.
    pub(crate) expect: Expect,
    /// What is to be known of it besides.
    pub(crate) unseen: ExpectUnseen,
    /// The tokens that are sent or expected, by name.
    pub(crate) tokens: Minted,
}

/// What all cases of a file share.
pub(super) struct Shared<'s> {
    pub(super) config: Value,
    pub(super) env: BTreeMap<String, String>,
    pub(super) published: Value,
    /// As they are described.
    pub(super) descriptions: Map<String, Value>,
    pub(super) tokens: BTreeMap<String, Arc<Token>>,
    pub(super) request: Value,
    pub(super) keys: KeyNamed<'s>,
}

impl Case {
    /// The name of a case, by which its faults are told.
    pub(super) fn name_of(case: &Value, index: usize) -> Result<String, Fault> {
        let at = format!("cases[{index}].name");
        match case.get("name") {
            None if case.is_object() => {
                Err(Fault::new(at, "is missing: say in one sentence what the case shows"))
            }
            None => Err(mistaken(&format!("cases[{index}]"), "an object", case)),
            Some(name) => string(&at, name.clone()),
        }
    }

    /// The case, and the tokens of the file that it uses.
    pub(super) fn parse(
        name: String,
        case: Value,
        shared: &Shared<'_>,
    ) -> Result<(Self, BTreeSet<String>), Fault> {
        let keys = shared.keys;
        let mut case = Members::of("", case)?;
        case.take("name");
        let mut config = shared.config.clone();
        if let Some(patch) = case.take("config") {
            merge(&mut config, resolve("config", patch, keys)?);
        }
        let mut published = shared.published.clone();
        merge(&mut published, resolve("published", Value::Object(case.object("published")?), keys)?);
        let now = case.take("now").map_or(Ok(NOW), |now| {
            now.as_u64().ok_or_else(|| mistaken("now", "a number of seconds since the epoch", &now))
        })?;
        let exact_clock = match case.text("clock")?.as_deref() {
            None => false,
            Some("exact") => true,
            Some(_) => return Err(Fault::new("clock", "should be \"exact\"")),
        };
        let envoy_skip = case.text("envoy")?;
        let own = case.object("tokens")?;
        let request =
            Written::parse(&shared.request, case.take("request").unwrap_or_else(|| json!({})), keys)?;
        let expect = case.require("expect", "say what is to become of the request");
        // What is unknown may be what is missing, misspelt.
        case.end()?;
        let (expectation, unseen) = Expectation::parse(expect?, keys)?;

        let mut used = BTreeSet::new();
        let mut own_tokens = BTreeMap::new();
        for (name, spec) in own {
            let at = format!("tokens.{name}");
            if shared.tokens.contains_key(&name) {
                return Err(Fault::new(at, "is a token of the file already: give this one another name"));
            }
            used.extend(spec.get("from").and_then(Value::as_str).map(str::to_owned));
            own_tokens.insert(name, Arc::new(token(&at, spec, &shared.descriptions, keys)?));
        }
        let mut tokens = BTreeMap::new();
        for name in request.templates().chain(expectation.templates()).flat_map(Template::tokens) {
            let token = own_tokens.get(name).or_else(|| shared.tokens.get(name));
            let message =
                || Fault::new("request", format!("there is no token `{name}`: give it under `tokens`"));
            tokens.insert(name.to_owned(), Arc::clone(token.ok_or_else(message)?));
        }
        let presented: BTreeSet<&str> = request.templates().flat_map(Template::tokens).collect();
        if let Some(name) = own_tokens.keys().find(|name| !presented.contains(name.as_str())) {
            let message = format!("the request does not present it: write {{{{{name}}}}} where it stands");
            return Err(Fault::new(format!("tokens.{name}"), message));
        }
        used.extend(tokens.keys().cloned());
        if !request.is_sendable() && envoy_skip.is_none() {
            return Err(Fault::new("request", "no client of Envoy can send this; say so under `envoy`"));
        }
        expectation.check(&request)?;
        let Value::Object(published) = published else {
            return Err(mistaken("published", "an object", &published));
        };
        let env = shared.env.clone();
        let case = Self {
            name,
            config,
            env,
            published,
            now,
            exact_clock,
            envoy_skip,
            tokens,
            request,
            expectation,
            unseen,
        };
        Ok((case, used))
    }

    /// The configuration as it is written at this time.
    pub(crate) fn config_at(&self, now: u64) -> Result<Value, Fault> {
        resolve_time(&self.config, now)
    }

    /// The case at this time, which need not be its own.
    pub(crate) fn at(&self, now: u64) -> Result<Exchange, Fault> {
        let mut tokens = Minted::new();
        for (name, token) in &self.tokens {
            let at = format!("tokens.{name}");
            let minted = token.mint(now).map_err(|message| Fault::new(&at, message))?;
            tokens.insert(name.clone(), latin_1(&at, &minted)?);
        }
        let request = self.request.bytes(&tokens);
        let expect = self.expectation.at(request.path.as_ref(), &tokens);
        Ok(Exchange { request, expect, unseen: self.unseen.clone(), tokens })
    }
}

/// The token that this describes, if need be by a token of the file.
pub(super) fn token(
    at: &str,
    spec: Value,
    of_file: &Map<String, Value>,
    keys: KeyNamed<'_>,
) -> Result<Token, Fault> {
    let whole = derived::whole(at, spec, of_file, keys)?;
    Token::parse(at, resolve(at, whole, keys)?, keys)
}
