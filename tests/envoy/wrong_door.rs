//! A door at the wrong place answers nobody: an outer one in a sidecar, an inner one on an outbound listener.

use std::collections::BTreeSet;

use serde_json::json;

use super::abilities::shares_plugins;
use super::mesh::{ENVIRONMENT, GATEWAY_KEY, good_token, inner_configuration, outer_configuration};
use super::report::reporting;
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Call, Response, call, get};
use crate::support::upstream::Upstream;

const SIDECAR: &str = "sidecar~10.0.0.1~shop-1.shop~shop.svc.cluster.local";
const ROUTER: &str = "router~10.0.0.1~gateway-1.edge~edge.svc.cluster.local";

/// What a listener may say of its direction.
const DIRECTIONS: [Option<&str>; 4] = [None, Some("UNSPECIFIED"), Some("INBOUND"), Some("OUTBOUND")];

/// Doors of one kind in a proxy with this id, each with a public route: on a listener of every direction, and
/// there one that denies and one that only reports.
struct Doors {
    envoy: Envoy,
    upstream: Upstream,
}

impl Doors {
    fn start(kind: &str, node: Option<&str>) -> Self {
        let upstream = Upstream::start();
        let mut bootstrap = bootstrap(kind, node, &upstream);
        let configuration = bootstrap.configuration(kind);
        for direction in DIRECTIONS {
            for (is_reporting, configuration) in
                [(false, configuration.clone()), (true, reporting(configuration.clone()))]
            {
                let listener = listener(direction, is_reporting);
                bootstrap = bootstrap.copy_listener(kind, &listener, &configuration, cluster(kind));
                bootstrap = bootstrap.direct(&listener, direction);
            }
        }
        let bootstrap = bootstrap.remove_listener(kind);
        Self { envoy: Envoy::start(&bootstrap, &ENVIRONMENT), upstream }
    }

    fn send(&self, direction: Option<&str>, is_reporting: bool, request: &Call) -> Response {
        request.send(self.envoy.port(&listener(direction, is_reporting)))
    }
}

fn listener(direction: Option<&str>, is_reporting: bool) -> String {
    format!("{}-{}", direction.unwrap_or("none"), if is_reporting { "reporting" } else { "denying" })
}

fn bootstrap(kind: &str, node: Option<&str>, upstream: &Upstream) -> Bootstrap {
    let mut configuration = if kind == "outer" { outer_configuration() } else { inner_configuration() };
    configuration["routes"] = json!({ "open": { "paths": ["/open"], "access": "public" } });
    if kind == "inner" {
        configuration["routes"]["open"]["entrance"] = json!("exempt");
    }
    let mut bootstrap = Bootstrap::of(&format!("{kind}.yaml"))
        .configure(kind, &configuration)
        .environment(kind, [String::from("VESTIBULE_GATEWAY_KEY")].iter())
        .cluster(cluster(kind), upstream.port());
    if let Some(id) = node {
        bootstrap.document()["node"] = json!({ "id": id, "cluster": "shop" });
    }
    bootstrap
}

fn cluster(kind: &str) -> &'static str {
    if kind == "outer" { "upstream" } else { "service" }
}

/// What the doors let in at their places.
fn admitted(door: &str) -> Vec<Call> {
    let named = |call: Call| call.header("x-user-id", "alice").header("x-tenant-id", "acme");
    let admitted = |call: Call| match door {
        "outer" => call.bearer(&good_token()),
        _ => named(call).header("x-gateway-key", GATEWAY_KEY),
    };
    let preflight = admitted(call("OPTIONS", "/").header("origin", "https://app.test"));
    vec![get("/open"), admitted(get("/")), preflight.header("access-control-request-method", "PUT")]
}

/// What they refuse for another reason.
fn refused() -> Vec<Call> {
    vec![get("/"), call("TRACE", "/"), get("/a;b"), get("/").header("authorization", "Bearer a, Bearer b")]
}

/// What the filter tells of being at the wrong place.
fn lines(envoy: &Envoy) -> Vec<String> {
    let is_one = |line: &String| line.contains(r#"{"vestibule":"misplaced","message":"#);
    envoy.filter_log().into_iter().filter(is_one).collect()
}

#[test]
fn a_door_at_the_wrong_place_answers_everything_with_wrong_door_even_while_denials_are_only_reported() {
    let outbound = &DIRECTIONS[3..];
    for (kind, node, wrong, said) in [
        ("outer", SIDECAR, &DIRECTIONS[..], "an outer door in a sidecar"),
        ("inner", SIDECAR, outbound, "an inner door on an outbound listener"),
        ("inner", ROUTER, outbound, "an inner door on an outbound listener"),
    ] {
        let doors = Doors::start(kind, Some(node));
        let requests = [admitted(kind), refused()].concat();
        for (direction, is_reporting) in wrong.iter().flat_map(|one| [(*one, false), (*one, true)]) {
            for request in &requests {
                let response = doors.send(direction, is_reporting, request);
                let answered = (response.status, response.code());
                assert_eq!(answered, (403, Some("wrong_door".into())), "{kind}: {direction:?}: {request:?}");
            }
        }
        assert_eq!(doors.upstream.all(), [], "{kind} in {node}");
        let plugins = wrong.len() * 2;
        let lines = lines(&doors.envoy);
        assert_eq!(lines.len(), plugins, "one for each plugin, not for each request: {lines:?}");
        assert!(lines.iter().all(|line| line.contains("][error][") && line.contains(said)), "{lines:?}");
        let labels = format!("wasmcustom.door=.={kind};.;decision=.=denial;.;code=.=wrong_door;.;");
        let counted: u64 = doors.envoy.stats(&labels).into_values().sum();
        assert_eq!(counted, (plugins * requests.len()) as u64);
    }
}

#[test]
fn a_door_at_its_place_decides_as_ever() {
    let all_but_outbound = &DIRECTIONS[..3];
    for (kind, node, right) in [
        ("outer", None, &DIRECTIONS[..]),
        ("outer", Some(ROUTER), &DIRECTIONS[..]),
        ("inner", None, all_but_outbound),
        ("inner", Some(SIDECAR), all_but_outbound),
    ] {
        let doors = Doors::start(kind, node);
        for direction in right {
            for request in admitted(kind) {
                let response = doors.send(*direction, false, &request);
                assert_eq!(response.status, 200, "{kind} {node:?} {direction:?}: {}", response.text());
            }
            for request in refused() {
                let code = doors.send(*direction, false, &request).code().unwrap_or_default();
                assert!(!code.is_empty() && code != "wrong_door", "{kind} {node:?} {direction:?}: {code}");
                let reported = doors.send(*direction, true, &request);
                assert_eq!(reported.status, 200, "{kind} {node:?} {direction:?}: {}", reported.text());
            }
        }
        assert_eq!(lines(&doors.envoy), [""; 0]);
    }
}

/// A sidecar has one on each side where its plugin was given to both. The plugin is one there, and so is what it
/// could remember, unless the Envoy is so old that it tells them apart.
#[test]
fn an_inner_door_on_both_sides_of_a_sidecar_opens_on_the_inbound_one_alone() {
    let upstream = Upstream::start();
    let mut bootstrap = bootstrap("inner", Some(SIDECAR), &upstream);
    bootstrap = bootstrap.direct("inner", Some("INBOUND"));
    let configuration = bootstrap.configuration("inner");
    bootstrap = bootstrap.copy_listener("inner", "out", &configuration, "service");
    bootstrap = bootstrap.direct("out", Some("OUTBOUND"));
    bootstrap.connection_manager("out")["http_filters"][0]["typed_config"]["config"]["name"] = json!("inner");
    let envoy = Envoy::start(&bootstrap, &ENVIRONMENT);
    for round in 0..3 {
        for request in admitted("inner") {
            let (inbound, outbound) = (request.send(envoy.port("inner")), request.send(envoy.port("out")));
            assert_eq!(inbound.status, 200, "{round}: {request:?}: {}", inbound.text());
            assert_eq!(outbound.code().as_deref(), Some("wrong_door"), "{round}: {request:?}");
        }
    }
    assert_eq!(lines(&envoy).len(), 1);
    let log = envoy.log();
    // `proxy_on_context_create(STREAM, ROOT)`: else the test would show nothing of what a root may remember.
    let created = log.lines().filter_map(|line| line.split_once("[host->vm] proxy_on_context_create("));
    let roots: BTreeSet<&str> = created
        .filter_map(|(_, numbers)| numbers.trim_end_matches(')').split_once(", ").map(|(_, root)| root))
        .filter(|root| *root != "0")
        .collect();
    let expected = if shares_plugins() { 1 } else { 2 };
    assert_eq!(roots.len(), expected, "one root context serves both listeners, or each has its own");
}
