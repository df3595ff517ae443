//! Keys between the doors that change while requests go on: the steps of docs/rotation.md, taken with the
//! commands that stand there, and no request that is denied.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::mesh::{good_token, inner_configuration, outer_configuration};
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
pub struct Doors {
    pub outer: Live,
    pub inner: Live,
    upstream: Upstream,
}

/// An Envoy, and the file that its filter comes from.
pub struct Live {
    pub envoy: Envoy,
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
    pub fn configure(&self, configuration: &Value) {
        self.filters.update(&self.bootstrap.clone().configure(self.door, configuration), self.door);
    }

    pub fn port(&self) -> u16 {
        self.envoy.port(self.door)
    }
}

impl Doors {
    /// The outer door knows these variables, as a pod has the keys of a Secret.
    pub fn start(outer: &Value, inner: &Value, environment: &[(&str, &str)]) -> Self {
        let upstream = Upstream::start();
        let bootstrap = Bootstrap::of("inner.yaml").configure("inner", inner);
        let inner = Live::start(&bootstrap.cluster("service", upstream.port()), "inner", &[]);
        let names: Vec<String> = environment.iter().map(|(name, _)| (*name).to_owned()).collect();
        let bootstrap =
            Bootstrap::of("outer.yaml").configure("outer", outer).environment("outer", names.iter());
        let outer = Live::start(&bootstrap.cluster("upstream", inner.port()), "outer", environment);
        Self { outer, inner, upstream }
    }

    /// How often the inner door was opened by the gateway key of this name; none where it knows no such key.
    fn uses(&self, key: &str) -> Option<u64> {
        let name = format!("wasmcustom.name=.={key};.;vestibule_gateway_key_total");
        self.inner.envoy.stats(&name).get(&name).copied()
    }
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
pub fn rotate(doors: &Doors, steps: &[&dyn Fn()]) {
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
    assert_eq!(doors.upstream.all().len(), sent);
}

#[test]
fn a_gateway_key_is_rotated_without_a_request_denied() {
    let folder = directory("gateway-key");
    let [(old, old_hash), (new, new_hash)] = ["old", "new"].map(|name| {
        let file = folder.join(name);
        let file = file.to_str().expect("a path of text");
        vestibule(&["keygen", "gateway-key", "--force", "--out", file]).run().succeeded();
        let hash = vestibule(&["hash", file]).run().succeeded();
        let key = fs::read_to_string(file).expect("the command has written it");
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
                    thread::sleep(std::time::Duration::from_millis(300));
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
