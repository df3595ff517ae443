//! What becomes of requests while doors change: by a good configuration, a faulty one, and a VM that ends.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use super::delivery::{configuration, plugin};
use super::mesh::{HOST, Mesh, mesh, token_with};
use super::workspace::variable;
use crate::support::http::{Call, Connection, get};
use crate::support::process::eventually;

/// Requests before a change, between two, and after the last.
const PHASE: usize = 500;
const CLIENTS: usize = 4;

/// Ends the load as it goes.
struct Ending<'s>(&'s AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sends requests until it is told to stop, and gives each answer that is not the service's.
fn load(port: u16, request: &Call, stop: &AtomicBool, count: &AtomicUsize) -> Vec<String> {
    let mut connection = Connection::open(port);
    let mut refused = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let response = connection.send(request);
        if response.status != 200 {
            refused.push(format!("{}: {}", response.status, response.text()));
        }
        if response.header("connection").is_some_and(|value| value == "close") {
            connection = Connection::open(port);
        }
        count.fetch_add(1, Ordering::Relaxed);
    }
    refused
}

/// Takes these steps under load, and asserts that every request reached the service.
fn under_load(mesh: &Mesh, steps: &[&dyn Fn()]) {
    let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (port, request) = (mesh.port("client"), mesh.good());
    let more = || {
        let end = count.load(Ordering::Relaxed) + PHASE;
        eventually(|| (count.load(Ordering::Relaxed) >= end).then_some(())).expect("the load goes on");
    };
    let refused: Vec<String> = thread::scope(|scope| {
        let ending = Ending(&stop);
        let client = || load(port, &request, &stop, &count);
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        for step in steps {
            more();
            step();
        }
        more();
        drop(ending);
        clients.into_iter().flat_map(|client| client.join().expect("every request is answered")).collect()
    });
    println!("{} requests, {} refused", count.into_inner(), refused.len());
    assert_eq!(refused, [""; 0], "{}", mesh.logs());
}

/// The code by which a good request for this path is refused; none if it is not.
fn code(mesh: &Mesh, path: &str) -> Option<String> {
    let call = get(path).header("host", HOST).bearer(&token_with(&json!({})));
    mesh.send("client", &call).code()
}

#[test]
fn a_changed_configuration_takes_over_without_a_request_refused() {
    let mesh = mesh();
    let closed = json!({ "paths": ["/blog/2"], "access": "deny" });
    for (namespace, name) in [("istio-ingress", "outer-door"), ("shop", "inner-door")] {
        let route = |route| json!({ "spec": { "pluginConfig": { "routes": { "closed": route } } } });
        let takes_effect = |expected: Option<&str>| {
            let outcome = eventually(|| (code(&mesh, "/blog/2").as_deref() == expected).then_some(()));
            assert!(outcome.is_some(), "{name}: {expected:?} never came; {}", mesh.logs());
        };
        under_load(
            &mesh,
            &[
                &|| {
                    mesh.patch_plugin(namespace, name, &route(closed.clone()));
                    takes_effect(Some("route_denied"));
                },
                &|| {
                    mesh.patch_plugin(namespace, name, &route(json!(null)));
                    takes_effect(None);
                },
            ],
        );
    }
}

#[test]
fn a_configuration_that_a_door_refuses_leaves_the_one_before_it_serving_and_is_seen() {
    let mesh = mesh();
    let audiences = configuration(&mesh.gateway)["issuers"]["main"]["audiences"].clone();
    let plugin = |audiences: &Value, closed: &Value| {
        json!({ "spec": { "pluginConfig": {
            "issuers": { "main": { "audiences": audiences } }, "routes": { "closed": closed },
        } } })
    };
    let faulty = plugin(&json!([]), &json!({ "paths": ["/blog/1"], "access": "deny" }));
    let rejects = || mesh.gateway.stat(".update_rejected") + mesh.gateway.stat(".config_fail");
    let before = rejects();
    under_load(
        &mesh,
        &[&|| {
            mesh.patch_plugin("istio-ingress", "outer-door", &faulty);
            let seen = eventually(|| (rejects() > before).then_some(()));
            assert!(seen.is_some(), "no statistic tells of it; {}", mesh.logs());
        }],
    );
    // What the filter says names the field, for the operator.
    let log = mesh.gateway.process().log();
    assert!(log.contains("issuers.main.audiences"), "{}", mesh.logs());
    // `config_dump` shows what came last, taken or not: only requests tell which one serves.
    assert_eq!(configuration(&mesh.gateway)["issuers"]["main"]["audiences"], json!([]));
    assert_eq!(code(&mesh, "/blog/1"), None);

    mesh.patch_plugin("istio-ingress", "outer-door", &plugin(&audiences, &json!(null)));
    mesh.gateway.process().until("the remedy arrives", || {
        (configuration(&mesh.gateway)["issuers"]["main"]["audiences"] == audiences).then_some(())
    });
    mesh.wait_until_it_serves();
}

/// The probe in the door's place can be told to end its VM; the plugin's `failStrategy` stays the overlay's.
#[test]
fn a_door_whose_vm_has_ended_refuses_and_is_back_with_a_new_one() {
    let mesh = mesh();
    let module = |path: &str| json!({ "spec": { "url": format!("file://{path}") } });
    mesh.patch_plugin("shop", "inner-door", &module(&variable("VESTIBULE_PROBE")));
    let arrived = |wanted: &str| {
        let path = wanted.to_owned();
        let is_there = || {
            let code = plugin(&mesh.blog)["vm_config"]["code"]["local"]["filename"].clone();
            (code == path.as_str()).then_some(())
        };
        mesh.blog.process().until("the other module is there", is_there);
    };
    arrived(&variable("VESTIBULE_PROBE"));
    // Another worker may still have the door: the probe answers 400.
    let alive = || mesh.send("client", &mesh.good()).status == 400;
    eventually(|| alive().then_some(())).expect("the probe answers");
    let served = mesh.service.all().len();
    for round in 0..3 {
        let trapped = mesh.send("client", &mesh.good().header("x-probe-trap", "1"));
        println!("{round}: {} {}", trapped.status, trapped.text());
        assert!(trapped.status >= 500, "{round}: {}", trapped.text());
        let since = Instant::now();
        eventually(|| alive().then_some(())).expect("the VM is built anew");
        println!("{round}: back after {:?}", since.elapsed());
    }
    assert_eq!(mesh.service.all().len(), served, "a request came through without a door");
    mesh.patch_plugin("shop", "inner-door", &module(&variable("VESTIBULE_WASM")));
    arrived(&variable("VESTIBULE_WASM"));
    mesh.wait_until_it_serves();
}
