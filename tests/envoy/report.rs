//! While denials are only reported: what would have been denied goes on with nothing that anybody believes, and
//! the operator learns of it.

use serde_json::{Value, json};

use super::mesh::{
    Door, GATEWAY_KEY, good_payload, good_token, inner_configuration, now, outer_configuration, signed,
};
use super::remote_door::{RemoteDoor, assert_is_alice, assert_no_errors, by, send_all, until};
use crate::support::http::{Call, call, get};
use crate::support::jwks_server::{JwksServer, Reply};
use crate::support::upstream::Arrival;

/// A configuration whose denials are reported for so many seconds from now.
fn reporting_for(seconds: i64, mut configuration: Value) -> Value {
    let until = i64::try_from(now()).ok().and_then(|now| jiff::Timestamp::from_second(now + seconds).ok());
    configuration["report"] = json!({ "until": until.expect("a time near the present").to_string() });
    configuration
}

/// A configuration whose denials are reported until tomorrow.
pub fn reporting(configuration: Value) -> Value {
    reporting_for(24 * 60 * 60, configuration)
}

fn expired_token() -> String {
    let mut payload = good_payload();
    payload["exp"] = json!({ "$now": -3600 });
    signed(&json!({ "key": "rsa-1", "payload": payload }))
}

/// That what arrived names nobody and has nothing of the door's.
pub fn assert_carries_nothing(arrival: &Arrival) {
    for header in ["x-user-id", "x-tenant-id", "x-user-permissions", "x-gateway-key", "x-brand"] {
        assert_eq!(arrival.values(header), [""; 0], "{header} of {arrival:?}");
    }
    assert!(!arrival.contains(GATEWAY_KEY), "{arrival:?}");
}

/// What an operator reads of a denial that is reported; `-` where there is none.
fn report_of(door: &str, code: &str, issuer: &str, route: &str) -> Value {
    let named = |name: &str| if name == "-" { Value::Null } else { json!(name) };
    json!({
        "door": door, "decision": "report", "code": code, "issuer": named(issuer), "route": named(route),
    })
}

#[test]
fn at_the_outer_door_what_would_be_denied_goes_on_as_it_came_and_is_logged() {
    let mut configuration = reporting(outer_configuration());
    configuration["inject"] = json!({ "x-brand": { "value": "acme-shop" } });
    configuration["routes"] = json!({
        "closed": { "paths": ["/closed"], "access": "deny" },
        "admin": { "paths": ["/admin"], "access": { "permissions": ["admin"] } },
        "partners": { "paths": ["/partners"], "access": { "scopes": ["partner"] } },
    });
    let door = Door::outer(&configuration);
    let (good, expired) = (good_token(), expired_token());
    let cases: [(Call, &str, &str, &str); 8] = [
        (get("/items"), "credential_missing", "-", "-"),
        (get("/items").bearer("no-token"), "token_malformed", "-", "-"),
        (get("/items").bearer(&expired), "token_expired", "main", "-"),
        (get("/closed").bearer(&good), "route_denied", "-", "closed"),
        (get("/admin").bearer(&good), "permission_missing", "main", "admin"),
        (get("/partners").bearer(&good), "scope_missing", "main", "partners"),
        (get("/items;v=1/x").bearer(&good), "path_ambiguous", "-", "-"),
        (call("TRACE", "/items").bearer(&good), "method_refused", "-", "-"),
    ];
    for (request, code, issuer, route) in cases {
        let forged = request
            .header("x-user-id", "forged-user")
            .header("X_Gateway_Key", "forged-key")
            .header("x-brand", "forged-brand");
        let (_, arrival) = door.send(&forged);
        let arrival = arrival.unwrap_or_else(|| panic!("{code} was carried out"));
        assert_carries_nothing(&arrival);
        for value in ["forged-user", "forged-key", "forged-brand"] {
            assert!(!arrival.contains(value), "{code}: {arrival:?}");
        }
        let token = arrival.values("authorization");
        assert_eq!(token.is_empty(), code == "credential_missing", "{code}: the credential is untouched");
        let token = token.first().map(|value| value.trim_start_matches("Bearer ").to_owned());
        let sent = [good.as_str(), expired.as_str(), "no-token"];
        assert!(token.is_none_or(|token| sent.contains(&token.as_str())), "{code}");
        let line = report_of("outer", code, issuer, route);
        assert!(door.envoy.wait_until_told("denial", &line), "no line says {line}");
    }
    assert_eq!(door.envoy.told("denial").len(), 8);
    let is_info = |line: &String| line.contains("][info][");
    assert!(door.envoy.filter_log().iter().filter(|line| line.contains("\"report\"")).all(is_info));
    // What is permitted is as ever, and nobody is told of it.
    let arrival = door.permitted(&get("/items").bearer(&good));
    assert_eq!(arrival.values("x-user-id"), ["alice"]);
    assert_eq!(arrival.values("x-gateway-key"), [GATEWAY_KEY]);
    assert_eq!(arrival.values("x-brand"), ["acme-shop"]);
    assert_no_errors(&door.envoy);
}

#[test]
fn at_the_inner_door_what_would_be_denied_goes_on_without_what_the_gateway_would_have_said() {
    let mut configuration = reporting(inner_configuration());
    configuration["entrances"]["gateway"]["forward"] = json!(true);
    configuration["routes"] =
        json!({ "admin": { "paths": ["/admin"], "access": { "permissions": ["admin"] } } });
    let door = Door::inner(&configuration);
    let named = |path| get(path).header("x-user-id", "bob").header("x-tenant-id", "acme");
    for (request, code, route) in [
        (named("/items"), "gateway_key_missing", "-"),
        (named("/items").header("x-gateway-key", "wrong"), "gateway_key_invalid", "-"),
        (named("/admin").header("x-gateway-key", GATEWAY_KEY), "permission_missing", "admin"),
        (get("/items").header("x-gateway-key", GATEWAY_KEY), "credential_missing", "-"),
    ] {
        let arrival = door.permitted(&request.header("x_user_id", "forged-user"));
        assert_carries_nothing(&arrival);
        assert!(!arrival.contains("forged-user"), "{arrival:?}");
        let line = report_of("inner", code, "-", route);
        assert!(door.envoy.wait_until_told("denial", &line), "no line says {line}");
    }
    let arrival = door.permitted(&named("/items").header("x-gateway-key", GATEWAY_KEY));
    assert_eq!(arrival.values("x-user-id"), ["bob"]);
    assert_eq!(arrival.values("x-gateway-key"), [GATEWAY_KEY]);
    assert_no_errors(&door.envoy);
}

#[test]
fn reporting_ends_at_its_time_without_a_reconfiguration() {
    let door = Door::outer(&reporting_for(15, outer_configuration()));
    assert_carries_nothing(&door.permitted(&get("/")));
    let denied = || {
        let (response, arrival) = door.send(&get("/"));
        arrival.is_none().then_some(response)
    };
    let response = until("denials are carried out", denied);
    assert_eq!((response.status, response.code().as_deref()), (401, Some("credential_missing")));
}

#[test]
fn a_request_whose_keys_do_not_come_waits_and_is_then_reported() {
    let issuer = JwksServer::start(Reply::keys(&["ec-256"]));
    issuer.hold();
    let door = RemoteDoor::configured(issuer, |configuration| {
        *configuration = reporting(configuration.take());
        configuration["limits"]["pause"] = json!("200ms");
        configuration["routes"] = json!({ "items": { "paths": ["/"], "access": "authenticated" } });
    });
    let request = by("ec-256");
    let response = request
        .clone()
        .header("x-user-id", "forged-user")
        .header("X_Gateway_Key", "forged-user")
        .send(door.port());
    let arrival = door.arrival(&response);
    assert_carries_nothing(&arrival);
    assert!(!arrival.contains("forged-user"), "{arrival:?}");
    assert_eq!(arrival.values("authorization").len(), 1, "the credential is untouched");
    let line = report_of("outer", "keys_unavailable", "main", "items");
    assert!(door.envoy.wait_until_told("denial", &line), "no line says {line}");
    door.issuer.release();
    let healed = || {
        let response = request.send(door.port());
        let arrival = door.arrival(&response);
        (!arrival.values("x-user-id").is_empty()).then_some(arrival)
    };
    assert_is_alice(&until("the keys are there", healed));
    assert_no_errors(&door.envoy);
}

#[test]
fn a_request_too_many_that_would_wait_is_reported() {
    let issuer = JwksServer::start(Reply::keys(&["ec-256"]));
    issuer.hold();
    let door = RemoteDoor::configured(issuer, |configuration| {
        *configuration = reporting(configuration.take());
        configuration["limits"]["pausedRequests"] = json!(1);
        configuration["routes"] = json!({ "items": { "paths": ["/"], "access": "authenticated" } });
    });
    let waiting = send_all([by("ec-256")], door.port());
    door.wait_for_active(1);
    let response = by("ec-256").header("x-user-id", "forged-user").send(door.port());
    let arrival = door.arrival(&response);
    assert_carries_nothing(&arrival);
    assert_eq!(arrival.values("authorization").len(), 1, "the credential is untouched");
    let line = report_of("outer", "overloaded", "main", "items");
    assert!(door.envoy.wait_until_told("denial", &line), "no line says {line}");
    door.issuer.release();
    for response in waiting.answers() {
        assert_is_alice(&door.arrival(&response));
    }
    assert_no_errors(&door.envoy);
}
