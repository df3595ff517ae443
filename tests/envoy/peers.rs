//! Who comes in by the certificate at the other end of the connection. What Envoy tells of it stands in `mtls`.

use serde_json::{Value, json};

use super::abilities::tells_validated;
use super::mesh::{ENVIRONMENT, GATEWAY_KEY};
use crate::support::bootstrap::{Bootstrap, Clients};
use crate::support::certificates::{Authority, BILLING, BLOG, GATEWAY, Name, ORDERS};
use crate::support::envoy::Envoy;
use crate::support::http::{Call, get};
use crate::support::upstream::Upstream;

/// The gateway comes in by key and certificate, orders by its certificate alone.
fn configuration(resumed: &str) -> Value {
    json!({
        "door": "inner", "default": "public",
        "entrances": {
            "gateway": { "keys": { "current": { "env": "VESTIBULE_GATEWAY_KEY" } }, "peers": [GATEWAY], "resumed": resumed },
            "mesh": { "peers": [ORDERS], "resumed": resumed },
        },
        "routes": { "mine": { "paths": ["/mine"], "access": "authenticated" } },
    })
}

#[test]
fn a_peer_is_whom_the_certificate_names_and_no_header_is() {
    let (authority, upstream) = (Authority::fresh(), Upstream::start());
    let variables = ENVIRONMENT.map(|(name, _)| name.to_owned());
    let bootstrap = Bootstrap::of("inner.yaml")
        .configure("inner", &configuration("admit"))
        .environment("inner", variables.iter())
        .cluster("service", upstream.port())
        .copy_listener("inner", "tls", &configuration("admit"), "service")
        .serve_tls("tls", &authority.peer(BLOG), Clients::Optional(&authority));
    let leaves = [
        ("gateway", Some(authority.peer(GATEWAY))),
        ("orders", Some(authority.peer(ORDERS))),
        ("billing", Some(authority.peer(BILLING))),
        ("host", Some(authority.leaf(&[Name::Dns("orders.shop")]))),
        ("nobody", None),
    ];
    let callers = leaves.iter().map(|(name, leaf)| (*name, leaf.as_ref()));
    let bootstrap = callers.fold(bootstrap, |bootstrap, (name, leaf)| bootstrap.caller(name, "tls", leaf));
    let envoy = Envoy::start(&bootstrap, &ENVIRONMENT);
    let key = |request: Call| request.header("x-gateway-key", GATEWAY_KEY);
    let cases = [
        ("gateway", key(get("/")), None),
        // It has a peer, and there is an entrance that demands no more: just not this one.
        ("gateway", get("/"), Some("peer_not_allowed")),
        ("gateway", get("/").header("x-gateway-key", "wrong"), Some("gateway_key_invalid")),
        ("orders", get("/"), None),
        ("orders", key(get("/")), None),
        ("orders", get("/").header("x-gateway-key", "wrong"), None),
        ("billing", get("/"), Some("peer_not_allowed")),
        ("billing", key(get("/")), Some("peer_not_allowed")),
        ("host", get("/"), Some("gateway_key_missing")),
        ("host", key(get("/")), Some("peer_not_allowed")),
        ("nobody", get("/"), Some("gateway_key_missing")),
        ("nobody", key(get("/")), Some("peer_not_allowed")),
        // Without TLS.
        ("inner", get("/"), Some("gateway_key_missing")),
        ("inner", key(get("/")), Some("peer_not_allowed")),
    ];
    for (caller, request, code) in cases {
        let forged = format!("Hash=0;URI={ORDERS}");
        let request = request.header("x-forwarded-client-cert", &forged).header("x-user-id", "alice");
        // Sessions are resumed, which takes nothing away here.
        for _ in 0..3 {
            let response = request.send(envoy.port(caller));
            let arrival = upstream.arrival(&response);
            assert_eq!(
                arrival.is_none().then(|| response.code()).flatten().as_deref(),
                code,
                "{caller} was answered {} {}",
                response.status,
                response.text()
            );
            assert!(arrival.is_none_or(|arrival| arrival.values("x-gateway-key").is_empty()), "{caller}");
        }
    }
    // Who has the key and may use it is believed, and nobody else is.
    let mine = key(get("/mine")).header("x-user-id", "alice").header("x-tenant-id", "acme");
    let arrival = upstream.arrival(&mine.send(envoy.port("gateway"))).expect("the gateway is believed");
    assert_eq!(arrival.values("x-user-id"), ["alice"]);
    assert_eq!(mine.send(envoy.port("orders")).code().as_deref(), Some("credential_missing"));
}

#[test]
fn who_was_not_validated_on_this_connection_is_no_peer_where_that_is_not_admitted() {
    let (authority, upstream) = (Authority::fresh(), Upstream::start());
    let orders = authority.peer(ORDERS);
    let variables = ENVIRONMENT.map(|(name, _)| name.to_owned());
    let mut bootstrap = Bootstrap::of("inner.yaml")
        .configure("inner", &configuration("refuse"))
        .environment("inner", variables.iter())
        .cluster("service", upstream.port());
    for listener in ["resumes", "never", "untrusting"] {
        let clients = match listener {
            "untrusting" => Clients::Untrusted(&authority),
            _ => Clients::Optional(&authority),
        };
        bootstrap = bootstrap
            .copy_listener("inner", listener, &configuration("refuse"), "service")
            .serve_tls(listener, &authority.peer(BLOG), clients);
    }
    for kind in ["disable_stateless_session_resumption", "disable_stateful_session_resumption"] {
        bootstrap.tls_of_listener("never")[kind] = json!(true);
    }
    let forged = Authority::fresh().peer(ORDERS);
    let bootstrap = bootstrap
        .caller("first", "resumes", Some(&orders))
        .caller("second", "never", Some(&orders))
        // A listener that lets any certificate pass does not make one of the right name a peer.
        .caller("forger", "untrusting", Some(&forged));
    let envoy = Envoy::start(&bootstrap, &ENVIRONMENT);
    let code = |caller: &str| get("/").send(envoy.port(caller)).code();
    let refused = Some("peer_not_allowed".to_owned());
    // Of an Envoy that does not tell nobody knows whom it has validated.
    let told = if tells_validated() { None } else { refused.clone() };
    assert_eq!([(); 3].map(|()| code("second")), [(); 3].map(|()| told.clone()));
    assert_eq!([(); 3].map(|()| code("first")), [told, refused.clone(), refused.clone()]);
    assert_eq!(code("forger"), refused);
}
