//! Two files that hold one configuration each, compared.

use std::fs;

use serde_json::{Value, json};

use crate::{KEY, KEY_SHA256, Run, directory, vestibule};

/// Two plain configurations beside each other, in an environment with the gateway key.
fn compare(test: &str, outer: &Value, inner: &Value, arguments: &[&str]) -> Run {
    let directory = directory(test);
    let (first, second) = (directory.join("outer.json"), directory.join("inner.json"));
    fs::write(&first, outer.to_string()).unwrap();
    fs::write(&second, inner.to_string()).unwrap();
    let (first, second) = (first.to_str().unwrap(), second.to_str().unwrap());
    let arguments = [&["check", "--outer", first, "--inner", second], arguments].concat();
    vestibule(&arguments).env("VESTIBULE_GATEWAY_KEY", KEY).run()
}

fn outer() -> Value {
    json!({
        "door": "outer", "default": "public", "inject": { "x-plan": { "value": "free" } },
        "gatewayKey": { "key": { "env": "VESTIBULE_GATEWAY_KEY" }, "to": ["inner"] },
    })
}

fn issuers() -> Value {
    json!({ "main": {
        "issuer": "https://a.example", "audiences": ["a"], "keys": [{ "secret": { "env": "S" } }],
    } })
}

/// The same door, which mints contexts in a gateway's name.
fn minting(gateway: &str) -> Value {
    let mut outer = outer();
    outer["issuers"] = issuers();
    outer["context"] = json!({ "mint": {
        "issuer": "https://c.example", "audience": "a", "workload": gateway, "key": { "env": "C" },
    } });
    outer
}

fn inner() -> Value {
    json!({
        "door": "inner", "default": "public",
        "entrances": { "gateway": { "keys": { "first": { "sha256": KEY_SHA256 } }, "trust": "none" } },
    })
}

#[test]
fn two_configurations_are_checked_and_compared() {
    let run = compare("two_configurations", &outer(), &inner(), &["--env", "--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("ok (outer door)") && run.out.contains("ok (inner door)"), "{}", run.out);
    let mut other = inner();
    other["entrances"]["gateway"]["header"] = json!("x-key");
    compare("two_other", &outer(), &other, &[])
        .complained("inner.json: entrances.gateway.header: is `x-key`");
    compare("two_swapped", &inner(), &outer(), &[])
        .complained("outer.json: door: is no outer door, as --outer says");
    compare("two_bad", &outer(), &json!({ "door": "inner" }), &[])
        .complained("inner.json: entrances: is missing");
    // Of what is more than a configuration nothing is compared, and that is no silence.
    let manifest = json!({
        "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin", "metadata": { "name": "outer-door" },
        "spec": { "pluginConfig": outer(), "phase": "AUTHN", "url": "oci://a.example/b:1",
                  "vmConfig": { "env": [{ "name": "VESTIBULE_GATEWAY_KEY", "valueFrom": "HOST" }] } },
    });
    compare("two_manifest", &manifest, &other, &[]).complained("outer.json: is more than a configuration");
    for arguments in [&["check", "--outer", "a"][..], &["check", "--inner", "a"]] {
        assert_eq!(vestibule(arguments).run().code, 1);
    }
}

#[test]
fn the_gateway_key_is_compared_where_its_value_is_known() {
    let mut other = inner();
    other["entrances"]["gateway"]["keys"]["first"]["sha256"] = json!("0".repeat(63) + "1");
    let run = compare("the_gateway_key", &outer(), &other, &["--env"]);
    run.complained("inner.json: entrances.gateway.keys: have not the hash of the key");
    // Without its value nobody can tell, and that is said.
    let run = compare("the_gateway_key_unknown", &outer(), &other, &[]);
    assert!(run.code == 0 && run.err.contains("was not seen: pass --env"), "{}", run.err);
}

#[test]
fn headers_that_an_entrance_believes_are_the_outer_doors() {
    let trusting = |trust: Value| {
        let mut inner = inner();
        inner["entrances"]["gateway"]["trust"] = trust;
        inner
    };
    // Neither written nor removed: a client could write it.
    compare("headers_forged", &outer(), &trusting(json!({ "subject": "x-someone" })), &[])
        .complained("outer.json neither writes nor removes, so a client could write it");
    // Owned and never written.
    compare("headers_empty", &outer(), &trusting(json!({ "subject": "x-user-id" })), &[])
        .complained("removes and never writes");
    let mut mixed = outer();
    mixed["inject"]["x-user-id"] = json!("tenant");
    mixed["issuers"] = issuers();
    compare("headers_mixed", &mixed, &trusting(json!({ "subject": "x-user-id" })), &[])
        .complained("entrances.gateway.trust.subject: takes the subject from `x-user-id`");
    mixed["inject"]["x-user-id"] = json!("subject");
    let run =
        compare("headers_fit", &mixed, &trusting(json!({ "subject": "x-user-id" })), &["--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
    // Whatever part it is.
    for (part, source) in [("tenant", "subject"), ("tenant", "roles"), ("permissions", "scopes")] {
        let mut mixed = mixed.clone();
        mixed["inject"]["x-other"] = json!(source);
        let trust = json!({ "subject": "x-user-id", part: "x-other" });
        compare("headers_parts", &mixed, &trusting(trust), &[])
            .complained(&format!("entrances.gateway.trust.{part}: takes the {part} from `x-other`"));
    }
    mixed["inject"]["x-other"] = json!("roles");
    let trust = json!({ "subject": "x-user-id", "permissions": "x-other" });
    let run = compare("headers_roles", &mixed, &trusting(trust), &["--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
}

#[test]
fn an_entrance_for_the_gateways_certificate_alone_believes_the_outer_doors_headers_too() {
    let gateway = "spiffe://a.example/ns/ingress/sa/ingress";
    let mut inner = inner();
    inner["entrances"]["gateway"] =
        json!({ "peers": [gateway], "resumed": "admit", "trust": { "subject": "x-someone" } });
    compare("peers_forged", &outer(), &inner, &[])
        .complained("outer.json neither writes nor removes, so a client could write it");
    // Where the contexts say who the gateway is, others may believe what they like.
    let minting = minting(gateway);
    compare("peers_named", &minting, &inner, &[]).complained("so a client could write it");
    inner["entrances"]["services"] = inner["entrances"]["gateway"].clone();
    inner["entrances"]["services"]["peers"] = json!(["spiffe://a.example/ns/shop/sa/blog"]);
    inner["entrances"]["gateway"].as_object_mut().unwrap().remove("trust");
    let run = compare("peers_others", &minting, &inner, &[]);
    assert_eq!(run.code, 0, "{}", run.err);
}

#[test]
fn key_and_peer_open_the_same_entrance() {
    let gateway = "spiffe://a.example/ns/ingress/sa/ingress";
    let minting = minting(gateway);
    let pem = directory("key_and_peer").join("context.pem");
    vestibule(&["keygen", "p256", "--out", pem.to_str().unwrap()]).run().succeeded();
    let entrance = |name: &str, sha256: &str, peer: &str| {
        let keys = json!({ name: { "sha256": sha256 } });
        json!({ "keys": keys, "peers": [peer], "resumed": "admit", "trust": "none" })
    };
    let mut inner = inner();
    inner["entrances"] = json!({
        "gateway": entrance("first", &("0".repeat(63) + "1"), gateway),
        "other": entrance("second", KEY_SHA256, "spiffe://a.example/ns/shop/sa/blog"),
    });
    let (outer_file, inner_file) =
        (directory("key_and_peer_outer").join("o.json"), directory("key_and_peer_inner").join("i.json"));
    fs::write(&outer_file, minting.to_string()).unwrap();
    fs::write(&inner_file, inner.to_string()).unwrap();
    let arguments =
        ["check", "--env", "--outer", outer_file.to_str().unwrap(), "--inner", inner_file.to_str().unwrap()];
    let run = vestibule(&arguments)
        .env("VESTIBULE_GATEWAY_KEY", KEY)
        .env("S", KEY)
        .env("C", &fs::read_to_string(&pem).unwrap())
        .run();
    run.complained("entrances.gateway.keys: have not the hash of the key");
}
