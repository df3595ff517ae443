//! `vestibule check` of configurations.

use std::fs;

use serde_json::json;

use super::{KEY, KEY_SHA256, Run, directory, text, vestibule};

pub(crate) const INNER: &str = r#"{"door":"inner","entrances":{"gateway":{"keys":{"first":
    {"sha256":"3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9"}}}}}"#;

/// An outer door that takes its gateway key from the environment.
pub(crate) const OUTER: &str = r#"{"door":"outer","default":"public","gatewayKey":{"key":{"env":"VESTIBULE_GATEWAY_KEY"},"to":["inner"]}}"#;

pub(crate) fn check(document: &str) -> Run {
    vestibule(&["check", "-"]).input(document)
}

#[test]
fn a_good_configuration_is_ok_and_names_its_door() {
    assert_eq!(check(INNER).succeeded(), "standard input: ok (inner door)\n");
}

#[test]
fn yaml_says_the_same_as_json() {
    let file = directory("yaml_says_the_same").join("inner.yaml");
    fs::write(
        &file,
        format!("door: inner\nentrances:\n  gateway:\n    keys: {{first: {{sha256: {KEY_SHA256}}}}}\n"),
    )
    .unwrap();
    let out = vestibule(&["check", text(&file)]).run().succeeded();
    assert_eq!(out, format!("{}: ok (inner door)\n", file.display()));
}

#[test]
fn a_configuration_has_one_fingerprint_in_whatever_it_stands() {
    let directory = directory("one_fingerprint");
    let yaml =
        format!("entrances:\n  gateway:\n    keys: {{first: {{sha256: {KEY_SHA256}}}}}\ndoor: inner\n");
    let indented = yaml.lines().map(|line| format!("    {line}\n")).collect::<String>();
    let plugin = format!(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: inner-door, namespace: shop}}\n\
         spec:\n  url: oci://registry.example/vestibule@sha256:{KEY_SHA256}\n  phase: AUTHN\n  priority: 1000\n  \
         failStrategy: FAIL_RELOAD\n  match: [{{mode: SERVER}}]\n  pluginConfig:\n{indented}"
    );
    let json = format!(
        r#"{{"door":"inner","entrances":{{"gateway":{{"keys":{{"first":{{"sha256":"{KEY_SHA256}"}}}}}}}}}}"#
    );
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    let hash = vestibule::fingerprint::Fingerprint::of(&document).to_string();
    for (name, content) in [("inner.json", &json), ("inner.yaml", &yaml), ("plugin.yaml", &plugin)] {
        let file = directory.join(name);
        fs::write(&file, content).unwrap();
        let run = vestibule(&["check", "--hash", text(&file)]).run();
        assert!(run.out.ends_with(&format!("ok (inner door, {hash})\n")), "{name}: {} {}", run.out, run.err);
    }
}

#[test]
fn five_faults_are_five_lines_each_with_its_path() {
    let document = json!({
        "door": "outer",
        "colour": "red",
        "issuers": {"main": {"issuer": "https://issuer.example", "audiences": [], "leeway": "1h",
            "keys": [{"pem": "not a pem"}]}},
        "strip": ["host"],
    });
    let run = check(&document.to_string());
    assert_eq!((run.code, run.out.as_str()), (3, ""));
    let lines: Vec<_> = run.err.lines().collect();
    assert_eq!(lines.len(), 6, "{}", run.err);
    for path in
        ["colour", "issuers.main.audiences", "issuers.main.leeway", "issuers.main.keys[0].pem", "strip[0]"]
    {
        let start = format!("standard input: {path}: ");
        assert_eq!(lines.iter().filter(|line| line.starts_with(&start)).count(), 1, "{path} in\n{}", run.err);
    }
    assert_eq!(lines[5], "5 errors");
}

#[test]
fn members_that_occur_twice_in_json_are_all_named() {
    let run = check(r#"{"door":"outer","door":"inner","strip":[],"limits":{"tokenBytes":1,"tokenBytes":2}}"#);
    assert_eq!(run.code, 3);
    assert!(
        run.err.contains("standard input: door: ") && run.err.contains("limits.tokenBytes: "),
        "{}",
        run.err
    );
}

#[test]
fn members_that_occur_twice_in_yaml_are_refused_with_their_line() {
    check("door: outer\ndefault: public\ndoor: inner\n").failed(3, "line 3");
}

#[test]
fn yaml_that_readers_understand_differently_is_refused_with_its_line() {
    for (yaml, line) in [
        ("door: inner\nstrip: [on]\n", "line 2: "),
        ("door: inner\nno: 1\n", "line 2: "),
        ("door: !!str inner\n", "line 1: "),
        ("door: inner\nlimits:\n  tokenBytes: 010\n", "line 3: "),
        ("door: inner\nlimits: {tokenBytes: 8_192}\n", "line 2: "),
    ] {
        check(yaml).failed(3, line);
    }
    for yaml in [
        "door: inner\nlimits: &l {tokenBytes: 1}\nx: {<<: *l}\n",
        "door: inner\n---\ndoor: outer\n",
        "door: [inner\n",
        "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
         e: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n",
    ] {
        check(yaml).failed(3, "standard input: not acceptable YAML: ");
    }
}

#[test]
fn a_number_or_a_boolean_is_no_text() {
    check("door: true\n").failed(3, "standard input: door: ");
    check("door: outer\ndefault: public\nstrip: [12]\n").failed(3, "standard input: strip[0]: ");
}

#[test]
fn what_is_no_configuration_at_all_is_invalid() {
    for document in ["", "[]", "door", "{", "{}", "null", "{\"door\":\"outer\"} {}"] {
        check(document).failed(3, "standard input: ");
    }
    vestibule(&["check", "-"]).input(b"door: \xff").failed(3, "standard input: not UTF-8");
    check("apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\n").failed(3, "spec.pluginConfig");
}

#[test]
fn a_name_in_a_document_cannot_start_a_line_of_the_report() {
    let run = check(r#"{"door":"inner","x\nstandard input: ok\u001b[2J":1}"#);
    assert_eq!(run.code, 3);
    assert!(
        !run.err.contains('\u{1b}') && run.err.lines().all(|line| !line.starts_with("standard input: ok")),
        "{}",
        run.err
    );
}

#[test]
fn a_file_that_cannot_be_read_is_a_failure_and_the_others_are_still_checked() {
    let directory = directory("a_file_that_cannot_be_read");
    let missing = directory.join("missing.json");
    let run = vestibule(&["check", text(&missing), "-"]).input(INNER);
    assert_eq!((run.code, run.out.as_str()), (1, "standard input: ok (inner door)\n"));
    assert!(run.err.starts_with(&format!("{}: ", missing.display())), "{}", run.err);
    check(&" ".repeat(16 * 1024 * 1024 + 1)).failed(1, "larger than 16777216 bytes");
}

#[test]
fn secrets_are_checked_only_when_asked() {
    let unchecked = check(OUTER);
    assert!(unchecked.err.contains("pass --env"), "{}", unchecked.err);
    assert_eq!(unchecked.succeeded(), "standard input: ok (outer door)\n");
    let with_env = || vestibule(&["check", "--env", "-"]);
    with_env().input(OUTER).failed(3, "standard input: gatewayKey.key");
    let good = with_env().env("VESTIBULE_GATEWAY_KEY", KEY).input(OUTER);
    assert_eq!(good.err, "");
    good.succeeded();
    let short = with_env().env("VESTIBULE_GATEWAY_KEY", "hunter2").input(OUTER);
    assert!(!short.err.contains("hunter2"), "{}", short.err);
    short.failed(3, "gatewayKey.key");
}

#[test]
fn a_url_without_tls_is_a_warning_where_it_leaves_the_mesh() {
    let configuration = |url: &str| {
        json!({ "door": "outer", "issuers": { "main": {
            "issuer": "https://i", "audiences": ["a"], "keys": [{ "remote": { "url": url } }],
        } } })
    };
    for (url, warns) in [
        ("http://issuer.example/keys", true),
        ("https://issuer.example/keys", false),
        ("http://keycloak.auth.svc.cluster.local:8080/keys", false),
        ("http://127.0.0.1:8080/keys", false),
        ("http://[::1]:8080/keys", false),
        ("http://127.evil.example/keys", true),
    ] {
        let run = check(&configuration(url).to_string());
        assert_eq!(run.err.contains("keys[0].remote.url: is `http`"), warns, "{}", run.err);
        run.succeeded();
    }
}

#[test]
fn a_key_that_is_left_out_is_a_warning_and_no_error() {
    let document = json!({ "door": "outer", "issuers": { "main": {
        "issuer": "https://i", "audiences": ["a"],
        "keys": [{ "jwks": { "keys": [
            { "kty": "EC", "crv": "P-256", "x": "cfkTBm69XjpRPhaDxaNULIExNap7XXwEOlQF5EqvMcU",
              "y": "akoKZT1o9t1ye29X48VlRyE9WoMi6tupQNbsPCZgEgw" },
            { "kty": "EC", "crv": "P-521", "kid": "next" },
        ] } }],
    } } });
    let run = check(&document.to_string());
    assert!(run.err.contains("warning: issuers.main.keys[0].jwks: keys[1] is left out"), "{}", run.err);
    run.succeeded();
}

#[test]
fn what_takes_the_full_module_is_an_error_where_the_other_is_to_run_it() {
    let document = json!({
        "door": "outer",
        "issuers": {"main": {"issuer": "https://issuer.example", "audiences": ["api"], "algorithms": ["RS256", "PS256"],
            "keys": [{"remote": {"url": "https://issuer.example/keys"}}, {"secret": {"env": "SHARED"}}]}},
        "default": "authenticated",
    });
    let with =
        |module: &str| vestibule(&["check", "--module", module, "-"]).input(document.to_string().as_str());
    let full = with("full");
    assert!(full.succeeded().contains("ok (outer door)"));
    let host = with("host");
    assert_eq!((host.code, host.out.as_str()), (3, ""));
    for path in ["issuers.main.algorithms: PS256 ", "issuers.main.keys[1].secret: "] {
        let line = host
            .err
            .lines()
            .find(|line| line.contains(path))
            .unwrap_or_else(|| panic!("{path}: {}", host.err));
        assert!(line.contains("use dist/vestibule.wasm"), "{line}");
    }
    assert!(
        vestibule(&["check", "--module", "host", "-"]).input(INNER).succeeded().contains("ok (inner door)")
    );
}
