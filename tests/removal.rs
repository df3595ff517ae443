//! A credential that must not be forwarded leaves nothing behind that some server would read as one, and
//! nothing else goes with it: for whatever soup of names, separators and escapes a client sends.
//!
//! The readers here are written down once more, each as the servers of its kind do it, and share nothing with
//! the door.

#![allow(clippy::expect_used, reason = "a test that cannot go on fails where it stands")]

use std::thread::LocalKey;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::keyring::Keys;
use vestibule::mutation;
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::time::UnixTime;

const NAME: &str = "access_token";

type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// A door that reads every kind of place and forwards nothing.
fn door(access: &str) -> Policy {
    let configuration = json!({ "door": "outer", "default": access, "issuers": { "main": {
        "issuer": "https://issuer.test", "audiences": ["a"], "keys": [{ "secret": { "env": "SECRET" } }],
        "sources": [
            { "header": "authorization", "scheme": "Bearer" }, { "header": "access-token" },
            { "cookie": NAME }, { "query": NAME },
        ],
    } } });
    let variable = |_: &str| Some("0123456789abcdef0123456789abcdef".to_owned());
    compile::compile(&configuration, &Secrets::From(&variable), UnixTime::from_secs(1_800_000_000))
        .expect("the configuration is good")
        .value
}

thread_local! {
    /// What verifies, though no soup comes that far: settling it takes longer than all the rest.
    static KEYS: Keys = Keys::in_module();
    static PUBLIC: Policy = door("public");
    static OPTIONAL: Policy = door("optional");
}

/// What the upstream sees; none where the door denies.
fn forwarded(door: &'static LocalKey<Policy>, headers: &Headers) -> Option<Headers> {
    let pairs = headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    let request = Request::new(pairs);
    let now = UnixTime::from_secs(1_800_000_000);
    match door.with(|policy| KEYS.with(|keys| policy::decide(policy, keys, &request, now))) {
        Decision::Permit(permit) => {
            assert!(permit.principal().is_none(), "no soup has a good token");
            Some(mutation::apply(request.headers(), permit.mutations()))
        }
        Decision::Denial(_) | Decision::AwaitKeys(_) | Decision::Publish(_) => None,
    }
}

fn request(path: &[u8], cookies: &[Vec<u8>]) -> Headers {
    let header = |name: &str, value: &[u8]| (name.as_bytes().to_vec(), value.to_vec());
    let cookies = cookies.iter().map(|value| header("cookie", value));
    [header(":method", b"GET"), header(":path", path)].into_iter().chain(cookies).collect()
}

fn values(headers: &Headers, name: &str) -> Vec<Vec<u8>> {
    headers.iter().filter(|(given, _)| given == name.as_bytes()).map(|(_, value)| value.clone()).collect()
}

fn sorted(mut headers: Headers) -> Headers {
    headers.sort();
    headers
}

/// A public door forwards without a trace, a door that looks finds nothing in what was forwarded, and it
/// finds something exactly where something was removed.
fn check_doors(sent: &Headers) -> Headers {
    let upstream = forwarded(&PUBLIC, sent).expect("a public door denies nobody");
    let again = forwarded(&OPTIONAL, &upstream).expect("what was forwarded holds no credential");
    assert_eq!(sorted(again), sorted(upstream.clone()));
    let looked_at = forwarded(&OPTIONAL, sent);
    let untouched = sorted(upstream.clone()) == sorted(sent.clone());
    assert_eq!(looked_at.is_some(), untouched, "what is removed is found, and what is found is removed");
    upstream
}

/// RFC 3986 section 2.1, and `+` for a space where it is a form.
fn decode(text: &[u8], form: bool) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let digits = text.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match (byte, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
                continue;
            }
            (b'+', _) if form => decoded.push(b' '),
            (byte, _) => decoded.push(*byte),
        }
        at += 1;
    }
    decoded
}

fn before(text: &[u8], end: u8) -> &[u8] {
    text.split(|byte| *byte == end).next().unwrap_or_default()
}

/// The names under which servers file what is called this: as it stands, decoded, trimmed, and as PHP does.
fn filed(name: &[u8], form: bool) -> Vec<Vec<u8>> {
    let decoded = decode(name, form);
    let start = decoded.iter().take_while(|byte| **byte == b' ').count();
    let php = before(decoded.get(start..).unwrap_or_default(), 0).to_vec();
    let closes = php
        .iter()
        .position(|byte| *byte == b'[')
        .is_some_and(|at| php.iter().skip(at).any(|byte| *byte == b']'));
    let php = if closes { before(&php, b'[').to_vec() } else { php };
    let php = php.iter().map(|byte| if matches!(byte, b'.' | b' ' | b'[') { b'_' } else { *byte }).collect();
    vec![name.to_vec(), decoded.trim_ascii().to_vec(), decoded, php]
}

fn is_filed(name: &[u8], form: bool) -> bool {
    filed(name, form).iter().any(|filed| filed == NAME.as_bytes())
}

fn query(path: &[u8]) -> Option<&[u8]> {
    path.splitn(2, |byte| *byte == b'?').nth(1)
}

/// Whether some decoding finds the beginning of the name anywhere.
fn mentions_it(text: &[u8]) -> bool {
    decode(text, true).windows(6).any(|window| window == b"access")
}

/// Whether a server reads the parameter, separating at `&` or at `;` too, and taking the query for itself in
/// any of the usual ways.
fn query_has_it(path: &[u8]) -> bool {
    let Some(query) = query(path) else { return false };
    let by_ampersand = query.split(|byte| *byte == b'&');
    let by_both = query.split(|byte| matches!(byte, b'&' | b';'));
    by_ampersand.chain(by_both).any(|parameter| {
        let name = before(parameter, b'=');
        is_filed(name, true) || name.strip_prefix(b"?").is_some_and(|name| is_filed(name, true))
    })
}

/// Whether a server reads the cookie: separating at `;`, at `,` too, or like Python's `http.cookies`, which
/// also ends a value at white space. PHP separates at `;` only.
fn cookies_have_it(header: &[u8]) -> bool {
    let name = |pair| before(pair, b'=').trim_ascii();
    let mut by_semicolon = header.split(|byte| *byte == b';');
    let by_comma = header.split(|byte| matches!(byte, b';' | b','));
    let by_word = header.split(|byte| matches!(byte, b';' | b',' | b' ' | b'\t'));
    // A bare word is a cookie where it is all there is between two `;`.
    let mut with_value = by_comma.chain(by_word).filter(|pair| pair.contains(&b'='));
    by_semicolon.any(|pair| is_filed(name(pair), false))
        || with_value.any(|pair| decode(name(pair), false).trim_ascii() == NAME.as_bytes())
}

const PIECES: [&str; 36] = [
    "access_token",
    "access.token=",
    "access token=",
    "access_token=",
    "access_token=x",
    "access",
    "_",
    "token",
    "%61ccess",
    "access%5Ftoken",
    "%5f",
    "Access_Token",
    "a",
    "=",
    "=",
    "&",
    "&",
    ";",
    ";",
    "; ",
    ",",
    ", ",
    " ",
    "\t",
    "+",
    "%20",
    "?",
    "#",
    "[",
    "]",
    ".",
    "%",
    "%00",
    "%25",
    "\u{a0}",
    "\"",
];

fn soup() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(select(&PIECES[..]), 0..9).prop_map(|pieces| pieces.concat().into_bytes())
}

/// What nobody may touch, and soup, one after another.
fn with_harmless(harmless: &'static str) -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop_oneof![Just(harmless.as_bytes().to_vec()), soup()], 1..5)
}

const HARMLESS_PARAMETER: &str = "h=%31+?/#access_token;;i;\u{e9}=access_token";
const HARMLESS_COOKIE: &str = "h=\"%31\"= access_token ,i ";

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_parameter_is_left_and_everything_else_is(parts in with_harmless(HARMLESS_PARAMETER)) {
        let path = [b"/access_token=a%20b;access_token=?".as_slice(), &parts.join(&b'&')].concat();
        let upstream = check_doors(&request(&path, &[]));
        let left = values(&upstream, ":path").concat();
        prop_assert!(!query_has_it(&left), "{} became {}", path.escape_ascii(), left.escape_ascii());
        prop_assert_eq!(before(&left, b'?'), before(&path, b'?'));
        let (query, query_left) = (query(&path).unwrap_or_default(), query(&left));
        let harmless = |query: &[u8]| {
            query.split(|byte| *byte == b'&').filter(|part| part == &HARMLESS_PARAMETER.as_bytes()).count()
        };
        prop_assert_eq!(harmless(query_left.unwrap_or_default()), harmless(query), "{}", left.escape_ascii());
        prop_assert!(left == path || query_left != Some(b""), "{} ends in nothing", left.escape_ascii());
        prop_assert!(left == path || mentions_it(query), "{} became {}", path.escape_ascii(), left.escape_ascii());
    }

    #[test]
    fn no_cookie_is_left_and_everything_else_is(copies in prop::collection::vec(with_harmless(HARMLESS_COOKIE), 1..3)) {
        let sent: Vec<Vec<u8>> = copies.iter().map(|parts| parts.join(&b';').trim_ascii().to_vec()).collect();
        let upstream = check_doors(&request(b"/", &sent));
        let left = values(&upstream, "cookie").join(&b';');
        prop_assert!(!cookies_have_it(&left), "{:?} became {}", copies, left.escape_ascii());
        let pairs = |values: &[u8]| -> Vec<Vec<u8>> {
            let pairs = values.split(|byte| *byte == b';').map(|pair| pair.trim_ascii().to_vec());
            pairs.filter(|pair| !pair.is_empty()).collect()
        };
        let (before, after) = (pairs(&sent.join(&b';')), pairs(&left));
        let mut rest = before.iter();
        prop_assert!(after.iter().all(|pair| rest.any(|known| known == pair)), "{}", left.escape_ascii());
        let harmless = |pairs: &[Vec<u8>]| {
            pairs.iter().filter(|pair| *pair == HARMLESS_COOKIE.as_bytes().trim_ascii()).count()
        };
        prop_assert_eq!(harmless(&after), harmless(&before), "{}", left.escape_ascii());
        let untouched = values(&upstream, "cookie") == sent;
        prop_assert!(untouched || sent.iter().any(|value| mentions_it(value)), "{}", left.escape_ascii());
    }
}
