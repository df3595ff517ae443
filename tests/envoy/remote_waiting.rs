//! What may happen to a request while it waits for keys, and must not get it through or hold it up.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::mesh::ENVIRONMENT;
use super::remote_door::{
    RemoteDoor, assert_is_alice, assert_no_errors, bootstrap, by, configuration, send_all, until,
};
use crate::support::envoy::Envoy;
use crate::support::http::{Call, call};
use crate::support::jwks_server::{JwksServer, Reply};
use crate::support::upstream::Upstream;

/// A request with a body, by this key.
fn post_by(key: &str) -> Call {
    let get = by(key);
    get.method("POST").header("content-length", "5").body("hello")
}

/// A listener may pass a body on while a filter holds the headers; Envoy then lets the headers go with it.
#[test]
fn a_body_that_a_listener_passes_on_takes_no_headers_along() {
    let issuer = JwksServer::start(Reply::keys(&["ec-256"]));
    issuer.hold();
    let upstream = Upstream::start();
    let mut bootstrap = bootstrap(&configuration(issuer.port()), issuer.port(), upstream.port());
    let filters = &mut bootstrap.connection_manager("outer")["http_filters"];
    let filter =
        filters.as_array_mut().expect("filters").iter_mut().find(|filter| filter["name"] == "vestibule");
    filter.expect("the door's filter")["typed_config"]["config"]["allow_on_headers_stop_iteration"] =
        json!(true);
    let door = RemoteDoor { envoy: Envoy::start(&bootstrap, &ENVIRONMENT), issuer, upstream };
    let forged = post_by("ec-256b").header("x-user-id", "root");
    let sent = send_all([forged, post_by("ec-256")], door.port());
    door.wait_for_active(2);
    // A body that went on would be there long before.
    thread::sleep(Duration::from_millis(300));
    assert_eq!(door.upstream.all(), [], "nothing goes on before it is permitted");
    door.issuer.release();
    let [denied, permitted] = &sent.answers()[..] else { panic!("two were sent") };
    assert_eq!((denied.status, denied.code().as_deref()), (401, Some("key_unknown")));
    let arrival = door.arrival(permitted);
    assert_is_alice(&arrival);
    assert_eq!(arrival.body, b"hello");
    assert_eq!(door.upstream.all().len(), 1);
    let refused = call("POST", "/").header("content-length", "5").body("hello").send(door.port());
    assert_eq!(refused.code().as_deref(), Some("credential_missing"));
    assert_eq!(door.upstream.all().len(), 1, "nor does the body of a request that waits for nothing");
    assert_no_errors(&door.envoy);
}

/// The door's configuration with these sources, each by the cluster of its name.
fn configured(issuer: &JwksServer, sources: &[(&str, Value)]) -> Value {
    let mut configuration = configuration(issuer.port());
    let keys = sources.iter().map(|(cluster, more)| {
        let mut remote = json!({ "url": format!("http://127.0.0.1/{cluster}"), "cluster": cluster });
        remote.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({ "remote": remote })
    });
    configuration["issuers"]["main"]["keys"] = keys.collect();
    configuration
}

#[test]
fn a_source_that_answers_first_ends_no_wait_for_another() {
    let quick = JwksServer::start(Reply::keys(&["rsa-1"]));
    let slow = JwksServer::start(Reply::keys(&["ec-256"]));
    slow.hold();
    let upstream = Upstream::start();
    let configuration = configured(&slow, &[("quick", json!({})), ("issuer", json!({}))]);
    let bootstrap = bootstrap(&configuration, slow.port(), upstream.port()).cluster("quick", quick.port());
    let door = RemoteDoor { envoy: Envoy::start(&bootstrap, &ENVIRONMENT), issuer: slow, upstream };
    let sent = send_all([by("ec-256")], door.port());
    door.wait_for_active(1);
    assert_is_alice(&door.arrival(&by("rsa-1").send(door.port())));
    // The worker has the keys of the quick one, and whoever would be sent away for it has been.
    thread::sleep(Duration::from_millis(300));
    door.issuer.release();
    assert_is_alice(&door.arrival(&sent.answers()[0]));
    assert_no_errors(&door.envoy);
}

#[test]
fn sources_that_cannot_be_asked_disturb_no_other_plugins_fetches() {
    let issuer = JwksServer::start(Reply::keys(&["ec-256"]));
    let good = ("issuer", json!({ "refresh": "1s", "maxStale": "1h" }));
    let mut sources = vec![("nowhere-1", json!({})), ("nowhere-2", json!({})), ("nowhere-3", json!({}))];
    sources.push(good.clone());
    let upstream = Upstream::start();
    let with = |sources: &[(&str, Value)]| {
        let mut configuration = configured(&issuer, sources);
        configuration["limits"]["pause"] = json!("200ms");
        configuration
    };
    let bootstrap = bootstrap(&with(&sources), issuer.port(), upstream.port());
    let bootstrap = bootstrap.copy_listener("outer", "second", &with(&[good]), "upstream");
    let door = RemoteDoor { envoy: Envoy::start(&bootstrap, &ENVIRONMENT), issuer, upstream };
    until("the keys are there", || (by("ec-256").send(door.port()).status == 200).then_some(()));
    // Requests of the first plugin wait and are woken all the time, while the set is fetched every second by
    // whichever plugin's timer is first.
    let fetched = door.issuer.count();
    until("several refreshes have passed", || {
        let sent = send_all(vec![by("ec-256b"); 4], door.port());
        sent.answers();
        (door.issuer.count() > fetched + 6).then_some(())
    });
    let records = door.envoy.filter_log();
    let lost = records
        .iter()
        .find(|record| record.contains("no answer came in time") || record.contains("was reset"));
    assert_eq!(lost, None, "every fetch has its answer");
    assert_no_errors(&door.envoy);
}
