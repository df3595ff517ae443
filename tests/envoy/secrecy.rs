//! No token, key or signature in what the filter logs, even where Envoy logs everything.
//!
//! Every Envoy of every test is checked as it ends; here are the requests that are most likely to be logged,
//! and the proof that the check can fail.

use serde_json::{Value, json};

use super::mesh::{
    ENVIRONMENT, GATEWAY_KEY, Mesh, good_payload, good_token, issuer, outer_configuration, signed,
};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::envoy::{filter_records, told};
use crate::support::http::get;
use crate::support::secrets;
use crate::support::upstream::Upstream;

#[test]
fn the_filter_logs_no_token_no_key_and_no_signature_whatever_it_is_sent() {
    let mesh = Mesh::start();
    let mut sent = vec![good_token()];
    let variations: [fn(&mut Value); 7] = [
        |spec| spec["payload"]["exp"] = json!({ "$now": -3600 }),
        |spec| spec["payload"]["aud"] = json!("somebody else"),
        |spec| spec["payload"]["iss"] = json!("https://elsewhere.example.com"),
        |spec| spec["payload"]["tenant_id"] = json!("a/b"),
        |spec| spec["header"] = json!({ "alg": "none" }),
        |spec| spec["header"] = json!({ "alg": "RS256", "kid": "a-kid-that-nobody-knows" }),
        |spec| spec["tamper"] = json!("signature"),
    ];
    for vary in variations {
        let mut spec = json!({ "key": "rsa-1", "payload": good_payload() });
        vary(&mut spec);
        sent.push(signed(&spec));
    }
    for token in &sent {
        get("/").bearer(token).send(mesh.outer.port("outer"));
        get("/").bearer(token).bearer(token).send(mesh.outer.port("outer"));
        get("/").header("authorization", token).send(mesh.outer.port("outer"));
        get("/").bearer(token).header("x-gateway-key", token).send(mesh.inner.port("inner"));
    }
    let almost = format!("{GATEWAY_KEY}x");
    for key in [GATEWAY_KEY, &almost] {
        get("/").header("x-gateway-key", key).header("x-user-id", "\u{ff}").send(mesh.inner.port("inner"));
    }
    for envoy in [&mesh.outer, &mesh.inner] {
        let records = envoy.filter_log();
        assert!(!records.is_empty(), "the filter logs nothing at all, so this shows nothing");
        for record in records {
            assert_eq!(secrets::first_in(&record), None, "{record}");
            assert!(!record.contains(GATEWAY_KEY), "{record}");
            for part in sent.iter().flat_map(|token| token.split('.')).filter(|part| !part.is_empty()) {
                assert!(!record.contains(part), "{record}");
            }
        }
    }
}

#[test]
fn the_check_for_secrets_finds_a_token_in_a_line_of_the_filter() {
    let token = good_token();
    secrets::remember_header(b"Authorization", format!("Bearer {token}").as_bytes());
    let signature = token.rsplit_once('.').expect("a token has parts").1;
    let log = format!(
        "[2026-01-01 00:00:00.000][1][debug][http] 'authorization', 'Bearer {token}'\n\
         [2026-01-01 00:00:00.000][1][warning][wasm] [context.cc:1154] wasm log outer: denied\nsignature {signature}\n\
         [2026-01-01 00:00:00.000][1][info][main] {token}\n"
    );
    let records = filter_records(&log);
    assert_eq!(records.len(), 1);
    assert_eq!(secrets::first_in(&records[0]).as_deref(), Some(signature));
}

/// What an operator, or whoever reaches the admin port, can have Envoy print.
const ADMIN: [&str; 11] = [
    "/stats",
    "/stats/prometheus",
    "/config_dump?include_eds",
    "/server_info",
    "/clusters",
    "/clusters?format=json",
    "/listeners?format=json",
    "/certs",
    "/init_dump",
    "/runtime",
    "/memory",
];

#[test]
fn the_gateway_key_shows_in_no_answer_no_log_and_nowhere_on_the_admin_port() {
    for attach in ["route", "upstream"] {
        let upstream = Upstream::start();
        let mut configuration = outer_configuration();
        configuration["gatewayKey"]["attach"] = json!(attach);
        let mut bootstrap = Bootstrap::of("outer.yaml")
            .configure("outer", &configuration)
            .cluster("upstream", upstream.port())
            .cluster("nobody", 1)
            .without_endpoints("nobody");
        if attach == "upstream" {
            bootstrap = bootstrap.filter_upstream("outer", "upstream").filter_upstream("outer", "nobody");
        }
        bootstrap.connection_manager("outer")["route_config"]["virtual_hosts"][0]["routes"] = json!([
            { "match": { "prefix": "/there" }, "route": { "cluster": "upstream" } },
            { "match": { "prefix": "/nobody" }, "route": { "cluster": "nobody" } },
            { "match": { "prefix": "/moved" }, "redirect": { "path_redirect": "/there" } },
        ]);
        // At the level of debug Envoy itself logs the headers of every request.
        let arguments = ["--log-level", "info", "--component-log-level", "wasm:debug"];
        let envoy = Envoy::start_with(&bootstrap, &ENVIRONMENT, &arguments);
        for (path, status) in [("/there", 200), ("/nobody", 503), ("/moved", 301), ("/lost", 404)] {
            let response = get(path).bearer(&good_token()).send(envoy.port("outer"));
            assert_eq!(response.status, status, "{attach} {path}: {}", response.text());
            assert_hides(
                &format!("{attach} {path}"),
                &format!("{:?} {}", response.headers(), response.text()),
            );
        }
        let refused = [get("/there"), get("/there").bearer("a.b.c").header("x-gateway-key", "mine")];
        for call in refused {
            let response = call.send(envoy.port("outer"));
            assert_eq!(response.status, 401, "{attach}");
            assert_hides(attach, &format!("{:?} {}", response.headers(), response.text()));
        }
        assert_eq!(upstream.all().len(), 1, "{attach}");
        assert_eq!(
            upstream.all()[0].values("x-gateway-key"),
            [GATEWAY_KEY],
            "{attach}: else this shows nothing"
        );
        for path in ADMIN {
            let printed = envoy.admin(path);
            assert_eq!(printed.status, 200, "{path}");
            assert_hides(&format!("{attach} {path}"), &printed.text());
        }
        let dump = envoy.admin("/config_dump").text();
        assert!(dump.contains("VESTIBULE_GATEWAY_KEY"), "the dump has not even the variable's name");
        assert!(
            envoy.wait_until_told("denial", &json!({ "door": "outer" })),
            "the filter logs nothing, so this shows nothing"
        );
        assert_hides(&format!("the log, {attach}"), &envoy.log());
    }
}

#[test]
fn a_configuration_that_is_refused_shows_no_key() {
    let faulty: [fn(&mut Value); 4] = [
        |configuration| configuration["gatewayKey"]["attach"] = json!("sideways"),
        |configuration| configuration["gatewayKey"]["to"] = json!([]),
        |configuration| configuration["gatewayKey"]["key"]["encoding"] = json!("hex"),
        |configuration| configuration["issuers"] = json!({ "main": issuer(), "other": issuer() }),
    ];
    for (number, make_faulty) in faulty.iter().enumerate() {
        let mut configuration = outer_configuration();
        make_faulty(&mut configuration);
        let bootstrap = Bootstrap::of("outer.yaml").configure("outer", &configuration);
        let Err(refusal) = Envoy::try_start(&bootstrap, &ENVIRONMENT) else { panic!("{number}: it started") };
        assert!(
            !told(&refusal.log, "configuration_refused").is_empty(),
            "{number}: {}",
            refusal.complaints()
        );
        assert_hides(&format!("the log of refusal {number}"), &refusal.log);
    }
}

#[track_caller]
fn assert_hides(what: &str, text: &str) {
    assert!(!text.contains(GATEWAY_KEY), "{what} shows the key");
}
