//! The artifact of two layers, and what is none.

use std::fs;

use serde_json::json;
use vestibule_image::check::{self, Kind};
use vestibule_image::{build, media};

use crate::laid::{Laid, MODULE};
use crate::{blob, refused};

#[test]
fn an_artifact_of_two_layers_is_accepted() {
    let laid =
        Laid::artifact(&[(media::WASM_CONFIG, b"{\"type\":\"envoy_proxy\"}"), (media::WASM_CONTENT, MODULE)]);
    let checked = check::image(&laid.lay("good-artifact")).unwrap();
    assert_eq!((checked.kind, checked.module.as_slice()), (Kind::Artifact, MODULE));
}

#[test]
fn an_artifact_of_three_layers_or_of_one_is_refused() {
    let (config, content) = ((media::WASM_CONFIG, b"{}".as_slice()), (media::WASM_CONTENT, MODULE));
    let laid = Laid::artifact(&[config, content, ("application/json", b"{}")]);
    refused(&laid.lay("third-layer"), &blob(&laid.bytes()), "3 layers", "two layers");
    let laid = Laid::artifact(&[content]);
    refused(&laid.lay("artifact-one-layer"), &blob(&laid.bytes()), "1 layers", "two layers");
}

#[test]
fn an_artifact_with_layers_of_other_kinds_is_refused() {
    let laid = Laid::artifact(&[(media::WASM_CONFIG, b"{}"), ("application/wasm", MODULE)]);
    refused(
        &laid.lay("artifact-other-layer"),
        &blob(&laid.bytes()),
        "\"application/wasm\"",
        media::WASM_CONTENT,
    );
    let laid = Laid::artifact(&[(media::WASM_CONTENT, MODULE), (media::WASM_CONTENT, MODULE)]);
    refused(&laid.lay("artifact-two-modules"), &blob(&laid.bytes()), media::WASM_CONTENT, media::WASM_CONFIG);
}

#[test]
fn an_artifact_whose_module_is_compressed_is_refused() {
    let zipped = build::gzip(MODULE).unwrap();
    let laid = Laid::artifact(&[(media::WASM_CONFIG, b"{}"), (media::WASM_CONTENT, &zipped)]);
    refused(&laid.lay("artifact-gzip"), &blob(&laid.bytes()), "does not begin as WebAssembly", "as it is");
}

#[test]
fn an_artifact_that_is_not_whole_is_refused() {
    let artifact = || Laid::artifact(&[(media::WASM_CONFIG, b"[]"), (media::WASM_CONTENT, MODULE)]);
    for (name, missing) in [("without-artifact-config", b"{}".as_slice()), ("without-artifact-layer", b"[]")]
    {
        let directory = artifact().lay(name);
        fs::remove_file(directory.join(blob(missing))).unwrap();
        refused(&directory, &blob(missing), "No such file", "again");
    }
    let laid =
        artifact().edited(|manifest| manifest["layers"][1]["urls"] = json!(["https://example.com/layer"]));
    refused(&laid.lay("artifact-elsewhere"), &blob(&laid.bytes()), "is foreign", "without `urls`");
}

#[test]
fn an_artifact_in_dockers_manifest_is_refused() {
    let mut laid = Laid::artifact(&[(media::WASM_CONFIG, b"{}"), (media::WASM_CONTENT, MODULE)])
        .edited(|manifest| manifest["mediaType"] = json!(media::DOCKER_MANIFEST));
    laid.media_type = media::DOCKER_MANIFEST;
    refused(&laid.lay("artifact-docker"), &blob(&laid.bytes()), "an artifact in a manifest", media::MANIFEST);
}
