//! What may happen to a request while it waits for keys, and must not get it through.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::mesh::ENVIRONMENT;
use super::remote_door::{
    RemoteDoor, assert_is_alice, assert_no_errors, bootstrap, by, configuration, send_all,
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
