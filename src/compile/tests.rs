//! What a configuration may not say. Each case is one fault and the path under which it must be reported.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

mod context;
mod entrance;
mod example;
mod header;
mod issuer;
mod module;
mod neighbour;
mod publish;
mod remote;
mod route;
mod source;

use serde_json::{Value, json};

use super::{Compiled, Outline, Secrets, parse_document};
use crate::config::error::ConfigErrors;
use crate::policy::Policy;
use crate::time::UnixTime;

const PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcfkTBm69XjpRPhaDxaNULIExNap7\n\
    XXwEOlQF5EqvMcVqSgplPWj23XJ7b1fjxWVHIT1agyLq26lA1uw8JmASDA==\n\
    -----END PUBLIC KEY-----\n";
const KEY: &str = "0123456789abcdef0123456789abcdef";

/// 2027-01-15T08:00:00Z.
const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn compile(document: &Value, secrets: &Secrets<'_>) -> Result<Compiled<Policy>, ConfigErrors> {
    super::compile(document, secrets, NOW)
}

fn check(document: &Value, secrets: &Secrets<'_>) -> Result<Compiled<Outline>, ConfigErrors> {
    super::check(document, secrets, NOW)
}

fn outer() -> Value {
    json!({
        "door": "outer",
        "issuers": { "main": { "issuer": "https://i", "audiences": ["a"], "keys": [{ "pem": PEM }] } },
        "gatewayKey": { "key": { "env": "KEY" }, "to": ["inner"] },
    })
}

fn inner() -> Value {
    json!({ "door": "inner", "entrances": { "gateway": { "keys": { "first": { "env": "KEY" } } } } })
}

fn environment(name: &str) -> Option<String> {
    match name {
        "KEY" => Some(KEY.into()),
        "SHORT" => Some("short".into()),
        "SPACED" => Some(format!("{KEY}\n")),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn errors(document: &Value) -> Vec<String> {
    match compile(document, &Secrets::From(&environment)) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

/// The document with one place changed; a JSON Pointer names it, and null takes it away.
fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent =
        document.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}")).as_object_mut().unwrap();
    match value {
        Value::Null => parent.remove(name),
        value => parent.insert(name.into(), value),
    };
    document
}

/// The change makes exactly one error, at this path.
fn refused(document: Value, pointer: &str, value: Value, path: &str) {
    let errors = errors(&with(document, pointer, value.clone()));
    assert_eq!(errors.len(), 1, "{pointer} = {value}: {errors:?}");
    assert!(errors[0].starts_with(&format!("{path}: ")), "{pointer} = {value}: {errors:?}");
}

#[test]
fn the_configurations_that_the_others_are_changed_from_compile() {
    assert_eq!((errors(&outer()), errors(&inner())), (vec![], vec![]));
}

#[test]
fn an_emptied_field_is_an_error_and_never_a_wider_policy() {
    for (pointer, path) in [
        ("/issuers", "issuers"),
        ("/issuers/main/audiences", "issuers.main.audiences"),
        ("/issuers/main/keys", "issuers.main.keys"),
        ("/issuers/main/algorithms", "issuers.main.algorithms"),
        ("/issuers/main/types", "issuers.main.types"),
        ("/issuers/main/requiredClaims", "issuers.main.requiredClaims"),
        ("/issuers/main/identity", "issuers.main.identity"),
        ("/issuers/main/claims", "issuers.main.claims"),
        ("/issuers/main/denyKids", "issuers.main.denyKids"),
        ("/issuers/main/maxLifetime", "issuers.main.maxLifetime"),
        ("/issuers/main/confirmation", "issuers.main.confirmation"),
        ("/strip", "strip"),
        ("/inject", "inject"),
        ("/default", "default"),
        ("/limits", "limits"),
        ("/gatewayKey/to", "gatewayKey.to"),
        ("/gatewayKey/attach", "gatewayKey.attach"),
    ] {
        for empty in [json!([]), json!({}), json!("")] {
            refused(outer(), pointer, empty, path);
        }
    }
    let null = with(outer(), "/strip", json!([null]));
    assert_eq!(errors(&null), ["strip[0]: is null: remove it or fill it"]);
}

#[test]
fn a_choice_is_one_of_its_words_as_it_is_written() {
    for word in [json!("p"), json!("pas"), json!("passs"), json!("Pass"), json!(" pass"), json!(true)] {
        let errors = errors(&with(outer(), "/preflight", word));
        assert_eq!(errors, ["preflight: must be one of `pass`, `check`"]);
    }
    for word in ["pass", "check"] {
        assert_eq!(errors(&with(outer(), "/preflight", json!(word))), [""; 0]);
    }
}

#[test]
fn what_this_version_does_not_know_is_refused_by_name() {
    for field in ["contexts", "apiKeys", "Door", "gateway_key"] {
        refused(outer(), &format!("/{field}"), json!("x"), field);
    }
    refused(outer(), "/", json!("x"), "\"\"");
    refused(outer(), "/issuers/main/jwksUri", json!("x"), "issuers.main.jwksUri");
}

#[test]
fn what_belongs_to_one_door_is_refused_at_the_other() {
    let entrances = inner()["entrances"].clone();
    refused(outer(), "/entrances", entrances, "entrances");
    refused(inner(), "/gatewayKey", json!({ "key": { "env": "KEY" } }), "gatewayKey");
    assert_eq!(errors(&json!({ "door": "inner", "default": "public" })).len(), 1);
}

#[test]
fn what_is_attached_goes_one_way_whatever_it_is() {
    refused(outer(), "/gatewayKey/attach", json!("downstream"), "gatewayKey.attach");
    for attach in ["route", "upstream"] {
        assert_eq!(errors(&with(outer(), "/gatewayKey/attach", json!(attach))), [""; 0]);
    }
    for (field, value) in [("attach", json!("upstream")), ("to", json!(["inner"]))] {
        let document = with(outer(), "/context", json!({ "mint": { field: value } }));
        let said = format!("context.mint.{field}: is what `gatewayKey.{field}` says");
        assert!(errors(&document).iter().any(|error| error.starts_with(&said)), "{field}");
    }
}

#[test]
fn a_default_must_be_written_where_nothing_can_prove_a_principal() {
    refused(outer(), "/issuers", Value::Null, "default");
    refused(inner(), "/entrances/gateway/trust", json!("none"), "default");
}

#[test]
fn a_secret_is_named_and_never_shown() {
    for (value, path) in [
        (json!("the-secret-itself"), "gatewayKey.key"),
        (json!({ "env": "ABSENT" }), "gatewayKey.key.env"),
        (json!({ "env": "EMPTY" }), "gatewayKey.key.env"),
        (json!({ "env": "SPACED" }), "gatewayKey.key.env"),
        (json!({ "env": "SHORT" }), "gatewayKey.key"),
        (json!({ "env": "KEY", "encoding": "base64" }), "gatewayKey.key"),
        (json!({ "env": "not-a-name" }), "gatewayKey.key.env"),
    ] {
        refused(outer(), "/gatewayKey/key", value.clone(), path);
        let said = errors(&with(outer(), "/gatewayKey/key", value)).join("\n");
        for secret in ["the-secret-itself", KEY, "ABSENT", "not-a-name"] {
            assert!(!said.contains(secret), "{said}");
        }
    }
}

#[test]
fn faults_of_every_kind_come_together() {
    let document = json!({
        "door": "outer", "tenants": 1,
        "issuers": { "main": { "issuer": "i", "audiences": [], "leeway": "1d", "keys": [{ "pem": "x" }] } },
        "gatewayKey": { "key": { "env": "ABSENT" }, "to": ["*"] },
    });
    let found = compile(&document, &Secrets::From(&environment)).unwrap_err();
    let mut paths: Vec<&str> = found.iter().map(|error| error.path()).collect();
    paths.sort_unstable();
    let expected = [
        "gatewayKey.key.env",
        "gatewayKey.to[0]",
        "issuers.main.audiences",
        "issuers.main.keys[0].pem",
        "issuers.main.leeway",
        "tenants",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn a_missing_door_hides_no_other_fault() {
    let document = json!({ "tenant": "optional" });
    let found = compile(&document, &Secrets::From(&environment)).unwrap_err();
    assert_eq!(found.iter().map(|error| error.path()).collect::<Vec<_>>(), ["door", "default"]);
}

#[test]
fn errors_are_bounded_however_many_there_are() {
    let fields: String = (0..5000).map(|field| format!(",\"unknown{field}\":1")).collect();
    let document =
        parse_document(format!("{{\"door\":\"outer\",\"default\":\"public\"{fields}}}").as_bytes());
    let found: ConfigErrors = compile(&document.unwrap(), &Secrets::Unchecked).unwrap_err();
    assert_eq!(found.iter().count(), 101);
    assert!(found.to_string().ends_with("4900 more errors, which are not shown"));
}

#[test]
fn numbers_may_have_become_doubles_on_the_way() {
    let limits = |value| with(outer(), "/limits", json!({ "tokenBytes": value }));
    assert_eq!(errors(&limits(json!(4096.0))), [""; 0]);
    for bad in [json!(4096.5), json!(-1), json!(1e300), json!("4096"), json!(255), json!(65537)] {
        let path = "limits.tokenBytes";
        assert!(errors(&limits(bad.clone()))[0].starts_with(path), "{bad}");
    }
}

#[test]
fn a_list_or_map_of_more_than_100_entries_is_refused() {
    let names = |count: usize| (0..count).map(|number| format!("x-number-{number}"));
    let list = |count| with(outer(), "/strip", names(count).collect());
    let map = |count| {
        let injected = names(count).map(|name| (name, json!({"value": "x"}))).collect();
        with(outer(), "/inject", Value::Object(injected))
    };
    assert_eq!((errors(&list(100)), errors(&map(100))), (vec![], vec![]));
    assert_eq!(errors(&list(101)), ["strip: has 101 entries, and at most 100 are accepted"]);
    assert_eq!(errors(&map(101)), ["inject: has 101 entries, and at most 100 are accepted"]);
}

/// A number cut to 32 bits would be another one, and a good one.
#[test]
fn a_number_that_is_good_in_its_lowest_32_bits_is_refused_all_the_same() {
    const CUT: u64 = 1 << 32;
    for (limit, good) in [
        ("tokenBytes", 65_536_u64),
        ("jsonDepth", 100),
        ("signatureTries", 16),
        ("moduleSignatureTries", 4),
        ("injectedBytes", 32_768),
    ] {
        let limits = |value| with(outer(), "/limits", json!({ limit: value }));
        assert_eq!(errors(&limits(json!(good))), [""; 0], "{limit}");
        #[expect(clippy::cast_precision_loss, reason = "the sum has 33 bits")]
        for bad in [json!(good + CUT), json!((good + CUT) as f64), json!(good + 1)] {
            assert!(
                errors(&limits(bad.clone()))[0].starts_with(&format!("limits.{limit}: ")),
                "{limit}: {bad}"
            );
        }
    }
}

#[test]
fn a_duration_that_is_good_in_its_lowest_32_bits_is_refused_all_the_same() {
    let (leeway, path) = ("/issuers/main/leeway", "issuers.main.leeway");
    assert_eq!(errors(&with(outer(), leeway, json!("300000ms"))), [""; 0]);
    // 60 seconds and 2^32 milliseconds, seconds, or thereabouts.
    for bad in ["4295027296ms", "4294967356s", "71582790m", "1193047h", "18446744073709611616ms"] {
        refused(outer(), leeway, json!(bad), path);
    }
    // In milliseconds, a year is more than 32 bits hold.
    assert_eq!(errors(&with(outer(), "/issuers/main/maxLifetime", json!("8784h"))), [""; 0]);
}
