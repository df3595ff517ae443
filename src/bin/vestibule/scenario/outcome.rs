//! What became of a request, in the terms of a scenario.

use std::collections::BTreeMap;

use serde_json::Value;
use vestibule::decision::Decision;
use vestibule::denial::{Code, Denial};
use vestibule::mutation;
use vestibule::request::Request;

use super::expect::{Expect, PATH};

/// What an upstream sees: each header with its values in order, and the path.
pub(crate) type Upstream = BTreeMap<String, Vec<Vec<u8>>>;

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Denied for this reason.
    Denied(Code),
    /// Forwarded with these headers.
    Forwarded(Upstream),
    /// Answered at the door with this JWK Set; null where it is none.
    Answered(Value),
}

/// What of a decision neither client nor upstream sees.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unseen {
    /// The route that the request is on, where it is on one.
    pub(crate) route: Option<String>,
    /// Why it would have been denied, where denials are only reported.
    pub(crate) reported: Option<Code>,
}

impl Unseen {
    /// What is known of this decision.
    pub(crate) fn of(decision: &Decision) -> Self {
        let (route, reported) = match decision {
            Decision::Denial(denial) => (denial.route(), None),
            Decision::Permit(permit) => (permit.route(), permit.reported().map(Denial::code)),
            Decision::AwaitKeys(_) | Decision::Publish(_) => (None, None),
        };
        Self { route: route.map(str::to_owned), reported }
    }
}

/// A header that is other than was expected.
pub(crate) struct Header<'d> {
    pub(crate) name: &'d str,
    /// The values that were expected.
    pub(crate) expected: &'d [Vec<u8>],
    /// Those that there are.
    pub(crate) got: &'d [Vec<u8>],
}

impl Outcome {
    /// What comes of this decision. A request that waits for keys is denied: nobody brings any.
    pub(crate) fn of(decision: &Decision, request: &Request<'_>) -> Self {
        match decision {
            Decision::Denial(denial) => Self::Denied(denial.code()),
            Decision::AwaitKeys(_) => Self::Denied(Code::KeysUnavailable),
            Decision::Permit(permit) => {
                let mut upstream = Upstream::new();
                let mutations = permit.mutations_towards(request.cluster());
                for (name, value) in mutation::apply(request.headers(), &mutations) {
                    if !name.starts_with(b":") || name == PATH.as_bytes() {
                        upstream.entry(text(&name)).or_default().push(value);
                    }
                }
                Self::Forwarded(upstream)
            }
            Decision::Publish(publication) => {
                Self::Answered(serde_json::from_str(publication.jwks()).unwrap_or_default())
            }
        }
    }

    /// Whether this is what was to be.
    pub(crate) fn is(&self, expected: &Expect) -> bool {
        match (expected, self) {
            (Expect::Deny(expected), Self::Denied(code)) => expected == code,
            (Expect::Permit(_) | Expect::PermitWith(_), Self::Forwarded(_)) => {
                self.differences(expected).is_empty()
            }
            (Expect::Answer(expected), Self::Answered(jwks)) => expected == jwks,
            (Expect::Deny(_), Self::Forwarded(_) | Self::Answered(_))
            | (Expect::Permit(_) | Expect::PermitWith(_), Self::Denied(_) | Self::Answered(_))
            | (Expect::Answer(_), Self::Denied(_) | Self::Forwarded(_)) => false,
        }
    }

    /// The headers of a permit that are other than was expected of one.
    pub(crate) fn differences<'d>(&'d self, expected: &'d Expect) -> Vec<Header<'d>> {
        let (headers, is_whole, upstream) = match (expected, self) {
            (Expect::Permit(headers), Self::Forwarded(upstream)) => (headers, true, upstream),
            (Expect::PermitWith(headers), Self::Forwarded(upstream)) => (headers, false, upstream),
            (Expect::Deny(_) | Expect::Answer(_), _) | (_, Self::Denied(_) | Self::Answered(_)) => {
                return Vec::new();
            }
        };
        let values = |of: &'d Upstream, name| of.get(name).map(Vec::as_slice).unwrap_or_default();
        let named = headers.iter().map(|(name, values)| (name.as_str(), values.as_slice()));
        let others = upstream.keys().filter(|name| is_whole && !headers.contains_key(*name));
        named
            .chain(others.map(|name| (name.as_str(), Default::default())))
            .map(|(name, expected)| Header { name, expected, got: values(upstream, name) })
            .filter(|header| header.expected != header.got)
            .collect()
    }
}

/// Bytes as text, one character each.
pub(crate) fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
