//! The image: one gzipped layer with `plugin.wasm` and nothing else.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use super::Manifest;
use crate::build::PLUGIN;
use crate::layout::{Descriptor, Layout, sha256};
use crate::{Fault, media};

/// What a layer may unpack to, in bytes; the agent's own bound.
const MOST: u64 = 256 * 1024 * 1024;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

const RECOMPRESS: &str = "compress the layer with gzip, which is all that the agent unpacks \
                          (docker buildx build --output type=image,compression=gzip,force-compression=true)";

#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<String>,
}

/// The module of an image.
pub(super) fn module(
    layout: &Layout,
    descriptor: &Descriptor,
    manifest: &Manifest,
) -> Result<Vec<u8>, Fault> {
    let place = layout.blob_path(&descriptor.digest).display().to_string();
    let [layer] = manifest.layers.as_slice() else {
        let found = format!("the image has {} layers", manifest.layers.len());
        return Err(Fault::new(
            place,
            found,
            "make it one layer (FROM scratch, one COPY plugin.wasm /plugin.wasm)",
        ));
    };
    // Docker's manifest may have Docker's layers only, and OCI's OCI's.
    let docker = descriptor.media_type == media::DOCKER_MANIFEST;
    let (config, expected) =
        if docker { (media::DOCKER_CONFIG, media::DOCKER_LAYER) } else { (media::CONFIG, media::LAYER) };
    if manifest.config.media_type != config {
        let found = format!("the media type of config is {:?}", manifest.config.media_type);
        return Err(Fault::new(place, found, format!("make it {config:?}, of the manifest's own kind")));
    }
    check_layer_type(&place, layer, expected)?;

    let place = layout.blob_path(&layer.digest).display().to_string();
    let archive = unpack(&place, &layout.blob(layer)?)?;
    let config: Config = super::parse(
        &layout.blob_path(&manifest.config.digest).display().to_string(),
        &layout.blob(&manifest.config)?,
    )?;
    let contents = format!("sha256:{}", sha256(&archive));
    if config.rootfs.diff_ids != [contents.clone()] {
        let place = layout.blob_path(&manifest.config.digest).display().to_string();
        let found =
            format!("rootfs.diff_ids is {:?}, the layer unpacks to {contents}", config.rootfs.diff_ids);
        return Err(Fault::new(
            place,
            found,
            "build the image again: what mounts or unpacks it refuses this",
        ));
    }
    plugin(&place, &archive)
}

fn check_layer_type(place: &str, layer: &Descriptor, expected: &str) -> Result<(), Fault> {
    let found = &layer.media_type;
    if found.contains("foreign") || found.contains("nondistributable") || !layer.urls.is_empty() {
        let found = format!("layers[0] is foreign ({found:?}): registries do not keep it");
        return Err(Fault::new(
            place,
            found,
            format!("put the module into an ordinary layer ({expected:?})"),
        ));
    }
    if found == expected {
        return Ok(());
    }
    let remedy = if found.contains("zstd") || found.ends_with("tar") {
        RECOMPRESS.to_owned()
    } else {
        format!("make it {expected:?}, of the manifest's own kind")
    };
    Err(Fault::new(place, format!("the media type of layers[0] is {found:?}"), remedy))
}

fn unpack(place: &str, layer: &[u8]) -> Result<Vec<u8>, Fault> {
    if !layer.starts_with(GZIP) {
        let found = if layer.starts_with(ZSTD) { "the layer is zstd" } else { "the layer is not compressed" };
        return Err(Fault::new(place, format!("{found}, whatever its media type says"), RECOMPRESS));
    }
    let mut archive = Vec::new();
    let read = MultiGzDecoder::new(layer).take(MOST + 1).read_to_end(&mut archive);
    read.map_err(|error| Fault::new(place, format!("the layer does not unpack: {error}"), RECOMPRESS))?;
    if archive.len() as u64 > MOST {
        return Err(Fault::new(
            place,
            format!("the layer unpacks to more than {MOST} bytes"),
            "put the module in alone",
        ));
    }
    Ok(archive)
}

fn plugin(place: &str, archive: &[u8]) -> Result<Vec<u8>, Fault> {
    let alone = format!("put the module in as /{PLUGIN}, a regular file, and nothing beside it");
    let unread =
        |error: std::io::Error| Fault::new(place, format!("the archive cannot be read: {error}"), &*alone);
    let mut module = None;
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries().map_err(unread)? {
        let mut entry = entry.map_err(unread)?;
        let path = entry.path_bytes().into_owned();
        let path = String::from_utf8_lossy(&path).into_owned();
        let name = path.strip_prefix("./").or(path.strip_prefix('/')).unwrap_or(&path);
        // Of the image's root itself.
        if name.is_empty() && entry.header().entry_type().is_dir() {
            continue;
        }
        if name != PLUGIN || module.is_some() {
            return Err(Fault::new(place, format!("the layer has {path:?}"), alone));
        }
        if !entry.header().entry_type().is_file() {
            return Err(Fault::new(place, format!("{path:?} is no regular file"), alone));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(unread)?;
        module = Some(bytes);
    }
    module.ok_or_else(|| Fault::new(place, format!("the layer has no {PLUGIN}"), alone))
}
