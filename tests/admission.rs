//! By which entrance and key a request came in, as a decision says it: for whoever counts and logs.

#![allow(clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails where it stands")]

mod support;

use std::sync::Arc;

use serde_json::{Value, json};
use support::token;
use vestibule::admission::Admission;
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::denial::{Code, Denial};
use vestibule::keyring::Keys;
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::time::UnixTime;

const NOW: u64 = 1_800_000_000;
const KEY: &str = "0123456789abcdef0123456789abcdef";
const PEER: &str = "spiffe://mesh.test/ns/shop/sa/orders";

/// An inner door, and what becomes there of a request over a connection of `PEER`.
struct Door(Policy);

impl Door {
    fn new(more: &Value) -> Self {
        let mut configuration = json!({
            "door": "inner", "tenant": "optional", "default": "public",
            "entrances": { "gateway": { "keys": { "current": { "env": "KEY" } } }, "mesh": { "peers": [PEER] } },
            "routes": {
                "admin": { "paths": ["/admin"], "access": { "permissions": ["admin"] } },
                "health": { "paths": ["/health"], "access": "public", "entrance": "exempt" },
            },
        });
        if let (Some(members), Some(more)) = (configuration.as_object_mut(), more.as_object()) {
            members.extend(more.clone());
        }
        let secrets = Secrets::From(&|_| Some(KEY.into()));
        let compiled = compile::compile(&configuration, &secrets, UnixTime::from_secs(NOW));
        Self(compiled.unwrap_or_else(|errors| panic!("{errors}")).value)
    }

    /// The code and the entrance, with its key.
    fn ask(&self, path: &str, more: &[(&str, &str)], peer: Option<&str>) -> (Option<Code>, Option<String>) {
        let mut headers: Vec<(&[u8], &[u8])> = vec![(b":method", b"GET"), (b":path", path.as_bytes())];
        headers.extend(more.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        let request = Request::new(headers);
        let request = peer.map_or(request.clone(), |peer| request.with_peer(peer.as_bytes()));
        let now = UnixTime::from_secs(NOW);
        let mut keys = Keys::in_module();
        self.0.remote_sources().for_each(|source| keys.ring.watch(source, now));
        match policy::decide(&self.0, &keys, &request, now) {
            Decision::Permit(permit) => (permit.reported().map(Denial::code), permit.admission().map(text)),
            Decision::Denial(denial) => (Some(denial.code()), denial.admission().map(text)),
            Decision::AwaitKeys(issuer) => self.give_up(&issuer, &request, now),
            Decision::Publish(_) => panic!("an inner door publishes nothing"),
        }
    }

    fn give_up(
        &self,
        issuer: &Arc<str>,
        request: &Request<'_>,
        now: UnixTime,
    ) -> (Option<Code>, Option<String>) {
        match policy::give_up(&self.0, Code::KeysUnavailable, issuer, request, now) {
            Ok(permit) => (permit.reported().map(Denial::code), permit.admission().map(text)),
            Err(denial) => (Some(denial.code()), denial.admission().map(text)),
        }
    }
}

fn text(admission: &Admission) -> String {
    format!("{} {}", admission.entrance(), admission.key().unwrap_or("-"))
}

const WITH_KEY: &[(&str, &str)] = &[("x-gateway-key", KEY)];
const REPORT: &str = r#"{"report":{"until":"2027-01-16T08:00:00Z"}}"#;

#[test]
fn a_decision_says_how_the_request_came_in_whatever_became_of_it() {
    let (gateway, mesh) = (Some("gateway current".to_owned()), Some("mesh -".to_owned()));
    let subject = [("x-gateway-key", KEY), ("x-user-id", "alice")];
    for more in ["{}", REPORT] {
        let door = Door::new(&serde_json::from_str(more).unwrap_or_default());
        assert_eq!(door.ask("/", WITH_KEY, None), (None, gateway.clone()), "{more}");
        assert_eq!(door.ask("/", WITH_KEY, Some(PEER)), (None, gateway.clone()), "{more}");
        assert_eq!(door.ask("/", &[], Some(PEER)), (None, mesh.clone()), "{more}");
        let lacking = (Some(Code::PermissionMissing), gateway.clone());
        assert_eq!(door.ask("/admin", &subject, None), lacking, "{more}");
        let nobody = (Some(Code::CredentialMissing), mesh.clone());
        assert_eq!(door.ask("/admin", &[], Some(PEER)), nobody, "{more}");
    }
}

#[test]
fn who_needs_no_entrance_or_found_none_came_in_by_none() {
    let door = Door::new(&json!({}));
    assert_eq!(door.ask("/health", WITH_KEY, Some(PEER)), (None, None));
    assert_eq!(door.ask("/", &[], None), (Some(Code::GatewayKeyMissing), None));
    assert_eq!(door.ask("/", &[("x-gateway-key", "wrong")], None), (Some(Code::GatewayKeyInvalid), None));
}

#[test]
fn a_request_whose_keys_do_not_come_came_in_all_the_same() {
    let issuer = json!({ "main": {
        "issuer": "https://issuer.test", "audiences": ["*"], "keys": [{ "remote": { "url": "https://issuer.test/keys" } }],
    } });
    let token = token::mint(
        &json!({ "key": "ec-256", "payload": { "iss": "https://issuer.test", "sub": "a", "aud": "b", "exp": { "$now": 300 } } }),
        NOW,
    );
    let authorization = format!("Bearer {token}");
    let headers = [("x-gateway-key", KEY), ("authorization", authorization.as_str())];
    for more in ["{}", REPORT] {
        let mut more: Value = serde_json::from_str(more).unwrap_or_default();
        more["issuers"] = issuer.clone();
        more["default"] = json!("authenticated");
        let given_up = Door::new(&more).ask("/", &headers, None);
        assert_eq!(given_up, (Some(Code::KeysUnavailable), Some("gateway current".into())));
    }
}
