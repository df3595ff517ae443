//! Whether Istio's agent, and whoever else pulls images, can use a layout: what is accepted, and what must be done
//! about the rest.
//!
//! The agent takes two kinds: an image whose layer holds `plugin.wasm`, and an artifact of two layers. It answers 403
//! to every request where it cannot take what a `WasmPlugin` names, so nothing here is only a warning. Some of what is
//! refused it would take: an index in which it finds an image for linux/amd64, layers below the last one,
//! `plugin.wasm` in a directory. Each of these is one mirror or one tool away from what it does not take.

mod artifact;
mod image;
mod interface;
mod spelling;

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::layout::{Descriptor, Layout, sha256};
use crate::{Fault, media, sbom};

pub use interface::interface;

/// A layout that can be used.
#[derive(Debug)]
pub struct Checked {
    /// Of the image's manifest.
    pub manifest: Descriptor,
    /// Whether it is the image or the artifact.
    pub kind: Kind,
    /// What a proxy gets.
    pub module: Vec<u8>,
}

/// The two kinds of which the agent knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `plugin.wasm` in a gzipped layer.
    Image,
    /// The module as a layer of its own.
    Artifact,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
    #[serde(default)]
    subject: Option<Descriptor>,
}

/// Checks the one image of a layout.
///
/// # Errors
/// The first thing because of which somebody could not use it.
pub fn image(directory: &Path) -> Result<Checked, Fault> {
    let layout = Layout::at(directory);
    let (descriptor, manifest) = only_manifest(&layout)?;
    let place = layout.blob_path(&descriptor.digest).display().to_string();
    if manifest.subject.is_some() {
        let remedy = "name the image; this is something that refers to one, as its bill of materials does";
        return Err(Fault::new(place, "the manifest has a subject", remedy));
    }
    let (kind, module) = match manifest.config.media_type.as_str() {
        media::CONFIG | media::DOCKER_CONFIG => {
            (Kind::Image, image::module(&layout, &descriptor, &manifest)?)
        }
        media::WASM_CONFIG => (Kind::Artifact, artifact::module(&layout, &descriptor, &manifest)?),
        other => {
            let found = format!("the media type of config is {other:?}");
            let remedy = format!(
                "make it {:?} for an image, or {:?} for an artifact",
                media::CONFIG,
                media::WASM_CONFIG
            );
            return Err(Fault::new(place, found, remedy));
        }
    };
    if !module.starts_with(b"\0asm") {
        let found = "what it holds as the module does not begin as WebAssembly does";
        return Err(Fault::new(place, found, "put the module in as it is, once"));
    }
    Ok(Checked { manifest: descriptor, kind, module })
}

/// Checks the one bill of materials of a layout: whether it is of this image and this module.
///
/// # Errors
/// The first thing because of which it is not.
pub fn bill(directory: &Path, image: &Checked) -> Result<(), Fault> {
    let again = "`make image` makes both anew";
    let layout = Layout::at(directory);
    let (descriptor, manifest) = only_manifest(&layout)?;
    let place = layout.blob_path(&descriptor.digest).display().to_string();
    let subject = manifest.subject.map(|subject| (subject.media_type, subject.digest, subject.size));
    let of = &image.manifest;
    if subject != Some((of.media_type.clone(), of.digest.clone(), of.size)) {
        return Err(Fault::new(place, format!("its subject is not the image {}", of.digest), again));
    }
    layout.blob(&manifest.config)?;
    let [layer] = manifest.layers.as_slice() else {
        return Err(Fault::new(place, format!("it has {} layers", manifest.layers.len()), again));
    };
    if layer.media_type != media::CYCLONEDX {
        return Err(Fault::new(place, format!("its layer is a {:?}", layer.media_type), again));
    }
    let place = layout.blob_path(&layer.digest).display().to_string();
    let bill: Value = serde_json::from_slice(&layout.blob(layer)?)
        .map_err(|error| Fault::new(place.clone(), error.to_string(), again))?;
    if sbom::module_of(&bill) != Some(sha256(&image.module).as_str()) {
        return Err(Fault::new(place, "it is the bill of another module", again));
    }
    Ok(())
}

/// The manifest that the layout names, if it names one, and that is no index.
fn only_manifest(layout: &Layout) -> Result<(Descriptor, Manifest), Fault> {
    layout.file("oci-layout")?;
    let place = layout.place("index.json");
    let index: Index = parse(&place, &layout.file("index.json")?)?;
    let [descriptor] = index.manifests.as_slice() else {
        let found = format!("it names {} manifests", index.manifests.len());
        let remedy = "keep one image to a layout: tools would push several of them as an index";
        return Err(Fault::new(place, found, remedy));
    };
    let bytes = layout.blob(descriptor)?;
    let place = layout.blob_path(&descriptor.digest).display().to_string();
    let single = "build for one platform and without attestations (docker buildx build --provenance=false --sbom=false): \
                  the tag must name the image itself, and its digest is what a WasmPlugin has as sha256";
    let value: Value = parse(&place, &bytes)?;
    let said = value.get("mediaType").and_then(Value::as_str);
    let kind = said.unwrap_or(&descriptor.media_type);
    if matches!(kind, media::INDEX | media::DOCKER_LIST) || value.get("manifests").is_some() {
        return Err(Fault::new(place, format!("it is an index of several images ({kind:?})"), single));
    }
    if !matches!(kind, media::MANIFEST | media::DOCKER_MANIFEST) || descriptor.media_type != kind {
        let found = format!(
            "the media type is {said:?} in the manifest and {:?} where it is named",
            descriptor.media_type
        );
        let remedy = format!("make both {:?}", media::MANIFEST);
        return Err(Fault::new(place, found, remedy));
    }
    let manifest = parse(&place, &bytes)?;
    Ok((descriptor.clone(), manifest))
}

fn parse<T: for<'de> Deserialize<'de>>(place: &str, bytes: &[u8]) -> Result<T, Fault> {
    let again = "build the image again";
    let unread =
        |error: serde_json::Error| Fault::new(place, format!("it is not what it should be: {error}"), again);
    let value: Value = serde_json::from_slice(bytes).map_err(unread)?;
    if let Some(name) = spelling::misspelt(&value) {
        return Err(Fault::new(
            place,
            format!("it has a member {name:?}, which some readers take for another"),
            again,
        ));
    }
    // A member that is there twice is in no value any more.
    serde_json::from_slice(bytes).map_err(unread)
}
