//! What istiod made of the manifests, as the Envoys have it.

use serde_json::{Value, json};

use super::kubernetes::Kubernetes;
use super::mesh::{Mesh, mesh};
use super::proxy::Proxy;
use crate::support::keys;

const WASM: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";

/// Everything of this type in a dump of a configuration, wherever it stands.
fn find<'v>(value: &'v Value, kind: &str, found: &mut Vec<&'v Value>) {
    if value["@type"].as_str().is_some_and(|given| given.ends_with(kind)) {
        found.push(value);
    }
    match value {
        Value::Array(values) => values.iter().for_each(|value| find(value, kind, found)),
        Value::Object(members) => members.values().for_each(|value| find(value, kind, found)),
        _ => {}
    }
}

/// The plugin of a proxy: what its filter was configured with.
pub fn plugin(proxy: &Proxy) -> Value {
    let dump = proxy.configuration();
    let mut found = Vec::new();
    find(&dump, WASM, &mut found);
    assert_eq!(found.len(), 1, "one plugin: {found:?}");
    found[0]["config"].clone()
}

/// The configuration that this plugin arrived with.
pub fn configuration(proxy: &Proxy) -> Value {
    let plugin = plugin(proxy);
    // JSON as text, in the type that Envoy hands on as it stands.
    let text = plugin["configuration"]["value"].as_str();
    let text = text.unwrap_or_else(|| panic!("no text: {}", plugin["configuration"]));
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A `WasmPlugin`'s configuration as it was written.
fn written(kubernetes: &Kubernetes, namespace: &str, name: &str) -> Value {
    let arguments = ["get", "wasmplugin", name, "--namespace", namespace, "--output=json"];
    let object: Value =
        serde_json::from_str(&kubernetes.kubectl(&arguments, "")).expect("kubectl gives JSON");
    object["spec"]["pluginConfig"].clone()
}

/// The HTTP filters of each chain of the listener at this port, in their order.
fn filters(proxy: &Proxy, port: u16) -> Vec<Vec<String>> {
    let dump = proxy.admin("/config_dump?resource=dynamic_listeners").json();
    let mut chains = Vec::new();
    for listener in dump["configs"].as_array().into_iter().flatten() {
        let listener = &listener["active_state"]["listener"];
        if listener["address"]["socket_address"]["port_value"] != json!(port) {
            continue;
        }
        for chain in listener["filter_chains"].as_array().into_iter().flatten() {
            let manager = &chain["filters"].as_array().expect("a chain has filters");
            let manager = manager.iter().find_map(|filter| filter["typed_config"]["http_filters"].as_array());
            let names = manager.into_iter().flatten().map(|filter| filter["name"].as_str());
            chains.push(names.map(|name| name.unwrap_or_default().to_owned()).collect());
        }
    }
    assert!(!chains.is_empty(), "nobody listens on {port}: {dump}");
    chains
}

/// The doors' listeners: whose, and where.
fn doors(mesh: &Mesh) -> [(&Proxy, u16); 3] {
    [(&mesh.gateway, mesh.ports.gateway), (&mesh.blog, mesh.ports.blog), (&mesh.orders, mesh.ports.orders)]
}

#[test]
fn a_door_stands_before_all_that_authenticates_or_authorizes() {
    let mesh = mesh();
    // Istio's own authentication, which the overlay has not.
    let rules =
        json!([{ "issuer": "https://elsewhere.example.com", "jwks": keys::jwks(&["rsa-2"]).to_string() }]);
    let authentication = json!({
        "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication",
        "metadata": { "name": "beside-the-door", "namespace": "istio-ingress" }, "spec": { "jwtRules": rules },
    });
    mesh.kubernetes.apply(&authentication.to_string());
    let is_there = |chains: &Vec<Vec<String>>| chains.iter().flatten().any(|name| name.contains("jwt_authn"));
    let gateway = || Some(filters(&mesh.gateway, mesh.ports.gateway)).filter(is_there);
    mesh.gateway.process().until("Istio authenticates too", gateway);
    for (proxy, port) in doors(&mesh) {
        for chain in filters(proxy, port) {
            let at = |part: &str| chain.iter().position(|name| name.contains(part));
            let door = at("extensions.istio.io").unwrap_or_else(|| panic!("no door on {port}: {chain:?}"));
            let rbac = at("rbac").unwrap_or_else(|| panic!("no policy on {port}: {chain:?}"));
            assert!(door < rbac, "{chain:?}");
            assert!(at("jwt_authn").is_none_or(|jwt| door < jwt), "{chain:?}");
            assert_eq!(at("router"), Some(chain.len() - 1), "{chain:?}");
        }
    }
    let arguments = ["delete", "requestauthentication", "beside-the-door", "--namespace", "istio-ingress"];
    mesh.kubernetes.kubectl(&arguments, "");
}

/// All numbers were doubles on the way.
#[test]
fn a_configuration_arrives_as_it_was_written() {
    let mesh = mesh();
    for (proxy, namespace, name) in [
        (&mesh.gateway, "istio-ingress", "outer-door"),
        (&mesh.blog, "shop", "inner-door"),
        (&mesh.orders, "shop", "inner-door"),
    ] {
        let limits = json!({ "pausedRequests": 500, "tokenBytes": 16_385 });
        mesh.patch_plugin(namespace, name, &json!({ "spec": { "pluginConfig": { "limits": limits } } }));
        let written = written(&mesh.kubernetes, namespace, name);
        assert_eq!(written["limits"], limits);
        proxy
            .process()
            .until("the configuration arrives", || (configuration(proxy) == written).then_some(()));
    }
    // The filter has taken it: one that it refuses is in the configuration of nobody.
    assert_eq!(mesh.send("client", &mesh.good()).status, 200);
    for name in ["outer-door", "inner-door"] {
        let namespace = if name == "outer-door" { "istio-ingress" } else { "shop" };
        let nothing = json!({ "spec": { "pluginConfig": { "limits": null } } });
        mesh.patch_plugin(namespace, name, &nothing);
    }
}

#[test]
fn a_secret_reaches_a_door_from_the_environment_of_its_container_and_stands_in_no_configuration() {
    let mesh = mesh();
    let environment = plugin(&mesh.gateway)["vm_config"]["environment_variables"].clone();
    let names = ["GATEWAY_KEY_FIRST", "GATEWAY_KEY_SECOND", "CONTEXT_KEY_FIRST", "CONTEXT_KEY_SECOND"];
    let names: Vec<String> = names.iter().map(|name| format!("VESTIBULE_{name}")).collect();
    let mut given: Vec<&str> =
        environment["host_env_keys"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    given.sort_by_key(|name| names.iter().position(|known| known == name));
    assert_eq!(given, names);
    // The inner door knows the key by its hash, and nobody else could have told the outer one.
    let response = mesh.send("client", &mesh.good());
    assert_eq!(response.status, 200, "{}", response.text());
    for proxy in [&mesh.gateway, &mesh.blog, &mesh.orders] {
        assert!(!proxy.configuration().to_string().contains(&mesh.gateway_key));
    }
}
