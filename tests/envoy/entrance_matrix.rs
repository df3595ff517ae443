//! Every combination of what proves a way and what proves a caller, through real Envoys with mTLS between them:
//! (gateway key) × (peer) × (context), for each way in which an inner door may ask for them. What is to come of
//! each is computed from the rules, and compared with what came.

use std::fmt;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::mesh::{GATEWAY_KEY, good_token, now, outer_configuration, signed};
use crate::support::bootstrap::{Bootstrap, Clients};
use crate::support::certificates::{Authority, BILLING, BLOG, GATEWAY};
use crate::support::envoy::Envoy;
use crate::support::http::{Call, get};
use crate::support::keys;
use crate::support::secrets;
use crate::support::upstream::Upstream;
use crate::support::version::rely_on_listener;

const EXPIRED_KEY: &str = "the-gateway-key-that-has-expired-0123456789";
const WRONG_KEY: &str = "a-gateway-key-that-nobody-knows-0123456789";
const MESH: &str = "cluster.local";
const MINT: &str = "https://gateway.example.com";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Right,
    Wrong,
    Expired,
    Missing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    Listed,
    NotListed,
    NoCertificate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Context {
    Good,
    Expired,
    OtherAudience,
    OtherKey,
    UserToken,
    Missing,
}

const KEYS: [Key; 4] = [Key::Right, Key::Wrong, Key::Expired, Key::Missing];
const PEERS: [Peer; 3] = [Peer::Listed, Peer::NotListed, Peer::NoCertificate];
const CONTEXTS: [Context; 6] = [
    Context::Good,
    Context::Expired,
    Context::OtherAudience,
    Context::OtherKey,
    Context::UserToken,
    Context::Missing,
];

/// How an inner door's entrances may be laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// One entrance that asks for both.
    Both,
    /// One for who has the key, and one for who is listed.
    Either,
    /// One that asks for the key.
    KeyOnly,
    /// One that asks for a listed peer.
    PeerOnly,
}

const LAYOUTS: [(&str, Layout); 4] = [
    ("both", Layout::Both),
    ("either", Layout::Either),
    ("key-only", Layout::KeyOnly),
    ("peer-only", Layout::PeerOnly),
];

impl Layout {
    fn entrances(self) -> Value {
        let keys = json!({
            "current": { "sha256": sha256(GATEWAY_KEY) },
            "former": { "sha256": sha256(EXPIRED_KEY), "notAfter": "2026-01-01T00:00:00Z" },
        });
        match self {
            Self::Both => json!({ "gateway": { "keys": keys, "peers": [GATEWAY] } }),
            Self::Either => json!({ "gateway": { "keys": keys }, "services": { "peers": [GATEWAY] } }),
            Self::KeyOnly => json!({ "gateway": { "keys": keys } }),
            Self::PeerOnly => json!({ "services": { "peers": [GATEWAY] } }),
        }
    }

    /// Why nobody lets such a request in; nothing where somebody does.
    fn refusal(self, key: Key, peer: Peer) -> Option<&'static str> {
        let by_key = match key {
            Key::Right => None,
            Key::Wrong | Key::Expired => Some("gateway_key_invalid"),
            Key::Missing => Some("gateway_key_missing"),
        };
        let by_peer = (peer != Peer::Listed).then_some("peer_not_allowed");
        match self {
            Self::Both => by_key.or(by_peer),
            Self::KeyOnly => by_key,
            Self::PeerOnly => by_peer,
            Self::Either if by_key.is_none() || by_peer.is_none() => None,
            // Who brings no key and shows who he is came as a service does.
            Self::Either if key == Key::Missing && peer == Peer::NotListed => by_peer,
            Self::Either => by_key,
        }
    }
}

/// What the rules say: first the entrance, then the context.
fn expected(layout: Layout, key: Key, peer: Peer, context: Context) -> Option<&'static str> {
    layout.refusal(key, peer).or(match context {
        Context::Good => None,
        Context::Expired => Some("context_expired"),
        Context::OtherAudience | Context::OtherKey | Context::UserToken => Some("context_invalid"),
        Context::Missing => Some("context_missing"),
    })
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a request shows of each kind.
struct Shown {
    good: String,
    expired: String,
    other_audience: String,
    other_key: String,
    user_token: String,
}

impl Shown {
    fn context(&self, context: Context) -> Option<&str> {
        match context {
            Context::Good => Some(&self.good),
            Context::Expired => Some(&self.expired),
            Context::OtherAudience => Some(&self.other_audience),
            Context::OtherKey => Some(&self.other_key),
            Context::UserToken => Some(&self.user_token),
            Context::Missing => None,
        }
    }
}

/// A context as the outer door makes them, but for one thing.
fn context(key: &str, audience: &str, age: u64) -> String {
    let issued = now() - age;
    signed(&json!({
        "key": key, "header": { "alg": "ES256", "typ": "txntoken+jwt", "kid": keys::context_jwk("ec-256")["kid"] },
        "payload": {
            "iss": MINT, "aud": audience, "iat": issued, "exp": issued + 60, "sub": "alice",
            "txn": "0b5f2a54-6a0c-4e7d-8d93-4f0a5e1e2c11", "req_wl": GATEWAY, "tctx": { "tenant": "acme" },
        },
    }))
}

/// The outer door's configuration, which mints.
fn minting() -> Value {
    let mut outer = outer_configuration();
    outer["context"] = json!({ "mint": {
        "issuer": MINT, "audience": MESH, "workload": GATEWAY, "key": { "env": "CONTEXT_KEY" },
    } });
    outer
}

/// A context from the hand of the outer door itself.
fn minted() -> String {
    let upstream = Upstream::start();
    let pem = keys::pem("ec-256");
    let environment = [("VESTIBULE_GATEWAY_KEY", GATEWAY_KEY), ("CONTEXT_KEY", pem)];
    let names = environment.map(|(name, _)| name.to_owned());
    let bootstrap = Bootstrap::of("outer.yaml").configure("outer", &minting());
    let bootstrap = bootstrap.environment("outer", names.iter()).cluster("upstream", upstream.port());
    let envoy = Envoy::start(&bootstrap, &environment);
    let response = get("/").bearer(&good_token()).send(envoy.port("outer"));
    let arrival = upstream.arrival(&response).unwrap_or_else(|| panic!("{}", response.text()));
    arrival.values("txn-token").first().map(ToString::to_string).expect("the outer door mints")
}

/// One cell of the matrix.
struct Cell {
    layout: Layout,
    key: Key,
    peer: Peer,
    context: Context,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layout, key, peer, context } = self;
        write!(f, "entrances {layout:?}, key {key:?}, peer {peer:?}, context {context:?}")
    }
}

#[test]
fn what_opens_an_inner_door_is_exactly_what_its_entrances_and_its_context_ask_for() {
    let (authority, upstream) = (Authority::fresh(), Upstream::start());
    let server = authority.peer(BLOG);
    let (listed, not_listed) = (authority.peer(GATEWAY), authority.peer(BILLING));
    let inner = |layout: Layout| {
        let mut configuration = json!({
            "door": "inner", "entrances": layout.entrances(),
            "context": { "require": {
                "issuer": MINT, "audience": MESH, "keys": [{ "jwks": { "keys": [keys::context_jwk("ec-256")] } }],
            } },
        });
        rely_on_listener(&mut configuration);
        configuration
    };
    let mut bootstrap = Bootstrap::of("inner.yaml").cluster("service", upstream.port());
    for (listener, layout) in LAYOUTS {
        bootstrap = bootstrap.copy_listener("inner", listener, &inner(layout), "service").serve_tls(
            listener,
            &server,
            Clients::Optional(&authority),
        );
        for kind in ["disable_stateless_session_resumption", "disable_stateful_session_resumption"] {
            bootstrap.tls_of_listener(listener)[kind] = json!(true);
        }
    }
    bootstrap = bootstrap.remove_listener("inner");
    let caller = |listener: &str, peer: Peer| format!("{listener} {peer:?}");
    for (listener, _) in LAYOUTS {
        for peer in PEERS {
            let leaf = match peer {
                Peer::Listed => Some(&listed),
                Peer::NotListed => Some(&not_listed),
                Peer::NoCertificate => None,
            };
            bootstrap = bootstrap.caller(&caller(listener, peer), listener, leaf);
        }
    }
    let envoy = Envoy::start(&bootstrap, &[]);
    let shown = Shown {
        good: minted(),
        expired: context("ec-256", MESH, 66),
        other_audience: context("ec-256", "another.example", 0),
        other_key: context("ec-256b", MESH, 0),
        user_token: good_token(),
    };
    for key in [GATEWAY_KEY, EXPIRED_KEY, WRONG_KEY] {
        secrets::remember(key.as_bytes());
    }
    let mut cells = 0;
    let mut differences = Vec::new();
    for (listener, layout) in LAYOUTS {
        for (key, peer, context) in combinations() {
            let cell = Cell { layout, key, peer, context };
            let request = request(key, shown.context(context));
            let response = request.send(envoy.port(&caller(listener, peer)));
            let arrival = upstream.arrival(&response);
            let code = response.code();
            let outcome = match (&arrival, &code) {
                (Some(arrival), _) if arrival.values("x-user-id") == ["alice"] => None,
                (Some(_), _) => Some("it reached the service as somebody else"),
                (None, Some(code)) => Some(code.as_str()),
                (None, None) => Some("neither permitted nor denied"),
            };
            let expected = expected(layout, key, peer, context);
            if outcome != expected {
                differences.push(format!("{cell}: expected {expected:?}, got {outcome:?}"));
            }
            if let Some(arrival) = arrival {
                // The service passes the context on, and never learns the key.
                assert_eq!(arrival.values("txn-token"), [shown.good.as_str()], "{cell}");
                assert!(!arrival.contains(GATEWAY_KEY), "{cell}");
            }
            cells += 1;
        }
    }
    assert_eq!(cells, LAYOUTS.len() * KEYS.len() * PEERS.len() * CONTEXTS.len());
    assert!(differences.is_empty(), "{} of {cells}:\n{}", differences.len(), differences.join("\n"));
    println!("{cells} cells");
}

fn combinations() -> impl Iterator<Item = (Key, Peer, Context)> {
    let pairs = KEYS.into_iter().flat_map(|key| PEERS.map(|peer| (key, peer)));
    pairs.flat_map(|(key, peer)| CONTEXTS.map(|context| (key, peer, context)))
}

fn request(key: Key, context: Option<&str>) -> Call {
    // Who forges the headers of an identity gets nothing for it.
    let request = get("/").header("x-user-id", "mallory").header("x-tenant-id", "evil");
    let request = match key {
        Key::Right => request.header("x-gateway-key", GATEWAY_KEY),
        Key::Wrong => request.header("x-gateway-key", WRONG_KEY),
        Key::Expired => request.header("x-gateway-key", EXPIRED_KEY),
        Key::Missing => request,
    };
    context.into_iter().fold(request, |request, context| request.header("txn-token", context))
}
