//! The operator's command, run as an operator runs it: arguments, standard input, files, and what comes back.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::jose::base64url;
use vestibule::keyring::Keys;
use vestibule::policy;
use vestibule::request::Request;
use vestibule::time::UnixTime;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const KEY_SHA256: &str = "3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9";

const INNER: &str = r#"{"door":"inner","entrances":{"gateway":{"keys":{"first":
    {"sha256":"3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9"}}}}}"#;

/// An outer door that takes its gateway key from the environment.
const OUTER: &str = r#"{"door":"outer","default":"public","gatewayKey":{"key":{"env":"VESTIBULE_GATEWAY_KEY"},"to":["inner"]}}"#;

/// What a run of the command left behind.
struct Run {
    code: i32,
    out: String,
    err: String,
}

struct Cli(Command);

fn vestibule(arguments: &[&str]) -> Cli {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(arguments).env_remove("VESTIBULE_GATEWAY_KEY");
    Cli(command)
}

impl Cli {
    fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    fn run(self) -> Run {
        self.input(b"")
    }

    fn input(mut self, input: impl AsRef<[u8]>) -> Run {
        let mut child =
            self.0.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that reads no input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_ref());
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    #[track_caller]
    fn succeeded(self) -> String {
        assert_eq!(self.code, 0, "{}", self.err);
        self.out
    }

    #[track_caller]
    fn failed(self, code: i32, message: &str) {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{}", self.err);
        assert!(self.err.contains(message), "{}", self.err);
    }
}

/// A directory of the test's own, empty at its start.
fn directory(test: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(test);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn check(document: &str) -> Run {
    vestibule(&["check", "-"]).input(document)
}

/// A bootstrap with one filter, its configuration given as text.
fn bootstrap(configuration: &str, vm: &Value) -> Value {
    json!({"static_resources": {"listeners": [{"filter_chains": [{"filters": [{"typed_config": {"http_filters": [{
        "name": "vestibule",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "vestibule", "vm_config": vm,
                "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration},
            },
        },
    }]}}]}]}]}})
}

const CONFIG: &str = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[0].typed_config.config";

/// A path as RFC 6901 has it.
fn pointer(path: &str) -> String {
    format!("/{}", path.replace(['.', '['], "/").replace(']', ""))
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
    check(&" ".repeat(1024 * 1024 + 1)).failed(1, "larger than 1048576 bytes");
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
fn every_filter_in_a_bootstrap_is_checked_by_its_path() {
    let good = check(&bootstrap(INNER, &json!({})).to_string()).succeeded();
    assert_eq!(good, format!("standard input: {CONFIG}.configuration: ok (inner door)\n"));
    let bad = r#"{"door":"inner","door":"inner"}"#;
    check(&bootstrap(bad, &json!({})).to_string()).failed(3, &format!("{CONFIG}.configuration: door: "));
    let bad = r#"{"door":"outer","default":"public","strip":["host"]}"#;
    check(&bootstrap(bad, &json!({})).to_string())
        .failed(3, &format!("standard input: {CONFIG}.configuration: strip[0]: "));
}

#[test]
fn a_bootstrap_without_a_filter_is_an_error() {
    check("static_resources: {listeners: []}\n").failed(3, "without a Vestibule filter");
    let mut foreign = bootstrap("{}", &json!({"code": {"local": {"filename": "other.wasm"}}}));
    foreign.pointer_mut(&pointer(CONFIG)).unwrap()["name"] = "other".into();
    let run = check(&foreign.to_string());
    assert!(run.err.contains(&format!("{CONFIG}.configuration: not checked")), "{}", run.err);
    run.failed(3, "without a Vestibule filter");
}

#[test]
fn a_filter_that_fails_open_is_an_error() {
    let mut document = bootstrap(INNER, &json!({}));
    document.pointer_mut(&pointer(CONFIG)).unwrap()["failure_policy"] = "FAIL_OPEN".into();
    check(&document.to_string()).failed(3, &format!("{CONFIG}.failure_policy: "));
}

/// An outer door whose key may go to `inner`, with these routes around it.
fn door_with_routes(routes: &Value) -> String {
    door_with_sources(&Value::Null, routes)
}

/// The same with an issuer that reads these sources, if there are any.
fn door_with_sources(sources: &Value, routes: &Value) -> String {
    let mut configuration = json!({
        "door": "outer", "default": "public", "gatewayKey": { "key": { "env": "KEY" }, "to": ["inner*"] },
    });
    if !sources.is_null() {
        configuration["issuers"] = json!({ "main": {
            "issuer": "https://i", "audiences": ["a"], "keys": [{ "secret": { "env": "KEY" } }], "sources": sources,
        } });
    }
    let mut document = bootstrap(&configuration.to_string(), &json!({}));
    let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    let manager = document.pointer_mut(manager).unwrap();
    manager["@type"] =
        "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
            .into();
    manager["route_config"] = json!({ "virtual_hosts": [{ "routes": routes }] });
    document.to_string()
}

#[test]
fn a_route_by_a_header_that_the_door_changes_may_not_lead_the_key_elsewhere() {
    let by = |header: &str, cluster: &str| {
        json!([
            { "match": { "prefix": "/", "headers": [{ "name": header, "present_match": true }] },
              "route": { "cluster": "inner" } },
            { "match": { "prefix": "/" }, "route": { "cluster": cluster } },
        ])
    };
    for header in ["x-user-id", "X-Tenant-ID", "x_user_id", "x-gateway-key", "x-original-url"] {
        check(&door_with_routes(&by(header, "elsewhere")))
            .failed(3, "virtual_hosts[0].routes[0].match.headers[0]: the door changes");
        check(&door_with_routes(&by(header, "inner-2"))).succeeded();
    }
    check(&door_with_routes(&by("x-canary", "elsewhere"))).succeeded();
}

#[test]
fn a_route_by_a_credential_that_the_door_removes_may_not_lead_the_key_elsewhere() {
    let sources = |forward: &str| {
        json!([
            { "header": "x-api-token", "forward": forward }, { "cookie": "session", "forward": forward },
            { "query": "jwt", "forward": forward },
        ])
    };
    let by = |kind: &str, name: &str| {
        json!([
            { "match": { "prefix": "/", kind: [{ "name": name }] }, "route": { "cluster": "inner" } },
            { "match": { "prefix": "/" }, "route": { "cluster": "elsewhere" } },
        ])
    };
    for (kind, name, what) in [
        ("headers", "x-api-token", "header"),
        ("headers", "Cookie", "header"),
        ("headers", ":path", "header"),
        ("query_parameters", "jwt", "query parameter"),
        ("queryParameters", "jwt", "query parameter"),
        ("cookies", "session", "cookie"),
    ] {
        let run = check(&door_with_sources(&sources("none"), &by(kind, name)));
        assert!(
            run.err.contains(&format!("the door changes the {what} `{name}`")),
            "{kind} {name}: {}",
            run.err
        );
        run.failed(3, "virtual_hosts[0].routes[0].match.");
        check(&door_with_sources(&sources("always"), &by(kind, name))).succeeded();
        check(&door_with_routes(&by(kind, name))).succeeded();
    }
    check(&door_with_sources(&sources("always"), &by("headers", "x_api_token")))
        .failed(3, "the door changes");
    for (kind, name) in [("headers", "x-canary"), ("query_parameters", "page"), ("cookies", "theme")] {
        check(&door_with_sources(&sources("none"), &by(kind, name))).succeeded();
    }
}

#[test]
fn a_mirror_outside_the_bounds_of_the_key_is_an_error() {
    let to = |mirror: &str| {
        json!([{ "match": { "prefix": "/" },
                 "route": { "cluster": "inner", "request_mirror_policies": [{ "cluster": mirror }] } }])
    };
    check(&door_with_routes(&to("shadow")))
        .failed(3, "request_mirror_policies[0]: a mirror gets the gateway key");
    check(&door_with_routes(&to("inner-shadow"))).succeeded();
}

#[test]
fn a_bootstrap_names_the_clusters_that_get_the_key() {
    let configuration = r#"{"door":"outer","default":"public","gatewayKey":{"key":{"env":"KEY"}}}"#;
    check(&bootstrap(configuration, &json!({})).to_string()).failed(3, "gatewayKey.to: is missing");
    check(configuration).succeeded();
}

#[test]
fn the_keys_of_an_issuer_are_fetched_by_a_cluster_that_is_there_and_has_the_tls_of_the_url() {
    let document = |url: &str| {
        let configuration = json!({ "door": "outer", "issuers": { "main": {
            "issuer": "https://i", "audiences": ["a"], "keys": [{ "remote": { "url": url, "cluster": "issuer" } }],
        } } });
        bootstrap(&configuration.to_string(), &json!({}))
    };
    let with = |url: &str, change: &dyn Fn(&mut Value)| {
        let mut document = document(url);
        change(&mut document);
        check(&document.to_string())
    };
    let clusters = |clusters: Value| {
        move |document: &mut Value| {
            document["static_resources"]["clusters"] = clusters.clone();
        }
    };
    let (https, http) = ("https://issuer.example/keys", "http://127.0.0.1/keys");
    let at = "issuers.main.keys[0].remote.cluster: is `issuer`, ";
    with(https, &|_| {}).failed(3, &format!("{at}of which this bootstrap has none"));
    with(https, &clusters(json!([{ "name": "other" }])))
        .failed(3, &format!("{at}of which this bootstrap has none"));
    with(https, &clusters(json!([{ "name": "issuer" }]))).failed(3, &format!("{at}which has no TLS"));
    let tls = |context: Value| {
        let context = json!({ "common_tls_context": { "validation_context": context } });
        clusters(
            json!([{ "name": "issuer", "transport_socket": { "name": "tls", "typed_config": context } }]),
        )
    };
    let (authority, name) =
        (json!({ "filename": "ca.pem" }), json!([{ "matcher": { "exact": "issuer.example" } }]));
    with(https, &tls(json!({}))).failed(3, &format!("{at}which believes any certificate"));
    with(https, &tls(json!({ "trusted_ca": authority })))
        .failed(3, &format!("{at}which believes the certificate of any host"));
    with(https, &tls(json!({ "trusted_ca": authority, "match_typed_subject_alt_names": name }))).succeeded();
    with(https, &tls(json!({ "trustedCa": authority, "matchTypedSubjectAltNames": name }))).succeeded();
    with(https, &tls(json!({ "verify_certificate_spki": ["AAAA"] }))).succeeded();
    with(https, &tls(json!({ "system_root_certs": {}, "match_typed_subject_alt_names": name }))).succeeded();
    for nothing in [
        json!({ "match_typed_subject_alt_names": [] }),
        json!({ "match_typed_subject_alt_names": [{ "matcher": { "prefix": "" } }] }),
        json!({ "auto_sni_san_validation": false }),
    ] {
        let mut context = json!({ "trusted_ca": authority });
        context.as_object_mut().unwrap().extend(nothing.as_object().unwrap().clone());
        with(https, &tls(context)).failed(3, &format!("{at}which believes the certificate of any host"));
    }
    for nothing in [
        json!({ "trusted_ca": {"filename": ""}, "match_typed_subject_alt_names": name }),
        json!({ "trusted_ca": authority, "match_typed_subject_alt_names": name,
                "trust_chain_verification": "ACCEPT_UNTRUSTED" }),
    ] {
        with(https, &tls(nothing)).failed(3, &format!("{at}which believes any certificate"));
    }
    with(http, &clusters(json!([{ "name": "issuer" }]))).succeeded();
    with(https, &|document| document["dynamic_resources"] = json!({ "cds_config": { "ads": {} } }))
        .succeeded();
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
fn a_configuration_that_is_no_string_value_is_an_error() {
    let mut document = bootstrap(INNER, &json!({"code": {"local": {"filename": "dist/vestibule.wasm"}}}));
    document.pointer_mut(&pointer(CONFIG)).unwrap()["configuration"] =
        json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": {"door": "inner"}});
    check(&document.to_string()).failed(3, "StringValue");
}

#[test]
fn a_filter_has_the_variables_that_its_bootstrap_gives_it() {
    let run = |vm: Value| {
        vestibule(&["check", "--env", "-"])
            .env("VESTIBULE_GATEWAY_KEY", KEY)
            .input(bootstrap(OUTER, &vm).to_string())
    };
    let environment = |variables: Value| json!({"environment_variables": variables});
    run(environment(json!({"host_env_keys": ["VESTIBULE_GATEWAY_KEY"]}))).succeeded();
    run(environment(json!({"key_values": {"VESTIBULE_GATEWAY_KEY": KEY}}))).succeeded();
    run(environment(json!({"key_values": {"VESTIBULE_GATEWAY_KEY": "short"}}))).failed(3, "gatewayKey.key");
    run(json!({})).failed(3, &format!("{CONFIG}.configuration: gatewayKey.key"));
}

#[test]
fn the_bootstraps_of_this_repository_are_fine() {
    let mut count = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            vestibule(&["check", text(&path)]).run().succeeded();
            count += 1;
        }
    }
    assert!(count > 0);
}

#[test]
fn a_usage_error_is_a_failure_and_help_is_none() {
    vestibule(&["nonsense"]).run().failed(1, "nonsense");
    vestibule(&[]).run().failed(1, "Usage");
    vestibule(&["check"]).run().failed(1, "FILE");
    vestibule(&["token"]).run().failed(1, "--issuer");
    for arguments in [&["--help"][..], &["--version"], &["check", "--help"], &["hash", "--help"]] {
        vestibule(arguments).run().succeeded();
    }
}

#[test]
fn hash_is_the_sha_256_of_the_key_without_its_line_end() {
    for end in ["", "\n", "\r\n"] {
        let out = vestibule(&["hash"]).input(format!("{KEY}{end}")).succeeded();
        assert_eq!(out, format!("{KEY_SHA256}\n"));
    }
}

#[test]
fn hash_refuses_what_cannot_be_a_gateway_key_and_does_not_repeat_it() {
    for key in [
        "",
        "hunter2",
        "hunter2 hunter2 hunter2 hunter2 hunter2",
        "hunter2,hunter2,hunter2,hunter2,hunter2",
        "hunter2hunter2hunter2hunter2hunter2\n\n",
        "hunter2hunter2hunter2hunter2hunter2\u{e9}",
    ] {
        let run = vestibule(&["hash"]).input(key);
        assert!(!run.err.contains("hunter2"), "{}", run.err);
        run.failed(1, "key");
    }
    for argument in ["hunter2", "--hunter2", "-hunter2"] {
        let run = vestibule(&["hash", argument]).input(KEY);
        assert!(!run.err.contains("unter2"), "{}", run.err);
        run.failed(1, "standard input");
    }
}

#[test]
fn a_gateway_key_is_43_characters_and_hash_knows_it() {
    let run = vestibule(&["keygen", "gateway-key"]).run();
    let (key, err) = (run.out.trim_end().to_owned(), run.err);
    assert_eq!(base64url(key.as_bytes()).unwrap().len(), 32);
    let hash = vestibule(&["hash"]).input(&key).succeeded();
    assert!(err.contains(&format!("sha256: {hash}")) && !err.contains(&key), "{err}");
    assert_ne!(vestibule(&["keygen", "gateway-key"]).run().out.trim_end(), key);

    let file = directory("a_gateway_key").join("gateway.key");
    assert_eq!(vestibule(&["keygen", "gateway-key", "--out", text(&file)]).run().succeeded(), "");
    assert_eq!(fs::read(&file).unwrap().len(), 43);
    assert_private(&file);
}

#[track_caller]
fn assert_private(file: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_private_key_is_its_owners_and_is_replaced_only_by_force() {
    let directory = directory("a_private_key");
    let file = directory.join("signing.pem");
    let keygen = ["keygen", "p256", "--out", text(&file)];
    vestibule(&keygen).run().succeeded();
    assert_private(&file);
    let first = fs::read_to_string(&file).unwrap();
    assert!(first.starts_with("-----BEGIN PRIVATE KEY-----\n"));

    vestibule(&keygen).run().failed(1, "--force");
    assert_eq!(fs::read_to_string(&file).unwrap(), first);

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    }
    vestibule(&[&keygen[..], &["--force"]].concat()).run().succeeded();
    assert_private(&file);
    assert_ne!(fs::read_to_string(&file).unwrap(), first);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);

    vestibule(&["keygen", "p256", "--force", "--out", text(&directory)])
        .run()
        .failed(1, "not a regular file");
    vestibule(&["keygen", "p256"]).run().failed(1, "--out");
    vestibule(&["keygen", "rsa", "--bits", "1024", "--out", "x.pem"]).run().failed(1, "2048");
}

/// Makes a key pair, and a function that signs a token with it.
fn issuer(test: &str, keygen: &[&str]) -> (Value, impl Fn(&[&str]) -> Run + use<>) {
    let file = directory(test).join("signing.pem");
    let jwks = vestibule(&[&["keygen"], keygen, &["--out", text(&file)]].concat()).run().succeeded();
    let token = move |more: &[&str]| {
        let arguments =
            ["token", "--key", text(&file), "--issuer", "https://issuer.example", "--audience", "api"];
        vestibule(&[&arguments[..], more].concat()).run()
    };
    (serde_json::from_str(&jwks).unwrap(), token)
}

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&base64url(token.trim_end().split('.').nth(index).unwrap().as_bytes()).unwrap())
        .unwrap()
}

#[test]
fn a_token_signed_here_is_permitted_by_a_door_with_the_printed_keys() {
    let kinds: [(&[&str], &[&str]); 3] = [
        (&["p256"], &[]),
        (&["p384"], &["--alg", "ES384"]),
        (&["rsa", "--alg", "RS512"], &["--alg", "RS512"]),
    ];
    for (index, (keygen, alg)) in kinds.into_iter().enumerate() {
        let (jwks, token) = issuer(&format!("a_token_signed_here_{index}"), keygen);
        assert!(jwks["keys"][0].get("d").is_none());
        let token = token(
            &[alg, &["--subject", "alice", "--tenant", "acme", "--permission", "orders:read"]].concat(),
        );
        let token = token.succeeded();
        assert_eq!(part(&token, 0)["kid"], jwks["keys"][0]["kid"]);

        let configuration = json!({"door": "outer", "issuers": {"main": {
            "issuer": "https://issuer.example", "audiences": ["api"], "keys": [{"jwks": jwks}],
        }}});
        check(&configuration.to_string()).succeeded();
        let policy =
            compile::compile(&configuration, &Secrets::Unchecked, UnixTime::from_secs(0)).unwrap().value;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let authorization = format!("Bearer {}", token.trim_end());
        let headers: [(&[u8], &[u8]); 4] = [
            (b":method", b"GET"),
            (b":path", b"/"),
            (b":authority", b"shop.example"),
            (b"authorization", authorization.as_bytes()),
        ];
        let request = Request::new(headers.to_vec());
        match policy::decide(&policy, &Keys::in_module(), &request, UnixTime::from_secs(now)) {
            Decision::Permit(permit) => assert!(permit.principal().is_some()),
            other => panic!("{keygen:?}: {other:?}"),
        }
        let late = UnixTime::from_secs(now + 3600);
        assert!(matches!(policy::decide(&policy, &Keys::in_module(), &request, late), Decision::Denial(_)));
    }
}

#[test]
fn a_token_holds_what_was_asked_for_and_nothing_twice() {
    let (_, token) = issuer("a_token_holds", &["p256"]);
    let made = token(&[
        "--audience",
        "web",
        "--claim",
        "plan={\"name\":\"gold\"}",
        "--claim",
        "sub=5",
        "--lifetime",
        "90s",
        "--permission",
        "a",
        "--permission",
        "b",
        "--kid",
        "mine",
    ])
    .succeeded();
    assert_eq!(part(&made, 0), json!({"alg": "ES256", "kid": "mine", "typ": "JWT"}));
    let mut claims = part(&made, 1);
    let (iat, exp) = (claims["iat"].take(), claims["exp"].take());
    assert_eq!(exp.as_u64().unwrap() - iat.as_u64().unwrap(), 90);
    let expected = json!({"iss": "https://issuer.example", "aud": ["api", "web"], "sub": 5, "permissions": ["a", "b"],
        "plan": {"name": "gold"}, "iat": null, "exp": null});
    assert_eq!(claims, expected);

    for more in [
        &["--claim", "iss=\"x\""][..],
        &["--claim", "exp=1"],
        &["--subject", "a", "--claim", "sub=\"b\""],
        &["--claim", "x=1", "--claim", "x=2"],
        &["--claim", "x={\"a\":1,\"a\":2}"],
    ] {
        let run = token(more);
        assert!(run.err.contains("already") || run.err.contains("twice"), "{}", run.err);
        run.failed(1, "claim");
    }
    for wrong in ["x", "=1", "x=gold"] {
        token(&["--claim", wrong]).failed(1, "--claim");
    }
    for wrong in ["0s", "24h1s", "1.5s", "5", "-5m"] {
        token(&[&format!("--lifetime={wrong}")]).failed(1, "--lifetime");
    }
    token(&["--lifetime", "24h"]).succeeded();
}

#[test]
fn a_key_that_cannot_sign_is_refused_and_not_shown() {
    let (_, token) = issuer("a_key_that_cannot_sign", &["p256"]);
    token(&["--alg", "ES384"]).failed(1, "not a P-384 key");
    token(&["--alg", "RS256"]).failed(1, "not an RSA key");
    let file = directory("a_key_that_is_none").join("signing.pem");
    fs::write(&file, "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n").unwrap();
    let run = vestibule(&["token", "--key", text(&file), "--issuer", "i", "--audience", "a"]).run();
    assert!(!run.err.contains("hunter2"), "{}", run.err);
    run.failed(1, "PKCS#8");
}
