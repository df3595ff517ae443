//! Wrong answers, each of which is seen: a cluster is played that answers as the table says, or otherwise.

use std::cell::RefCell;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Output};
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::requests::{ClusterWords, ISSUER, outcome};
use super::tokens::{self, AUDIENCE};
use crate::support::table::{Row, Table};

/// What a played cluster does with a row's request, given what is expected of it.
type Playing = fn(&Value) -> Output;

/// The names of the rows that differ from the table where requests are answered so.
fn differing(playing: Playing) -> Vec<String> {
    let names = |difference: &String| difference.split(": expected").next().unwrap_or_default().to_owned();
    played(playing).0.iter().map(names).collect()
}

/// The differences, and what `kubectl` was told.
fn played(playing: Playing) -> (Vec<String>, Vec<Vec<String>>) {
    let table = Table::read();
    let expected = Rc::new(RefCell::new(Value::Null));
    let told = Rc::new(RefCell::new(Vec::new()));
    let (asked, heard) = (Rc::clone(&expected), Rc::clone(&told));
    let cluster = Cluster::answering(move |arguments| {
        heard.borrow_mut().push(arguments.to_vec());
        answer(arguments, &asked.borrow(), playing)
    });
    let words = ClusterWords::new(&cluster, &table);
    let differences = table.differences(|row| {
        *expected.borrow_mut() = json!({ "expect": row.expect, "method": row.method, "token": row.token,
            "context": row.name.contains("context") || row.from.starts_with("b") });
        outcome(&words, row)
    });
    let told = told.borrow().clone();
    (differences, told)
}

fn answer(arguments: &[String], row: &Value, playing: Playing) -> Output {
    let has = |text: &str| arguments.iter().any(|argument| argument.contains(text));
    if has("secret") && has("json") && !has("curl") {
        let value = STANDARD.encode("secret");
        return said(&json!({ "data": { "password": value, "gateway-key-first": value } }).to_string());
    }
    if let Some(client) = arguments.iter().find_map(|argument| argument.strip_prefix("client_id=")) {
        return said(&http("200 OK", "", &json!({ "access_token": token(client) })));
    }
    // The good request by which the context comes, and not the row's own.
    let for_context = has("api.kind.example.com/blog/1")
        && arguments.iter().filter(|argument| *argument == "--header").count() == 1
        && row["context"] == true;
    if for_context && !has("txn-token: ") {
        let headers = json!([["txn-token", "of-this-request"], ["x-user-id", "alice"]]);
        return said(&http("200 OK", "x-echo: blog\r\n", &json!({ "headers": headers })));
    }
    let mut expect = row["expect"].clone();
    expect["service"] = json!(if has("http://orders.") { "orders" } else { "blog" });
    expect["plaintext"] = json!(has("http://blog."));
    playing(&expect)
}

/// As the table says.
fn rightly(expect: &Value) -> Output {
    if let Some(headers) = expect["served"].as_object() {
        return served(expect, headers.iter().map(|(name, value)| json!([name, value])).collect());
    }
    if expect["connection"] == "refused" {
        return ended(56, "curl: (56) tlsv13 alert certificate required");
    }
    said(&http(&format!("{} Whatever", expect["status"]), "", &json!({ "code": expect["code"] })))
}

fn served(expect: &Value, headers: Vec<Value>) -> Output {
    let echo = format!("x-echo: {}\r\n", expect["service"].as_str().unwrap_or_default());
    said(&http("200 OK", &echo, &json!({ "headers": headers })))
}

/// Everybody comes through as alice.
fn open(expect: &Value) -> Output {
    served(
        expect,
        vec![
            json!(["x-user-id", "alice"]),
            json!(["x-tenant-id", "acme"]),
            json!(["x-user-permissions", "blog:read"]),
        ],
    )
}

fn http(status: &str, headers: &str, body: &Value) -> String {
    let body = body.to_string();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

fn said(text: &str) -> Output {
    Output { status: ExitStatus::from_raw(0), stdout: text.into(), stderr: Vec::new() }
}

fn ended(code: i32, error: &str) -> Output {
    Output { status: ExitStatus::from_raw(code << 8), stdout: Vec::new(), stderr: error.into() }
}

/// A token as the realm issues it to this client, but for the signature.
fn token(client: &str) -> String {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let mut payload = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "tenant_id": "acme", "permissions": ["blog:read"],
        "exp": now + 300,
    });
    match client {
        "writer" => payload["permissions"] = json!(["blog:write", "blog:read"]),
        "expired" => payload["exp"] = json!(now - 3600),
        "other-audience" => payload["aud"] = json!("https://shop.example.com"),
        "other-issuer" => payload["iss"] = json!("https://login.kind.example.com/realms/elsewhere"),
        "no-tenant" => drop(payload.as_object_mut().map(|payload| payload.remove("tenant_id"))),
        _ => assert_eq!(client, "good"),
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(&json!({ "alg": "RS256" })), part(&payload), URL_SAFE_NO_PAD.encode("signature"))
}

fn rows(matching: impl Fn(&Row) -> bool) -> Vec<String> {
    let table = Table::read();
    table.requests().iter().filter(|row| matching(row)).map(|row| row.name.clone()).collect()
}

fn is_served(row: &Row) -> bool {
    row.expect.get("served").is_some()
}

#[test]
fn answers_as_the_table_says_are_right() {
    assert_eq!(differing(rightly), Vec::<String>::new());
}

#[test]
fn a_door_that_is_open_is_seen() {
    let alice = json!({ "x-user-id": "alice", "x-tenant-id": "acme", "x-user-permissions": "blog:read" });
    let others = rows(|row| row.expect["served"] != alice);
    assert_eq!(differing(open), others);
}

#[test]
fn a_forged_header_beside_the_right_one_is_seen() {
    let forged: Playing = |expect| match expect["served"].as_object() {
        None => rightly(expect),
        Some(headers) => {
            let forged = json!(["x-tenant-id", "evil"]);
            let headers = headers.iter().map(|(name, value)| json!([name, value]));
            served(expect, std::iter::once(forged).chain(headers).collect())
        }
    };
    assert_eq!(differing(forged), rows(is_served));
}

#[test]
fn a_token_that_reaches_a_service_is_seen() {
    let forwarded: Playing = |expect| match expect["served"].as_object() {
        None => rightly(expect),
        Some(headers) => {
            let token = json!(["Authorization", "Bearer x"]);
            let headers = headers.iter().map(|(name, value)| json!([name, value]));
            served(expect, headers.chain([token]).collect())
        }
    };
    assert_eq!(differing(forwarded), rows(is_served));
}

#[test]
fn an_answer_that_is_not_of_the_service_is_none_of_the_service() {
    let stranger: Playing = |expect| match expect["served"] {
        Value::Null => rightly(expect),
        _ => said(&http("200 OK", "", &json!({ "headers": [] }))),
    };
    assert_eq!(differing(stranger), rows(is_served));
}

#[test]
fn an_answer_of_the_other_service_is_none_of_the_one_that_was_called() {
    let other: Playing = |expect| {
        let mut expect = expect.clone();
        expect["service"] = json!(if expect["service"] == "blog" { "orders" } else { "blog" });
        rightly(&expect)
    };
    assert_eq!(differing(other), rows(is_served));
}

#[test]
fn a_refusal_by_a_policy_is_no_denial_by_the_door() {
    let policy: Playing = |expect| match expect["status"].as_u64() {
        None => rightly(expect),
        Some(_) => said("HTTP/1.1 403 Forbidden\r\ncontent-length: 19\r\n\r\nRBAC: access denied"),
    };
    assert_eq!(differing(policy), rows(|row| row.expect.get("status").is_some()));
}

#[test]
fn a_sidecar_that_takes_plaintext_is_seen() {
    let permissive: Playing = |expect| match (&expect["connection"], &expect["plaintext"]) {
        (Value::String(_), Value::Bool(true)) => served(expect, Vec::new()),
        (Value::String(_), _) => ended(35, "curl: (35) wrong version number"),
        _ => rightly(expect),
    };
    assert_eq!(differing(permissive), rows(|row| row.expect.get("connection").is_some()));
}

#[test]
fn a_request_that_comes_to_nothing_is_nothing() {
    // A name that is in no DNS, a connection that nobody takes, one that times out.
    let nothing: [Playing; 3] = [
        |expect| {
            if expect["connection"].is_null() { rightly(expect) } else { ended(6, "Could not resolve host") }
        },
        |expect| if expect["connection"].is_null() { rightly(expect) } else { ended(7, "Failed to connect") },
        |expect| if expect["connection"].is_null() { rightly(expect) } else { ended(28, "timed out") },
    ];
    for playing in nothing {
        assert_eq!(differing(playing), rows(|row| row.expect.get("connection").is_some()));
    }
    // A pod that is not there; and a connection that ends where the mesh should have carried it.
    let all = rows(|_| true);
    let answered = rows(|row| row.expect.get("connection").is_none());
    assert_eq!(differing(|_| ended(1, "Error from server (NotFound)")), all);
    assert_eq!(differing(|_| ended(56, "Connection reset by peer")), answered);
    assert_eq!(differing(|_| said("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\ncut off")), all);
}

#[test]
#[should_panic(expected = "tenant_id")]
fn a_token_that_is_not_what_its_row_says_is_not_sent() {
    let table = Table::read();
    tokens::check("good", &token("no-tenant"), &table.tokens["good"], ISSUER, tokens::now());
}

#[test]
fn requests_are_sent_as_they_stand_in_the_table() {
    let (_, told) = played(rightly);
    let sent = |texts: &[&str]| {
        told.iter()
            .any(|arguments| texts.iter().all(|text| arguments.iter().any(|argument| argument == text)))
    };
    for texts in [
        &["https://api.kind.example.com/blog/1;x=/healthz", "--path-as-is", "--globoff"] as &[_],
        &["https://api.kind.example.com/blog%2f1"],
        &["X-Tenant-ID: evil"],
        &["x_tenant_id: evil"],
        &["--request", "PATCH"],
        &["deployment/billing", "http://blog.shop.svc.cluster.local/blog/1", "x-gateway-key: secret"],
        &[
            "deployment/past-the-gateway",
            "http://blog.shop.svc.cluster.local/blog/1",
            "x-gateway-key: secret",
        ],
        &["deployment/stranger", "https://blog.shop.svc.cluster.local:80/blog/1", "x-gateway-key: secret"],
        &["deployment/stranger", "/forged/tls.crt"],
        &["deployment/blog", "http://orders.shop.svc.cluster.local/blog/1", "txn-token: of-this-request"],
        &["deployment/billing", "http://orders.shop.svc.cluster.local/blog/1", "txn-token: of-this-request"],
    ] {
        assert!(sent(texts), "{texts:?}");
    }
    let copies = |arguments: &Vec<String>| {
        arguments.iter().filter(|argument| argument.starts_with("authorization: Bearer ")).count()
    };
    assert_eq!(told.iter().map(copies).max(), Some(2), "two authorization headers are two");
    let tokens = told.iter().flatten().filter_map(|argument| argument.strip_prefix("authorization: Bearer "));
    let none =
        |token: &&str| token.starts_with(&URL_SAFE_NO_PAD.encode(json!({ "alg": "none" }).to_string()));
    assert_eq!(tokens.filter(none).count(), 1, "a token says `alg: none`");
}
