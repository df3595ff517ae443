//! What is told of a denial: enough to know who must act, without the token at hand.

use serde::Serialize;

use crate::denial::response::request_id;
use crate::denial::{Denial, Party};
use crate::policy::Policy;
use crate::request::Request;
use crate::route::host::CanonicalHost;

/// The most characters of a `kid` and of a peer's URI that are told.
const MOST: usize = 256;

/// A denial. Names are those of the configuration.
#[derive(Debug, Serialize)]
pub struct Denied<'a> {
    door: Option<&'static str>,
    /// `denial`, or `report` where it was not carried out.
    decision: &'static str,
    code: &'static str,
    status: u16,
    /// Who must act, the likeliest first.
    act: Vec<&'static str>,
    route: Option<&'a str>,
    issuer: Option<&'a str>,
    /// Of the token's header. Nobody has verified it.
    kid: Option<String>,
    entrance: Option<&'a str>,
    /// The gateway key's name.
    key: Option<&'a str>,
    /// The URI of the peer's certificate.
    peer: Option<String>,
    /// The request's host, without a port; null where it can be read in more than one way.
    host: Option<String>,
    /// The request's id, as the client was told it.
    instance: Option<&'a str>,
    /// How many denials of this code were not told of since the last line with it.
    left_out: u64,
}

impl<'a> Denied<'a> {
    /// What is told of this denial. There is no policy where nothing is configured.
    #[must_use]
    pub fn of(
        denial: &'a Denial,
        policy: Option<&Policy>,
        request: &'a Request<'_>,
        is_reported: bool,
        left_out: u64,
    ) -> Self {
        let code = denial.code();
        let admission = denial.admission();
        let authority = request.single(b":authority").ok();
        Self {
            door: policy.map(|policy| policy.door().as_str()),
            decision: if is_reported { "report" } else { "denial" },
            code: code.as_str(),
            status: code.status().http(),
            act: code.parties().iter().copied().map(Party::as_str).collect(),
            route: denial.route(),
            issuer: denial.issuer(),
            kid: policy.and_then(|policy| policy.unverified_kid(request)).map(|kid| cut(&kid)),
            entrance: admission.map(|admission| admission.entrance()),
            key: admission.and_then(|admission| admission.key()),
            peer: request.peer().map(|peer| cut(&String::from_utf8_lossy(peer.uri))),
            host: authority.and_then(CanonicalHost::parse).map(|host| host.as_str().to_owned()),
            instance: request_id(request),
            left_out,
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;
    use crate::denial::Code;
    use crate::record::Record;

    fn line(denial: &Denial, request: &Request<'_>) -> String {
        Record::Denial(Denied::of(denial, None, request, false, 3)).line().unwrap()
    }

    #[test]
    fn a_denial_is_one_object_with_its_members_in_order() {
        let request = Request::new(vec![
            (b":authority", b"Api.Example.com:443"),
            (b"x-request-id", b"7d0f1f6e"),
            (b"authorization", b"Bearer secret"),
        ])
        .with_peer(b"spiffe://cluster.local/ns/shop/sa/blog");
        let denial = Denial::by_issuer(Code::PermissionMissing, &"main".into());
        assert_eq!(
            line(&denial, &request),
            concat!(
                r#"{"vestibule":"denial","door":null,"decision":"denial","code":"permission_missing","#,
                r#""status":403,"act":["issuer","operator"],"route":null,"issuer":"main","kid":null,"#,
                r#""entrance":null,"key":null,"peer":"spiffe://cluster.local/ns/shop/sa/blog","#,
                r#""host":"api.example.com","instance":"7d0f1f6e","left_out":3}"#
            )
        );
    }

    #[test]
    fn what_a_request_brings_makes_no_second_line_and_no_long_one() {
        let long = vec![b'x'; 100_000];
        let request =
            Request::new(vec![(b":authority", b"a\nb"), (b"x-request-id", b"a\n{}")]).with_peer(&long);
        let line = line(&Code::PeerNotAllowed.into(), &request);
        assert!(line.len() < 1_000 && !line.contains('\n'), "{line}");
        assert!(line.contains(r#""host":null,"instance":null"#), "{line}");
        let line =
            self::line(&Code::PeerNotAllowed.into(), &Request::new(vec![]).with_peer(b"a\"\n\x1b\xff"));
        assert!(line.contains(r#""peer":"a\"\n\u001b\ufffd""#), "{line}");
    }
}
