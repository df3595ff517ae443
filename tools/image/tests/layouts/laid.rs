//! Layouts as they are built, and as others build them: what a test spoils.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vestibule_image::build::{self, Image};
use vestibule_image::layout::{Descriptor, sha256};
use vestibule_image::media;

/// The shortest that there is.
pub(crate) const MODULE: &[u8] = b"\0asm\x01\0\0\0";
pub(crate) fn image() -> Image {
    Image::of(MODULE, &BTreeMap::from([("org.opencontainers.image.title", "test".into())])).unwrap()
}

/// What is to become a layout.
pub(crate) struct Laid {
    /// Of what index.json names.
    pub(crate) media_type: &'static str,
    pub(crate) manifest: Value,
    pub(crate) blobs: Vec<Vec<u8>>,
}

impl Laid {
    /// Of the image as it is built.
    pub(crate) fn good() -> Self {
        let Image { manifest, config, layer } = image();
        let manifest = serde_json::from_slice(&manifest).unwrap();
        Self { media_type: media::MANIFEST, manifest, blobs: vec![config, layer] }
    }

    /// Of an image in Docker's words.
    pub(crate) fn docker() -> Self {
        let mut laid = Self::good();
        laid.media_type = media::DOCKER_MANIFEST;
        laid.manifest["mediaType"] = json!(media::DOCKER_MANIFEST);
        laid.manifest["config"]["mediaType"] = json!(media::DOCKER_CONFIG);
        laid.manifest["layers"][0]["mediaType"] = json!(media::DOCKER_LAYER);
        laid
    }

    /// Of an artifact with these layers.
    pub(crate) fn artifact(layers: &[(&str, &[u8])]) -> Self {
        let config = b"{}".to_vec();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media::MANIFEST,
            "config": Descriptor::of(media::WASM_CONFIG, &config).json(),
            "layers": layers.iter().map(|(kind, bytes)| Descriptor::of(kind, bytes).json()).collect::<Vec<_>>(),
        });
        let mut blobs = vec![config];
        blobs.extend(layers.iter().map(|(_, bytes)| bytes.to_vec()));
        Self { media_type: media::MANIFEST, manifest, blobs }
    }

    /// The image with this layer in place of its own, and a configuration that fits.
    pub(crate) fn with_layer(media_type: &str, layer: Vec<u8>, archive: &[u8]) -> Self {
        let config = json!({
            "architecture": "amd64", "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", sha256(archive))] },
        });
        let config = config.to_string().into_bytes();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media::MANIFEST,
            "config": Descriptor::of(media::CONFIG, &config).json(),
            "layers": [Descriptor::of(media_type, &layer).json()],
        });
        Self { media_type: media::MANIFEST, manifest, blobs: vec![config, layer] }
    }

    /// The image with these files in its layer.
    pub(crate) fn with_archive(archive: &[u8]) -> Self {
        Self::with_layer(media::LAYER, build::gzip(archive).unwrap(), archive)
    }

    pub(crate) fn with_files(files: &[(&str, &[u8])]) -> Self {
        Self::with_archive(&build::archive(files).unwrap())
    }

    pub(crate) fn edited(mut self, edit: impl FnOnce(&mut Value)) -> Self {
        edit(&mut self.manifest);
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.manifest.to_string().into_bytes()
    }

    pub(crate) fn lay(&self, name: &str) -> PathBuf {
        let manifest = self.bytes();
        let mut blobs: Vec<&[u8]> = self.blobs.iter().map(Vec::as_slice).collect();
        blobs.push(&manifest);
        lay(name, &[Descriptor::of(self.media_type, &manifest)], &blobs)
    }

    /// Under an index of another kind, as builders for several platforms have it.
    pub(crate) fn lay_under_index(&self, name: &str, kind: &str) -> PathBuf {
        let manifest = self.bytes();
        let mut child = Descriptor::of(self.media_type, &manifest).json();
        child["platform"] = json!({ "architecture": "amd64", "os": "linux" });
        let index = json!({ "schemaVersion": 2, "mediaType": kind, "manifests": [child] }).to_string();
        let mut blobs: Vec<&[u8]> = self.blobs.iter().map(Vec::as_slice).collect();
        blobs.extend([manifest.as_slice(), index.as_bytes()]);
        lay(name, &[Descriptor::of(kind, index.as_bytes())], &blobs)
    }
}

pub(crate) fn lay(name: &str, entries: &[Descriptor], blobs: &[&[u8]]) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("layouts").join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(directory.join("blobs/sha256")).unwrap();
    let entries: Vec<Value> = entries.iter().map(Descriptor::json).collect();
    let index = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": entries });
    fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    fs::write(directory.join("index.json"), index.to_string()).unwrap();
    for blob in blobs {
        fs::write(directory.join("blobs/sha256").join(sha256(blob)), blob).unwrap();
    }
    directory
}
