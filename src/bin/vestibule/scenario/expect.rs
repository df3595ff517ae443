//! What is to become of a request.

use std::collections::BTreeMap;

use serde_json::Value;
use vestibule::denial::Code;

use super::super::document::Fault;
use super::key_folder::KeyNamed;
use super::members::{Members, list, object, optional_string, string};
use super::outcome::Upstream;
use super::request::Written;
use super::stand_in::resolve;
use super::template::{Minted, Template};

/// The pseudo-header that carries the path and the query.
pub(crate) const PATH: &str = ":path";

/// What is to become of a request that is sent at a certain time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Denied for this reason.
    Deny(Code),
    /// Forwarded. The upstream sees exactly these values, and of `:path` the one; a header without values, or
    /// one that is not named, it does not see.
    Permit(Upstream),
    /// Forwarded. Of each header named the upstream sees exactly these values; of others nothing is said.
    PermitWith(Upstream),
    /// Answered at the door with this JWK Set.
    Answer(Value),
}

/// What is to be known of a decision that neither client nor upstream sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExpectUnseen {
    /// The route, or that it is on none, where the case says so.
    pub(crate) route: Option<Option<String>>,
    /// The code of the denial that is only reported; none where nothing is to be denied.
    pub(crate) reported: Option<Code>,
}

/// The same as a case writes it.
pub(super) enum Expectation {
    Deny(Code),
    Permit(Values),
    PermitWith(Values),
    Answer(Value),
}

type Values = BTreeMap<String, Vec<(String, Template)>>;

impl Expectation {
    pub(super) fn parse(expect: Value, keys: KeyNamed<'_>) -> Result<(Self, ExpectUnseen), Fault> {
        let mut expect = Members::of("expect", expect)?;
        let route = expect.take("route").map(|route| optional_string("expect.route", route)).transpose()?;
        let reported =
            expect.take("reported").map(|reported| code("expect.reported", reported)).transpose()?;
        let given =
            (expect.take("code"), expect.take("upstream"), expect.take("permit"), expect.take("answer"));
        expect.end()?;
        let expectation = match given {
            (Some(_), None, None, None) | (None, None, None, Some(_)) if reported.is_some() => {
                let message = "is of a request that goes on: say `upstream` or `permit` beside it";
                return Err(Fault::new("expect.reported", message));
            }
            (Some(denied), None, None, None) => Self::Deny(code("expect.code", denied)?),
            (None, Some(upstream), None, None) => Self::Permit(values("expect.upstream", upstream)?),
            (None, None, Some(some), None) => Self::PermitWith(values("expect.permit", some)?),
            (None, None, None, Some(answer)) => {
                let at = "expect.answer";
                Self::Answer(Value::Object(object(at, resolve(at, answer, keys)?)?))
            }
            _ => {
                return Err(Fault::new(
                    "expect",
                    "should give one of `code`, `upstream`, `permit`, `answer`",
                ));
            }
        };
        Ok((expectation, ExpectUnseen { route, reported }))
    }

    /// A permit accounts for all that was sent, so that a slip of the pen cannot switch a check off.
    pub(super) fn check(&self, sent: &Written) -> Result<(), Fault> {
        let (at, values) = match self {
            Self::Deny(_) | Self::Answer(_) => return Ok(()),
            Self::Permit(values) => ("expect.upstream", values),
            Self::PermitWith(values) => ("expect.permit", values),
        };
        if matches!(self, Self::Permit(_)) {
            let mut names = sent.header_names().filter(|name| !name.starts_with(':'));
            if let Some(name) = names.find(|name| !values.contains_key(&name.to_ascii_lowercase())) {
                let message = format!(
                    "does not say what becomes of the header `{name}`: give its values, [] for none; or say \
                     `permit` in place of `upstream`, which names only what matters"
                );
                return Err(Fault::new(at, message));
            }
        }
        match values.get(PATH).map(Vec::as_slice) {
            None => Ok(()),
            Some([(text, _)]) if Some(text) != sent.path_text.as_ref() || at == "expect.permit" => Ok(()),
            Some(_) => {
                let message =
                    "is for one path that is other than was sent: leave it out where it is the same";
                Err(Fault::new(format!("{at}.{PATH}"), message))
            }
        }
    }

    /// The texts in which tokens may stand.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        let values = match self {
            Self::Deny(_) | Self::Answer(_) => None,
            Self::Permit(values) | Self::PermitWith(values) => Some(values),
        };
        values.into_iter().flat_map(BTreeMap::values).flatten().map(|(_, template)| template)
    }

    /// What is expected of this request, with these tokens.
    pub(super) fn at(&self, path: Option<&Vec<u8>>, tokens: &Minted) -> Expect {
        let fill = |values: &Values| -> Upstream {
            let filled = |values: &Vec<(String, Template)>| {
                values.iter().map(|(_, value)| value.fill(tokens)).collect()
            };
            values.iter().map(|(name, values)| (name.clone(), filled(values))).collect()
        };
        match self {
            Self::Deny(code) => Expect::Deny(*code),
            Self::Permit(values) => {
                let sent = path.map(|path| (PATH.to_owned(), vec![path.clone()]));
                Expect::Permit(sent.into_iter().chain(fill(values)).collect())
            }
            Self::PermitWith(values) => Expect::PermitWith(fill(values)),
            Self::Answer(jwks) => Expect::Answer(jwks.clone()),
        }
    }
}

fn code(at: &str, code: Value) -> Result<Code, Fault> {
    let code = string(at, code)?;
    let known = Code::ALL.iter().find(|known| known.as_str() == code);
    known
        .copied()
        .ok_or_else(|| Fault::new(at, format!("there is no code `{code}`: docs/denials.md has all")))
}

fn values(at: &str, upstream: Value) -> Result<Values, Fault> {
    let members = object(at, upstream)?.into_iter();
    members
        .map(|(name, values)| {
            let at = format!("{at}.{name}");
            if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                return Err(Fault::new(at, "is written in lower case: so an upstream sees it"));
            }
            let values = list(&at, values)?.into_iter();
            let templates = values.map(|text| Ok((text.clone(), Template::parse(&at, &text)?)));
            Ok((name, templates.collect::<Result<_, _>>()?))
        })
        .collect()
}
