//! The context between the doors: what an outer door mints, an inner one accepts, for as long as the credential
//! lives and not a moment longer.
//!
//! Through the decisions alone, natively; `tests/envoy/context.rs` has the same through real Envoys.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails where it stands"
)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Value, json};
use support::{keys, token};
use vestibule::compile::{self, Secrets};
use vestibule::decision::{Decision, Permit};
use vestibule::denial::Code;
use vestibule::jose::base64url;
use vestibule::jose::signature::{Backend, Engines};
use vestibule::keyring::Keys;
use vestibule::mutation;
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::time::UnixTime;

const START: u64 = 1_800_000_000;
const SECOND: u64 = 1_000_000_000;
const MINTING: [&str; 3] = ["ec-256", "rsa-1", "ed-1"];

fn outer(key: &str) -> (Value, &str) {
    let configuration = json!({
        "door": "outer",
        "issuers": { "main": {
            "issuer": "https://issuer.test", "audiences": ["api"], "keys": [{ "jwks": keys::jwks(&["ec-256b"]) }],
            "expiration": "optional", "subjectPrefix": "main:", "tenants": ["acme"],
        } },
        "context": { "mint": {
            "issuer": "https://gateway.test", "audience": "mesh.test", "key": { "env": "KEY" }, "to": ["service"],
            "workload": "spiffe://mesh.test/ns/edge/sa/gateway",
        } },
        "routes": {
            "billing": { "paths": ["/billing/{*rest}"], "access": "authenticated", "audience": "billing.mesh.test" },
            "open": { "paths": ["/open"], "access": "public" },
            "either": { "paths": ["/either"], "access": "optional" },
        },
    });
    (configuration, key)
}

fn inner(key: &str) -> Value {
    json!({
        "door": "inner",
        "context": { "require": {
            "issuer": "https://gateway.test", "audience": "mesh.test", "keys": [{ "pem": keys::named(key).public_pem() }],
        } },
        "routes": { "write": {
            "paths": ["/orders/{id}"],
            "access": { "permissions": ["orders:write"], "scopes": ["profile"], "roles": ["clerk"], "issuers": ["main"] },
        } },
    })
}

fn compiled(configuration: &Value, key: &str) -> Policy {
    let pem = |_: &str| Some(keys::named(key).private_pem().to_owned());
    let now = UnixTime::from_secs(START);
    let compiled = compile::compile(configuration, &Secrets::From(&pem), now);
    compiled.unwrap_or_else(|errors| panic!("{errors}")).value
}

fn outer_policy(key: &str) -> Policy {
    let (configuration, key) = outer(key);
    let mut policy = compiled(&configuration, key);
    let settled = compile::settle_signing(&mut policy, &Engines::in_module());
    assert_eq!(settled.expect("the module signs").map(|(_, backend)| backend), Some(Backend::Module));
    policy
}

/// A request, at a time in nanoseconds.
struct Ask<'a> {
    path: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    cluster: Option<&'a str>,
    nonce: Option<u128>,
    now: u64,
}

impl<'a> Ask<'a> {
    fn get(path: &'a str, headers: Vec<(&'a str, &'a str)>) -> Self {
        Self { path, headers, cluster: Some("service"), nonce: Some(7), now: START * SECOND }
    }

    fn of<T>(&self, policy: &Policy, keys: &Keys, then: impl FnOnce(&Request<'_>, Decision) -> T) -> T {
        let own = [(":method", "GET"), (":path", self.path)];
        let headers =
            own.iter().chain(&self.headers).map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let mut request = Request::new(headers.collect());
        if let Some(cluster) = self.cluster {
            request = request.with_cluster(cluster.as_bytes());
        }
        if let Some(nonce) = self.nonce {
            request = request.with_nonce(nonce);
        }
        let decision = policy::decide(policy, keys, &request, UnixTime::from_nanos(self.now));
        then(&request, decision)
    }

    /// The contexts that the upstream sees.
    fn contexts(&self, policy: &Policy, keys: &Keys) -> Result<Vec<String>, Code> {
        self.of(policy, keys, |request, decision| match decision {
            Decision::Permit(permit) => Ok(contexts(request, &permit)),
            Decision::Denial(denial) => Err(denial.code()),
            Decision::Publish(_) | Decision::AwaitKeys(_) => panic!("{decision:?}"),
        })
    }

    fn context(&self, policy: &Policy, keys: &Keys) -> String {
        let contexts = self.contexts(policy, keys).expect("a permit");
        assert_eq!(contexts.len(), 1, "{contexts:?}");
        contexts.into_iter().next().expect("one")
    }

    fn code(&self, policy: &Policy, keys: &Keys) -> Option<Code> {
        self.contexts(policy, keys).err()
    }
}

fn contexts(request: &Request<'_>, permit: &Permit) -> Vec<String> {
    let forwarded = mutation::apply(request.headers(), permit.mutations()).into_iter();
    let contexts = forwarded.filter(|(name, _)| name == b"txn-token");
    contexts.map(|(_, value)| String::from_utf8(value).expect("ASCII")).collect()
}

fn claims(context: &str) -> Value {
    let payload = context.split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
    serde_json::from_slice(&payload.expect("base64url")).expect("JSON")
}

fn header(context: &str) -> Value {
    let header = context.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok());
    serde_json::from_slice(&header.expect("base64url")).expect("JSON")
}

fn user_token(more: Value) -> String {
    let mut payload = json!({
        "iss": "https://issuer.test", "aud": "api", "sub": "alice", "tenant_id": "acme",
        "permissions": ["orders:write"], "scope": "openid profile", "roles": ["clerk"],
    });
    payload.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    token::mint(&json!({ "key": "ec-256b", "payload": payload }), START)
}

fn bearer(more: Value) -> String {
    format!("Bearer {}", user_token(more))
}

#[test]
fn an_inner_door_believes_what_an_outer_one_minted_by_every_kind_of_key() {
    let engines = Keys::in_module();
    let user = bearer(json!({}));
    for key in MINTING {
        let (outer, inner) = (outer_policy(key), compiled(&inner(key), key));
        let context = Ask::get("/orders/7?token=x", vec![("authorization", &user)]).context(&outer, &engines);
        assert_eq!(header(&context)["typ"], "txntoken+jwt");
        assert_eq!(header(&context)["alg"], keys::named(key).algorithm());
        let ask = Ask::get("/orders/7", vec![("txn-token", &context)]);
        ask.of(&inner, &engines, |request, decision| {
            let Decision::Permit(permit) = decision else { panic!("{key}: {decision:?}") };
            let principal = permit.principal().expect("a principal");
            assert_eq!((principal.subject(), principal.tenant()), ("main:alice", Some("acme")));
            assert_eq!((principal.issuer(), permit.issuer()), (Some("main"), Some("context")));
            assert_eq!(
                contexts(request, &permit),
                std::slice::from_ref(&context),
                "it goes on to whom the service calls"
            );
        });
        let other = MINTING.into_iter().find(|other| *other != key).expect("another");
        assert_eq!(ask.code(&compiled(&self::inner(other), other), &engines), Some(Code::ContextInvalid));
    }
}

#[test]
fn a_route_has_an_audience_of_its_own() {
    let (outer, engines) = (outer_policy("ec-256"), Keys::in_module());
    let user = bearer(json!({}));
    let context = |path| Ask::get(path, vec![("authorization", &user)]).context(&outer, &engines);
    assert_eq!(claims(&context("/orders/7"))["aud"], "mesh.test");
    assert_eq!(claims(&context("/billing/7"))["aud"], "billing.mesh.test");
    let billing = context("/billing/7");
    let inner = compiled(&inner("ec-256"), "ec-256");
    assert_eq!(
        Ask::get("/", vec![("txn-token", &billing)]).code(&inner, &engines),
        Some(Code::ContextInvalid)
    );
}

/// By whatever way a request goes on without one of ours, a client's goes.
#[test]
fn nobody_gets_a_context_but_for_a_principal_towards_the_clusters_that_may_have_it() {
    let (outer, engines) = (outer_policy("ec-256"), Keys::in_module());
    let user = bearer(json!({}));
    let ours = Ask::get("/", vec![("authorization", &user)]).context(&outer, &engines);
    let with = |path: &'static str, cluster: Option<&'static str>, user: Option<&str>| {
        let mut headers = vec![("txn-token", ours.as_str()), ("txn_token", "forged")];
        headers.extend(user.map(|user| ("authorization", user)));
        let ask = Ask { cluster, ..Ask::get(path, headers) };
        ask.of(&outer, &engines, |request, decision| {
            let Decision::Permit(permit) = decision else { panic!("{path}: {decision:?}") };
            let forwarded = mutation::apply(request.headers(), permit.mutations());
            assert!(forwarded.iter().all(|(name, _)| name != b"txn_token"), "{path}");
            contexts(request, &permit)
        })
    };
    assert_eq!(with("/", Some("service"), Some(&user)).len(), 1);
    assert_eq!(with("/either", Some("service"), Some(&user)).len(), 1);
    for (path, cluster, user) in [
        ("/open", Some("service"), Some(&*user)),
        ("/open", Some("service"), None),
        ("/either", Some("service"), None),
        ("/", Some("elsewhere"), Some(&user)),
        ("/", Some("service2"), Some(&user)),
        ("/", None, Some(&user)),
    ] {
        assert_eq!(with(path, cluster, user), Vec::<String>::new(), "{path} {cluster:?}");
    }
}

#[test]
fn a_request_that_nothing_tells_from_others_is_denied() {
    let (outer, engines) = (outer_policy("ec-256"), Keys::in_module());
    let user = bearer(json!({}));
    let mut ask = Ask { nonce: None, ..Ask::get("/", vec![("authorization", &user)]) };
    assert_eq!(ask.code(&outer, &engines), Some(Code::HostFailed));
    ask.headers.push(("x-request-id", "0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0"));
    assert_eq!(claims(&ask.context(&outer, &engines))["txn"], "0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0");
    // Where none is to be minted, none is missed.
    let elsewhere = Ask { nonce: None, cluster: None, ..Ask::get("/", vec![("authorization", &user)]) };
    assert_eq!(elsewhere.contexts(&outer, &engines), Ok(Vec::new()));
}

#[test]
fn a_context_that_is_too_long_for_a_header_is_a_denial() {
    let engines = Keys::in_module();
    let (mut configuration, key) = outer("ec-256");
    configuration["limits"] = json!({ "injectedBytes": 2048 });
    configuration["inject"] = json!({ "x-user-permissions": "none" });
    let outer = compiled(&configuration, key);
    let code = |count: usize| {
        let permissions: Vec<String> = (0..count).map(|number| format!("orders:{number:03}")).collect();
        let user = bearer(json!({ "permissions": permissions }));
        Ask::get("/", vec![("authorization", &user)]).code(&outer, &engines)
    };
    assert_eq!((code(10), code(200)), (None, Some(Code::ClaimMalformed)));
}

/// Who may pass is the credential's matter, and a path is told for the logs.
#[test]
fn a_long_path_is_left_out_of_a_context_and_denies_nobody() {
    let engines = Keys::in_module();
    let (mut configuration, key) = outer("ec-256");
    configuration["limits"] = json!({ "injectedBytes": 1024 });
    let outer = compiled(&configuration, key);
    let user = bearer(json!({}));
    let path_of = |path: &str| {
        let context = Ask::get(path, vec![("authorization", &user)]).context(&outer, &engines);
        let payload = base64url(context.split('.').nth(1).expect("a payload").as_bytes()).expect("base64url");
        let claims: Value = serde_json::from_slice(&payload).expect("claims");
        assert_eq!(claims["rctx"]["method"], "GET");
        claims["rctx"].get("path").cloned()
    };
    assert_eq!(path_of("/short"), Some(json!("/short")));
    assert_eq!(path_of(&format!("/{}", "x".repeat(900))), None);
}

#[test]
fn a_door_that_reports_mints_nothing_for_what_it_would_deny() {
    let engines = Keys::in_module();
    let (mut configuration, key) = outer("ec-256");
    configuration["report"] = json!({ "until": "2027-01-20T00:00:00Z" });
    let outer = compiled(&configuration, key);
    let (good, bad) = (bearer(json!({})), bearer(json!({ "aud": "other" })));
    let contexts = |user: &str| {
        let ours = Ask::get("/", vec![("authorization", &good)]).context(&outer, &engines);
        Ask::get("/", vec![("authorization", user), ("txn-token", &ours)]).contexts(&outer, &engines)
    };
    assert_eq!(contexts(&bad), Ok(Vec::new()));
    assert_eq!(contexts(&good).map(|contexts| contexts.len()), Ok(1));
}

#[test]
fn a_key_that_nobody_can_sign_with_refuses_the_configuration() {
    let (configuration, key) = outer("ec-256");
    let mut policy = compiled(&configuration, key);
    // A module that cannot sign with a key is one without it: RSA keys over 4096 bits.
    let large = include_str!("support/keys/rsa-5120.pem");
    let pem = |_: &str| Some(large.to_owned());
    let mut large = compile::compile(&configuration, &Secrets::From(&pem), UnixTime::from_secs(START))
        .expect("a policy")
        .value;
    assert!(compile::settle_signing(&mut policy, &Engines::in_module()).is_ok());
    let refused = compile::settle_signing(&mut large, &Engines::in_module()).expect_err("nobody signs");
    let refused = refused.to_string();
    assert!(refused.starts_with("context.mint.key: "), "{refused}");
    for remedy in ["`vestibule keygen p256`", "an Envoy with `sign` (1.37 or later)"] {
        assert!(refused.contains(remedy), "{refused}");
    }
    let user = bearer(json!({}));
    let ask = Ask::get("/", vec![("authorization", &user)]);
    assert_eq!(ask.code(&large, &Keys::in_module()), Some(Code::HostFailed));
}

/// A token's end before or after now, in nanoseconds, or none.
fn ends() -> impl Strategy<Value = Option<i64>> {
    let near = prop_oneof![-59 * SECOND as i64..120 * SECOND as i64, -2_000_000_000_i64..2_000_000_000];
    prop::option::weighted(0.9, near)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    /// Fresh and remembered, at any clock: a token comes, time goes by, it comes again.
    #[test]
    fn a_context_never_outlives_its_credential(
        ends in ends(),
        fraction in 0..SECOND,
        later in prop::collection::vec(0..90 * SECOND, 1..4),
    ) {
        thread_local! {
            static DOORS: [Policy; 2] = [outer_policy("ed-1"), compiled(&inner("ed-1"), "ed-1")];
            static KEYS: Keys = Keys::in_module();
        }
        let now = START * SECOND + fraction;
        // As tokens have it, with a fraction or without.
        let exp = ends.map(|ends| (now.checked_add_signed(ends).expect("a date")) as f64 / SECOND as f64);
        let more = match exp {
            Some(exp) if exp.fract() == 0.0 => json!({ "exp": exp as u64 }),
            Some(exp) => json!({ "exp": exp }),
            None => json!({}),
        };
        let user = bearer(more);
        let mut times = vec![now];
        times.extend(later.iter().scan(now, |now, later| { *now += later; Some(*now) }));
        DOORS.with(|[outer, inner]| KEYS.with(|keys| {
            for now in times {
                let ask = Ask { now, ..Ask::get("/", vec![("authorization", &user)]) };
                let is_over = exp.is_some_and(|exp| now as f64 / SECOND as f64 >= exp + 60.0);
                match ask.contexts(outer, keys) {
                    Err(code) => assert_eq!((code, is_over), (Code::TokenExpired, true)),
                    Ok(contexts) => {
                        assert!(!is_over, "{exp:?} at {now}");
                        let claims = claims(&contexts[0]);
                        let (issued, end) = (claims["iat"].as_u64().expect("iat"), claims["exp"].as_u64().expect("exp"));
                        assert_eq!(issued, now / SECOND);
                        assert!(exp.is_none_or(|exp| end as f64 <= exp), "{end} is past {exp:?}");
                        assert!(end * SECOND <= now + 60 * SECOND);
                        // And as long as it may.
                        let least = exp.map_or(f64::MAX, f64::floor).min(((now + 60 * SECOND) / SECOND) as f64);
                        assert!(end as f64 >= least, "{end} is before {least}");
                        // The inner door goes by the context alone.
                        let inside = Ask { now, ..Ask::get("/", vec![("txn-token", &contexts[0])]) };
                        let is_believed = now < (end + 5) * SECOND;
                        let code = inside.code(inner, keys);
                        assert_eq!(code, (!is_believed).then_some(Code::ContextExpired));
                    }
                }
            }
        }));
    }
}
