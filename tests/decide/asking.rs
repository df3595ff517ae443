//! What is asked: which configuration, with which secrets and keys, about which request.

use std::path::Path;

use serde_json::{Value, json};

use super::run::{decide, directory, file};
use super::support::keys;
use super::support::token::mint;
use super::support::vector::NOW;

const KEY: &str = "gateway-key-1-0123456789abcdef0123456789abcdef";
const INNER: &str = r#"{"door":"inner","entrances":{"gateway":{"keys":{"current":{"env":"GATEWAY_KEY"}}}}}"#;
const OUTER: &str =
    r#"{"door":"outer","default":"public","gatewayKey":{"key":{"env":"GATEWAY_KEY"},"to":["inner"]}}"#;

#[test]
fn an_invalid_configuration_is_told_as_check_tells_it() {
    let directory = directory("invalid");
    let bad =
        file(&directory, "bad.json", r#"{"door":"outer","default":"public","strip":["host"],"colour":1}"#);
    let run = decide(&bad, &["/"]).run();
    for path in ["strip[0]: ", "colour: "] {
        assert!(run.err.contains(&format!("{}: {path}", bad.display())), "{}", run.err);
    }
    run.failed(3, "2 errors");
    let yaml = file(&directory, "bad.yaml", "door: outer\ndefault: public\nstrip: [on]\n");
    decide(&yaml, &["/"]).run().failed(3, "line 3: ");
    let manifest = file(&directory, "manifest.yaml", "apiVersion: v1\nkind: WasmPlugin\n");
    decide(&manifest, &["/"]).run().failed(3, "spec.pluginConfig");
    decide(&directory.join("missing.json"), &["/"]).run().failed(1, "missing.json");
}

#[test]
fn a_secret_comes_from_the_environment_or_from_a_file_and_is_missed_where_it_decides() {
    let directory = directory("secrets");
    let inner = file(&directory, "inner.json", INNER);
    let header = format!("x-gateway-key: {KEY}");
    let ask = |arguments: &[&str]| {
        decide(&inner, &[&["-H", &header, "-H", "x-user-id: a", "-H", "x-tenant-id: b"], arguments].concat())
    };
    ask(&[]).run().failed(3, "--secret NAME=FILE");
    assert_eq!(ask(&[]).env("GATEWAY_KEY", KEY).run().code, 0);
    let secret = file(&directory, "key", format!("{KEY}\n"));
    let secret = format!("GATEWAY_KEY={}", secret.display());
    assert_eq!(ask(&["--secret", &secret]).run().code, 0);
    let other = "gateway-key-2-0123456789abcdef0123456789abcdef";
    assert_eq!(ask(&["--secret", &secret]).env("GATEWAY_KEY", other).run().code, 0);
    let run = ask(&[]).env("GATEWAY_KEY", other).run();
    assert_eq!((run.code, run.out.contains("gateway_key_invalid")), (2, true), "{}", run.out);
    assert!(!run.out.contains("gateway-key-1") && !run.out.contains("gateway-key-2"), "{}", run.out);
    for bad in ["hunter2-hunter2", "GATEWAY_KEY=hunter2-hunter2", "=hunter2-hunter2"] {
        let run = ask(&["--secret", bad]).run();
        assert!(!run.err.contains("hunter2"), "{}", run.err);
        run.failed(1, "--secret");
    }
    let unused = secret.replace("GATEWAY_KEY", "GATEWAY-KEY");
    ask(&["--secret", &unused]).env("GATEWAY_KEY", KEY).run().failed(1, "does not read");
}

#[test]
fn the_gateway_key_of_an_outer_door_need_not_be_known() {
    let directory = directory("stand_in");
    for encoding in ["utf8", "hex", "base64", "base64url"] {
        let configuration =
            OUTER.replace("\"GATEWAY_KEY\"", &format!("\"GATEWAY_KEY\",\"encoding\":\"{encoding}\""));
        let outer = file(&directory, "outer.json", configuration);
        let run = decide(&outer, &["--cluster", "inner", "/"]).run();
        assert_eq!(run.code, 0, "{}{}", run.out, run.err);
        assert!(run.out.contains("set     x-gateway-key: (secret)\n"), "{}", run.out);
        assert!(run.out.contains("value is not known here"), "{}", run.out);
        let elsewhere = decide(&outer, &["--cluster", "elsewhere", "/"]).run();
        assert!(!elsewhere.out.contains("x-gateway-key"), "{}", elsewhere.out);
    }
    // A wrong one is still wrong, and one that also decides must be known.
    let outer = file(&directory, "outer.json", OUTER);
    decide(&outer, &["/"]).env("GATEWAY_KEY", "short").run().failed(3, "gatewayKey.key");
    let mut both: Value = serde_json::from_str(OUTER).unwrap();
    both["issuers"] = json!({ "main": { "issuer": "https://i", "audiences": ["a"], "keys": [{ "secret": { "env": "GATEWAY_KEY" } }] } });
    decide(&file(&directory, "both.json", both.to_string()), &["/"])
        .run()
        .failed(3, "issuers.main.keys[0].secret");
}

/// An outer door that believes what two sources publish, and a token of this key.
fn published(key: &str) -> (String, String) {
    let remote = |url: &str| json!({ "remote": { "url": url } });
    let issuer = |name: &str, url: &str| json!({ "issuer": name, "audiences": ["a"], "keys": [remote(url)], "tenants": "*", "subjectPrefix": format!("{name}|") });
    let configuration = json!({ "door": "outer", "issuers": { "one": issuer("one", "https://one.test/"), "two": issuer("two", "https://two.test/") } });
    let payload = json!({ "iss": "one", "aud": "a", "sub": "x", "tenant_id": "t", "exp": NOW + 60 });
    let token = mint(&json!({ "key": key, "payload": payload }), NOW);
    (configuration.to_string(), format!("authorization: Bearer {token}"))
}

#[test]
fn keys_are_those_that_the_issuer_publishes() {
    let directory = directory("keys");
    let (configuration, bearer) = published("rsa-1");
    let configuration = file(&directory, "outer.json", configuration);
    let set = |name: &str, keys: &[&str]| {
        file(&directory, name, keys::jwks(keys).to_string()).display().to_string()
    };
    let (right, wrong) = (set("right.json", &["rsa-1"]), set("wrong.json", &["rsa-2"]));
    let ask = |keys: &[String]| {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        decide(&configuration, &[&["--now", "1800000000", "-H", &bearer, "/"], &keys[..]].concat()).run()
    };
    let keys = |issuer: &str, path: &str| format!("--keys={issuer}={path}");
    assert_eq!(ask(&[keys("one", &right)]).code, 0);
    assert!(ask(&[keys("one", &wrong)]).out.contains("key_unknown"));
    for elsewhere in [vec![], vec![keys("two", &right)]] {
        let run = ask(&elsewhere);
        assert!(run.code == 2 && run.out.contains("keys_unavailable"), "{}", run.out);
        assert!(run.out.contains("--keys one=FILE"), "{}", run.out);
    }
    ask(&[keys("three", &right)]).failed(1, "no issuer with `remote` keys");
    ask(&[keys("one", &configuration.display().to_string())]).failed(1, "brings no keys");
    ask(&["--keys=one".to_owned()]).failed(1, "ISSUER=FILE");
}

#[test]
fn the_filter_of_a_bootstrap_is_asked_with_its_own_environment() {
    let directory = directory("bootstrap");
    let filter = |configuration: &str, variables: Value| {
        json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "vestibule",
                "vm_config": { "environment_variables": variables },
                "configuration": { "@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration },
            },
        })
    };
    let bootstrap = |filters: Vec<Value>| json!({ "static_resources": { "listeners": filters } }).to_string();
    let inner = filter(INNER, json!({ "key_values": { "GATEWAY_KEY": KEY } }));
    let outer = filter(OUTER, json!({ "host_env_keys": ["GATEWAY_KEY"] }));
    let header = format!("x-gateway-key: {KEY}");
    let headers = ["-H", &header, "-H", "x-user-id: a", "-H", "x-tenant-id: b"];
    let one = file(&directory, "one.json", bootstrap(vec![inner.clone()]));
    assert_eq!(decide(&one, &headers).run().code, 0);
    let both = file(&directory, "both.json", bootstrap(vec![inner.clone(), outer]));
    decide(&both, &headers).run().failed(3, "--door");
    for door in ["outer", "inner"] {
        let run = decide(&both, &[&headers[..], &["--door", door]].concat()).run();
        assert!(run.code == 0 && run.out.starts_with(door), "{}{}", run.out, run.err);
    }
    let mut open = inner.clone();
    open["config"]["failure_policy"] = "FAIL_OPEN".into();
    let run = decide(&file(&directory, "open.json", bootstrap(vec![open])), &headers).run();
    assert!(run.code == 0 && run.err.contains("config.failure_policy: lets requests pass"), "{}", run.err);
    decide(&one, &["--door", "outer"]).run().failed(3, "without such a Vestibule filter");
    let twice = file(&directory, "twice.json", bootstrap(vec![inner.clone(), inner]));
    decide(&twice, &["--door", "inner"]).run().failed(3, "several Vestibule filters of this door");
    let broken = filter(r#"{"door":"inner","door":"outer"}"#, json!({}));
    decide(&file(&directory, "broken.json", bootstrap(vec![broken])), &["/"])
        .run()
        .failed(3, "door: is there twice");
}

#[test]
fn a_request_in_json_has_any_bytes_and_no_unknown_members() {
    let directory = directory("json_request");
    let configuration = file(
        &directory,
        "outer.json",
        r#"{"door":"outer","default":"public","routes":{"a":{"hosts":["a.test"],"paths":["/é"],"access":"deny"}}}"#,
    );
    let ask = |request: &str| decide(&configuration, &["--json", "--request", "-"]).input(request);
    let code = |request: &str| ask(request).json()["denial"]["code"].as_str().map(str::to_owned);
    let denied = Some("route_denied".to_owned());
    assert_eq!(code("{\"path\": \"/\u{c3}\u{a9}\", \"authority\": \"a.test\"}"), denied);
    assert_eq!(code(r#"{"path": "/%c3%a9", "headers": [["Host", "A.test:80"]]}"#), denied);
    assert_eq!(code(r#"{"path": "/%c3%a9"}"#), None);
    assert_eq!(code("{\"path\": \"/\u{e9}\"}"), Some("path_ambiguous".into()));
    assert_eq!(code(r#"{"path": null}"#), Some("header_malformed".into()));
    assert_eq!(code(r#"{"authority": null}"#), Some("header_malformed".into()));
    assert_eq!(code(r#"{"method": "TRACE"}"#), Some("method_refused".into()));
    for (bad, message) in [
        (r#"{"pfad": "/"}"#, "pfad: is not known here"),
        (r#"{"path": "/", "path": "/a"}"#, "path: is there twice"),
        (r#"{"path": 1}"#, "path: should be a text"),
        ("{\"path\": \"/\u{20ac}\"}", "beyond Latin-1"),
        (r#"{"headers": [["a"]]}"#, "headers[0]: should be [name, value]"),
        (r#"{"headers": [["host", "a"], ["host", "b"]]}"#, "several `host` headers"),
        (r#"{"path": "/""#, "standard input"),
        ("wget http://a", "neither a request in JSON nor a curl command"),
    ] {
        ask(bad).failed(1, message);
    }
    decide(Path::new("-"), &["--request", "-"]).run().failed(1, "cannot both be standard input");
}

#[test]
fn arguments_like_curls_make_the_request() {
    let directory = directory("arguments");
    let configuration = r#"{"door":"outer","default":"public","strip":["x-a","cookie-free"],
        "issuers":{"i":{"issuer":"i","audiences":["a"],"keys":[{"secret":{"env":"S"}}],"sources":[{"cookie":"c"}]}}}"#;
    let configuration = file(&directory, "outer.json", configuration);
    let ask = |arguments: &[&str]| {
        decide(&configuration, &[&["--json"], arguments].concat())
            .env("S", "a-secret-of-32-bytes-0123456789ab")
            .run()
    };
    let answer =
        ask(&["-X", "PUT", "-H", "X-A:  b ", "-b", "c=1", "-b", "d=2", "https://u.test:8443/p?q#f"]).json();
    assert_eq!(
        answer["request"],
        json!({ "method": "PUT", "asksAbout": null, "host": "u.test:8443", "path": "/p" })
    );
    assert_eq!(answer["headers"]["removed"], json!(["x-a"]));
    assert_eq!(answer["headers"]["set"], json!([{ "name": "cookie", "value": "d=(value)" }]));
    assert_eq!(ask(&["-H", "Host: h", "https://u.test/"]).json()["request"]["host"], "h");
    assert_eq!(ask(&["-H", "Host: h", "-H", "host: i", "/"]).json()["request"]["host"], "h");
    assert_eq!(ask(&["-H", "cookie: d=1", "-b", "c=1"]).json()["headers"]["set"], json!([]));
    assert_eq!(ask(&["-H", "x-a;"]).json()["headers"]["removed"], json!(["x-a"]));
    assert_eq!(ask(&["-H", "x-a:"]).json()["headers"]["removed"], json!([]));
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJlLXNpZ25hdHVyZQ";
    for (bad, message) in [
        (&["-H", "authorization:", "Bearer", token][..], "more than one URL or path"),
        (&[token], "neither a URL nor a path"),
        (&["-H", token], "'name: value'"),
        (&["-H", "@file"], "@FILE"),
        (&["-H", "a b: c"], "header's name"),
        (&["-H", "a: b\r\nc: d"], "line end"),
        (&["-b", "cookies.txt"], "file of cookies"),
        (&["-H", "host:", "https://a.test/"], "without a host"),
        (&["--request", "-", "/path"], "cannot be used with"),
        (&["ftp://a/"], "http://"),
        (&["--request", "POST"], "a method is given by -X"),
    ] {
        let run = ask(bad);
        assert!(!run.err.contains(token), "{}", run.err);
        run.failed(1, message);
    }
}

#[test]
fn a_token_in_the_wrong_place_is_not_repeated() {
    let directory = directory("misplaced");
    let configuration = file(&directory, "outer.json", r#"{"door":"outer","default":"deny"}"#);
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJlLXNpZ25hdHVyZQ";
    for misplaced in ["--request", "--now", "--door", "--keys", "--keys=i", "--routes", "--json"] {
        let misplaced = format!("{misplaced}={token}");
        let run = decide(&configuration, &[&misplaced]).run();
        assert!(!run.err.contains("c2lnbmF0"), "{misplaced}: {}", run.err);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{misplaced}");
    }
    let run = decide(Path::new(token), &["outer.json"]).run();
    run.failed(1, "(token): ");
    for request in ["curl -H 'authorization: Bearer s3cr3t' https://a/", r#"{"headers":[["a","s3cr3t"]]}"#] {
        let run = decide(&configuration, &["--request", request]).run();
        assert!(!run.err.contains("s3cr3t"), "{}", run.err);
        run.failed(1, "--request -");
    }
}

#[test]
fn no_message_steers_a_terminal() {
    let directory = directory("steering");
    let bad = file(
        &directory,
        "a\u{1b}[31m.json",
        "{\"door\":\"outer\",\"default\":\"deny\",\"\u{202e}x\u{9b}\":1}",
    );
    let run = decide(&bad, &[]).run();
    assert!(!run.err.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{:?}", run.err);
    run.failed(3, "1 error");
}

#[test]
fn a_time_at_which_the_configuration_would_have_been_refused_is_told() {
    let directory = directory("refused_then");
    let report = r#"{"door":"outer","default":"deny","report":{"until":"2026-11-20T00:00:00Z"}}"#;
    let report = file(&directory, "report.json", report);
    let told = |now: &str| {
        decide(&report, &["--now", now, "/"]).run().out.contains("refuses the configuration: report.until")
    };
    assert!(told("2026-09-19T00:00:00Z"));
    assert!(!told("2026-10-21T00:00:00Z") && !told("2026-11-20T00:00:00Z"));
}

#[test]
fn a_key_that_only_a_proxy_can_use_is_told() {
    let directory = directory("large_key");
    // A modulus of 4104 bits, of which nobody knows the factors.
    let n = format!("_{}", "_".repeat(683));
    let key = json!({ "kty": "RSA", "kid": "large", "alg": "RS256", "n": n, "e": "AQAB" });
    let door = json!({ "door": "outer", "issuers": { "main": {
        "issuer": "https://issuer.test", "audiences": ["api"], "keys": [{ "jwks": { "keys": [key] } }],
    } } });
    let door = file(&directory, "door.json", door.to_string());
    let payload = json!({ "iss": "https://issuer.test", "aud": "api", "sub": "a", "exp": { "$now": 300 } });
    let header = json!({ "alg": "RS256", "kid": "large" });
    let spec = json!({ "header": header, "payload": payload, "signatureBase64": "A".repeat(684) });
    let bearer = format!("authorization: Bearer {}", mint(&spec, NOW));
    let run = decide(&door, &["--now", &NOW.to_string(), "-H", &bearer, "/"]).run();
    assert!(
        run.out.contains("keys_unavailable") && run.out.contains("RSA keys of over 4096 bits"),
        "{}{}",
        run.out,
        run.err
    );
}
