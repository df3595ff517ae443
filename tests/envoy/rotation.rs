//! Keys between the doors that change while requests go on: the steps of docs/rotation.md, taken with the
//! commands that stand there, and no request that is denied.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use vestibule::jose::base64url;

use super::mesh::{GATEWAY_KEY, good_token, inner_configuration, outer_configuration};
use super::remote_door::until;
use crate::command::{directory, vestibule};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Connection, get};
use crate::support::live_filters::LiveFilters;
use crate::support::secrets;
use crate::support::upstream::Upstream;

/// Requests over one rotation.
const REQUESTS: usize = 5_000;
/// Requests between two steps, and after the last.
const PHASE: usize = 800;
const CLIENTS: usize = 4;

/// Both doors, each in an Envoy of its own whose filter a test can change.
struct Doors {
    outer: Live,
    inner: Live,
    upstream: Upstream,
}

/// An Envoy, and the file that its filter comes from.
struct Live {
    envoy: Envoy,
    bootstrap: Bootstrap,
    filters: LiveFilters,
    door: &'static str,
}

impl Live {
    fn start(bootstrap: &Bootstrap, door: &'static str, environment: &[(&str, &str)]) -> Self {
        let (live, filters) = LiveFilters::of(bootstrap, &[door]);
        let envoy = Envoy::start_with(&live, environment, &["--log-level", "info"]);
        Self { envoy, bootstrap: bootstrap.clone(), filters, door }
    }

    /// Gives the filter another configuration, as an apply of the manifest does.
    fn configure(&self, configuration: &Value) {
        self.filters.update(&self.bootstrap.clone().configure(self.door, configuration), self.door);
    }

    fn port(&self) -> u16 {
        self.envoy.port(self.door)
    }
}

impl Doors {
    /// The outer door knows these variables, as a pod has the keys of a Secret; the inner one reaches it as the
    /// cluster `outer`.
    fn start(outer: &Value, inner: &Value, environment: &[(&str, &str)]) -> Self {
        let upstream = Upstream::start();
        let port = free_port();
        let bootstrap = Bootstrap::of("inner.yaml").configure("inner", inner).cluster("outer", port);
        let inner = Live::start(&bootstrap.cluster("service", upstream.port()), "inner", &[]);
        let names: Vec<String> = environment.iter().map(|(name, _)| (*name).to_owned()).collect();
        let bootstrap =
            Bootstrap::of("outer.yaml").configure("outer", outer).environment("outer", names.iter());
        let bootstrap = bootstrap.listen("outer", port).cluster("upstream", inner.port());
        let outer = Live::start(&bootstrap, "outer", environment);
        Self { outer, inner, upstream }
    }

    /// How often the inner door was opened by the gateway key of this name; none where it knows no such key.
    fn uses(&self, key: &str) -> Option<u64> {
        let name = format!("wasmcustom.name=.={key};.;vestibule_gateway_key_total");
        self.inner.envoy.stats(&name).get(&name).copied()
    }
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// Sends requests through both doors until it is told to stop, and gives each that did not reach the service.
fn load(port: u16, stop: &AtomicBool, count: &AtomicUsize) -> Vec<String> {
    let request = get("/articles").bearer(&good_token());
    let mut connection = Connection::open(port);
    let mut denied = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let response = connection.send(&request);
        if response.status != 200 {
            denied.push(format!("{}: {}", response.status, response.text()));
        }
        if response.header("connection").is_some_and(|value| value == "close") {
            connection = Connection::open(port);
        }
        count.fetch_add(1, Ordering::Relaxed);
    }
    denied
}

/// Ends the load as it goes.
struct Ending<'s>(&'s AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Takes these steps under load, one after the other, and asserts that no request was denied.
fn rotate(doors: &Doors, steps: &[&dyn Fn()]) {
    rotate_beside(doors, &AtomicUsize::new(0), steps);
}

/// The same, beside so many other requests that reached the service.
fn rotate_beside(doors: &Doors, others: &AtomicUsize, steps: &[&dyn Fn()]) {
    let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let port = doors.outer.port();
    let more = |end: usize| {
        until("the load goes on", || (count.load(Ordering::Relaxed) >= end).then_some(()));
    };
    let denied: Vec<String> = thread::scope(|scope| {
        // Whatever happens here, the clients end, or nobody would hear of it.
        let ending = Ending(&stop);
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| load(port, &stop, &count))).collect();
        for step in steps {
            more(count.load(Ordering::Relaxed) + PHASE);
            step();
        }
        more((count.load(Ordering::Relaxed) + PHASE).max(REQUESTS));
        drop(ending);
        clients.into_iter().flat_map(|client| client.join().expect("the load goes on")).collect()
    });
    let sent = count.into_inner();
    println!("{sent} requests, {} denied", denied.len());
    assert!(sent >= REQUESTS);
    assert_eq!(denied, [""; 0]);
    assert_eq!(doors.upstream.all().len(), sent + others.load(Ordering::Relaxed));
}

#[test]
fn a_gateway_key_is_rotated_without_a_request_denied() {
    let folder = directory("gateway-key");
    let [(old, old_hash), (new, new_hash)] = ["old", "new"].map(|name| {
        let file = folder.join(name);
        let file = file.to_str().expect("a path of text");
        vestibule(&["keygen", "gateway-key", "--force", "--out", file]).run().succeeded();
        let key = fs::read_to_string(file).expect("the command has written it");
        let hash = vestibule(&["hash"]).input(&key).succeeded();
        secrets::remember(key.as_bytes());
        (key, hash.trim().to_owned())
    });
    let outer = |variable: &str| {
        let mut configuration = outer_configuration();
        configuration["gatewayKey"]["key"]["env"] = json!(variable);
        configuration
    };
    let inner = |keys: Value| {
        let mut configuration = inner_configuration();
        configuration["entrances"]["gateway"]["keys"] = keys;
        configuration
    };
    let (old_only, new_only) =
        (json!({ "first": { "sha256": old_hash } }), json!({ "second": { "sha256": new_hash } }));
    let both = json!({ "first": { "sha256": old_hash }, "second": { "sha256": new_hash } });
    let environment = [("GATEWAY_KEY_FIRST", old.as_str()), ("GATEWAY_KEY_SECOND", new.as_str())];
    let doors = Doors::start(&outer("GATEWAY_KEY_FIRST"), &inner(old_only), &environment);
    assert_eq!((doors.uses("first"), doors.uses("second")), (Some(0), None));
    rotate(
        &doors,
        &[
            &|| {
                doors.inner.configure(&inner(both.clone()));
                until("the inner door knows both keys", || doors.uses("second").filter(|uses| *uses == 0));
            },
            &|| {
                doors.outer.configure(&outer("GATEWAY_KEY_SECOND"));
                until("the new key is used", || doors.uses("second").filter(|uses| *uses > 0));
                // What was under way may still bring the old one.
                let mut last = doors.uses("first");
                until("the old key is used no more", || {
                    thread::sleep(Duration::from_millis(300));
                    let before = std::mem::replace(&mut last, doors.uses("first"));
                    (before == last).then_some(())
                });
            },
            &|| doors.inner.configure(&inner(new_only.clone())),
        ],
    );
    until("the old key opens nothing", || {
        let by_old = get("/").header("x-gateway-key", &old).header("x-user-id", "alice");
        let by_old = by_old.header("x-tenant-id", "acme").send(doors.inner.port());
        (by_old.code().as_deref() == Some("gateway_key_invalid")).then_some(())
    });
}

/// Where the outer door of these tests publishes.
const PUBLISHED: &str = "/.well-known/context-keys.json";

/// A P-256 key as the commands make it: the private half in PEM, and the public JWK.
fn context_key(name: &str) -> (String, Value) {
    let file = directory(&format!("context-key-{name}")).join("key.pem");
    let path = file.to_str().expect("a path of text");
    vestibule(&["keygen", "p256", "--out", path]).run().succeeded();
    let jwk = vestibule(&["jwk", path]).run().json();
    (fs::read_to_string(&file).expect("the command has written it"), jwk)
}

impl Doors {
    /// The `kid`s that the outer door publishes.
    fn published(&self) -> Vec<Value> {
        let set = get(PUBLISHED).send(self.outer.port()).json();
        set["keys"].as_array().into_iter().flatten().map(|key| key["kid"].clone()).collect()
    }

    /// How often the set was fetched.
    fn fetches(&self) -> u64 {
        let all = self.outer.envoy.stats("wasmcustom.door=.=outer;.;decision=.=publish");
        all.into_values().sum()
    }

    /// The `kid` of the context with which a request reaches the service now.
    fn signing(&self) -> Value {
        let response = get("/articles").bearer(&good_token()).send(self.outer.port());
        let arrival = self.upstream.arrival(&response).unwrap_or_else(|| panic!("{}", response.text()));
        let context = arrival.values("txn-token")[0].to_owned();
        let header = base64url(context.split('.').next().unwrap_or_default().as_bytes());
        serde_json::from_slice::<Value>(&header.expect("base64url")).expect("a header is JSON")["kid"].clone()
    }
}

#[test]
fn the_key_of_contexts_is_rotated_without_a_request_denied() {
    let [(first, first_jwk), (second, second_jwk)] = ["first", "second"].map(context_key);
    let environment = [
        ("VESTIBULE_GATEWAY_KEY", GATEWAY_KEY),
        ("CONTEXT_KEY_FIRST", first.as_str()),
        ("CONTEXT_KEY_SECOND", second.as_str()),
    ];
    let outer = |variable: &str, announced: Option<&Value>| {
        let mut configuration = outer_configuration();
        configuration["context"] = json!({ "mint": {
            "issuer": "https://gateway.example.com", "audience": "mesh", "workload": "gateway", "ttl": "2s",
            "key": { "env": variable }, "publish": PUBLISHED,
        } });
        if let Some(announced) = announced {
            configuration["context"]["mint"]["announce"] = json!([announced]);
        }
        configuration
    };
    let inner = json!({ "door": "inner", "context": { "require": {
        "issuer": "https://gateway.example.com", "audience": "mesh", "leeway": "1s",
        "keys": [{ "remote": { "url": format!("http://127.0.0.1{PUBLISHED}"), "cluster": "outer", "refresh": "1s" } }],
    } } });
    let doors = Doors::start(&outer("CONTEXT_KEY_FIRST", None), &inner, &environment);
    until("the inner door has the first key", || {
        (get("/").bearer(&good_token()).send(doors.outer.port()).status == 200).then_some(())
    });
    let before = doors.upstream.all().len();
    let fetched_anew = || {
        // One fetch may have been under way; the next but one is of the new set at every worker.
        let fetches = doors.fetches();
        until("the inner door fetches the set", || (doors.fetches() > fetches + 2).then_some(()));
        thread::sleep(Duration::from_secs(2));
    };
    let extra = AtomicUsize::new(before);
    rotate_beside(
        &doors,
        &extra,
        &[
            &|| {
                doors.outer.configure(&outer("CONTEXT_KEY_FIRST", Some(&second_jwk)));
                let both = [first_jwk["kid"].clone(), second_jwk["kid"].clone()];
                until("both keys are published", || (doors.published() == both).then_some(()));
                fetched_anew();
            },
            &|| {
                doors.outer.configure(&outer("CONTEXT_KEY_SECOND", Some(&first_jwk)));
                until("the second key signs", || {
                    extra.fetch_add(1, Ordering::Relaxed);
                    (doors.signing() == second_jwk["kid"]).then_some(())
                });
                // What the first key signed is over: `ttl` and `leeway`.
                thread::sleep(Duration::from_secs(3));
            },
            &|| {
                doors.outer.configure(&outer("CONTEXT_KEY_SECOND", None));
                until("the first key is withdrawn", || {
                    (doors.published() == [second_jwk["kid"].clone()]).then_some(())
                });
                fetched_anew();
            },
        ],
    );
}
