//! A trailer is a header that comes late: what no client may set, and what may hold a credential, arrives as a
//! trailer no more than as a header, over whichever protocol.

use serde_json::{Value, json};

use super::forgery::{EVIL, OWNED_AT_BOTH, OWNED_AT_OUTER, with_trailers};
use super::mesh::{ENVIRONMENT, GATEWAY_KEY, good_token, inner_configuration, issuer, outer_configuration};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::{Call, call};
use crate::support::upstream::Upstream;

/// A door that forwards trailers, and one in front of it from which it gets requests over HTTP/2.
struct Doors {
    door: &'static str,
    envoy: Envoy,
    upstream: Upstream,
}

impl Doors {
    fn start(door: &'static str, configuration: &Value) -> Self {
        let upstream = Upstream::start();
        let cluster = if door == "outer" { "upstream" } else { "service" };
        let mut bootstrap = Bootstrap::of(&format!("{door}.yaml"))
            .configure(door, configuration)
            .environment(door, [String::from("VESTIBULE_GATEWAY_KEY")].iter())
            .cluster(cluster, upstream.port());
        bootstrap.connection_manager(door)["http_protocol_options"] = json!({ "enable_trailers": true });
        let mut bootstrap = bootstrap.behind_http2(door, "front");
        bootstrap.cluster_options(cluster, with_trailers());
        Self { door, envoy: Envoy::start(&bootstrap, &ENVIRONMENT), upstream }
    }

    /// Sends a request with each of these trailers to either listener. It is to be permitted, and none of them
    /// is to arrive.
    fn assert_strip(&self, request: &Call, trailers: &[String]) {
        for listener in [self.door, "front"] {
            for name in trailers {
                let body = format!(
                    "2\r\nhi\r\n0\r\nx-harmless: harmless\r\n{name}: {EVIL}\r\n{name}: {EVIL}\r\n\r\n"
                );
                let request = request.clone().header("transfer-encoding", "chunked").body(body);
                let response = request.send(self.envoy.port(listener));
                let arrival = self.upstream.arrival(&response);
                let arrival = arrival.unwrap_or_else(|| panic!("{} {}", response.status, response.text()));
                assert!(
                    arrival.contains("harmless"),
                    "no trailer is forwarded, which shows nothing: {arrival:?}"
                );
                assert!(!arrival.contains(EVIL), "{listener}: {name}: {arrival:?}");
            }
        }
        let over_http2 = self.envoy.stats(&format!("http.{}.downstream_rq_http2_total", self.door));
        assert_eq!(
            over_http2.into_values().sum::<u64>(),
            trailers.len() as u64,
            "as many as came by the front"
        );
    }
}

/// The names as they are, and as servers spell them that make variables of them; `forgery` has every other
/// spelling.
fn spelt<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<String> {
    names.into_iter().flat_map(|name| [name.to_owned(), name.replace('-', "_")]).collect()
}

#[test]
fn no_owned_header_and_no_credential_arrives_as_a_trailer_past_the_outer_door() {
    let mut configuration = outer_configuration();
    configuration["issuers"]["main"]["sources"] = json!([
        { "header": "authorization", "scheme": "Bearer" }, { "header": "x-api-token" }, { "cookie": "session" },
    ]);
    configuration["inject"] = json!({ "x-subscription-plan": { "value": "gold" } });
    configuration["strip"] = json!(["x-internal-*"]);
    let owned = OWNED_AT_BOTH.into_iter().chain(OWNED_AT_OUTER);
    let more = ["x-subscription-plan", "x-internal-flag", "x-api-token", "authorization", "cookie"];
    Doors::start("outer", &configuration)
        .assert_strip(&call("POST", "/").bearer(&good_token()), &spelt(owned.chain(more)));
}

#[test]
fn no_owned_header_and_no_credential_arrives_as_a_trailer_past_the_inner_door() {
    let mut configuration = inner_configuration();
    configuration["entrances"]["gateway"]["header"] = json!("x-way-in");
    configuration["issuers"] = json!({ "main": issuer() });
    let request = call("POST", "/").header("x-way-in", GATEWAY_KEY).bearer(&good_token());
    let names = ["x-user-id", "x-tenant-id", "x-user-permissions", "x-way-in", "authorization"];
    Doors::start("inner", &configuration).assert_strip(&request, &spelt(names));
}
