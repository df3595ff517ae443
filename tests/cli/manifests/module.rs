//! The module and its VM: which bytes run, what becomes of requests when they fail, and which variables they get.

use serde_json::{Value, json};

use super::{INNER, OUTER, are_errors, are_warnings, check, overlay, said, set, spoilt};
use crate::KEY;

const URL: &str = "WasmPlugin istio-ingress/outer-door: spec.url";
const STRATEGY: &str = "WasmPlugin istio-ingress/outer-door: spec.failStrategy";
const DIGEST: &str = "752e84e4a901ec9e2a87f88290253c0a9f1fed17c98d7b47a4c60129cc3fff00";

#[test]
fn a_filter_that_fails_lets_nobody_in_and_comes_back() {
    are_errors(&[
        spoilt(
            OUTER,
            "spec.failStrategy",
            json!("FAIL_OPEN"),
            STRATEGY,
            &["pass unchecked", "Write FAIL_RELOAD"],
        ),
        spoilt(
            INNER,
            "spec.failStrategy",
            json!("FAIL_OPEN"),
            "WasmPlugin shop/inner-door: spec.failStrategy",
            &["Write FAIL_RELOAD"],
        ),
        spoilt(OUTER, "spec.failStrategy", json!("RELOAD"), STRATEGY, &["write FAIL_RELOAD"]),
        spoilt(
            OUTER,
            "spec.type",
            json!("NETWORK"),
            "WasmPlugin istio-ingress/outer-door: spec.type",
            &["Remove it"],
        ),
    ]);
    are_warnings(&[
        spoilt(
            OUTER,
            "spec.failStrategy",
            json!("FAIL_CLOSE"),
            STRATEGY,
            &["503 for ever", "write FAIL_RELOAD"],
        ),
        spoilt(OUTER, "spec.failStrategy", None, STRATEGY, &["is missing", "write FAIL_RELOAD"]),
    ]);
}

#[test]
fn the_module_is_the_one_that_was_looked_at() {
    let registry = "oci://registry.example.com:5000/platform/vestibule";
    are_errors(&[
        spoilt(OUTER, "spec.url", None, URL, &["name its image by digest"]),
        spoilt(
            OUTER,
            "spec.url",
            json!(format!("{registry}@sha256:{}", DIGEST.trim_start_matches('7'))),
            URL,
            &["give the digest"],
        ),
        spoilt(OUTER, "spec.url", json!(format!("{registry}@{DIGEST}")), URL, &["give the digest"]),
        spoilt(
            OUTER,
            "spec.url",
            json!("http://files.example.com/vestibule.wasm"),
            URL,
            &["give its sha256"],
        ),
        spoilt(
            OUTER,
            "spec.url",
            json!("ftp://files.example.com/vestibule.wasm"),
            URL,
            &["oci, https, http or file"],
        ),
        spoilt(
            OUTER,
            "spec.sha256",
            json!("0".repeat(64)),
            "WasmPlugin istio-ingress/outer-door: spec.sha256",
            &["keep the one in `url`"],
        ),
        spoilt(
            OUTER,
            "spec.sha256",
            json!(format!("sha256:{DIGEST}")),
            "WasmPlugin istio-ingress/outer-door: spec.sha256",
            &["without `sha256:`"],
        ),
    ]);
    are_warnings(&[
        spoilt(
            OUTER,
            "spec.url",
            json!(format!("{registry}:1.0")),
            URL,
            &["a tag can be moved", "write NAME@sha256:DIGEST"],
        ),
        spoilt(
            OUTER,
            "spec.url",
            json!("registry.example.com/vestibule"),
            URL,
            &["write NAME@sha256:DIGEST"],
        ),
        spoilt(
            OUTER,
            "spec.url",
            json!("https://files.example.com/vestibule.wasm"),
            URL,
            &["give its sha256"],
        ),
        spoilt(
            OUTER,
            "spec.imagePullPolicy",
            json!("Always"),
            "WasmPlugin istio-ingress/outer-door: spec.imagePullPolicy",
            &["Write IfNotPresent"],
        ),
    ]);
    for (url, sha256) in [
        (format!("{registry}:1.0"), Some(DIGEST)),
        ("https://files.example.com/vestibule.wasm".into(), Some(DIGEST)),
        ("http://files.example.com/vestibule.wasm".into(), Some(DIGEST)),
        ("file:///etc/vestibule.wasm".into(), None),
    ] {
        let mut stream = overlay();
        set(&mut stream, OUTER, "spec.url", Some(&json!(url)));
        set(&mut stream, OUTER, "spec.sha256", Some(&json!(sha256)));
        let run = check(&stream, &["--deny-warnings"]);
        assert_eq!(run.code, 0, "{url}: {}", run.err);
    }
}

#[test]
fn the_filter_has_its_variables_and_the_manifest_has_no_secret() {
    let env = "WasmPlugin istio-ingress/outer-door: spec.vmConfig.env";
    let first = "WasmPlugin istio-ingress/outer-door: spec.vmConfig.env[0]";
    let many: Vec<Value> =
        (0..257).map(|index| json!({ "name": format!("V{index}"), "value": "x" })).collect();
    are_errors(&[
        spoilt(
            OUTER,
            "spec.vmConfig.env[0]",
            None,
            env,
            &["gatewayKey.key.env", "add `{name: VESTIBULE_GATEWAY_KEY_FIRST, valueFrom: HOST}`"],
        ),
        spoilt(
            OUTER,
            "spec.vmConfig.env[2].name",
            json!("VESTIBULE_CONTEXT_KEY"),
            env,
            &["context.mint.key.env", "add `{name: VESTIBULE_CONTEXT_KEY_FIRST"],
        ),
        spoilt(
            OUTER,
            "spec.vmConfig",
            None,
            env,
            &["gatewayKey.key.env", "add `{name: VESTIBULE_GATEWAY_KEY_FIRST"],
        ),
        spoilt(
            OUTER,
            "spec.vmConfig.env[0].value",
            json!("x"),
            "WasmPlugin istio-ingress/outer-door: spec.vmConfig.env[0].value",
            &["remove it"],
        ),
        spoilt(
            OUTER,
            "spec.vmConfig.env[0]",
            json!({ "name": "VESTIBULE_GATEWAY_KEY_FIRST", "value": "x" }),
            first,
            &["in the manifest", "write `valueFrom: HOST`"],
        ),
        spoilt(
            OUTER,
            "spec.vmConfig.env[0].valueFrom",
            json!("SECRET"),
            "WasmPlugin istio-ingress/outer-door: spec.vmConfig.env[0].valueFrom",
            &["write HOST"],
        ),
        spoilt(
            OUTER,
            "spec.vmConfig.env[0].name",
            None,
            "WasmPlugin istio-ingress/outer-door: spec.vmConfig.env[0].name",
            &["name the variable"],
        ),
        spoilt(
            OUTER,
            "spec.vmConfig.env[1].name",
            json!("VESTIBULE_GATEWAY_KEY_FIRST"),
            "WasmPlugin istio-ingress/outer-door: spec.vmConfig.env[1].name",
            &["remove one"],
        ),
        spoilt(OUTER, "spec.vmConfig.env", Value::Array(many), env, &["has 257 variables", "remove some"]),
    ]);
    are_warnings(&[
        spoilt(
            OUTER,
            "spec.vmConfig.env[1].name",
            json!("VESTIBULE_OTHER_SECOND"),
            "WasmPlugin istio-ingress/outer-door: spec.vmConfig.env[1].name",
            &["remove it"],
        ),
        spoilt(
            OUTER,
            "spec.vmConfig.env[1].name",
            json!("OTHER"),
            "WasmPlugin istio-ingress/outer-door: spec.vmConfig.env[1].name",
            &["remove it"],
        ),
        spoilt(
            INNER,
            "spec.vmConfig",
            json!({ "env": [{ "name": "VESTIBULE_KEY", "valueFrom": "HOST" }] }),
            "WasmPlugin shop/inner-door: spec.vmConfig.env[0].name",
            &["remove it"],
        ),
    ]);
}

#[test]
fn no_value_of_a_variable_is_shown() {
    let mut stream = overlay();
    let variable = json!({ "name": "VESTIBULE_GATEWAY_KEY_FIRST", "value": KEY });
    set(&mut stream, OUTER, "spec.vmConfig.env[0]", Some(&variable));
    for arguments in [&[][..], &["--env"]] {
        let run = check(&stream, arguments);
        assert!(run.code == 3 && !run.err.contains(KEY) && !run.out.contains(KEY), "{}", run.err);
        let start = format!("standard input: {OUTER}: spec.vmConfig.env[0]: ");
        if arguments.is_empty() {
            said(&run, &start, &["make a new one"], "inline");
        }
    }
}

#[test]
fn no_value_of_a_secret_stands_beside_the_doors() {
    let container = |variable: Value| {
        let containers = json!([{ "name": "istio-proxy", "env": [variable] }]);
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "gateway", "namespace": "istio-ingress" },
            "spec": { "template": { "spec": { "containers": containers } } },
        })
    };
    let map = |name: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "keys", "namespace": "istio-ingress" },
            "data": { name: KEY },
        })
    };
    let object = |version: &str, kind: &str, spec: Value| {
        json!({
            "apiVersion": version, "kind": kind, "metadata": { "name": "gateway", "namespace": "istio-ingress" },
            "spec": spec,
        })
    };
    let annotated = |settings: String| {
        let metadata = json!({ "annotations": { "proxy.istio.io/config": settings } });
        object("apps/v1", "Deployment", json!({ "template": { "metadata": metadata } }))
    };
    let mesh = |settings: Value| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "istio", "namespace": "istio-system" },
            "data": { "mesh": settings.to_string() },
        })
    };
    let secret = "VESTIBULE_GATEWAY_KEY_FIRST";
    let with = |object: Value| {
        let mut stream = overlay();
        stream.push(object);
        check(&stream, &["--deny-warnings"])
    };
    for (object, place) in [
        (
            container(json!({ "name": secret, "value": KEY })),
            "Deployment istio-ingress/gateway: spec.template.spec.containers[0].env[0].value",
        ),
        (map(secret), "ConfigMap istio-ingress/keys: data.VESTIBULE_GATEWAY_KEY_FIRST"),
        (
            object(
                "apps/v1",
                "ReplicaSet",
                json!({ "template": { "spec": { "initContainers": [
                { "name": "istio-proxy", "env": [{ "name": secret, "value": KEY }] },
            ] } } }),
            ),
            "ReplicaSet istio-ingress/gateway: spec.template.spec.initContainers[0].env[0].value",
        ),
        (
            object(
                "networking.istio.io/v1beta1",
                "ProxyConfig",
                json!({ "environmentVariables": { secret: KEY } }),
            ),
            "ProxyConfig istio-ingress/gateway: spec.environmentVariables.VESTIBULE_GATEWAY_KEY_FIRST",
        ),
        (
            annotated(format!("proxyMetadata:\n  {secret}: {KEY}\n")),
            "Deployment istio-ingress/gateway: spec.template.metadata.annotations.proxy.istio.io/config: \
             proxyMetadata.VESTIBULE_GATEWAY_KEY_FIRST",
        ),
        (
            annotated(json!({ "proxyMetadata": { secret: KEY } }).to_string()),
            "Deployment istio-ingress/gateway: spec.template.metadata.annotations.proxy.istio.io/config: \
             proxyMetadata.VESTIBULE_GATEWAY_KEY_FIRST",
        ),
        (
            mesh(json!({ "defaultConfig": { "proxyMetadata": { secret: KEY } } })),
            "ConfigMap istio-system/istio: data.mesh: defaultConfig.proxyMetadata.VESTIBULE_GATEWAY_KEY_FIRST",
        ),
    ] {
        let run = with(object);
        assert!(run.code == 3 && !run.err.contains(KEY), "{}", run.err);
        said(&run, &format!("standard input: {place}: "), &["give it by a Secret", "make a new one"], place);
    }
    for value in ["$(KEY)x", "$$(KEY)", "$(k e y)", "$()"] {
        let run = with(container(json!({ "name": secret, "value": value })));
        assert_eq!(run.code, 3, "{value}: {}", run.err);
    }
    let from = json!({ "secretKeyRef": { "name": "keys", "key": "first" } });
    for object in [
        container(json!({ "name": secret, "valueFrom": from })),
        map("OTHER"),
        // What another variable has.
        container(json!({ "name": secret, "value": "$(KEY)" })),
        object(
            "networking.istio.io/v1beta1",
            "ProxyConfig",
            json!({ "environmentVariables": { secret: "$(KEY)" } }),
        ),
        annotated(format!("proxyMetadata: {{ OTHER: {KEY} }}\n")),
        mesh(json!({ "defaultConfig": { "proxyMetadata": { "OTHER": KEY } } })),
    ] {
        let run = with(object);
        assert_eq!(run.code, 0, "{}", run.err);
    }
}
