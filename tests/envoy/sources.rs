//! Where a credential stands, as only a real Envoy shows: what its codecs make of cookies, what it does with
//! trailers and upgrades, and that it chooses the route again.

use serde_json::{Value, json};

use super::mesh::{Door, ENVIRONMENT, good_token, outer_configuration};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{call, get};
use crate::support::upstream::Upstream;

/// An outer door that reads tokens in these places and nowhere else.
fn configuration(sources: &Value) -> Value {
    let mut configuration = outer_configuration();
    configuration["issuers"]["main"]["sources"] = sources.clone();
    configuration
}

fn protocol(name: &str, options: Value) -> Value {
    json!({ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": { name: options },
    } })
}

#[test]
fn cookies_that_http_2_sent_apart_are_read_and_removed_like_joined_ones() {
    let upstream = Upstream::start();
    let configuration = configuration(&json!([{ "cookie": "session" }]));
    // A listener without the filter takes HTTP/1 from the test and sends HTTP/2 to the door.
    let mut bootstrap = Bootstrap::of("outer.yaml")
        .configure("outer", &configuration)
        .cluster("outer", 1)
        .copy_listener("outer", "front", &configuration, "outer");
    let filters = bootstrap.connection_manager("front")["http_filters"].as_array_mut().expect("filters");
    filters.retain(|filter| filter["name"] != "vestibule");
    let mut bootstrap = bootstrap.cluster("upstream", upstream.port()).on_free_ports();
    bootstrap.cluster_options("outer", protocol("http2_protocol_options", json!({})));
    let envoy = Envoy::start(&bootstrap, &ENVIRONMENT);
    let send = |cookies: &[&str]| {
        let request = cookies.iter().fold(get("/"), |request, cookie| request.header("cookie", cookie));
        let response = request.send(envoy.port("front"));
        let arrival = upstream.arrival(&response);
        (response.code(), arrival.map(|arrival| arrival.values("cookie")))
    };
    let session = format!("session={}", good_token());
    assert_eq!(send(&["a=1", &session, "b=2"]), (None, Some(vec!["a=1; b=2".into()])));
    assert_eq!(send(&[&session, "a=1; b=2"]), (None, Some(vec!["a=1; b=2".into()])));
    assert_eq!(send(&[&session]), (None, Some(vec![])));
    assert_eq!(send(&[&session, "a=1", &session]), (Some("header_malformed".into()), None));
    assert_eq!(send(&["a=1", "b=2"]), (Some("credential_missing".into()), None));
    let connections = envoy.stats("http.outer.downstream_cx_http2_total").into_values().sum::<u64>();
    assert!(connections > 0, "the door was not reached by HTTP/2, so this shows nothing");
}

#[test]
fn cookies_of_http_1_are_removed_from_every_header() {
    let door = Door::outer(&configuration(&json!([{ "cookie": "session" }])));
    let session = format!("session={}", good_token());
    let sent = get("/").header("cookie", "a=1").header("Cookie", &session).header("COOKIE", "b=2; c=3");
    assert_eq!(door.permitted(&sent).values("cookie"), ["a=1; b=2; c=3"]);
    let other = get("/").header("cookie", &session);
    assert!(door.permitted(&other).values("cookie").is_empty());
    door.denied(&other.header("cookie", "session"), "header_malformed");
}

#[test]
fn a_credential_does_not_arrive_as_a_trailer() {
    let upstream = Upstream::start();
    let configuration =
        configuration(&json!([{ "header": "x-api-token", "forward": "always" }, { "cookie": "a" }]));
    let mut bootstrap =
        Bootstrap::of("outer.yaml").configure("outer", &configuration).cluster("upstream", upstream.port());
    bootstrap.connection_manager("outer")["http_protocol_options"] = json!({ "enable_trailers": true });
    bootstrap
        .cluster_options("upstream", protocol("http_protocol_options", json!({ "enable_trailers": true })));
    let envoy = Envoy::start(&bootstrap, &ENVIRONMENT);
    for name in ["x-api-token", "X-Api-Token", "x_api_token", "cookie"] {
        let body = format!("0\r\nx-harmless: harmless\r\n{name}: a=late\r\n\r\n");
        let request =
            call("POST", "/").header("x-api-token", good_token()).header("transfer-encoding", "chunked");
        let response = request.body(body).send(envoy.port("outer"));
        let arrival = upstream.arrival(&response).unwrap_or_else(|| panic!("{name}: {}", response.text()));
        assert!(arrival.contains("harmless"), "this Envoy forwards no trailers: {arrival:?}");
        assert!(!arrival.contains("late"), "{name}: {arrival:?}");
    }
}

#[test]
fn an_upgrade_may_not_have_a_credential_removed_by_the_next_hop() {
    let upstream = Upstream::start();
    let configuration = configuration(&json!([{ "header": "x-api-token" }, { "cookie": "a" }]));
    let mut bootstrap =
        Bootstrap::of("outer.yaml").configure("outer", &configuration).cluster("upstream", upstream.port());
    bootstrap.connection_manager("outer")["upgrade_configs"] = json!([{ "upgrade_type": "websocket" }]);
    let envoy = Envoy::start(&bootstrap, &ENVIRONMENT);
    let upgrade = |connection: &str| {
        let request = get("/").header("x-api-token", good_token()).header("upgrade", "websocket");
        request.header("connection", connection).send(envoy.port("outer"))
    };
    for name in ["x-api-token", "X_Api_Token", "Cookie"] {
        let response = upgrade(&format!("upgrade, {name}"));
        assert_eq!(response.code().as_deref(), Some("header_malformed"), "{name}: {response:?}");
    }
    assert!(upstream.arrival(&upgrade("upgrade")).is_some(), "a plain upgrade reaches the service");
}

/// Why `vestibule check` refuses such routes where there is a gateway key.
#[test]
fn a_parameter_that_is_removed_moves_the_request_to_the_route_without_it() {
    let (by_parameter, plain) = (Upstream::start(), Upstream::start());
    let mut configuration = configuration(&json!([{ "query": "jwt" }]));
    configuration["gatewayKey"]["to"] = json!(["by-parameter", "upstream"]);
    let mut bootstrap = Bootstrap::of("outer.yaml")
        .configure("outer", &configuration)
        .cluster("upstream", plain.port())
        .cluster("by-parameter", by_parameter.port());
    let routes = &mut bootstrap.connection_manager("outer")["route_config"]["virtual_hosts"][0]["routes"];
    let matcher = json!({ "prefix": "/", "query_parameters": [{ "name": "jwt", "present_match": true }] });
    let routes = routes.as_array_mut().expect("a listener has routes");
    routes.insert(0, json!({ "match": matcher, "route": { "cluster": "by-parameter" } }));
    let envoy = Envoy::start(&bootstrap, &ENVIRONMENT);
    let response = get(format!("/a?x=1&jwt={}", good_token())).send(envoy.port("outer"));
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(by_parameter.all(), []);
    assert_eq!(plain.all().iter().map(|arrival| arrival.path()).collect::<Vec<_>>(), [Some(&b"/a?x=1"[..])]);
}
