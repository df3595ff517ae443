//! No client's value in an owned header: not in another case, not in another spelling, not as a second copy,
//! not as a trailer.

use serde_json::{Value, json};

use super::mesh::{
    Door, GATEWAY_KEY, good_payload, good_token, inner_configuration, issuer, outer_configuration, signed,
};
use super::report::{assert_carries_nothing, reporting};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Call, call, get};
use crate::support::upstream::Upstream;

/// Stands in every forged value and in nothing else.
pub const EVIL: &str = "evil-value";

/// What RFC 9110 section 5.6.2 allows in a name besides letters and digits.
const SEPARATORS: &str = "!#$%&'*+-.^_`|~";

pub const OWNED_AT_BOTH: [&str; 4] = ["x-user-id", "x-tenant-id", "x-user-permissions", "x-gateway-key"];
pub const OWNED_AT_OUTER: [&str; 5] =
    ["x-original-url", "x-rewrite-url", "x-http-method-override", "x-http-method", "x-method-override"];

/// Every way to spell a name that some server might read as this one.
fn spellings(name: &str) -> Vec<String> {
    let mut starts_word = true;
    let title_case: String = name
        .chars()
        .map(|letter| {
            if std::mem::replace(&mut starts_word, letter == '-') {
                letter.to_ascii_uppercase()
            } else {
                letter
            }
        })
        .collect();
    let mut all = vec![
        name.to_owned(),
        name.to_uppercase(),
        title_case.replace('-', "_"),
        title_case,
        name.replacen('-', "_", 1),
    ];
    all.extend(SEPARATORS.chars().map(|separator| name.replace('-', &separator.to_string())));
    all
}

/// The request with this header in one spelling after another, and each spelling twice.
fn forged(request: &Call, name: &str) -> Vec<Call> {
    let once = spellings(name).into_iter().map(|spelling| request.clone().header(spelling, EVIL));
    let twice = spellings(name)
        .into_iter()
        .map(|spelling| request.clone().header(&spelling, EVIL).header(spelling, EVIL));
    once.chain(twice).collect()
}

#[test]
fn a_request_with_a_good_token_carries_no_forged_value_past_the_outer_door() {
    let door = Door::outer(&outer_configuration());
    let good = get("/").bearer(&good_token());
    for name in OWNED_AT_BOTH.into_iter().chain(OWNED_AT_OUTER) {
        for request in forged(&good, name) {
            let arrival = door.permitted(&request);
            assert!(!arrival.contains(EVIL), "{request:?}");
            assert_eq!(arrival.values("x-tenant-id"), ["acme"], "{request:?}");
            assert_eq!(arrival.values("x-user-id"), ["alice"], "{request:?}");
            assert_eq!(arrival.values("x-gateway-key"), [GATEWAY_KEY], "{request:?}");
        }
    }
}

#[test]
fn a_public_request_carries_no_forged_value_past_the_outer_door_and_names_nobody() {
    let mut configuration = outer_configuration();
    configuration["default"] = json!("public");
    let door = Door::outer(&configuration);
    for name in OWNED_AT_BOTH.into_iter().chain(OWNED_AT_OUTER) {
        for request in forged(&get("/"), name) {
            let arrival = door.permitted(&request);
            assert!(!arrival.contains(EVIL), "{request:?}");
            for header in ["x-user-id", "x-tenant-id", "x-user-permissions"] {
                assert!(arrival.values(header).is_empty(), "{request:?} arrived with {header}");
            }
        }
    }
}

#[test]
fn whatever_a_route_requires_no_forged_value_goes_past_the_outer_door() {
    let rules = [
        ("public", json!("public")),
        ("optional", json!("optional")),
        ("authenticated", json!("authenticated")),
        ("permissions", json!({ "permissions": ["blog:read"] })),
        ("any-permission", json!({ "anyPermission": ["blog:read", "blog:delete"] })),
        ("scopes", json!({ "scopes": ["read"] })),
        ("roles", json!({ "roles": ["editor"] })),
        ("issuers", json!({ "issuers": ["main"] })),
        ("tenant", json!({ "tenant": "optional" })),
    ];
    let mut configuration = outer_configuration();
    for (name, access) in &rules {
        configuration["routes"][name] = json!({ "paths": [format!("/{name}")], "access": access });
    }
    let door = Door::outer(&configuration);
    let mut payload = good_payload();
    payload["scope"] = json!("read");
    payload["roles"] = json!(["editor"]);
    let token = signed(&json!({ "key": "ec-256", "payload": payload }));
    for (rule, _) in rules {
        for name in ["x-user-id", "x-tenant-id", "x-gateway-key"] {
            for request in forged(&get(format!("/{rule}")).bearer(&token), name) {
                let arrival = door.permitted(&request);
                assert!(!arrival.contains(EVIL), "{request:?}");
                let principal: &[&str] = if rule == "public" { &[] } else { &["alice"] };
                assert_eq!(arrival.values("x-user-id"), principal, "{request:?}");
                assert_eq!(arrival.values("x-gateway-key"), [GATEWAY_KEY], "{request:?}");
            }
        }
    }
}

#[test]
fn a_preflight_carries_no_forged_value_past_either_door_and_names_nobody() {
    let asked = |request: Call| {
        request.header("origin", "https://app.test").header("access-control-request-method", "PUT")
    };
    let through_gateway = call("OPTIONS", "/").header("x-gateway-key", GATEWAY_KEY);
    for (door, preflight) in [
        (Door::outer(&outer_configuration()), asked(call("OPTIONS", "/"))),
        (Door::inner(&inner_configuration()), asked(through_gateway)),
    ] {
        for name in ["x-user-id", "x-tenant-id", "x-user-permissions"] {
            for request in forged(&preflight, name) {
                let arrival = door.permitted(&request);
                assert!(!arrival.contains(EVIL), "{request:?}");
                assert_eq!(arrival.values(name), [""; 0], "{request:?}");
            }
        }
    }
}

#[test]
fn an_exempt_route_of_the_inner_door_lets_no_forged_value_past() {
    let mut configuration = inner_configuration();
    configuration["routes"] =
        json!({ "health": { "paths": ["/health"], "access": "public", "entrance": "exempt" } });
    let door = Door::inner(&configuration);
    for request in [get("/health"), get("/health").header("x-gateway-key", GATEWAY_KEY)] {
        for name in OWNED_AT_BOTH {
            for request in forged(&request, name) {
                let arrival = door.permitted(&request);
                assert!(!arrival.contains(EVIL) && !arrival.contains(GATEWAY_KEY), "{request:?}");
            }
        }
    }
}

#[test]
fn a_denial_that_is_only_reported_carries_no_forged_value_past_either_door() {
    let named = get("/").header("x-user-id", "alice").header("x-tenant-id", "acme");
    let (outer, inner) = (reporting(outer_configuration()), reporting(inner_configuration()));
    for (door, request) in [(Door::outer(&outer), get("/").bearer("no-token")), (Door::inner(&inner), named)]
    {
        for name in OWNED_AT_BOTH {
            for request in forged(&request, name) {
                let arrival = door.permitted(&request);
                assert!(!arrival.contains(EVIL), "{request:?}");
                assert_carries_nothing(&arrival);
            }
        }
    }
}

#[test]
fn an_optional_credential_that_is_absent_leaves_no_forged_identity() {
    let mut configuration = outer_configuration();
    configuration["default"] = json!("optional");
    let door = Door::outer(&configuration);
    for request in forged(&get("/"), "x-tenant-id") {
        let arrival = door.permitted(&request);
        assert!(!arrival.contains(EVIL), "{request:?}");
    }
}

#[test]
fn past_the_inner_door_goes_what_the_gateway_wrote_and_no_other_spelling_of_it() {
    let door = Door::inner(&inner_configuration());
    let through_gateway = get("/")
        .header("x-gateway-key", GATEWAY_KEY)
        .header("x-user-id", "alice")
        .header("x-tenant-id", "acme")
        .header("x-user-permissions", "blog:read");
    for name in OWNED_AT_BOTH {
        for request in forged(&through_gateway, name) {
            let (response, arrival) = door.send(&request);
            match arrival {
                Some(arrival) => {
                    assert!(!arrival.contains(EVIL), "{request:?}");
                    assert_eq!(arrival.values("x-tenant-id"), ["acme"], "{request:?}");
                    assert_eq!(arrival.values("x-user-id"), ["alice"], "{request:?}");
                    assert_eq!(arrival.values("x-user-permissions"), ["blog:read"], "{request:?}");
                    assert!(arrival.values("x-gateway-key").is_empty(), "{request:?}");
                }
                // The very name, in whatever case, is now there twice: nobody can say which copy is the
                // gateway's.
                None => assert!(
                    matches!(response.code().as_deref(), Some("header_malformed" | "gateway_key_invalid")),
                    "{request:?}"
                ),
            }
        }
    }
    // The loop above must not have been refused throughout.
    assert_eq!(door.permitted(&through_gateway.header("x_tenant_id", EVIL)).values("x-tenant-id"), ["acme"]);
}

#[test]
fn an_inner_door_with_its_own_issuer_believes_the_token_and_not_the_headers() {
    let mut configuration = inner_configuration();
    configuration["issuers"] = json!({ "main": issuer() });
    let door = Door::inner(&configuration);
    let good = get("/").header("x-gateway-key", GATEWAY_KEY).bearer(&good_token());
    for name in ["x-user-id", "x-tenant-id", "x-user-permissions"] {
        for request in forged(&good, name) {
            let arrival = door.permitted(&request);
            assert!(!arrival.contains(EVIL), "{request:?}");
            assert_eq!(arrival.values("x-tenant-id"), ["acme"], "{request:?}");
        }
    }
}

#[test]
fn a_forged_trailer_does_not_arrive_even_where_envoy_forwards_trailers() {
    for (door, credential, is_reporting) in [
        ("outer", ("authorization", format!("Bearer {}", good_token())), false),
        ("inner", ("x-gateway-key", GATEWAY_KEY.to_owned()), false),
        ("outer", ("authorization", "Bearer no-token".to_owned()), true),
        ("inner", ("x-gateway-key", "no-key".to_owned()), true),
    ] {
        let upstream = Upstream::start();
        let configuration = if door == "outer" { outer_configuration() } else { inner_configuration() };
        let configuration = if is_reporting { reporting(configuration) } else { configuration };
        let cluster = if door == "outer" { "upstream" } else { "service" };
        let mut bootstrap = Bootstrap::of(&format!("{door}.yaml"))
            .configure(door, &configuration)
            .environment(door, [String::from("VESTIBULE_GATEWAY_KEY")].iter())
            .cluster(cluster, upstream.port());
        bootstrap.connection_manager(door)["http_protocol_options"] = json!({ "enable_trailers": true });
        bootstrap.cluster_options(cluster, with_trailers());
        let envoy = Envoy::start(&bootstrap, &super::mesh::ENVIRONMENT);
        let request = call("POST", "/")
            .header(credential.0, credential.1)
            .header("x-user-id", "alice")
            .header("x-tenant-id", "acme")
            .header("transfer-encoding", "chunked");
        // At the outer door the credential's header too: whoever reads trailers would read a token that
        // nobody verified.
        let credential_header = (door == "outer").then(|| "authorization".to_owned());
        for name in OWNED_AT_BOTH.into_iter().flat_map(spellings).chain(credential_header) {
            let body = format!("2\r\nhi\r\n0\r\nx-harmless: harmless\r\n{name}: {EVIL}\r\n\r\n");
            let response = request.clone().body(body).send(envoy.port(door));
            let arrival = upstream
                .arrival(&response)
                .unwrap_or_else(|| panic!("{} {}", response.status, response.text()));
            assert!(
                arrival.contains("harmless"),
                "this Envoy forwards no trailers, so the test shows nothing: {arrival:?}"
            );
            assert!(!arrival.contains(EVIL), "{door}: {name}");
        }
    }
}

#[test]
fn an_upgrade_may_not_have_a_trusted_header_removed_by_the_next_hop() {
    let upstream = Upstream::start();
    let mut bootstrap = Bootstrap::of("outer.yaml")
        .configure("outer", &outer_configuration())
        .cluster("upstream", upstream.port());
    bootstrap.connection_manager("outer")["upgrade_configs"] = json!([{ "upgrade_type": "websocket" }]);
    let envoy = Envoy::start(&bootstrap, &super::mesh::ENVIRONMENT);
    let upgrade = |connection: &str| {
        let request = get("/").bearer(&good_token()).header("upgrade", "websocket");
        request.header("connection", connection).send(envoy.port("outer"))
    };
    for name in ["x-user-id", "X_Tenant_Id", "x-gateway-key", "authorization"] {
        let response = upgrade(&format!("upgrade, {name}"));
        assert_eq!(response.code().as_deref(), Some("header_malformed"), "{name}: {response:?}");
    }
    let arrival = upstream.arrival(&upgrade("upgrade")).expect("a plain upgrade reaches the service");
    let arrived = arrival.values("connection").join(",");
    assert!(arrived.contains("upgrade"), "this Envoy forwards no connection header: {arrived}");
}

/// Cluster options that let trailers out.
pub fn with_trailers() -> Value {
    json!({ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": { "http_protocol_options": { "enable_trailers": true } },
    } })
}
