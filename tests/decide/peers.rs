//! What is said of who the other end of the connection is.

use serde_json::json;

use super::run::{Run, decide, directory, file};

const KEY: &str = "gateway-key-1-0123456789abcdef0123456789abcdef";
const GATEWAY: &str = "spiffe://mesh.test/ns/edge/sa/gateway";
const ORDERS: &str = "spiffe://mesh.test/ns/shop/sa/orders";

/// What becomes of a request at an inner door that the gateway enters by key and peer, and orders by itself.
fn ask(test: &str, arguments: &[&str]) -> Run {
    let configuration = json!({
        "door": "inner", "default": "public",
        "entrances": {
            "gateway": { "keys": { "current": { "env": "GATEWAY_KEY" } }, "peers": [GATEWAY] },
            "mesh": { "peers": [ORDERS, "spiffe://mesh.test/ns/shop/sa/billing"] },
        },
    });
    let door = file(&directory(test), "inner.json", configuration.to_string());
    decide(&door, arguments).env("GATEWAY_KEY", KEY).run()
}

#[test]
fn an_entrance_is_told_with_its_key_and_the_peer() {
    let header = format!("x-gateway-key: {KEY}");
    let run = ask("by-both", &["--peer", GATEWAY, "-H", &header, "/"]);
    let expected = format!(
        "  ok      entrance    came in by gateway, with the key current\n{:22}as the peer {GATEWAY}\n",
        ""
    );
    assert!(run.code == 0 && run.out.contains(&expected), "{}", run.out);

    let run = ask("by-peer", &["--peer", ORDERS, "/"]);
    let expected = format!("  ok      entrance    came in by mesh\n{:22}as the peer {ORDERS}\n", "");
    assert!(run.code == 0 && run.out.contains(&expected), "{}", run.out);

    let run = ask("json", &["--json", "--peer", GATEWAY, "-H", &header, "/"]).json();
    assert_eq!(run["entrance"], json!({ "passed": "by", "name": "gateway", "key": "current" }));
    assert_eq!(run["peer"], GATEWAY);
    let run = ask("json-peer", &["--json", "--peer", ORDERS, "/"]).json();
    assert_eq!(run["entrance"], json!({ "passed": "by", "name": "mesh", "key": null }));
}

#[test]
fn whoever_is_kept_out_is_told_what_each_entrance_wants() {
    let header = format!("x-gateway-key: {KEY}");
    let other = "spiffe://mesh.test/ns/shop/sa/other";
    let wants = format!(
        "{0:22}gateway wants a key in the header x-gateway-key, and the peer {GATEWAY}\n\
         {0:22}mesh wants the peer {ORDERS} or spiffe://mesh.test/ns/shop/sa/billing\n",
        ""
    );
    for (arguments, reason, code) in [
        (vec!["--peer", other, "/"], format!("the peer {other} may not come in"), "peer_not_allowed"),
        (
            vec!["--peer", other, "-H", &header, "/"],
            format!("the peer {other} may not come in"),
            "peer_not_allowed",
        ),
        (vec!["-H", &header, "/"], "the connection has no peer".into(), "peer_not_allowed"),
        (vec!["/"], "no gateway key".into(), "gateway_key_missing"),
        (
            vec!["-H", "x-gateway-key: x", "/"],
            "no gateway key that is accepted".into(),
            "gateway_key_invalid",
        ),
    ] {
        let run = ask("kept-out", &arguments);
        let expected = format!("  DENIED  entrance    {reason}\n{wants}");
        assert!(run.code == 2 && run.out.contains(&expected), "{arguments:?}: {}", run.out);
        assert!(run.out.contains(&format!("denied: 403 {code}\n")), "{arguments:?}: {}", run.out);
        let is_told = run.out.contains("without --peer the connection proves nobody");
        assert_eq!(is_told, !arguments.contains(&"--peer"), "{arguments:?}: {}", run.out);
    }
}

#[test]
fn a_request_in_json_may_say_its_peer() {
    let configuration =
        json!({ "door": "inner", "default": "public", "entrances": { "mesh": { "peers": [ORDERS] } } });
    let door = file(&directory("in-json"), "inner.json", configuration.to_string());
    let asked = |request: serde_json::Value, more: &[&str]| {
        decide(&door, &[&["--request", "-"], more].concat()).input(request.to_string())
    };
    assert_eq!(asked(json!({ "peer": ORDERS }), &[]).code, 0);
    assert_eq!(asked(json!({ "peer": GATEWAY }), &[]).code, 2);
    assert_eq!(asked(json!({ "peer": GATEWAY }), &["--peer", ORDERS]).code, 0, "the argument counts");
    asked(json!({ "peer": 1 }), &[]).failed(1, "peer: should be a text");
}
