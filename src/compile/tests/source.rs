//! What `sources` may not say.

use serde_json::{Value, json};

use super::*;

fn one(source: Value) -> Value {
    with(outer(), "/issuers/main/sources", json!([source]))
}

#[test]
fn every_form_of_source_compiles() {
    for source in [
        json!({ "header": "authorization", "scheme": "Bearer" }),
        json!({ "header": "Authorization", "scheme": "DPoP", "forward": "verified" }),
        json!({ "header": "proxy-authorization", "scheme": "bearer", "forward": "always" }),
        json!({ "header": "x-api-token", "forward": "none" }),
        json!({ "cookie": "__Host-session" }),
        json!({ "query": "access_token" }),
    ] {
        assert_eq!(errors(&one(source.clone())), [""; 0], "{source}");
    }
}

#[test]
fn a_source_is_one_place_that_can_be_one() {
    let path = "issuers.main.sources[0]";
    for (source, at) in [
        (json!({ "forward": "none" }), ""),
        (json!({ "header": "x-a", "cookie": "a" }), ""),
        (json!({ "cookie": "a", "query": "a" }), ""),
        (json!({ "header": "x-a", "scheme": "A", "query": "a" }), ""),
        (json!({ "cookie": "a", "scheme": "Bearer" }), ".scheme"),
        (json!({ "query": "a", "scheme": "Bearer" }), ".scheme"),
        (json!({ "header": "x-a", "scheme": "Bearer " }), ".scheme"),
        (json!({ "header": "x-a", "scheme": "a,b" }), ".scheme"),
        (json!({ "header": "x-a", "scheme": "" }), ".scheme"),
        (json!({ "header": "x-a", "scheme": 1 }), ".scheme"),
        (json!({ "header": "x a" }), ".header"),
        (json!({ "header": ":path" }), ".header"),
        (json!({ "header": "" }), ".header"),
        (json!({ "header": "Cookie" }), ".header"),
        (json!({ "header": "connection" }), ".header"),
        (json!({ "header": "te" }), ".header"),
        (json!({ "header": "host" }), ".header"),
        (json!({ "header": "x-forwarded-access-token" }), ".header"),
        (json!({ "header": "x-envoy-token" }), ".header"),
        (json!({ "cookie": "a b" }), ".cookie"),
        (json!({ "cookie": "a=b" }), ".cookie"),
        (json!({ "cookie": null }), ".cookie"),
        (json!({ "query": "access token" }), ".query"),
        (json!({ "query": "a%62" }), ".query"),
        (json!({ "query": "a[]" }), ".query"),
        (json!({ "query": "" }), ".query"),
        (json!({ "cookie": "a", "forward": "never" }), ".forward"),
        (json!({ "cookie": "a", "name": "b" }), ".name"),
    ] {
        refused(outer(), "/issuers/main/sources", json!([source]), &format!("{path}{at}"));
    }
    let both = json!([{ "header": ":path", "scheme": "a b" }]);
    let found = errors(&with(outer(), "/issuers/main/sources", both));
    assert_eq!(found.len(), 2, "{found:?}");
    refused(outer(), "/issuers/main/sources", json!({ "cookie": "a" }), "issuers.main.sources");
}

#[test]
fn a_header_with_another_meaning_carries_no_credential() {
    for header in ["x-user-id", "X_Tenant_Id", "x-gateway-key", "x-http-method", "x.original.url"] {
        refused(outer(), "/issuers/main/sources", json!([{ "header": header }]), "issuers.main.sources[0]");
    }
    let none = with(outer(), "/inject", json!({ "x-user-id": "none" }));
    refused(none, "/issuers/main/sources", json!([{ "header": "x-user-id" }]), "issuers.main.sources[0]");
    let token = one(json!({ "header": "x-api-token" }));
    refused(token.clone(), "/gatewayKey/header", json!("x_api_token"), "gatewayKey.header");
    let inject = |name: &str| json!({ name: { "value": "x" } });
    refused(token.clone(), "/inject", inject("x-api-token"), "issuers.main.sources[0]");
    refused(token.clone(), "/inject", inject("x.api.token"), "issuers.main.sources[0]");
    refused(one(json!({ "cookie": "a" })), "/inject", inject("cookie"), "issuers.main.sources[0]");
    for strip in ["x-api-token", "X_Api_Token", "x-api*"] {
        refused(token.clone(), "/strip", json!([strip]), "strip");
    }
    refused(one(json!({ "cookie": "a" })), "/strip", json!(["cookie"]), "strip");
    assert_eq!(
        errors(&with(one(json!({ "query": "a" })), "/strip", json!(["cookie", "authorization"]))),
        [""; 0]
    );
}

#[test]
fn a_place_is_there_once_and_read_in_one_way() {
    let sources = "/issuers/main/sources";
    let (second, third) = ("issuers.main.sources[1]", "issuers.main.sources[2]");
    for (twice, path) in [
        (json!([{ "cookie": "a" }, { "cookie": "a", "forward": "always" }]), second),
        (json!([{ "query": "a" }, { "cookie": "a" }, { "query": "a" }]), third),
        (json!([{ "header": "x-a" }, { "header": "X-A" }]), second),
        (json!([{ "header": "x-a", "scheme": "A" }, { "header": "x-a", "scheme": "a" }]), second),
        (json!([{ "header": "x-a", "scheme": "A" }, { "header": "x-a" }]), second),
        (json!([{ "header": "x-a" }, { "header": "x_a" }]), second),
    ] {
        refused(outer(), sources, twice, path);
    }
    let different = json!([
        { "header": "x-a", "scheme": "A" }, { "header": "x-a", "scheme": "B" },
        { "cookie": "a" }, { "cookie": "A" }, { "query": "a" },
    ]);
    assert_eq!(errors(&with(outer(), sources, different)), [""; 0]);
}

#[test]
fn issuers_share_places_and_read_each_in_one_way() {
    let two = super::issuer::two_issuers();
    let (a, b) = ("/issuers/a/sources", "/issuers/b/sources");
    let shared = json!([{ "cookie": "a" }, { "header": "x-a", "scheme": "A", "forward": "always" }]);
    let same = with(with(two.clone(), a, shared.clone()), b, shared);
    assert_eq!(errors(&same), [""; 0]);
    assert_eq!(errors(&with(two.clone(), b, json!([{ "query": "a" }]))), [""; 0]);
    let whole = json!([{ "header": "authorization" }]);
    refused(two.clone(), b, whole, "issuers.b.sources[0]");
    let respelt = with(two, a, json!([{ "header": "x-a" }]));
    refused(respelt, b, json!([{ "header": "x.a" }]), "issuers.b.sources[0]");
}

#[test]
fn sources_are_no_more_than_a_request_is_to_be_looked_through_for() {
    let cookies = |from: usize, to: usize| -> Value {
        (from..to).map(|number| json!({ "cookie": format!("c{number}") })).collect()
    };
    assert_eq!(errors(&with(outer(), "/issuers/main/sources", cookies(0, 8))), [""; 0]);
    refused(outer(), "/issuers/main/sources", cookies(0, 9), "issuers.main.sources");
    let two = with(super::issuer::two_issuers(), "/issuers/a/sources", cookies(0, 8));
    let mut three = with(two, "/issuers/b/sources", cookies(8, 16));
    assert_eq!(errors(&three), [""; 0]);
    let mut third = three["issuers"]["b"].clone();
    third["issuer"] = json!("https://c");
    third["subjectPrefix"] = json!("c|");
    third["sources"] = cookies(0, 8);
    three["issuers"]["c"] = third;
    assert_eq!(errors(&three), [""; 0]);
    refused(three, "/issuers/c/sources", cookies(16, 17), "issuers");
}

#[test]
fn an_issuer_beside_a_trusted_entrance_is_told_apart_from_it() {
    let issuer = |tenants: Value, prefix: Value| {
        let mut issuer = outer()["issuers"]["main"].clone();
        issuer["tenants"] = tenants;
        issuer["subjectPrefix"] = prefix;
        json!({ "main": issuer })
    };
    let apart = with(inner(), "/issuers", issuer(json!("*"), json!("main|")));
    let trust = "/entrances/gateway/trust";
    let headers = json!({ "subject": "x-user-id", "tenant": "x-tenant-id" });
    let trusting = with(apart, trust, headers.clone());
    assert_eq!(errors(&trusting), [""; 0]);
    refused(trusting.clone(), "/issuers/main/tenants", Value::Null, "issuers.main.tenants");
    refused(trusting.clone(), "/issuers/main/subjectPrefix", Value::Null, "issuers.main.subjectPrefix");
    // Without a second source there is nothing to tell apart.
    let bare = with(inner(), "/issuers", outer()["issuers"].clone());
    assert_eq!(errors(&bare), [""; 0]);
    assert_eq!(errors(&with(bare.clone(), trust, json!("none"))), [""; 0]);
    assert_eq!(errors(&with(bare, trust, headers)).len(), 2);
    // An `iss` that is not checked stays the only one.
    let any = with(trusting, "/issuers/main/issuer", json!("*"));
    assert_eq!(errors(&any), [""; 0]);
}

#[test]
fn a_trusted_header_carries_no_credential() {
    let mut issuer = outer()["issuers"]["main"].clone();
    issuer["sources"] = json!([{ "header": "x-caller" }]);
    (issuer["tenants"], issuer["subjectPrefix"]) = (json!("*"), json!("main|"));
    let document = with(inner(), "/issuers", json!({ "main": issuer }));
    let subject = "entrances.gateway.trust.subject";
    refused(document, "/entrances/gateway/trust", json!({ "subject": "X_Caller" }), subject);
}
