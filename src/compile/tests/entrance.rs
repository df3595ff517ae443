//! What `entrances` may not say.

use serde_json::json;

use super::*;
use crate::time::UnixTime;

#[test]
fn several_entrances_say_each_what_they_are_trusted_with() {
    let sha256 = "0".repeat(64);
    let scraper = json!({ "header": "x-scrape-key", "keys": { "k": { "sha256": sha256 } } });
    let two = with(inner(), "/entrances/scraper", scraper);
    let paths: Vec<String> =
        errors(&two).iter().map(|error| error.split(": ").next().unwrap().into()).collect();
    assert_eq!(paths, ["entrances.gateway.trust", "entrances.scraper.trust"]);
    let two = with(two, "/entrances/scraper/trust", json!("none"));
    let two = with(two, "/entrances/gateway/trust", json!({ "subject": "x-user-id" }));
    assert_eq!(errors(&two), [""; 0]);
}

#[test]
fn a_time_is_rfc_3339_to_the_second() {
    let path = "entrances.gateway.keys.first.notAfter";
    for bad in [
        "20300101T000000Z",
        "2030-01-01 00:00:00Z",
        "2030-01-01T00:00:00.5Z",
        "2030-13-01T00:00:00Z",
        "2030-01-01T00:00:00",
        "2030-01-01T00:00:00-05[America/New_York]",
        "1969-01-01T00:00:00Z",
        "soon",
    ] {
        refused(inner(), "/entrances/gateway/keys/first/notAfter", json!(bad), path);
    }
    let good = with(inner(), "/entrances/gateway/keys/first/notAfter", json!("2030-01-01T00:00:00+01:00"));
    assert_eq!(errors(&good), [""; 0]);
    refused(good, "/entrances/gateway/keys/first/notBefore", json!("2030-01-01T00:00:00Z"), path);
}

#[test]
fn a_time_past_32_bits_is_that_time() {
    let from_2107 = json!("2107-01-01T00:00:00Z");
    let document = with(inner(), "/entrances/gateway/keys/first/notBefore", from_2107);
    let policy = compile(&document, &Secrets::From(&environment)).unwrap().value;
    assert_eq!(policy.entrances[0].keys[0].not_before, Some(UnixTime::from_secs(4_323_283_200)));
}

#[test]
fn a_check_without_secrets_finds_every_other_fault() {
    let sha256 = "0".repeat(64);
    let keys = json!({ "a": { "env": "ABSENT" }, "b": { "sha256": sha256 }, "c": { "sha256": sha256 } });
    let document = with(inner(), "/entrances/gateway/keys", keys);
    let found = check(&document, &Secrets::Unchecked).unwrap_err();
    assert_eq!(found.iter().map(|error| error.path()).collect::<Vec<_>>(), ["entrances.gateway.keys.c"]);
    assert!(check(&inner(), &Secrets::Unchecked).is_ok());
}
