//! A service calls another with the context that it received: the second knows by the certificate who calls, by
//! the context on whose behalf, and believes neither for the other.

use serde_json::Value;
use vestibule::jose::compact::{Compact, Decoded, Size};

use super::mesh::{ENVIRONMENT, GATEWAY_KEY, good_token, issuer};
use crate::support::bootstrap::Bootstrap;
use crate::support::certificates::{self, BILLING, GATEWAY};
use crate::support::envoy::Envoy;
use crate::support::http::{Call, Response, get};

/// `envoy/mesh.yaml`, which has two services, and somebody else of the mesh who calls the second.
fn mesh() -> Envoy {
    let authority = &certificates::of_this_run().authority;
    let mut mesh = Bootstrap::of("mesh.yaml");
    let mut outer = mesh.configuration("outer");
    outer["issuers"]["main"] = issuer();
    let mesh = mesh
        .configure("outer", &outer)
        .caller("billing", "orders", Some(&authority.peer(BILLING)))
        .caller("gateway", "orders", Some(&authority.peer(GATEWAY)));
    Envoy::start(&mesh, &ENVIRONMENT)
}

/// What the service saw, which it answers; `null` where no service answered.
fn seen(response: &Response) -> Value {
    if response.status == 200 { response.json() } else { Value::Null }
}

fn claims(context: &str) -> Value {
    let decoded = Decoded::of(context.as_bytes(), Size { bytes: 8192, depth: 8 }).expect("a context");
    Compact::read(&decoded).expect("a context").unverified_claims().into()
}

#[test]
fn a_service_passes_the_context_on_and_the_next_one_knows_on_whose_behalf_and_by_whom_it_is_called() {
    let envoy = mesh();
    let response = get("/articles?page=2").bearer(&good_token()).send(envoy.port("outer"));
    let first = seen(&response);
    assert_eq!(first["x-user-id"][0], "alice", "{}", response.text());
    let context = first["txn-token"][0].as_str().expect("the first service has the context").to_owned();
    let said = claims(&context);
    assert_eq!((&said["sub"], &said["tctx"]["tenant"]), (&"alice".into(), &"acme".into()));
    assert_eq!(said["txn"], first["x-request-id"][0], "the context names the request");
    assert_eq!((&said["rctx"]["method"], &said["rctx"]["path"]), (&"GET".into(), &"/articles".into()));
    assert_eq!(said["rctx"]["req_ip"], "127.0.0.1");

    let call = || get("/").header("x-user-id", "mallory").header("x-tenant-id", "evil");
    let second = seen(&call().header("txn-token", &context).send(envoy.port("blog-outbound")));
    assert_eq!((&second["x-user-id"][0], &second["x-tenant-id"][0]), (&"alice".into(), &"acme".into()));
    assert_eq!(second["x-user-permissions"][0], "blog:read,blog:write");
    assert_eq!(second["txn-token"][0], context.as_str(), "it can be passed on again");
    for seen in [&first, &second] {
        assert_eq!(seen["x-gateway-key"], Value::Null);
        assert!(!seen.to_string().contains(GATEWAY_KEY));
    }

    let refused = |caller: &str, call: Call| {
        let response = call.send(envoy.port(caller));
        (response.status, response.code().unwrap_or_default())
    };
    let with = |context: &str| call().header("txn-token", context);
    // The same call, by somebody who is not listed: even by the gateway, and even with the gateway key.
    for caller in ["billing", "gateway"] {
        assert_eq!(refused(caller, with(&context)), (403, "peer_not_allowed".into()), "{caller}");
        let keyed = with(&context).header("x-gateway-key", GATEWAY_KEY);
        assert_eq!(refused(caller, keyed), (403, "peer_not_allowed".into()), "{caller}");
    }
    // The listed one has to say on whose behalf it calls.
    let blog = "blog-outbound";
    assert_eq!(refused(blog, call()), (403, "context_missing".into()));
    assert_eq!(refused(blog, with(&good_token())), (403, "context_invalid".into()));
    assert_eq!(refused(blog, with(&context).header("txn-token", &context)), (403, "context_invalid".into()));
    assert_eq!(refused(blog, call().bearer(&good_token())), (403, "context_missing".into()));
}
