//! A redirect that Envoy follows itself (`internal_redirect_policy`) is another request: it is decided about
//! anew, and nothing that the first one earned goes with it.

use serde_json::{Value, json};

use super::mesh::{ENVIRONMENT, GATEWAY_KEY, good_token, inner_configuration, outer_configuration};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Call, Response, get};
use crate::support::upstream::{Answer, Arrival, Upstream};

/// A door whose service redirects `/go/PATH` to `/PATH`. What begins with `/partner` is another cluster's.
struct Redirecting {
    door: &'static str,
    envoy: Envoy,
    upstream: Upstream,
}

impl Redirecting {
    fn start(door: &'static str, configuration: &Value) -> Self {
        let upstream = Upstream::answering(redirect);
        let cluster = if door == "outer" { "upstream" } else { "service" };
        let mut bootstrap = Bootstrap::of(&format!("{door}.yaml"))
            .configure(door, configuration)
            .environment(door, [String::from("VESTIBULE_GATEWAY_KEY")].iter())
            .cluster(cluster, upstream.port())
            .cluster("partner", upstream.port())
            .route_prefix(door, "/partner", "partner")
            .route_prefix(door, "/go/", cluster);
        let routes = &mut bootstrap.connection_manager(door)["route_config"]["virtual_hosts"][0]["routes"];
        routes[0]["route"]["internal_redirect_policy"] =
            json!({ "max_internal_redirects": 3, "redirect_response_codes": [302] });
        Self { door, envoy: Envoy::start(&bootstrap, &ENVIRONMENT), upstream }
    }

    /// The answer, and all that reached the service.
    fn send(&self, request: &Call) -> (Response, Vec<Arrival>) {
        let before = self.upstream.all().len();
        let response = request.send(self.envoy.port(self.door));
        (response, self.upstream.all().split_off(before))
    }

    /// What reached the service of a request that was redirected once and passed twice.
    fn passed(&self, request: &Call) -> [Arrival; 2] {
        let (response, arrivals) = self.send(request);
        assert_eq!(response.status, 200, "{request:?}: {}", response.text());
        arrivals.try_into().unwrap_or_else(|arrivals| panic!("{request:?}: {arrivals:?}"))
    }

    /// What reached the service of a request that passed once and was denied when it was redirected.
    fn stopped(&self, request: &Call, code: &str) -> Arrival {
        let (response, arrivals) = self.send(request);
        assert_eq!(response.code().as_deref(), Some(code), "{request:?}: {}", response.text());
        let [arrival] = arrivals.try_into().unwrap_or_else(|arrivals| panic!("{request:?}: {arrivals:?}"));
        arrival
    }
}

fn redirect(arrival: &Arrival) -> Answer {
    let path = String::from_utf8_lossy(arrival.path().unwrap_or_default()).into_owned();
    match path.strip_prefix("/go/") {
        Some("ambiguous") => Answer::Redirect("http://vestibule.test/a;b".into()),
        Some(path) => Answer::Redirect(format!("http://vestibule.test/{path}")),
        None => Answer::Ok,
    }
}

fn principal(arrival: &Arrival) -> [Vec<String>; 4] {
    ["x-user-id", "x-tenant-id", "x-user-permissions", "x-plan"].map(|name| arrival.values(name))
}

const NOBODY: [Vec<String>; 4] = [const { Vec::new() }; 4];

fn outer() -> Value {
    let mut configuration = outer_configuration();
    configuration["inject"] = json!({ "x-plan": { "claim": "plan", "as": "text" } });
    configuration["routes"] = json!({
        "open": { "paths": ["/open", "/partner/open"], "access": "public" },
        "perhaps": { "paths": ["/perhaps"], "access": "optional" },
        "admin": { "paths": ["/admin"], "access": { "permissions": ["admin"] } },
    });
    configuration
}

#[test]
fn at_the_outer_door_a_redirected_request_has_lost_its_credential_and_is_nobodys() {
    let door = Redirecting::start("outer", &outer());
    let to = |path: &str| get(format!("/go/{path}")).bearer(&good_token()).header("x-plan", "forged-plan");
    for path in ["private", "admin"] {
        let arrival = door.stopped(&to(path), "credential_missing");
        assert_eq!(arrival.values("x-user-id"), ["alice"], "{path}: the first pass is as ever");
        assert_eq!(arrival.values("x-gateway-key"), [GATEWAY_KEY], "{path}");
    }
    for path in ["open", "perhaps"] {
        let [first, second] = door.passed(&to(path));
        assert_eq!(first.values("x-user-id"), ["alice"], "{path}");
        assert_eq!(second.path(), Some(format!("/{path}").as_bytes()));
        assert_eq!(principal(&second), NOBODY, "{path}: {second:?}");
        assert_eq!(second.values("authorization"), [""; 0], "{path}");
        assert_eq!(second.values("x-gateway-key"), [GATEWAY_KEY], "{path}: attached anew");
        assert!(!first.contains("forged-plan") && !second.contains("forged-plan"), "{path}");
    }
    door.stopped(&to("ambiguous"), "path_ambiguous");
}

#[test]
fn the_gateway_key_does_not_follow_a_redirect_to_a_cluster_that_may_not_have_it() {
    let door = Redirecting::start("outer", &outer());
    let [first, second] = door.passed(&get("/go/partner/open").bearer(&good_token()));
    assert_eq!(first.values("x-gateway-key"), [GATEWAY_KEY]);
    assert!(!second.contains(GATEWAY_KEY), "{second:?}");
    assert_eq!(principal(&second), NOBODY, "{second:?}");
    door.stopped(&get("/go/partner/private").bearer(&good_token()), "credential_missing");
}

#[test]
fn a_credential_that_stays_on_the_request_is_judged_again_by_the_rules_of_where_it_leads() {
    let mut configuration = outer();
    configuration["issuers"]["main"]["sources"] =
        json!([{ "header": "authorization", "scheme": "Bearer", "forward": "verified" }]);
    let door = Redirecting::start("outer", &configuration);
    let to = |path: &str| get(format!("/go/{path}")).bearer(&good_token());
    let [_, second] = door.passed(&to("private"));
    assert_eq!(second.values("x-user-id"), ["alice"]);
    door.stopped(&to("admin"), "permission_missing");
    // There it is not looked at, so nobody has verified it for the next one.
    let [_, second] = door.passed(&to("open"));
    assert_eq!((principal(&second), second.values("authorization")), (NOBODY, vec![]));
}

#[test]
fn while_denials_are_only_reported_a_redirected_request_names_nobody_and_has_no_key() {
    let door = Redirecting::start("outer", &super::report::reporting(outer()));
    for path in ["private", "partner/private"] {
        let [first, second] = door.passed(&get(format!("/go/{path}")).bearer(&good_token()));
        assert_eq!(first.values("x-user-id"), ["alice"]);
        assert_eq!(principal(&second), NOBODY, "{path}: {second:?}");
        assert!(!second.contains(GATEWAY_KEY), "{path}: {second:?}");
    }
}

#[test]
fn at_the_inner_door_a_redirected_request_has_lost_its_way_in_and_what_came_with_it() {
    let mut configuration = inner_configuration();
    configuration["routes"] =
        json!({ "health": { "paths": ["/health"], "access": "public", "entrance": "exempt" } });
    let door = Redirecting::start("inner", &configuration);
    let to = |path: &str| {
        get(format!("/go/{path}"))
            .header("x-gateway-key", GATEWAY_KEY)
            .header("x-user-id", "alice")
            .header("x-tenant-id", "acme")
    };
    let arrival = door.stopped(&to("private"), "gateway_key_missing");
    assert_eq!(arrival.values("x-user-id"), ["alice"]);
    let [_, second] = door.passed(&to("health"));
    assert_eq!(principal(&second), NOBODY, "{second:?}");
    assert!(!second.contains(GATEWAY_KEY));
}
