//! Requests wait for an issuer's first keys, no longer than they may and no more of them than may, and go on
//! as if they had never waited.
//!
//! When a source is asked is the keyring's own test (`src/keyring/tests/`), what becomes of a token
//! `tests/remote_keys.rs`.

use std::thread;

use serde_json::json;

use super::forgery::with_trailers;
use super::hostile_bytes::{assert_unharmed, vms_created};
use super::mesh::ENVIRONMENT;
use super::remote_door::{
    RemoteDoor, Sent, assert_is_alice, assert_no_errors, assert_unavailable, bootstrap, by, configuration,
    send_all, until,
};
use super::vm_calls::{tick_periods, within};
use crate::support::envoy::Envoy;
use crate::support::http::{Connection, get};
use crate::support::jwks_server::{JwksServer, Reply};
use crate::support::upstream::Upstream;

/// A server that answers no fetch until it is told to.
fn held(reply: Reply) -> JwksServer {
    let issuer = JwksServer::start(reply);
    issuer.hold();
    issuer
}

#[test]
fn requests_wait_for_the_first_keys_and_go_on_as_if_they_had_not_waited() {
    let door = RemoteDoor::start(held(Reply::keys(&["ec-256", "rsa-1"])));
    let forged = |key| by(key).header("x-user-id", "mallory").header("X_Tenant.Id", "globex");
    let calls = (0..6).map(|number| forged(if number % 2 == 0 { "ec-256" } else { "rsa-1" }));
    let answers = send_all(calls, door.port());
    door.wait_for_active(6);
    door.issuer.wait_for_fetches(2);
    assert_eq!(door.upstream.all(), [], "nobody goes on before the keys are there");
    let denied = get("/").send(door.port());
    assert_eq!(denied.code().as_deref(), Some("credential_missing"), "who needs no keys waits for none");
    door.issuer.release();
    for response in answers.answers() {
        let arrival = door.arrival(&response);
        assert_is_alice(&arrival);
        assert!(!arrival.contains("mallory") && !arrival.contains("globex"));
    }
    let log = door.envoy.log();
    let answers = within(&log, "proxy_on_http_call_response(");
    let going_on = answers.iter().flatten().filter(|call| call.starts_with("proxy_continue_stream("));
    assert_eq!(going_on.count(), 6, "they go on with the answer, and not when the clock is looked at");
    door.arrival(&by("ec-256").send(door.port()));
    assert_eq!(
        door.issuer.count(),
        2,
        "one fetch in each VM, and there are two: the worker's and the main thread's"
    );
}

#[test]
fn a_request_waits_no_longer_than_it_may_and_is_503() {
    let door = RemoteDoor::configured(held(Reply::keys(&["ec-256"])), |configuration| {
        configuration["limits"]["pause"] = json!("300ms");
    });
    let response = by("ec-256").send(door.port());
    assert_unavailable(&response);
    assert_eq!(response.header("content-type").as_deref(), Some("application/problem+json"));
    assert_eq!(response.header("cache-control").as_deref(), Some("no-store"));
    assert!(door.envoy.wait_for_log("outer GET / 503 vestibule_keys_unavailable"));
    let log = door.envoy.log();
    let periods = tick_periods(&log);
    // What is left of the pause when the fetch was sent, which is all of it where the fetch came first.
    assert!(periods.values().flatten().any(|period| (2..=300).contains(period)), "{periods:?}");
    let grpc = by("ec-256").header("content-type", "application/grpc").send(door.port());
    assert_eq!((grpc.status, grpc.header("grpc-status").as_deref()), (200, Some("14")), "{grpc:?}");
    assert_eq!(grpc.header("grpc-message").as_deref(), Some("keys_unavailable"));
    assert_eq!(grpc.header("retry-after").as_deref(), Some("1"));
    assert_eq!(door.upstream.all(), []);
    door.issuer.release();
    let served =
        until("the keys are there", || Some(by("ec-256").send(door.port())).filter(|it| it.status == 200));
    assert_is_alice(&door.arrival(&served));
}

#[test]
fn a_source_that_fails_or_lacks_the_key_ends_no_wait_for_another() {
    let other = JwksServer::start(Reply::bytes(b"").and_reset());
    let (issuer, upstream) = (held(Reply::keys(&["ec-256"])), Upstream::start());
    let mut configuration = configuration(issuer.port());
    let url = format!("http://127.0.0.1:{}/keys", other.port());
    let sources = configuration["issuers"]["main"]["keys"].as_array_mut().expect("an issuer has sources");
    sources.insert(0, json!({ "remote": { "url": url, "cluster": "other" } }));
    let bootstrap = bootstrap(&configuration, issuer.port(), upstream.port()).cluster("other", other.port());
    let door = RemoteDoor { envoy: Envoy::start(&bootstrap, &ENVIRONMENT), issuer, upstream };
    let waiting = send_all([by("ec-256")], door.port());
    door.wait_for_active(1);
    // Once more in each VM, so that it failed after the request had come.
    other.wait_for_fetches(other.count() + 3);
    let lacking = other.answer(Reply::keys(&["ec-256b"]));
    other.wait_for_answers(lacking, 2);
    door.arrival(&by("ec-256b").send(door.port()));
    assert_eq!(door.upstream.all().len(), 1, "the first still waits");
    door.issuer.release();
    for response in waiting.answers() {
        assert_is_alice(&door.arrival(&response));
    }
    assert_no_errors(&door.envoy);
}

#[test]
fn a_fetch_that_takes_too_long_is_made_again_and_its_answer_is_too_late() {
    let door = RemoteDoor::configured(held(Reply::keys(&["ec-256"])), |configuration| {
        configuration["issuers"]["main"]["keys"][0]["remote"]["timeout"] = json!("300ms");
    });
    assert_unavailable(&by("ec-256").send(door.port()));
    // Each VM has given up on one at least.
    door.issuer.wait_for_fetches(5);
    door.issuer.release();
    until("the keys are there", || (by("ec-256").send(door.port()).status == 200).then_some(()));
    assert_no_errors(&door.envoy);
}

#[test]
fn a_body_that_came_while_its_request_waited_is_forwarded_whole() {
    let door = RemoteDoor::start(held(Reply::keys(&["ec-256"])));
    // More than Envoy reads ahead of a request that waits.
    let body: Vec<u8> =
        (0..3_000_000_u32).map(|number| b'a' + u8::try_from(number % 23).unwrap_or(0)).collect();
    let post = |body: &[u8]| {
        let token = by("ec-256").method("POST");
        token.header("content-length", body.len().to_string()).body(body)
    };
    let answers = send_all([post(&body), post(b"short"), post(b"")], door.port());
    door.wait_for_active(3);
    door.issuer.release();
    let arrived: Vec<Vec<u8>> = answers.answers().iter().map(|answer| door.arrival(answer).body).collect();
    let lengths: Vec<usize> = arrived.iter().map(Vec::len).collect();
    assert!(arrived == [body, b"short".to_vec(), b"".to_vec()], "{lengths:?}");
}

#[test]
fn a_forged_trailer_of_a_request_that_waited_does_not_arrive() {
    let (issuer, upstream) = (held(Reply::keys(&["ec-256"])), Upstream::start());
    let mut bootstrap = bootstrap(&configuration(issuer.port()), issuer.port(), upstream.port());
    bootstrap.connection_manager("outer")["http_protocol_options"] = json!({ "enable_trailers": true });
    bootstrap.cluster_options("upstream", with_trailers());
    let door = RemoteDoor { envoy: Envoy::start(&bootstrap, &ENVIRONMENT), issuer, upstream };
    let post = by("ec-256").method("POST").header("transfer-encoding", "chunked");
    let trailers = "0\r\nx-harmless: harmless\r\nX-User-ID: evil\r\nx_gateway.key: evil\r\n\r\n";
    // One whose trailers came while it waited, and one whose trailers come after.
    let early = send_all([post.clone().body(format!("2\r\nhi\r\n{trailers}"))], door.port());
    let mut late = Connection::open(door.port());
    let begun = post.body("2\r\nhi\r\n");
    late.write(&begun);
    door.wait_for_active(2);
    door.issuer.release();
    late.write_bytes(trailers.as_bytes());
    let late = late.read(&begun).expect("an answer");
    for response in early.answers().into_iter().chain([late]) {
        let arrival = door.arrival(&response);
        assert_is_alice(&arrival);
        assert!(arrival.contains("harmless"), "this Envoy forwards no trailers: {arrival:?}");
        assert!(!arrival.contains("evil"), "{arrival:?}");
    }
}

/// So many clients come to this port and leave while they wait; three stay, and three who come later find
/// room, though there is none to spare.
fn leave_while_waiting(door: &RemoteDoor, port: u16, count: usize) {
    let created = vms_created(&door.envoy);
    let waiting = by("ec-256");
    let mut leaving: Vec<Connection> = (0..count).map(|_| Connection::open(port)).collect();
    for (number, connection) in leaving.iter_mut().enumerate() {
        if number % 2 == 0 {
            // What a client leaves unread makes its kernel reset the connection as it closes.
            connection.write(&get("/"));
            connection.wait_for_bytes();
        }
        connection.write(&waiting);
    }
    let staying = send_all(vec![waiting.clone(); 3], port);
    door.wait_for_active(count + 3);
    drop(leaving);
    door.wait_for_active(3);
    let newcomers = send_all(vec![waiting.clone(); 3], port);
    door.wait_for_active(6);
    door.issuer.release();
    for response in [staying, newcomers].into_iter().flat_map(Sent::answers) {
        assert_is_alice(&door.arrival(&response));
    }
    door.arrival(&waiting.send(port));
    assert_eq!(door.upstream.all().len(), 7, "nothing was forwarded for those who left");
    assert_unharmed(&door.envoy, created);
    assert_no_errors(&door.envoy);
}

#[test]
fn clients_that_leave_while_they_wait_take_nobody_with_them() {
    // Each answer comes twice.
    let door = RemoteDoor::configured(held(Reply::keys(&["ec-256"]).twice()), |configuration| {
        configuration["limits"]["pausedRequests"] = json!(303);
    });
    leave_while_waiting(&door, door.port(), 300);
}

#[test]
fn clients_that_leave_a_connection_they_share_take_nobody_with_them() {
    let (issuer, upstream) = (held(Reply::keys(&["ec-256"])), Upstream::start());
    let mut configuration = configuration(issuer.port());
    configuration["limits"]["pausedRequests"] = json!(103);
    let bootstrap = bootstrap(&configuration, issuer.port(), upstream.port()).behind_http2("outer", "front");
    let door = RemoteDoor { envoy: Envoy::start(&bootstrap, &ENVIRONMENT), issuer, upstream };
    // From 500 requests on Envoy closes a connection of which most were reset.
    leave_while_waiting(&door, door.envoy.port("front"), 100);
    let connections = door.envoy.stats("http.outer.downstream_cx_http2_total");
    let connections: u64 = connections.into_values().sum();
    assert!((1..=10).contains(&connections), "{connections} connections, so this shows nothing");
}

#[test]
fn clients_that_leave_as_the_keys_come_take_nobody_with_them() {
    let door = RemoteDoor::start(held(Reply::keys(&["ec-256"])));
    let created = vms_created(&door.envoy);
    let waiting = by("ec-256");
    let mut leaving: Vec<Connection> = (0..200).map(|_| Connection::open(door.port())).collect();
    leaving.iter_mut().for_each(|connection| connection.write(&waiting));
    door.wait_for_active(200);
    let gone = thread::spawn(move || drop(leaving));
    door.issuer.release();
    gone.join().expect("connections can be closed");
    door.arrival(&waiting.send(door.port()));
    door.wait_for_active(0);
    assert_unharmed(&door.envoy, created);
    assert_no_errors(&door.envoy);
}

#[test]
fn a_request_that_envoy_itself_ends_while_it_waits_is_not_touched_again() {
    let (issuer, upstream) = (held(Reply::keys(&["ec-256"])), Upstream::start());
    let mut bootstrap = bootstrap(&configuration(issuer.port()), issuer.port(), upstream.port());
    bootstrap.connection_manager("outer")["stream_idle_timeout"] = json!("0.3s");
    let door = RemoteDoor { envoy: Envoy::start(&bootstrap, &ENVIRONMENT), issuer, upstream };
    let created = vms_created(&door.envoy);
    let ended = by("ec-256").send(door.port());
    assert_eq!((ended.status, ended.code()), (504, None), "{ended:?}");
    let mut unfinished = Connection::open(door.port());
    let post = by("ec-256").method("POST").header("content-length", "10").body("half");
    unfinished.write(&post);
    assert_eq!(unfinished.read(&post).map(|response| response.status).ok(), Some(408));
    door.wait_for_active(0);
    door.issuer.release();
    until("the keys are there", || (by("ec-256").send(door.port()).status == 200).then_some(()));
    assert_unharmed(&door.envoy, created);
    assert_no_errors(&door.envoy);
}

#[test]
fn more_requests_than_may_wait_are_turned_away() {
    let door = RemoteDoor::configured(held(Reply::keys(&["ec-256"])), |configuration| {
        configuration["limits"]["pausedRequests"] = json!(5);
    });
    let waiting = send_all(vec![by("ec-256"); 5], door.port());
    door.wait_for_active(5);
    let turned_away = by("ec-256").send(door.port());
    assert_eq!(
        (turned_away.status, turned_away.code().as_deref()),
        (503, Some("overloaded")),
        "{turned_away:?}"
    );
    assert_eq!(turned_away.header("retry-after").as_deref(), Some("1"));
    assert!(door.envoy.wait_for_log("outer GET / 503 vestibule_overloaded"));
    let grpc = by("ec-256").header("content-type", "application/grpc").send(door.port());
    assert_eq!(
        (grpc.header("grpc-status").as_deref(), grpc.code().as_deref()),
        (Some("14"), Some("overloaded"))
    );
    door.issuer.release();
    assert!(waiting.answers().iter().all(|response| response.status == 200));
    assert_eq!(by("ec-256").send(door.port()).status, 200);
}

#[test]
fn the_request_for_the_keys_says_what_it_wants_and_nothing_of_who_asks_for_it() {
    let door = RemoteDoor::start(JwksServer::start(Reply::keys(&["ec-256"])));
    door.arrival(
        &by("ec-256").header("cookie", "session=1").header("x-forwarded-for", "192.0.2.1").send(door.port()),
    );
    let port = door.issuer.port();
    for fetch in door.issuer.fetches() {
        let configuration = configuration(port);
        let url = configuration["issuers"]["main"]["keys"][0]["remote"]["url"].as_str().expect("a url");
        let target = url.strip_prefix(&format!("http://127.0.0.1:{port}")).expect("the issuer's url");
        assert_eq!(String::from_utf8_lossy(&fetch.request.request_line), format!("GET {target} HTTP/1.1"));
        assert_eq!(fetch.request.values("host"), [format!("127.0.0.1:{port}")]);
        assert_eq!(fetch.request.values("accept"), ["application/jwk-set+json, application/json"]);
        assert_eq!(fetch.request.values("user-agent"), [concat!("vestibule/", env!("CARGO_PKG_VERSION"))]);
        for name in ["authorization", "cookie", "x-forwarded-for", "x-gateway-key", "x-user-id", "referer"] {
            assert_eq!(fetch.request.values(name), [""; 0], "{name}");
        }
        assert_eq!(fetch.request.body, b"");
    }
    let told = door.envoy.told("keys");
    let expected = json!({
        "vestibule": "keys", "issuers": ["main"], "url": format!("http://127.0.0.1:{port}/keys"),
        "result": "changed", "keys": 1, "reason": null,
    });
    assert!(told.contains(&expected), "{told:?}");
    // That the query stands in none of them is looked for when the Envoy ends, as for every secret.
}
