//! `vestibule check` of Envoy's bootstraps: each filter in them, and what surrounds it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::check::{INNER, OUTER, check};
use super::{KEY, text, vestibule};

/// A bootstrap with one filter, its configuration given as text.
pub(crate) fn bootstrap(configuration: &str, vm: &Value) -> Value {
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
pub(crate) fn pointer(path: &str) -> String {
    format!("/{}", path.replace(['.', '['], "/").replace(']', ""))
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

#[test]
fn a_door_at_a_place_where_it_would_answer_nobody_is_an_error() {
    const OUTER: &str = r#"{"door":"outer","default":"public"}"#;
    let at = |configuration: &str, node: Option<&str>, (spelling, direction): (&str, Value)| {
        let mut document = bootstrap(configuration, &json!({}));
        if let Some(id) = node {
            document["node"] = json!({ "id": id, "cluster": "shop" });
        }
        document["static_resources"]["listeners"][0][spelling] = direction;
        check(&document.to_string())
    };
    let sidecar = Some("sidecar~10.0.0.1~shop-1.shop~shop.svc.cluster.local");
    let router = Some("router~10.0.0.1~gateway-1.edge~edge.svc.cluster.local");
    let outbound = || ("traffic_direction", json!("OUTBOUND"));
    let inbound = || ("traffic_direction", json!("INBOUND"));

    at(OUTER, sidecar, outbound()).failed(3, "standard input: node.id: an outer door in a sidecar");
    at(OUTER, sidecar, inbound()).failed(3, "standard input: node.id: an outer door in a sidecar");
    for node in [None, router, Some("my-sidecar"), Some("waypoint~10.0.0.1~w.shop~shop.svc.cluster.local")] {
        at(OUTER, node, outbound()).succeeded();
    }

    let fault = "static_resources.listeners[0].traffic_direction: an inner door on an outbound listener";
    for node in [None, sidecar, router] {
        at(INNER, node, outbound()).failed(3, fault);
        at(INNER, node, inbound()).succeeded();
    }
    at(INNER, None, ("traffic_direction", json!(2))).failed(3, fault);
    at(INNER, None, ("traffic_direction", json!(1))).succeeded();
    at(INNER, None, ("traffic_direction", json!("UNSPECIFIED"))).succeeded();
    at(INNER, None, ("trafficDirection", json!("OUTBOUND"))).failed(3, "listeners[0].trafficDirection: ");
    // Another listener's direction is none of this one's.
    let mut document = bootstrap(INNER, &json!({}));
    let listeners = document["static_resources"]["listeners"].as_array_mut().unwrap();
    listeners.insert(0, json!({ "traffic_direction": "OUTBOUND", "filter_chains": [] }));
    check(&document.to_string()).succeeded();
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

/// The header names the cluster, or its value chooses one, so that nothing is matched.
#[test]
fn a_header_that_the_door_changes_may_not_choose_the_cluster_either() {
    let route = |action: Value| json!([{ "match": { "prefix": "/" }, "route": action }]);
    let named = |header: &str| route(json!({ "cluster_header": header }));
    let weighted = |header: &str| {
        let clusters = json!([{ "name": "inner", "weight": 1 }, { "name": "elsewhere", "weight": 1 }]);
        route(json!({ "weighted_clusters": { "clusters": clusters, "header_name": header } }))
    };
    let weighted_by_name = |header: &str| {
        let clusters = json!([{ "name": "inner", "weight": 1 }, { "cluster_header": header, "weight": 1 }]);
        route(json!({ "weighted_clusters": { "clusters": clusters } }))
    };
    for routes in [named("x-tenant-id"), weighted("X-User-Id"), weighted_by_name("x_tenant_id")] {
        check(&door_with_routes(&routes)).failed(3, "the door changes the header");
    }
    // By which host of a cluster a request is served is no matter of clusters.
    let hashed = route(
        json!({ "cluster": "elsewhere", "hash_policy": [{ "header": { "header_name": "x-user-id" } }] }),
    );
    for routes in [named("x-canary"), weighted("x-canary"), weighted_by_name("x-canary"), hashed] {
        check(&door_with_routes(&routes)).succeeded();
    }
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

/// An outer door that attaches upstream, towards these clusters of which each has these filters.
fn door_attaching_upstream(clusters: &Value) -> Value {
    let mut document = bootstrap(&attaching("upstream"), &vm("outer"));
    document["static_resources"]["clusters"] = clusters.clone();
    document
}

fn attaching(attach: &str) -> String {
    let key = json!({ "key": { "env": "KEY" }, "to": ["inner*"], "attach": attach });
    json!({ "door": "outer", "default": "public", "gatewayKey": key }).to_string()
}

fn vm(id: &str) -> Value {
    json!({ "vm_id": id, "environment_variables": { "host_env_keys": ["KEY"] } })
}

/// A cluster with this filter.
fn filtered(name: &str, configuration: &str, vm: &Value) -> Value {
    let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters";
    let filters = bootstrap(configuration, vm).pointer(manager).unwrap().clone();
    json!({ "name": name, "typed_extension_protocol_options": {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": { "http_filters": filters } } })
}

#[test]
fn a_cluster_that_may_get_the_key_has_the_filter_of_the_listener() {
    let same = |name: &str| filtered(name, &attaching("upstream"), &vm("outer"));
    let with = |clusters: Value| check(&door_attaching_upstream(&clusters).to_string());
    with(json!([same("inner"), { "name": "elsewhere" }, same("a-default")])).succeeded();
    with(json!([same("inner"), { "name": "inner-2" }]))
        .complained("static_resources.clusters[1]: may get what the door at static_resources.listeners[0]");
    let inside = "static_resources.clusters[0].typed_extension_protocol_options.envoy.extensions.upstreams";
    let run = with(json!([filtered("inner", &attaching("upstream"), &vm("another"))]));
    assert!(run.err.contains(inside) && run.err.contains("\n1 error\n"), "{}", run.err);
    run.complained("runs in another VM than the listener's filter");
    let narrower = attaching("upstream").replace("inner*", "inner");
    with(json!([filtered("inner", &narrower, &vm("outer"))])).complained("is another configuration");
    let foreign = filtered("inner", &narrower, &vm("another"));
    with(json!([foreign])).complained("has no like in a listener");
}

/// The fetch would enter the VM that makes it.
#[test]
fn keys_are_fetched_by_a_cluster_without_the_filter() {
    let mut configuration: Value = serde_json::from_str(&attaching("upstream")).unwrap();
    configuration["issuers"] = json!({ "main": {
        "issuer": "https://i", "audiences": ["a"],
        "keys": [{ "remote": { "url": "http://127.0.0.1/keys", "cluster": "inner-keys" } }],
    } });
    let configuration = configuration.to_string();
    let with = |keys: Value| {
        let mut document = bootstrap(&configuration, &vm("outer"));
        let inner = filtered("inner", &configuration, &vm("outer"));
        document["static_resources"]["clusters"] = json!([inner, keys]);
        check(&document.to_string())
    };
    with(json!({ "name": "inner-keys" })).succeeded();
    with(filtered("inner-keys", &configuration, &vm("outer"))).complained(
        "issuers.main.keys[0].remote.cluster: is `inner-keys`, whose http_filters have this filter too",
    );
}

#[test]
fn a_filter_in_a_cluster_is_for_a_door_that_attaches_upstream() {
    for configuration in [&attaching("route"), INNER] {
        let mut document = bootstrap(configuration, &vm("outer"));
        document["static_resources"]["clusters"] = json!([filtered("inner", configuration, &vm("outer"))]);
        check(&document.to_string()).complained("in a cluster it belongs only beside a listener's filter");
    }
    let mut alone =
        door_attaching_upstream(&json!([filtered("inner", &attaching("upstream"), &vm("outer"))]));
    alone["static_resources"]["listeners"] = json!([]);
    check(&alone.to_string()).complained("has no like in a listener");
    // One that comes by xDS may have it.
    alone["dynamic_resources"] = json!({ "lds_config": { "ads": {} } });
    check(&alone.to_string()).succeeded();
}

#[test]
fn a_cluster_may_have_mirrors_and_retries_of_its_own_that_take_the_key_away() {
    let with = |attach: &str, options: Value| {
        let mut cluster = filtered("inner", &attaching(attach), &vm("outer"));
        let kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
        let written = cluster["typed_extension_protocol_options"][kind].as_object_mut().unwrap();
        written.extend(options.as_object().unwrap().clone());
        if attach == "route" {
            written.remove("http_filters");
        }
        let mut document: Value = serde_json::from_str(&door_with_routes(&json!([
            { "match": { "prefix": "/a" }, "route": { "cluster": "inner" } },
            { "match": { "prefix": "/" }, "route": { "cluster": "elsewhere" } },
        ])))
        .unwrap();
        let config = document.pointer_mut(&pointer(CONFIG)).unwrap();
        config["configuration"]["value"] = attaching(attach).into();
        config["vm_config"] = vm("outer");
        document["static_resources"]["clusters"] = json!([cluster, { "name": "elsewhere" }]);
        check(&document.to_string())
    };
    let mirror = json!({ "request_mirror_policies": [{ "cluster": "elsewhere" }] });
    with("route", mirror.clone()).complained("request_mirror_policies[0]: a mirror gets the gateway key too");
    with("upstream", mirror).succeeded();
    for attach in ["route", "upstream"] {
        let refresh = |refresh: bool| json!({ "retry_policy": { "refresh_cluster_on_retry": refresh } });
        with(attach, refresh(true)).complained("retry_policy.refresh_cluster_on_retry: a retry takes along");
        with(attach, refresh(false)).succeeded();
    }
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
