//! Doors in an Envoy, and the same configurations compiled here: a request is decided by both, and what the module
//! says otherwise than the same code natively is a difference.
//!
//! What Envoy or HTTP/1 would not let through as it is stays out; so does what is decided otherwise from one second
//! to the next.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::keyring::Keys;
use vestibule::mutation;
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::time::UnixTime;

use super::mesh::now;
use crate::support::envoy::Envoy;
use crate::support::http::{Call, Response, call};
use crate::support::upstream::{Arrival, Upstream};

pub type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// A request's headers.
pub struct Asked(pub Headers);

impl Asked {
    fn value(&self, name: &[u8]) -> Option<&[u8]> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_slice())
    }

    /// As HTTP/1 has it; none where it, or Envoy, would make another request of it.
    fn call(&self) -> Option<(Call, Headers)> {
        let method = self.value(b":method").unwrap_or(b"GET");
        let path = self.value(b":path")?;
        let authority = self.value(b":authority").unwrap_or(b"api.test");
        let is_plain = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_graphic);
        let is_word = method.iter().all(u8::is_ascii_uppercase) && !method.is_empty();
        if !is_word
            || method == b"CONNECT"
            || !is_plain(path)
            || !path.starts_with(b"/")
            || path.contains(&b'#')
            || !authority.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(byte))
            || authority.is_empty()
        {
            return None;
        }
        let mut call = call(method, path).header("host", authority);
        let mut headers: Headers = [(&b":method"[..], method), (b":path", path), (b":authority", authority)]
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .into();
        for (name, value) in self.0.iter().filter(|(name, _)| !name.starts_with(b":")) {
            let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.!#$%&'*+^`|~".contains(byte);
            let is_sent = name.iter().all(is_token)
                && !name.is_empty()
                && value.iter().all(|byte| matches!(byte, b' '..=b'~' | 0x80..))
                && value.trim_ascii() == value;
            let is_hosts = [&b"host"[..], b"connection", b"upgrade", b"te", b"expect", b"content-length", b"keep-alive",
                b"transfer-encoding", b"proxy-connection", b"http2-settings", b"content-type"].contains(&&name[..])
                || name.starts_with(b"x-envoy-") || name.starts_with(b"x-forwarded-") || name == b"x-request-id"
                // Of these Envoy makes one header of several.
                || headers.iter().any(|(given, _)| given == name);
            if !is_sent || is_hosts {
                return None;
            }
            call = call.header(name, value);
            headers.push((name.clone(), value.clone()));
        }
        Some((call, headers))
    }
}

/// How far apart the clocks may be, in seconds, by which both decide.
const SPAN: u64 = 2;

/// Doors in one Envoy, and the same ones here.
pub struct Both {
    kind: &'static str,
    envoy: Envoy,
    upstream: Upstream,
    policies: Vec<Policy>,
    keys: Keys,
    told: RefCell<Told>,
}

#[derive(Default)]
struct Told {
    asked: usize,
    by_code: BTreeMap<String, usize>,
    differences: Vec<String>,
}

impl Both {
    /// Doors of one kind; what their secrets are is told by name.
    pub fn start(
        kind: &'static str,
        doors: &[Value],
        environment: &'static [(&'static str, &'static str)],
    ) -> Self {
        let upstream = Upstream::start();
        let names = environment.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        let mut bootstrap = super::vectors::literal(kind)
            .environment(kind, names.iter())
            .cluster("upstream", upstream.port());
        for (number, door) in doors.iter().enumerate() {
            bootstrap = bootstrap.copy_listener(kind, &format!("{kind}-{number}"), door, "upstream");
        }
        let secret = |name: &str| Some(environment.iter().find(|(known, _)| *known == name)?.1.to_owned());
        let compiled = |door: &Value| {
            let at = UnixTime::from_secs(now());
            match compile::compile(door, &Secrets::From(&secret), at) {
                Ok(compiled) => compiled.value,
                Err(errors) => panic!("{door}: {errors}"),
            }
        };
        Self {
            kind,
            envoy: Envoy::start(&bootstrap.remove_listener(kind), environment),
            upstream,
            policies: doors.iter().map(compiled).collect(),
            keys: Keys::in_module(),
            told: RefCell::default(),
        }
    }

    /// Whether the code here permits it, none where it cannot be asked so; what the module says otherwise is a
    /// difference, of which [`Self::finish`] tells. It is asked twice, for what it remembers is another way to the same answer.
    pub fn ask(&self, door: usize, name: &str, asked: &Asked) -> Option<bool> {
        let (call, headers) = asked.call()?;
        let before = self.natively(door, &headers, now() - SPAN);
        let responses = [(); 2].map(|()| call.send(self.envoy.port(&format!("{}-{door}", self.kind))));
        let after = self.natively(door, &headers, now() + SPAN);
        let mut told = self.told.borrow_mut();
        // What Envoy itself takes for no request has not come to the door.
        let is_envoys = |response: &Response| response.status == 400 && response.code().is_none();
        if before != after || responses.iter().any(is_envoys) {
            return None;
        }
        told.asked += 1;
        let code = before.as_ref().map_or_else(Clone::clone, |_| "permitted".into());
        *told.by_code.entry(code).or_default() += 1;
        for response in &responses {
            let said = match self.upstream.arrival(response) {
                None => {
                    Err(response.code().unwrap_or_else(|| format!("{} {}", response.status, response.text())))
                }
                Some(arrival) => Ok(arrived(&arrival)),
            };
            if said != before {
                told.differences
                    .push(format!("{name} at door {door}: natively {before:?}, by the module {said:?}"));
            }
        }
        Some(before.is_ok())
    }

    /// What is forwarded, or why nothing is.
    fn natively(&self, door: usize, headers: &Headers, at: u64) -> Result<Forwarded, String> {
        let borrowed = headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
        let request = Request::new(borrowed).with_cluster(b"upstream");
        match policy::decide(&self.policies[door], &self.keys, &request, UnixTime::from_secs(at)) {
            Decision::Permit(permit) => {
                let after = mutation::apply(request.headers(), permit.mutations());
                Ok(forwarded(after.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))))
            }
            Decision::Denial(denial) => Err(denial.code().as_str().to_owned()),
            Decision::AwaitKeys(_) | Decision::Publish(_) => {
                Err("nothing is fetched or published here".into())
            }
        }
    }

    /// So many at least must have been asked about, and nothing have differed.
    pub fn finish(self, at_least: usize) {
        let Told { asked, by_code, differences } = self.told.into_inner();
        println!("{asked} requests: {by_code:?}");
        assert!(
            differences.is_empty(),
            "{} of {asked} differ:\n{}",
            differences.len(),
            differences.join("\n")
        );
        assert!(asked >= at_least && by_code.len() > 2, "only {asked} were asked: {by_code:?}");
    }
}

/// Every header that is no business of Envoy's, and the values of each.
type Forwarded = BTreeMap<String, Vec<String>>;

fn forwarded<'h>(headers: impl Iterator<Item = (&'h [u8], &'h [u8])>) -> Forwarded {
    let mut forwarded = Forwarded::new();
    for (name, value) in headers {
        let name = name.escape_ascii().to_string().to_ascii_lowercase();
        let is_envoys = name.starts_with("x-envoy-")
            || name.starts_with("x-forwarded-")
            || matches!(name.as_str(), "x-request-id" | "content-length" | ":scheme");
        if !is_envoys {
            forwarded.entry(name).or_default().push(value.escape_ascii().to_string());
        }
    }
    forwarded
}

/// The same of what came to the service, its request line and `host` named as HTTP/2 names them.
fn arrived(arrival: &Arrival) -> Forwarded {
    let mut words = arrival.request_line.split(|byte| *byte == b' ');
    let line = [(&b":method"[..], words.next()), (b":path", words.next())];
    let line = line.into_iter().map(|(name, word)| (name, word.unwrap_or_default()));
    let headers = arrival.headers.iter().map(|(name, value)| {
        (if name.eq_ignore_ascii_case(b"host") { b":authority" } else { &name[..] }, value.as_slice())
    });
    forwarded(line.chain(headers))
}
