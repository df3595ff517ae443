//! Which texts are streams, and which objects in them are doors.

use std::fs;

use serde_json::{Value, json};

use super::{INNER, OUTER, build, check, objects, overlay, remove, root, set, text, title};
use crate::{directory, vestibule};

/// Every folder below `istio/` with something to build, as it is called from there.
fn folders(below: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join("istio").join(below)).unwrap().map(Result::unwrap);
    let inside = entries.filter(|entry| entry.path().is_dir());
    let names = inside.map(|entry| format!("{below}/{}", entry.file_name().to_str().unwrap()));
    let is_built = |folder: &str| root().join("istio").join(folder).join("kustomization.yaml").exists();
    names.flat_map(|folder| if is_built(&folder) { vec![folder] } else { folders(&folder) }).collect()
}

#[test]
fn every_overlay_and_example_is_fine_without_a_warning() {
    let folders = ["overlays", "examples", "kind"].map(folders).concat();
    assert!(folders.len() >= 10 && folders.contains(&"kind/region".to_owned()), "{folders:?}");
    for folder in folders {
        let stream = build(&folder);
        // Of Argo CD's own objects none is a plugin, and of what stands behind kind's doors.
        if !stream.contains("extensions.istio.io/v1alpha1") {
            continue;
        }
        let run = vestibule(&["check", "--deny-warnings", "-"]).input(stream);
        assert_eq!(run.code, 0, "{folder}: {}", run.err);
        for door in [": ok (outer door)", ": ok (inner door)"] {
            assert!(run.out.lines().any(|line| line.ends_with(door)), "{folder}: {}", run.out);
        }
    }
}

#[test]
fn a_file_a_list_and_standard_input_are_read_alike() {
    let file = directory("a_file_a_list").join("stream.yaml");
    fs::write(&file, text()).unwrap();
    let of_file = vestibule(&["check", file.to_str().unwrap()]).run();
    let of_list = check(&overlay(), &[]);
    assert_eq!((of_file.code, of_list.code), (0, 0));
    assert_eq!(of_file.out.replace(file.to_str().unwrap(), "standard input"), of_list.out);
}

#[test]
fn a_document_that_cannot_be_read_is_told_with_its_line_and_the_others_are_checked() {
    let broken = format!("# a comment\n---\n{}---\nkind: [\n---\nkind: Lonely\n", text());
    let run = vestibule(&["check", "-"]).input(broken.replace("phase: AUTHN", "phase: AUTHZ"));
    let line = text().lines().count() + 3;
    for expected in [
        format!("standard input: the document of line {line}: not acceptable YAML"),
        format!("standard input: the document of line {}: has no `apiVersion`", line + 2),
        format!("standard input: {OUTER}: spec.phase: is AUTHZ"),
        format!("standard input: {INNER}: spec.phase: is AUTHZ"),
    ] {
        assert!(run.code == 3 && run.err.contains(&expected), "{expected}: {}", run.err);
    }
}

#[test]
fn what_readers_understand_differently_is_refused_in_a_door_and_nowhere_else() {
    let run = vestibule(&["check", "-"]).input(text().replace("priority: 1000", "priority: 01000"));
    let line = format!("standard input: {OUTER}: the document of line 1: line ");
    assert!(run.code == 3 && run.err.contains(&line), "{}", run.err);
    let policy = text().replace("connectTimeout: 2s", "connectTimeout: 2s\n        maxConnections: 010");
    assert_eq!(vestibule(&["check", "-"]).input(policy).code, 0);
}

#[test]
fn a_configuration_is_compiled_and_told_of_with_its_path_in_the_manifest() {
    for (of, field, value, line) in [
        (OUTER, "spec.pluginConfig.colour", json!("red"), "spec.pluginConfig: colour: "),
        (
            INNER,
            "spec.pluginConfig.routes.blog.access",
            json!("open"),
            "spec.pluginConfig: routes.blog.access: ",
        ),
        (OUTER, "spec.pluginConfig.door", Value::Null, "spec.pluginConfig: door: "),
        (OUTER, "spec.pluginConfig", json!("door: outer"), "spec.pluginConfig: is no object"),
        (OUTER, "spec.pluginConfig", Value::Null, "spec.pluginConfig: is missing"),
    ] {
        let mut stream = overlay();
        set(&mut stream, of, field, Some(&value));
        check(&stream, &[]).complained(&format!("standard input: {of}: {line}"));
    }
    let mut stream = objects(&build("examples/traffic-extension"));
    let of = "TrafficExtension istio-ingress/outer-door";
    set(&mut stream, of, "spec.wasm.pluginConfig.colour", Some(&json!("red")));
    check(&stream, &[]).complained(&format!("standard input: {of}: spec.wasm.pluginConfig: colour: "));
}

#[test]
fn a_plugin_of_somebody_else_is_passed_over_and_one_that_is_called_vestibule_is_not() {
    let other = |name: &str, url: &str| {
        json!({
            "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin",
            "metadata": { "name": name, "namespace": "shop" }, "spec": { "url": url },
        })
    };
    let mut stream = overlay();
    stream.push(other("limits", "oci://registry.example.com/limits:1"));
    let run = check(&stream, &["--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("WasmPlugin shop/limits: not checked"), "{}", run.err);
    for plugin in
        [other("vestibule-b", "oci://registry.example.com/b"), other("b", "oci://r.example.com/Vestibule")]
    {
        let line = format!("{}: spec.pluginConfig: is missing", title(&plugin));
        let mut stream = overlay();
        stream.push(plugin);
        check(&stream, &[]).complained(&line);
    }
}

#[test]
fn a_stream_without_a_door_is_refused() {
    let mut stream = overlay();
    remove(&mut stream, OUTER);
    remove(&mut stream, INNER);
    check(&stream, &[]).failed(3, "standard input: a manifest without a door");
}

#[test]
fn of_plugins_alone_it_is_said_that_nothing_around_them_was_seen() {
    let mut stream = overlay();
    stream.retain(|object| object["kind"] == "WasmPlugin");
    let run = check(&stream, &["--deny-warnings"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("nothing but plugins here"), "{}", run.err);
}

/// What is lost from a repository by mistake stays in the cluster, if it keeps anything shut.
#[test]
fn argo_cd_removes_nothing_that_closes() {
    let stream = objects(&build("examples/argo-cd/region"));
    let is_kept = |object: &&Value| {
        object["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false"
    };
    let kept: Vec<String> = stream.iter().filter(is_kept).map(title).collect();
    let closes = [
        OUTER,
        INNER,
        "DestinationRule istio-ingress/issuer",
        "DestinationRule shop/mtls",
        "NetworkPolicy shop/callers",
        "AuthorizationPolicy istio-system/deny-by-default",
        "AuthorizationPolicy shop/backstop",
        "PeerAuthentication istio-system/default",
        "PeerAuthentication shop/default",
    ];
    for name in closes {
        assert!(kept.contains(&name.to_owned()), "{name} is not among {kept:?}");
    }
}
