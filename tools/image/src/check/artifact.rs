//! The artifact: a layer of configuration, and the module as it is.

use super::Manifest;
use crate::layout::{Descriptor, Layout};
use crate::{Fault, media};

/// The module of an artifact.
pub(super) fn module(
    layout: &Layout,
    descriptor: &Descriptor,
    manifest: &Manifest,
) -> Result<Vec<u8>, Fault> {
    let place = layout.blob_path(&descriptor.digest).display().to_string();
    let two = format!("give it two layers, {:?} and {:?}", media::WASM_CONFIG, media::WASM_CONTENT);
    if descriptor.media_type != media::MANIFEST {
        let found = format!("an artifact in a manifest of type {:?}", descriptor.media_type);
        return Err(Fault::new(place, found, format!("make it {:?}", media::MANIFEST)));
    }
    let [first, second] = manifest.layers.as_slice() else {
        return Err(Fault::new(place, format!("the artifact has {} layers", manifest.layers.len()), two));
    };
    let content = match (first.media_type.as_str(), second.media_type.as_str()) {
        (media::WASM_CONFIG, media::WASM_CONTENT) => second,
        (media::WASM_CONTENT, media::WASM_CONFIG) => first,
        (first, second) => {
            return Err(Fault::new(
                place,
                format!("the media types of its layers are {first:?} and {second:?}"),
                two,
            ));
        }
    };
    for layer in [&manifest.config, first, second] {
        if !layer.urls.is_empty() {
            let found = format!("the blob {} is foreign: registries do not keep it", layer.digest);
            return Err(Fault::new(place, found, "push it with the artifact, without `urls`"));
        }
        layout.blob(layer)?;
    }
    layout.blob(content)
}
