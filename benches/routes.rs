//! What routes and permissions cost, natively: `make bench-native`. It judges nothing.
//!
//! What of it is the same in a real Envoy is measured by `make bench`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement that cannot go on ends with the reason"
)]

use std::collections::BTreeMap;

use divan::{Bencher, black_box};
use jwt_simple::algorithms::{HS256Key, MACLike as _};
use serde_json::{Value, json};
use vestibule::access::grants::Grants;
use vestibule::access::requirements::Permission;
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::jose::base64url;
use vestibule::keyring::Keys;
use vestibule::path::CanonicalPath;
use vestibule::policy::{self, Policy};
use vestibule::principal::{Grant, Principal};
use vestibule::request::Request;
use vestibule::route::host::{CanonicalHost, HostPattern};
use vestibule::route::method::Methods;
use vestibule::route::table::Table;
use vestibule::route::template::Template;
use vestibule::time::UnixTime;

const NOW: u64 = 1_800_000_000;
const SECRET: &str = "a-secret-that-stands-in-this-file-and-guards-nothing";
const COUNTS: [usize; 4] = [10, 100, 1_000, 10_000];

fn main() {
    divan::main();
}

/// Host, methods and path of the route of this number, of the kinds that there are in a large mesh.
fn route(number: usize) -> (Option<String>, Option<&'static str>, String) {
    match number % 10 {
        0 => (Some(format!("t{number}.example.com")), None, "/{*rest}".into()),
        1 => (Some(format!("*.r{number}.example.com")), None, format!("/v1/area-{number}/{{id}}")),
        2 => (None, None, format!("/static-{number}/{{*rest}}")),
        3 | 4 => (None, None, format!("/v1/service-{number}/orders/{{order}}/items/{{item}}")),
        5 => (None, Some("GET"), format!("/v1/{{tenant}}/report-{number}")),
        _ => (None, Some("GET"), format!("/v1/service-{number}/orders/{{id}}")),
    }
}

fn table(count: usize) -> Table {
    let mut table = Table::default();
    for number in 0..count {
        let (host, methods, path) = route(number);
        let host = host.map(|host| HostPattern::parse(&host).expect("a host"));
        let methods = methods.map_or(Methods::Any, |method| Methods::named(&[method]));
        let template = Template::parse(&path).expect("a template");
        table.insert(host.as_ref(), &template, &methods, number).expect("no two of them tie");
    }
    table
}

fn config(count: usize) -> Value {
    let access = |number: usize| json!({ "permissions": [format!("service-{}:read", number % 50)] });
    let routes: serde_json::Map<String, Value> = (0..count)
        .map(|number| {
            let (host, method, path) = route(number);
            let mut route = json!({ "paths": [path], "access": access(number) });
            if let Some(host) = host {
                route["hosts"] = json!([host]);
            }
            if let Some(method) = method {
                route["methods"] = json!([method]);
            }
            (format!("r{number}"), route)
        })
        .collect();
    json!({
        "door": "outer", "routes": routes, "limits": { "tokenBytes": 65_536 },
        "issuers": { "main": {
            "issuer": "https://issuer.test", "audiences": ["*"], "keys": [{ "secret": { "env": "SECRET" } }],
        } },
    })
}

fn compiled(config: &Value) -> Policy {
    let secret = |_: &str| Some(SECRET.to_owned());
    match compile::compile(config, &Secrets::From(&secret), UnixTime::from_secs(NOW)) {
        Ok(compiled) => compiled.value,
        Err(errors) => panic!("{errors}"),
    }
}

fn token(permissions: &[String]) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let payload = json!({
        "iss": "https://issuer.test", "sub": "alice", "tenant_id": "acme", "exp": NOW + 300, "permissions": permissions,
        "roles": ["auditor"],
    });
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#),
        URL_SAFE_NO_PAD.encode(payload.to_string())
    );
    let tag = HS256Key::from_bytes(SECRET.as_bytes()).authentication_tag(input.as_bytes());
    let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag));
    assert!(token.split('.').all(|part| base64url(part.as_bytes()).is_some()));
    token
}

/// A request that is found: of a route in the middle.
#[divan::bench(args = COUNTS)]
fn find_hit(bencher: Bencher<'_, '_>, count: usize) {
    let number = count / 20 * 10 + 6;
    find(bencher, &table(count), &format!("/v1/service-{number}/orders/7"), Some(number));
}

/// A request that is on no route.
#[divan::bench(args = COUNTS)]
fn find_miss(bencher: Bencher<'_, '_>, count: usize) {
    find(bencher, &table(count), "/v1/nobody/knows/this", None);
}

/// Every template has every mix of `a` and `{x}` before its end, so that each that is tried leads nowhere: the
/// dearest that so many routes can make of a path. A door is not let have more of them.
#[divan::bench(args = [3, 6, 8])]
fn find_worst(bencher: Bencher<'_, '_>, length: u32) {
    let mut table = Table::default();
    for mix in 0..1_usize << length {
        let segment = |position| match mix >> position & 1 {
            0 => "/a".to_owned(),
            _ => format!("/{{x{position}}}"),
        };
        let path: String = (0..length).map(segment).chain(["/end".to_owned()]).collect();
        let template = Template::parse(&path).expect("a template");
        table.insert(None, &template, &Methods::Any, mix).expect("no two of them tie");
    }
    find(bencher, &table, &format!("{}/other", "/a".repeat(length as usize)), None);
}

fn find(bencher: Bencher<'_, '_>, table: &Table, path: &str, found: Option<usize>) {
    let host = CanonicalHost::parse(b"api.eu.example.com");
    let path = CanonicalPath::parse(path.as_bytes()).expect("a path");
    let find = || table.find(black_box(host.as_ref()), black_box(&path), black_box(b"GET"));
    assert_eq!(find(), found);
    bencher.bench_local(find);
}

/// A whole decision about a token that was seen before.
#[divan::bench(args = COUNTS)]
fn decide_warm(bencher: Bencher<'_, '_>, count: usize) {
    let (policy, keys) = (compiled(&config(count)), Keys::in_module());
    let number = count / 20 * 10 + 6;
    let bearer = format!("Bearer {}", token(&[format!("service-{}:read", number % 50)]));
    let path = format!("/v1/service-{number}/orders/7");
    let headers: Vec<(&[u8], &[u8])> = vec![
        (b":authority", b"api.eu.example.com"),
        (b":method", b"GET"),
        (b":path", path.as_bytes()),
        (b"user-agent", b"bench"),
        (b"accept", b"*/*"),
        (b"authorization", bearer.as_bytes()),
    ];
    let request = Request::new(headers);
    let decide = || policy::decide(&policy, &keys, black_box(&request), UnixTime::from_secs(NOW));
    assert!(matches!(decide(), Decision::Permit(_)));
    bencher.bench_local(decide);
}

#[divan::bench(args = COUNTS, max_time = 5)]
fn compile_routes(bencher: Bencher<'_, '_>, count: usize) {
    let text = config(count).to_string();
    bencher.bench_local(|| {
        let document = compile::parse_document(black_box(text.as_bytes())).expect("it is JSON");
        compiled(&document)
    });
}

const HELD: [usize; 4] = [1, 10, 100, 1_000];

/// The principal of a token that was proved, with so many permissions, the last of which is this.
fn principal(count: usize, last: &str) -> Principal {
    let mut permissions: Vec<String> =
        (1..count).map(|number| format!("service-{number}:some-action")).collect();
    permissions.push(last.into());
    let mut config = config(0);
    config.as_object_mut().expect("an object").remove("routes");
    let bearer = format!("Bearer {}", token(&permissions));
    let headers: Vec<(&[u8], &[u8])> =
        vec![(b":method", b"GET"), (b":path", b"/"), (b"authorization", bearer.as_bytes())];
    // As long as this principal's headers would be they are injected nowhere here.
    config["inject"] = json!({ "x-user-permissions": "none" });
    let decision = policy::decide(
        &compiled(&config),
        &Keys::in_module(),
        &Request::new(headers),
        UnixTime::from_secs(NOW),
    );
    match decision {
        Decision::Permit(permit) => permit.principal().expect("a token was there").clone(),
        other => panic!("{other:?}"),
    }
}

fn grant(name: &str) -> Grant {
    Grant::parse(name.as_bytes()).expect("a grant")
}

fn check(bencher: Bencher<'_, '_>, count: usize, last: &str, implied: &[(&str, &str)], is_held: bool) {
    let implied = implied.iter().map(|(name, implied)| (grant(name), vec![grant(implied)]));
    let grants = Grants::new(implied.collect::<BTreeMap<_, _>>()).expect("no cycle");
    let (permission, principal) = (Permission::new(grant("wanted:action"), &grants), principal(count, last));
    assert_eq!(permission.held_by(&principal).is_some(), is_held);
    bencher.bench_local(|| black_box(&permission).held_by(black_box(&principal)).is_some());
}

#[divan::bench(args = HELD)]
fn permission_itself_last(bencher: Bencher<'_, '_>, count: usize) {
    check(bencher, count, "wanted:action", &[], true);
}

#[divan::bench(args = HELD)]
fn permission_by_star_last(bencher: Bencher<'_, '_>, count: usize) {
    check(bencher, count, "wanted:*", &[], true);
}

#[divan::bench(args = HELD)]
fn permission_by_grants_last(bencher: Bencher<'_, '_>, count: usize) {
    let grants =
        [("wanted:admin", "wanted:write"), ("wanted:write", "wanted:action"), ("owner", "wanted:admin")];
    check(bencher, count, "wanted:admin", &grants, true);
}

#[divan::bench(args = HELD)]
fn permission_missing_with_grants(bencher: Bencher<'_, '_>, count: usize) {
    let grants =
        [("wanted:admin", "wanted:write"), ("wanted:write", "wanted:action"), ("owner", "wanted:admin")];
    check(bencher, count, "other:action", &grants, false);
}
