//! A WebSocket is decided about at its handshake, whichever protocol it comes by; a tunnel is refused.

use serde_json::json;

use super::mesh::{ENVIRONMENT, GATEWAY_KEY, good_token, outer_configuration};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Call, Connection, call, get};
use crate::support::upstream::{Answer, Arrival, Upstream};

/// An outer door that takes upgrades over HTTP/1.1, and one in front of it that makes extended CONNECTs
/// (RFC 8441) of them; behind both, a service that upgrades.
struct Doors {
    envoy: Envoy,
    upstream: Upstream,
}

const LISTENERS: [&str; 2] = ["outer", "front"];

impl Doors {
    fn start() -> Self {
        let mut configuration = outer_configuration();
        configuration["routes"] = json!({
            "feed": { "paths": ["/feed"], "methods": ["GET"], "access": { "permissions": ["blog:read"] } },
            "admin": { "paths": ["/admin"], "methods": ["GET"], "access": { "permissions": ["admin"] } },
            "open": { "paths": ["/open"], "methods": ["GET"], "access": "public" },
        });
        // A method of which nobody has thought is no way in.
        configuration["default"] = json!("deny");
        let upstream = Upstream::answering(switch);
        let mut bootstrap = Bootstrap::of("outer.yaml")
            .configure("outer", &configuration)
            .cluster("upstream", upstream.port());
        let manager = bootstrap.connection_manager("outer");
        manager["upgrade_configs"] = json!([{ "upgrade_type": "websocket" }, { "upgrade_type": "CONNECT" }]);
        manager["http2_protocol_options"] = json!({ "allow_connect": true });
        let mut bootstrap = bootstrap.behind_http2("outer", "front");
        let routes = &mut bootstrap.connection_manager("front")["route_config"]["virtual_hosts"][0]["routes"];
        let tunnel = json!({ "match": { "connect_matcher": {} }, "route": { "cluster": "outer" } });
        routes.as_array_mut().expect("a listener has routes").insert(0, tunnel);
        Self { envoy: Envoy::start(&bootstrap, &ENVIRONMENT), upstream }
    }

    /// Requests that reached the door over HTTP/2.
    fn over_http2(&self) -> u64 {
        self.envoy.stats("http.outer.downstream_rq_http2_total").into_values().sum()
    }
}

fn switch(arrival: &Arrival) -> Answer {
    if arrival.values("upgrade") == ["websocket"] { Answer::Switch } else { Answer::Ok }
}

/// A handshake (RFC 6455 section 4.1).
fn handshake(path: &str) -> Call {
    get(path)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}

fn forged(request: Call) -> Call {
    let forged = ["x-user-id", "X_Tenant_Id", "x-gateway-key", "x.gateway.key"];
    forged.into_iter().fold(request, |request, name| request.header(name, "forged"))
}

#[test]
fn a_websocket_that_is_permitted_is_upgraded_and_bytes_flow_both_ways_and_the_service_sees_who_it_is() {
    let doors = Doors::start();
    for listener in LISTENERS {
        let request = forged(handshake("/feed").bearer(&good_token()));
        let mut connection = Connection::open(doors.envoy.port(listener));
        connection.write(&request);
        let response = connection.read(&request).expect("an answer");
        assert_eq!(response.status, 101, "{listener}: {}", response.text());
        for message in [&b"\x81\x05hello"[..], b"\x00\xff", b"GET /admin HTTP/1.1\r\nhost: a\r\n\r\n"] {
            connection.write_bytes(message);
            assert_eq!(connection.read_bytes(message.len()), message, "{listener}");
        }
        let arrival = doors.upstream.arrival(&response).expect("the service answered");
        assert_eq!(arrival.values("x-user-id"), ["alice"], "{listener}");
        assert_eq!(arrival.values("x-tenant-id"), ["acme"], "{listener}");
        assert_eq!(arrival.values("x-gateway-key"), [GATEWAY_KEY], "{listener}");
        assert_eq!(arrival.values("authorization"), [""; 0], "{listener}");
        assert!(!arrival.contains("forged"), "{listener}: {arrival:?}");
    }
    // Of a public one nobody is known.
    for listener in LISTENERS {
        let request = forged(handshake("/open").bearer(&good_token()));
        let response = request.send(doors.envoy.port(listener));
        assert_eq!(response.status, 101, "{listener}: {}", response.text());
        let arrival = doors.upstream.arrival(&response).expect("the service answered");
        assert_eq!(arrival.values("x-user-id"), [""; 0], "{listener}");
        assert_eq!(arrival.values("authorization"), [""; 0], "{listener}");
        assert!(!arrival.contains("forged"), "{listener}: {arrival:?}");
    }
    assert_eq!(doors.over_http2(), 2, "the front speaks HTTP/2");
}

#[test]
fn a_websocket_that_is_denied_is_not_upgraded_and_nothing_that_follows_it_passes() {
    let doors = Doors::start();
    let refused = [
        (handshake("/feed"), 401, "credential_missing"),
        (handshake("/feed").bearer("no-token"), 401, "token_malformed"),
        (handshake("/admin").bearer(&good_token()), 403, "permission_missing"),
        (handshake("/elsewhere").bearer(&good_token()), 403, "route_denied"),
    ];
    for listener in LISTENERS {
        for (request, status, code) in &refused {
            let mut connection = Connection::open(doors.envoy.port(listener));
            connection.write(request);
            connection.write_bytes(b"\x81\x05hello");
            let response = connection.read(request).expect("an answer");
            let answered = (response.status, response.code());
            assert_eq!(answered, (*status, Some((*code).to_owned())), "{listener}: {request:?}");
        }
    }
    assert_eq!(doors.upstream.all(), []);
    assert_eq!(doors.over_http2(), refused.len() as u64);
}

#[test]
fn a_tunnel_is_refused_with_a_good_token_and_on_no_path_at_all() {
    let doors = Doors::start();
    let connect =
        call("CONNECT", "service.test:443").header("host", "service.test:443").bearer(&good_token());
    for listener in LISTENERS {
        let response = connect.send(doors.envoy.port(listener));
        let answered = (response.status, response.code());
        assert_eq!(answered, (400, Some("method_refused".into())), "{listener}: {}", response.text());
    }
    assert_eq!(doors.upstream.all(), []);
    assert_eq!(doors.over_http2(), 1);
}
