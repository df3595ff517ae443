//! Layouts that the agent can use, and every way in which one may be spoilt: each is built, and refused for the reason
//! that it was built for.
//!
//! They stay in the directory for temporary files, where `make test-image` shows them to the agent as well.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it should be"
)]

mod artifact;
mod laid;

use std::fs;
use std::path::Path;

use serde_json::json;
use vestibule_image::build::{self, Image};
use vestibule_image::check::{self, Kind};
use vestibule_image::layout::{Descriptor, sha256};
use vestibule_image::{Fault, media};

use laid::{Laid, MODULE, image, lay};

/// A frame of Zstandard with one raw block, which is the text "zstd".
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd\x20\x04\x21\x00\x00zstd";

const FOREIGN: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
const ZSTD_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
const PLAIN_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Refused, at this place, for this reason, with this remedy: some words of each.
#[track_caller]
fn refused(directory: &Path, place: &str, found: &str, remedy: &str) {
    let fault = check::image(directory).expect_err("refused");
    about(&fault, place, found, remedy);
}

#[track_caller]
fn about(fault: &Fault, place: &str, found: &str, remedy: &str) {
    let all = [(&fault.place, place), (&fault.found, found), (&fault.remedy, remedy)];
    assert!(all.iter().all(|(text, words)| text.contains(words)), "not for {found:?}: {fault:#?}");
}

/// The path of a blob, as it is to stand in a message.
fn blob(bytes: &[u8]) -> String {
    format!("blobs/sha256/{}", sha256(bytes))
}

#[test]
fn the_image_that_is_built_is_accepted() {
    let checked = check::image(&Laid::good().lay("good-image")).unwrap();
    assert_eq!((checked.kind, checked.module.as_slice()), (Kind::Image, MODULE));
    assert_eq!(checked.manifest.digest, format!("sha256:{}", sha256(&image().manifest)));
}

#[test]
fn the_same_image_in_dockers_words_is_accepted() {
    let checked = check::image(&Laid::docker().lay("good-docker")).unwrap();
    assert_eq!((checked.kind, checked.module.as_slice()), (Kind::Image, MODULE));
}

#[test]
fn what_docker_packs_is_accepted() {
    // As `COPY plugin.wasm /plugin.wasm` has it, and as `tar -c .` has it.
    for (name, file) in [("good-copy", "plugin.wasm"), ("good-tar", "./plugin.wasm")] {
        assert_eq!(check::image(&Laid::with_files(&[(file, MODULE)]).lay(name)).unwrap().module, MODULE);
    }
}

#[test]
fn a_zstd_layer_is_refused() {
    let laid = Laid::with_layer(ZSTD_LAYER, ZSTD.to_vec(), b"zstd");
    refused(
        &laid.lay("zstd"),
        &blob(&laid.bytes()),
        "layers[0] is \"application/vnd.oci.image.layer.v1.tar+zstd\"",
        "gzip",
    );
}

#[test]
fn a_zstd_layer_by_the_name_of_gzip_is_refused() {
    let laid = Laid::with_layer(media::LAYER, ZSTD.to_vec(), b"zstd");
    refused(&laid.lay("zstd-named-gzip"), &blob(ZSTD), "the layer is zstd", "gzip");
}

#[test]
fn an_uncompressed_layer_is_refused() {
    let archive = build::archive(&[("plugin.wasm", MODULE)]).unwrap();
    let laid = Laid::with_layer(PLAIN_LAYER, archive.clone(), &archive);
    refused(
        &laid.lay("uncompressed"),
        &blob(&laid.bytes()),
        "layers[0] is \"application/vnd.oci.image.layer.v1.tar\"",
        "gzip",
    );
    let laid = Laid::with_layer(media::LAYER, archive.clone(), &archive);
    refused(&laid.lay("uncompressed-named-gzip"), &blob(&archive), "not compressed", "gzip");
}

#[test]
fn a_layer_that_does_not_unpack_is_refused() {
    let mut layer = image().layer;
    layer.truncate(layer.len() - 12);
    let laid = Laid::with_layer(media::LAYER, layer.clone(), b"");
    refused(&laid.lay("cut-short"), &blob(&layer), "does not unpack", "gzip");
}

#[test]
fn a_foreign_layer_is_refused() {
    let laid = Laid::good().edited(|manifest| manifest["layers"][0]["mediaType"] = json!(FOREIGN));
    refused(&laid.lay("foreign"), &blob(&laid.bytes()), "layers[0] is foreign", "ordinary layer");
    let laid =
        Laid::good().edited(|manifest| manifest["layers"][0]["urls"] = json!(["https://example.com/layer"]));
    refused(&laid.lay("elsewhere"), &blob(&laid.bytes()), "layers[0] is foreign", "ordinary layer");
}

/// The agent takes `ſ` for an `s`, and the layer that comes last: here the good one, and what was looked at is another.
#[test]
fn a_member_by_another_spelling_is_refused() {
    let other = Laid::with_files(&[("plugin.wasm", b"\0asm\x01\0\0\0\0\x01\0")]);
    let mut laid = Laid::good();
    let layers = laid.manifest["layers"].clone();
    laid.manifest["layer\u{17f}"] = layers;
    laid.manifest["layers"] = other.manifest["layers"].clone();
    laid.manifest["config"] = other.manifest["config"].clone();
    laid.blobs.extend(other.blobs);
    refused(&laid.lay("other-spelling"), &blob(&laid.bytes()), "\"layerſ\"", "again");
    let laid =
        Laid::good().edited(|manifest| manifest["layers"][0]["URLs"] = json!(["https://example.com/layer"]));
    refused(&laid.lay("other-spelling-inside"), &blob(&laid.bytes()), "\"URLs\"", "again");
    // What is written on an image may be called anything.
    let laid = Laid::good().edited(|manifest| manifest["annotations"]["Layers"] = json!("one"));
    assert_eq!(check::image(&laid.lay("good-annotation")).unwrap().module, MODULE);
}

#[test]
fn an_index_is_refused() {
    for (name, kind) in [("index", media::INDEX), ("docker-list", media::DOCKER_LIST)] {
        refused(&Laid::good().lay_under_index(name, kind), "blobs/sha256/", "an index", "--provenance=false");
    }
}

#[test]
fn two_images_in_one_layout_are_refused() {
    let (one, other) = (Laid::good().bytes(), Laid::docker().bytes());
    let entries = [Descriptor::of(media::MANIFEST, &one), Descriptor::of(media::DOCKER_MANIFEST, &other)];
    refused(&lay("two-images", &entries, &[&one, &other]), "index.json", "2 manifests", "one image");
    refused(&lay("no-image", &[], &[]), "index.json", "0 manifests", "one image");
}

#[test]
fn an_image_of_two_layers_is_refused() {
    let mut laid = Laid::good();
    let layer = laid.manifest["layers"][0].clone();
    laid.manifest["layers"] = json!([layer, layer]);
    refused(&laid.lay("two-layers"), &blob(&laid.bytes()), "2 layers", "one layer");
}

#[test]
fn another_file_name_is_refused() {
    let archive = build::archive(&[("vestibule.wasm", MODULE)]).unwrap();
    let layer = build::gzip(&archive).unwrap();
    let directory = Laid::with_archive(&archive).lay("other-name");
    refused(&directory, &blob(&layer), "\"vestibule.wasm\"", "/plugin.wasm");
    refused(&Laid::with_files(&[]).lay("no-file"), "blobs/sha256/", "no plugin.wasm", "/plugin.wasm");
}

#[test]
fn a_file_beside_the_module_is_refused() {
    for (name, files) in [
        ("file-beside", [("plugin.wasm", MODULE), ("README", b"")]),
        ("module-twice", [("plugin.wasm", MODULE), ("plugin.wasm", b"")]),
    ] {
        refused(&Laid::with_files(&files).lay(name), "blobs/sha256/", "the layer has", "nothing beside it");
    }
    let directory = Laid::with_files(&[("filters/plugin.wasm", MODULE)]).lay("in-directory");
    refused(&directory, "blobs/sha256/", "\"filters/plugin.wasm\"", "/plugin.wasm");
}

#[test]
fn a_link_to_the_module_is_refused() {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    archive.append_link(&mut header, "plugin.wasm", "elsewhere.wasm").unwrap();
    let directory = Laid::with_archive(&archive.into_inner().unwrap()).lay("link");
    refused(&directory, "blobs/sha256/", "no regular file", "regular file");
}

#[test]
fn media_types_of_two_kinds_are_refused() {
    let laid =
        Laid::good().edited(|manifest| manifest["layers"][0]["mediaType"] = json!(media::DOCKER_LAYER));
    refused(&laid.lay("docker-layer-in-oci"), &blob(&laid.bytes()), media::DOCKER_LAYER, media::LAYER);
    let laid = Laid::docker().edited(|manifest| manifest["layers"][0]["mediaType"] = json!(media::LAYER));
    refused(&laid.lay("oci-layer-in-docker"), &blob(&laid.bytes()), media::LAYER, media::DOCKER_LAYER);
    let laid = Laid::docker().edited(|manifest| manifest["config"]["mediaType"] = json!(media::CONFIG));
    refused(&laid.lay("oci-config-in-docker"), &blob(&laid.bytes()), media::CONFIG, media::DOCKER_CONFIG);
}

#[test]
fn other_media_types_are_refused() {
    let laid = Laid::good().edited(|manifest| manifest["config"]["mediaType"] = json!("application/json"));
    refused(&laid.lay("config-type"), &blob(&laid.bytes()), "config is \"application/json\"", media::CONFIG);
    let laid = Laid::good()
        .edited(|manifest| manifest["layers"][0]["mediaType"] = json!("application/octet-stream"));
    refused(&laid.lay("layer-type"), &blob(&laid.bytes()), "\"application/octet-stream\"", media::LAYER);
    let mut laid = Laid::good().edited(|manifest| manifest["mediaType"] = json!("application/json"));
    laid.media_type = "application/json";
    refused(&laid.lay("manifest-type"), &blob(&laid.bytes()), "\"application/json\"", media::MANIFEST);
    let mut laid = Laid::good();
    laid.media_type = media::DOCKER_MANIFEST;
    refused(
        &laid.lay("manifest-types-differ"),
        &blob(&laid.bytes()),
        media::DOCKER_MANIFEST,
        media::MANIFEST,
    );
}

#[test]
fn a_blob_that_is_not_what_its_digest_says_is_refused() {
    let Image { manifest, config, layer } = image();
    for (what, bytes) in [("manifest", manifest), ("config", config), ("layer", layer)] {
        let path = |directory: &Path| directory.join("blobs/sha256").join(sha256(&bytes));
        let directory = Laid::good().lay(&format!("other-{what}"));
        let mut other = bytes.clone();
        *other.last_mut().unwrap() ^= 1;
        fs::write(path(&directory), &other).unwrap();
        refused(&directory, &blob(&bytes), &format!("digest is sha256:{}", sha256(&other)), "again");

        let directory = Laid::good().lay(&format!("longer-{what}"));
        fs::write(path(&directory), [bytes.as_slice(), b" "].concat()).unwrap();
        refused(&directory, &blob(&bytes), "bytes, its descriptor says", "again");

        let directory = Laid::good().lay(&format!("without-{what}"));
        fs::remove_file(path(&directory)).unwrap();
        refused(&directory, &blob(&bytes), "No such file", "again");
    }
}

#[test]
fn a_digest_that_leads_out_of_the_layout_is_refused() {
    let laid =
        Laid::good().edited(|manifest| manifest["layers"][0]["digest"] = json!("sha256:../../../oci-layout"));
    refused(&laid.lay("digest-path"), "digest-path", "no sha256", "again");
}

#[test]
fn a_configuration_of_another_layer_is_refused() {
    let laid = Laid::with_layer(media::LAYER, image().layer, b"another");
    refused(&laid.lay("other-diff-id"), &blob(&laid.blobs[0]), "rootfs.diff_ids", "again");
}

#[test]
fn what_is_no_module_is_refused() {
    let laid = Laid::with_files(&[("plugin.wasm", b"#!/bin/sh")]);
    refused(&laid.lay("no-module"), &blob(&laid.bytes()), "does not begin as WebAssembly", "as it is");
}

#[test]
fn a_module_that_is_not_vestibules_is_refused() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let fault = check::interface(&root, MODULE, "the image").expect_err("refused");
    about(&fault, "the image", "missing: export proxy_on_request_headers", "dist/vestibule.wasm");
}

#[test]
fn what_is_no_layout_is_refused() {
    refused(Path::new("/nowhere"), "/nowhere/oci-layout", "No such file", "image layout");
    let directory = Laid::good().lay("index-json");
    fs::write(directory.join("index.json"), "{").unwrap();
    refused(&directory, "index.json", "not what it should be", "again");
}

#[test]
fn a_bill_of_materials_is_no_image() {
    let subject = Descriptor::of(media::MANIFEST, b"{}").json();
    let laid = Laid::good().edited(|manifest| manifest["subject"] = subject);
    refused(&laid.lay("subject"), &blob(&laid.bytes()), "has a subject", "name the image");
}
