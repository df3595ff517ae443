//! What the command says of a decision, word by word: a permit, a denial at each step, a preflight, a report.
//!
//! The texts stand in `golden/`, one for each case. Where one is to change, the test leaves the new text under
//! the path that it names.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::run::{Run, decide, directory, file};
use super::support::keys;
use super::support::token::mint;
use super::support::vector::NOW;

const OUTER: &str = r#"
door: outer
tenant: required
issuers:
  main:
    issuer: https://issuer.test
    audiences: [https://api.test]
    keys: [{ remote: { url: "https://issuer.test/jwks" } }]
    identity: { roles: [/realm_access/roles] }
gatewayKey: { key: { env: GATEWAY_KEY }, to: ["orders-*"] }
inject:
  x-plan: { claim: plan, as: text }
grants:
  "system:owner": ["orders:write"]
  "orders:write": ["orders:read"]
default: optional
routes:
  read-order:
    hosts: ["*.example.com"]
    methods: [GET]
    paths: ["/orders/{id}"]
    access: { permissions: ["orders:read"], scopes: [orders] }
  orders: { paths: ["/orders/{*rest}"], access: authenticated }
  change-order: { methods: [PUT, DELETE], paths: ["/orders/{id}"], access: { roles: [editor, admin] } }
  archive: { hosts: [archive.test], paths: ["/orders/{id}"], access: public }
  reports: { paths: [/reports], access: { anyPermission: ["reports:all", "orders:export"], issuers: [main] } }
  health: { paths: [/health], access: public }
  admin: { paths: ["/admin/{*rest}"], access: deny }
"#;

const INNER: &str = r#"
door: inner
entrances: { gateway: { keys: { current: { env: GATEWAY_KEY } } } }
routes:
  probes: { paths: [/ready], access: public, entrance: exempt }
  write: { methods: [POST], paths: [/notes], access: { permissions: ["notes:write"] } }
"#;

const GATEWAY_KEY: &str = "gateway-key-1-0123456789abcdef0123456789abcdef";

/// A token of alice's for five minutes, with these claims instead.
fn token(claims: Value) -> String {
    let mut payload = json!({
        "iss": "https://issuer.test", "aud": "https://api.test", "sub": "alice", "tenant_id": "acme",
        "exp": NOW + 300, "scope": "orders profile", "realm_access": { "roles": ["staff", "system:owner"] },
    });
    for (name, claim) in claims.as_object().unwrap() {
        match claim {
            Value::Null => drop(payload.as_object_mut().unwrap().remove(name)),
            claim => payload[name] = claim.clone(),
        }
    }
    mint(&json!({ "key": "ec-256", "payload": payload }), NOW)
}

struct Doors {
    directory: PathBuf,
    outer: PathBuf,
    inner: PathBuf,
    keys: String,
}

impl Doors {
    fn new(test: &str) -> Self {
        let directory = directory(test);
        let keys = file(&directory, "jwks.json", keys::jwks(&["ec-256"]).to_string());
        let (outer, inner) = (file(&directory, "outer.yaml", OUTER), file(&directory, "inner.yaml", INNER));
        Self { keys: format!("--keys=main={}", keys.display()), directory, outer, inner }
    }

    fn ask(&self, configuration: &Path, arguments: &[&str]) -> Run {
        let now = ["--now", "2027-01-15T08:00:00Z"];
        decide(configuration, &[arguments, &now].concat()).env("GATEWAY_KEY", GATEWAY_KEY).run()
    }

    /// Asks the outer door, which has the issuer's keys, with this token.
    fn outer(&self, claims: Value, arguments: &[&str]) -> Run {
        let bearer = format!("Authorization: Bearer {}", token(claims));
        self.ask(&self.outer, &[&[&self.keys, "-H", &bearer], arguments].concat())
    }

    fn plain(&self, arguments: &[&str]) -> Run {
        self.ask(&self.outer, &[&[self.keys.as_str()], arguments].concat())
    }

    fn inner(&self, arguments: &[&str]) -> Run {
        self.ask(&self.inner, arguments)
    }

    /// Compares a run with the text of this name, and says how they differ.
    fn differs(&self, name: &str, code: i32, run: &Run) -> Option<String> {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/decide/golden/{name}.txt"));
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        if (run.code, run.out.as_str(), run.err.as_str()) == (code, expected.as_str(), "") {
            return None;
        }
        let left = file(&self.directory, &format!("{name}.txt"), &run.out);
        let (ended, path) = (run.code, left.display());
        Some(format!(
            "{name}: ended with {ended}, {path} should be:\n{expected}\nbut is:\n{}{}",
            run.out, run.err
        ))
    }
}

const ORDER: &str = "https://api.example.com/orders/7?page=2";

#[test]
fn every_step_of_a_decision_is_told_word_by_word() {
    let doors = Doors::new("golden");
    let to_orders = ["--cluster", "orders-1", "-H", "X-User-Id: evil", ORDER];
    let report = OUTER.replace("default: optional", "report: { until: 2027-01-20T00:00:00Z }");
    let report = file(&doors.directory, "report.yaml", report);
    let bearer = format!("authorization: Bearer {}", token(json!({ "exp": NOW - 3600 })));
    let preflight =
        ["-X", "OPTIONS", "-H", "origin: https://app.test", "-H", "access-control-request-method: PUT"];
    let key = format!("x-gateway-key: {GATEWAY_KEY}");
    let trusted = ["-H", &key, "-H", "x-user-id: bob", "-H", "x-tenant-id: globex"];
    let writes = ["-H", "x-user-permissions: notes:*,notes:read", "-X", "POST", "/notes"];
    let cases = [
        ("permit-by-grants", 0, doors.outer(json!({ "plan": "gold" }), &to_orders)),
        ("permit-public", 0, doors.plain(&["/health", "-H", "x-tenant-id: evil", "--routes", "all"])),
        ("permit-optional", 0, doors.plain(&["/elsewhere"])),
        ("permit-any-permission", 0, doors.outer(json!({ "permissions": ["orders:*"] }), &["/reports"])),
        ("permit-trusted", 0, doors.inner(&[&trusted[..], &writes].concat())),
        ("permit-exempt", 0, doors.inner(&["/ready"])),
        ("permit-preflight", 0, doors.plain(&[&preflight[..], &["/orders/7"]].concat())),
        ("deny-preflight", 2, doors.plain(&[&preflight[..], &["/admin/users"]].concat())),
        ("report", 0, doors.ask(&report, &[&doors.keys, "-H", &bearer, "-H", "x-user-id: evil", ORDER])),
        ("deny-path", 2, doors.plain(&["https://api.example.com/orders/..%2f7"])),
        ("deny-route", 2, doors.outer(json!({}), &["/admin/users"])),
        ("deny-entrance", 2, doors.inner(&["/notes"])),
        ("deny-no-credential", 2, doors.plain(&["/orders/7"])),
        ("deny-two-tokens", 2, doors.outer(json!({}), &["-H", "authorization: Bearer again", ORDER])),
        ("deny-expired", 2, doors.outer(json!({ "exp": NOW - 3600 }), &[ORDER])),
        ("deny-unreadable-token", 2, doors.plain(&["-H", "authorization: Bearer x.y.z", ORDER])),
        ("deny-issuer", 2, doors.outer(json!({ "iss": "https://other.test" }), &[ORDER])),
        ("deny-no-keys", 2, doors.ask(&doors.outer, &["-H", &bearer, ORDER])),
        ("deny-tenant", 2, doors.outer(json!({ "tenant_id": null }), &[ORDER])),
        ("deny-permission", 2, doors.outer(json!({ "realm_access": null, "scope": "profile" }), &[ORDER])),
        ("deny-scope", 2, doors.outer(json!({ "scope": "profile" }), &[ORDER])),
        ("deny-role", 2, doors.outer(json!({}), &["-X", "DELETE", "/orders/7"])),
        ("deny-injected", 2, doors.outer(json!({ "plan": "gold\nplated" }), &[ORDER])),
    ];
    let differences: Vec<String> =
        cases.iter().filter_map(|(name, code, run)| doors.differs(name, *code, run)).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let texts = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/decide/golden")).unwrap();
    assert_eq!(texts.count(), cases.len(), "a text that no case has");
}

#[test]
fn json_says_the_same() {
    let doors = Doors::new("json");
    let run = doors.outer(json!({}), &["--json", "--cluster", "orders-1", "-H", "x_user_id: evil", ORDER]);
    let answer = run.json();
    assert_eq!((run.code, &answer["decision"], &answer["denial"]), (0, &json!("allowed"), &Value::Null));
    assert_eq!(
        answer["request"],
        json!({ "method": "GET", "asksAbout": null, "host": "api.example.com", "path": "/orders/7" })
    );
    assert_eq!(
        answer["route"],
        json!({ "name": "read-order", "access": "requirements", "preflight": false })
    );
    assert_eq!(answer["otherRoutes"][0], json!({ "name": "orders", "reason": "outdone", "by": "host" }));
    assert_eq!(
        answer["requirements"][0],
        json!({
            "kind": "permission", "anyOf": ["orders:read"], "met": true, "from": "claim /realm_access/roles",
            "way": ["system:owner", "orders:write", "orders:read"],
        })
    );
    assert_eq!(answer["headers"]["removed"], json!(["x_user_id", "authorization"]));
    let set = [("x-user-id", "alice"), ("x-tenant-id", "acme"), ("x-gateway-key", "(secret)")];
    let set = set.map(|(name, value)| json!({ "name": name, "value": value }));
    assert_eq!(answer["headers"]["set"], json!(set));

    let answer = doors.outer(json!({ "scope": "profile" }), &["--json", ORDER]).json();
    assert_eq!((&answer["stoppedAt"], &answer["headers"]), (&json!("requirement"), &Value::Null));
    assert_eq!(answer["denial"]["code"], "scope_missing");
    assert_eq!(answer["denial"]["status"], 403);
    let challenge = "Bearer realm=\"vestibule\", error=\"insufficient_scope\", scope=\"orders\"";
    assert_eq!(answer["denial"]["wwwAuthenticate"], challenge);
}

#[test]
fn other_routes_are_those_that_nearly_matched_and_at_most_ten() {
    let doors = Doors::new("routes");
    let mut routes = serde_json::Map::new();
    for number in 0..14 {
        let host = format!("host-{number}.test");
        routes
            .insert(format!("at-{number}"), json!({ "hosts": [host], "paths": ["/a"], "access": "public" }));
        let path = format!("/b/{number}");
        routes.insert(format!("on-{number}"), json!({ "paths": [path], "access": "public" }));
    }
    let configuration = json!({ "door": "outer", "default": "public", "routes": routes }).to_string();
    let configuration = file(&doors.directory, "many.json", configuration);
    let near = doors.ask(&configuration, &["/a"]);
    assert_eq!(near.out.matches("it would match, but for the host").count(), 10, "{}", near.out);
    assert!(near.out.contains("18 more do not match"), "{}", near.out);
    let all = doors.ask(&configuration, &["/a", "--routes", "all"]);
    assert_eq!(all.out.matches("not at-").count() + all.out.matches("not on-").count(), 28, "{}", all.out);
}

#[test]
fn nothing_in_a_request_or_a_token_steers_the_terminal() {
    let doors = Doors::new("terminal");
    let claims = json!({ "aud": "\u{1b}[2J\u{202e}", "iss": "https://issuer.test" });
    for arguments in [&[][..], &["--json"]] {
        let run = doors.outer(
            claims.clone(),
            &[arguments, &["https://api.example.com/orders/\u{1b}]0;x\u{7}"]].concat(),
        );
        let odd = run.out.chars().find(|char| *char != '\n' && !matches!(char, ' '..='~'));
        assert_eq!(odd, None, "{:?}", run.out);
        let run = doors.outer(claims.clone(), &[arguments, &[ORDER]].concat());
        let odd = run.out.chars().find(|char| *char != '\n' && !matches!(char, ' '..='~'));
        assert_eq!((odd, run.code), (None, 2), "{:?}", run.out);
        assert!(run.out.to_ascii_lowercase().contains("u{1b}") || run.out.contains("u001b"), "{}", run.out);
    }
}

#[test]
fn a_decision_is_about_the_time_that_is_named() {
    let doors = Doors::new("time");
    let bearer = format!("authorization: Bearer {}", token(json!({})));
    for (now, code) in [("1800000000", 0), ("2027-01-15T09:05:59+01:00", 0), ("2027-01-15T08:06:00Z", 2)] {
        let run = decide(&doors.outer, &["--now", now, &doors.keys, "-H", &bearer, ORDER]).run();
        assert_eq!(run.code, code, "{now}: {}", run.out);
    }
    decide(&doors.outer, &["--now", "yesterday"]).run().failed(1, "RFC 3339");
    decide(&doors.outer, &["--now", "-1", ORDER]).run().failed(1, "");
}

#[test]
fn user_information_of_an_authority_is_not_shown() {
    let directory = directory("user_information");
    for hosts in ["", r#""hosts":["a.test"],"#] {
        let routes = format!(r#"{{"a":{{{hosts}"paths":["/"],"access":"deny"}}}}"#);
        let configuration = format!(r#"{{"door":"outer","default":"deny","routes":{routes}}}"#);
        let configuration = file(&directory, "outer.json", configuration);
        for arguments in [&["--request", "-"][..], &["--json", "--request", "-"]] {
            let run = decide(&configuration, arguments).input(r#"{"authority":"u:s3cr3t@a.test"}"#);
            assert!(run.code == 2 && run.out.contains("(value)@a.test"), "{}{}", run.out, run.err);
            assert!(!run.out.contains("s3cr3t"), "{}", run.out);
        }
    }
}
