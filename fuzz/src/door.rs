//! A door that compiled, and what becomes of a request there.

use serde_json::Value;
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::denial::Code;
use vestibule::keyring::Keys;
use vestibule::mutation::{self, Mutation};
use vestibule::policy::{self, Policy};
use vestibule::principal::Principal;
use vestibule::request::Request;
use vestibule::time::UnixTime;

use super::token::{NOW, OTHER_SECRET, SECRET};

/// The key that signs contexts.
const CONTEXT_KEY: &str = include_str!("../../tests/support/keys/ec-256.pem");

/// The gateway key of all doors.
pub const KEY: &str = "a-gateway-key-that-stands-in-this-file-and-guards-nothing";

pub type Headers = Vec<(Vec<u8>, Vec<u8>)>;

pub struct Door {
    pub config: Value,
    pub policy: Policy,
}

/// A request, and when it comes.
#[derive(Clone)]
pub struct Asked {
    pub headers: Headers,
    pub cluster: Option<Vec<u8>>,
    /// Who the other end of the connection is, if anybody.
    pub peer: Option<Vec<u8>>,
    pub now: u64,
}

/// What goes on, or why nothing does.
pub type Outcome = Result<Forwarded, Ended>;

/// How a request ends at the door.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    Denied(Code),
    /// With this JWK Set.
    Answered(Value),
}

#[derive(Debug, PartialEq, Eq)]
pub struct Forwarded {
    pub headers: Headers,
    pub mutations: Vec<Mutation>,
    pub principal: Option<Principal>,
    pub route: Option<String>,
    pub is_reported: bool,
}

thread_local! {
    static KEYS: Keys = Keys::in_module();
    static DOORS: &'static [Door] = Box::leak(compiled().into());
}

/// The doors that requests are sent to. A corpus names them by their position.
pub fn doors() -> &'static [Door] {
    DOORS.with(|doors| *doors)
}

fn compiled() -> Vec<Door> {
    let configs: Vec<Value> = serde_json::from_str(include_str!("doors.json")).expect("the doors are JSON");
    let secrets = Secrets::From(&environment);
    let compiled = |config| match compile::compile(&config, &secrets, UnixTime::from_secs(NOW)) {
        Ok(compiled) => Door { config, policy: compiled.value },
        Err(errors) => panic!("{config} is refused: {errors}"),
    };
    configs.into_iter().map(compiled).collect()
}

/// Secrets of every kind, good and not; some have the names that the vectors use.
pub fn environment(name: &str) -> Option<String> {
    let text = match name {
        "SECRET" | "LONG" => SECRET,
        "OTHER" => OTHER_SECRET,
        "GATEWAY_KEY" => KEY,
        "HEX" => "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
        "CONTEXT_KEY" => CONTEXT_KEY.trim(),
        "SHORT" => "a-secret-of-thirty-two-bytes-it-is",
        "WEAK" => "weak",
        "SPACED" => " spaced, and long enough for a key ",
        "EMPTY" => "",
        _ => return None,
    };
    Some(text.to_owned())
}

impl Door {
    pub fn decide(&self, asked: &Asked) -> Outcome {
        let headers = asked.headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
        let request = Request::new(headers);
        let request = match &asked.cluster {
            Some(cluster) => request.with_cluster(cluster),
            None => request,
        };
        let request = match &asked.peer {
            Some(peer) => request.with_peer(peer),
            None => request,
        };
        match KEYS.with(|keys| policy::decide(&self.policy, keys, &request, UnixTime::from_secs(asked.now))) {
            Decision::Permit(permit) => Ok(Forwarded {
                headers: mutation::apply(request.headers(), permit.mutations()),
                mutations: permit.mutations().to_vec(),
                principal: permit.principal().cloned(),
                route: permit.route().map(str::to_owned),
                is_reported: permit.reported().is_some(),
            }),
            // Nobody fetches here.
            Decision::AwaitKeys(_) => Err(Ended::Denied(Code::KeysUnavailable)),
            Decision::Denial(denial) => {
                let body = denial.response(&request).body;
                let code = denial.code().as_str();
                let says = |problem: Value| problem["code"] == code;
                assert!(body == code.as_bytes() || serde_json::from_slice(&body).is_ok_and(says));
                Err(Ended::Denied(denial.code()))
            }
            Decision::Publish(publication) => {
                let jwks = serde_json::from_slice(&publication.response(&request).body);
                Err(Ended::Answered(jwks.expect("what is published is JSON")))
            }
        }
    }
}
