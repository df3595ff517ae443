//! What Envoy tells a filter of the peer at the other end of a connection, and whom the doors of a mesh let
//! connect at all.
//!
//! A door that believes a SPIFFE id rests on what stands here, so it is written down byte by byte.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::abilities::tells_validated;
use super::mesh::{ENVIRONMENT, good_token, inner_configuration, issuer, outer_configuration};
use super::probe::properties;
use crate::support::bootstrap::{Bootstrap, Clients, Server, cluster_of_caller};
use crate::support::certificates::{self, Authority, BILLING, BLOG, GATEWAY, Leaf, Name, ORDERS};
use crate::support::envoy::Envoy;
use crate::support::http::{Call, Response, get};
use crate::support::upstream::Upstream;

/// What a filter can read of a peer.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// `connection.mtls`
    mtls: bool,
    /// `connection.peer_certificate_valid`; none in an Envoy that does not tell.
    valid: Option<bool>,
    /// `connection.uri_san_peer_certificate`
    uri: Option<String>,
    /// `connection.dns_san_peer_certificate`
    dns: Option<String>,
    /// Whether there is a `connection.sha256_peer_certificate_digest`.
    certificate: bool,
}

/// Nobody has shown a certificate.
fn nobody() -> Seen {
    Seen { mtls: false, valid: told(false), uri: None, dns: None, certificate: false }
}

fn peer(valid: bool, uri: &str) -> Seen {
    Seen { mtls: true, valid: told(valid), uri: Some(uri.to_owned()), dns: None, certificate: true }
}

/// What Envoy tells of this.
fn told(valid: bool) -> Option<bool> {
    tells_validated().then_some(valid)
}

fn seen(port: u16) -> Seen {
    let paths = [
        "connection.mtls",
        "connection.peer_certificate_valid",
        "connection.uri_san_peer_certificate",
        "connection.dns_san_peer_certificate",
        "connection.sha256_peer_certificate_digest",
    ];
    let values: [_; 5] = properties(port, &paths).try_into().expect("a value for each path");
    let [mtls, valid, uri, dns, digest] = values;
    let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).expect("a SAN is ASCII"));
    let mtls = flag(mtls.expect("Envoy always says whether it is mTLS"));
    Seen { mtls, valid: valid.map(flag), uri: text(uri), dns: text(dns), certificate: digest.is_some() }
}

/// A boolean comes as one byte.
fn flag(value: Vec<u8>) -> bool {
    match value[..] {
        [0] => false,
        [1] => true,
        _ => panic!("{value:?} is no boolean"),
    }
}

/// Whether the connection ended before a filter was asked.
fn turned_away(response: &Response) -> bool {
    response.status == 503 && response.text().starts_with("upstream connect error")
}

/// A probe, and listeners of these names that lead to it over TLS.
fn probes(listeners: &[(&str, Clients<'_>)], server: &Leaf) -> Bootstrap {
    listeners.iter().fold(Bootstrap::of_probe(), |bootstrap, (name, clients)| {
        bootstrap.copy_listener("outer", name, &json!({}), "upstream").serve_tls(name, server, *clients)
    })
}

/// A listener's statistic by the end of its name.
fn count(stats: &BTreeMap<String, u64>, name: &str) -> u64 {
    stats.iter().filter(|(stat, _)| stat.ends_with(name)).map(|(_, number)| number).sum()
}

#[test]
fn a_filter_can_tell_a_validated_certificate_from_one_that_is_only_shown() {
    let (authority, other) = (Authority::fresh(), Authority::fresh());
    let server = authority.peer(BLOG);
    let listeners = [
        ("required", Clients::Required(&authority)),
        ("optional", Clients::Optional(&authority)),
        ("untrusted", Clients::Untrusted(&authority)),
        ("unjudged", Clients::Unjudged),
        ("unasked", Clients::Unasked),
    ];
    let good = authority.peer(GATEWAY);
    let forged = other.peer(GATEWAY);
    let double = authority.leaf(&[Name::Uri(ORDERS), Name::Uri(GATEWAY)]);
    let other_scheme =
        authority.leaf(&[Name::Dns("a.test"), Name::Uri("https://a.test/,%00"), Name::Dns("b.test")]);
    let host = authority.leaf(&[Name::Dns("gateway.cluster.local")]);
    let named = |valid, uri: Option<&str>, dns: &str| {
        let (uri, dns) = (uri.map(str::to_owned), Some(dns.to_owned()));
        Seen { mtls: true, valid: told(valid), uri, dns, certificate: true }
    };
    #[rustfmt::skip] // a table
    let cases = [
        ("required",  "good",         Some(&good),         Some(peer(true, GATEWAY))),
        ("required",  "forged",       Some(&forged),       None),
        ("required",  "none",         None,                None),
        // The first of several names, and nothing says that there are more.
        ("required",  "double",       Some(&double),       Some(peer(true, ORDERS))),
        ("required",  "other-scheme", Some(&other_scheme), Some(named(true, Some("https://a.test/,%00"), "a.test"))),
        ("required",  "host",         Some(&host),         Some(named(true, None, "gateway.cluster.local"))),
        ("optional",  "good",         Some(&good),         Some(peer(true, GATEWAY))),
        ("optional",  "forged",       Some(&forged),       None),
        ("optional",  "none",         None,                Some(nobody())),
        ("untrusted", "good",         Some(&good),         Some(peer(true, GATEWAY))),
        // All but one byte is as if it were the gateway.
        ("untrusted", "forged",       Some(&forged),       Some(peer(false, GATEWAY))),
        ("untrusted", "none",         None,                Some(nobody())),
        // Without anything to judge by, a required certificate is not even asked for.
        ("unjudged",  "good",         Some(&good),         Some(nobody())),
        ("unjudged",  "none",         None,                Some(nobody())),
        ("unasked",   "good",         Some(&good),         Some(nobody())),
    ];
    let bootstrap = cases.iter().fold(probes(&listeners, &server), |bootstrap, (listener, name, leaf, _)| {
        bootstrap.caller(&format!("{listener} {name}"), listener, *leaf)
    });
    let envoy = Envoy::start(&bootstrap, &[]);
    assert_eq!(seen(envoy.port("outer")), nobody(), "without TLS");
    for (listener, name, _, expected) in cases {
        let caller = format!("{listener} {name}");
        let port = envoy.port(&caller);
        match expected {
            Some(expected) => assert_eq!(seen(port), expected, "{caller}"),
            None => {
                let response = get("/").send(port);
                assert!(turned_away(&response), "{caller}: {} {}", response.status, response.text());
            }
        }
    }
}

#[test]
fn a_resumed_session_shows_its_certificate_and_is_not_valid() {
    let authority = Authority::fresh();
    let server = authority.peer(BLOG);
    let listeners = ["tls-1.2", "tls-1.3", "not-resumed"].map(|name| (name, Clients::Required(&authority)));
    let mut bootstrap = probes(&listeners, &server);
    let version = json!({ "tls_maximum_protocol_version": "TLSv1_2" });
    bootstrap.tls_of_listener("tls-1.2")["common_tls_context"]["tls_params"] = version;
    for kind in ["disable_stateless_session_resumption", "disable_stateful_session_resumption"] {
        bootstrap.tls_of_listener("not-resumed")[kind] = json!(true);
    }
    let gateway = authority.peer(GATEWAY);
    let bootstrap = listeners.iter().fold(bootstrap, |bootstrap, (listener, _)| {
        bootstrap.caller(&format!("{listener} caller"), listener, Some(&gateway))
    });
    let envoy = Envoy::start(&bootstrap, &[]);
    for (listener, version, resumed) in
        [("tls-1.2", "TLSv1.2", 2), ("tls-1.3", "TLSv1.3", 2), ("not-resumed", "TLSv1.3", 0)]
    {
        let port = envoy.port(&format!("{listener} caller"));
        assert_eq!(seen(port), peer(true, GATEWAY), "{listener}");
        for _ in 0..2 {
            assert_eq!(seen(port), peer(resumed == 0, GATEWAY), "{listener}");
        }
        let stats = envoy.stats(&format!("listener.127.0.0.1_{}.ssl.", envoy.port(listener)));
        assert_eq!(
            (count(&stats, "session_reused"), count(&stats, version)),
            (resumed, 3),
            "{listener}: {stats:?}"
        );
    }
}

#[test]
fn the_inner_door_of_the_mesh_takes_connections_from_its_authority_and_the_outer_door_makes_them_to_its_id() {
    let set = certificates::of_this_run();
    let other = Authority::fresh();
    let mut mesh = Bootstrap::of("mesh.yaml");
    let mut outer = mesh.configuration("outer");
    outer["issuers"]["main"] = issuer();
    let inner = mesh.configuration("inner");
    let towards_inner = mesh.tls_of_cluster("inner").clone();
    mesh = mesh.configure("outer", &outer);
    // Two who say that they are the service behind the inner door: a peer, and somebody with the right name.
    for (impostor, leaf) in [("peer", set.authority.peer(BILLING)), ("namesake", other.peer(BLOG))] {
        mesh = mesh
            .copy_listener("inner", impostor, &inner, "upstream")
            .serve_tls(impostor, &leaf, Clients::Unasked)
            .route_prefix("outer", &format!("/{impostor}"), impostor)
            .cluster(impostor, 0)
            .connect_tls(impostor, None, None);
        *mesh.tls_of_cluster(impostor) = towards_inner.clone();
    }
    let mesh = mesh
        .caller("billing", "inner", Some(&set.authority.peer(BILLING)))
        .caller("forger", "inner", Some(&other.peer(GATEWAY)))
        .caller("stranger", "inner", None);
    let envoy = Envoy::start(&mesh, &ENVIRONMENT);
    let inside = |path: &str| get(path).bearer(&good_token()).send(envoy.port("outer"));
    assert_eq!(inside("/").status, 200);
    for path in ["/peer", "/namesake"] {
        let response = inside(path);
        assert!(turned_away(&response), "{path}: {} {}", response.status, response.text());
    }
    for _ in 0..2 {
        assert_eq!(get("/").send(envoy.port("billing")).code().as_deref(), Some("gateway_key_missing"));
    }
    let stats = envoy.stats(&format!("listener.127.0.0.1_{}.ssl.", envoy.port("inner")));
    assert_eq!((count(&stats, "handshake"), count(&stats, "session_reused")), (3, 0), "{stats:?}");
    for caller in ["forger", "stranger"] {
        let response = get("/").send(envoy.port(caller));
        assert!(turned_away(&response), "{caller}: {} {}", response.status, response.text());
    }
    assert!(get("/").try_send(envoy.port("inner")).is_err(), "the inner door answers without TLS");
}

#[test]
fn a_caller_passes_every_header_on_as_it_came() {
    let upstream = Upstream::start();
    let bootstrap = Bootstrap::of("inner.yaml").caller("caller", "inner", None);
    let bootstrap = bootstrap.cluster(&cluster_of_caller("caller", "inner"), upstream.port());
    let envoy = Envoy::start(&bootstrap, &ENVIRONMENT);
    let line = |name: &[u8], value: &[u8]| format!("{}: {}", name.escape_ascii(), value.escape_ascii());
    let sent: [(&str, &[u8]); 11] = [
        ("x-gateway-key", b"0123456789"),
        ("txn-token", b"a.b.c"),
        ("x-user-id", b"alice"),
        ("x-user-id", b"\xffbob"),
        ("x_user.id", b"carol"),
        ("authorization", b"Bearer a.b.c"),
        ("x-request-id", b"none of Envoy's"),
        ("x-forwarded-for", b"192.0.2.1, 192.0.2.2"),
        ("x-forwarded-client-cert", b"URI=spiffe://cluster.local/ns/ingress/sa/gateway"),
        ("x-forwarded-proto", b"https"),
        ("x-envoy-original-path", b"/elsewhere"),
    ];
    let arrived = |request: Call| {
        let arrival = upstream.arrival(&request.send(envoy.port("caller"))).expect("the service answers");
        let headers = arrival.headers.iter().map(|(name, value)| line(name, value)).collect::<BTreeSet<_>>();
        (String::from_utf8_lossy(&arrival.request_line).into_owned(), headers)
    };
    let path = "/a//b/../c;d=%2F?e";
    let request = sent.iter().fold(get(path), |request, (name, value)| request.header(name, value));
    let mut expected: BTreeSet<_> = sent.iter().map(|(name, value)| line(name.as_bytes(), value)).collect();
    expected.insert("host: vestibule.test".into());
    assert_eq!(arrived(request), (format!("GET {path} HTTP/1.1"), expected));
    let bare = ["host: vestibule.test", "x-forwarded-proto: http"].map(str::to_owned);
    assert_eq!(arrived(get("/")), ("GET / HTTP/1.1".into(), bare.into()));
}

#[test]
fn the_doors_of_two_envoys_reach_each_other_by_certificates() {
    let (authority, upstream) = (Authority::fresh(), Upstream::start());
    let variables = ENVIRONMENT.map(|(name, _)| name.to_owned());
    let inner = Bootstrap::of("inner.yaml")
        .configure("inner", &inner_configuration())
        .environment("inner", variables.iter())
        .cluster("service", upstream.port())
        .serve_tls("inner", &authority.peer(BLOG), Clients::Required(&authority));
    let inner = Envoy::start(&inner, &ENVIRONMENT);
    let gateway = authority.peer(GATEWAY);
    let towards = |spiffe_id| Some(Server { authority: &authority, spiffe_id });
    let outer = Bootstrap::of("outer.yaml")
        .configure("outer", &outer_configuration())
        .cluster("upstream", inner.port("inner"))
        .connect_tls("upstream", Some(&gateway), towards(BLOG))
        .cluster("elsewhere", inner.port("inner"))
        .connect_tls("elsewhere", Some(&gateway), towards(ORDERS))
        .route_prefix("outer", "/elsewhere", "elsewhere");
    let outer = Envoy::start(&outer, &ENVIRONMENT);
    let send = |path: &str| get(path).bearer(&good_token()).send(outer.port("outer"));
    let arrival = upstream.arrival(&send("/")).expect("the service answers");
    assert_eq!(arrival.values("x-user-id"), ["alice"]);
    let response = send("/elsewhere");
    assert!(turned_away(&response), "{} {}", response.status, response.text());
}
