//! Makes two layouts of a module: its image, and the bill of materials that refers to it.
//!
//! The image is one of a single gzipped layer with `plugin.wasm`, which registries, mirrors, scanners and policies
//! know as any other image, and a kubelet mounts as a volume.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use flate2::{Compression, GzBuilder};
use serde_json::json;

use crate::layout::{Descriptor, Layout, sha256};
use crate::linked::Linked;
use crate::{Fault, media, sbom};

/// What the agent looks for in a layer.
pub const PLUGIN: &str = "plugin.wasm";

/// Where things are, and go.
#[derive(Debug)]
pub struct Places<'a> {
    /// The module; its name without `.wasm` is the image's title.
    pub module: &'a Path,
    /// The layout of its image.
    pub image: &'a Path,
    /// The layout of what refers to it.
    pub sbom: &'a Path,
    /// The bill as a file.
    pub bill: &'a Path,
}

/// Makes both, and says which digest the image has.
///
/// # Errors
/// Where the module cannot be read or the layouts cannot be written.
pub fn layouts(places: &Places<'_>, linked: &Linked) -> Result<String, Fault> {
    let Places { module, image, sbom, bill } = places;
    let title = module.file_stem().and_then(|stem| stem.to_str()).unwrap_or("vestibule");
    let bytes = std::fs::read(module).map_err(|error| {
        Fault::new(module.display().to_string(), error.to_string(), "`make wasm` builds it")
    })?;
    let labels = labels(title, linked);
    let name = linked.root.version.as_str();

    let made = Image::of(&bytes, &labels)?;
    Layout::at(*image).write(name, &made.manifest, &[&made.config, &made.layer])?;

    let mut text = serde_json::to_vec_pretty(&sbom::of(&bytes, title, linked)).map_err(|error| {
        Fault::new("the bill of materials", error.to_string(), "mend tools/image/src/sbom.rs")
    })?;
    text.push(b'\n');
    crate::layout::write(bill, &text)?;
    let subject = Descriptor::of(media::MANIFEST, &made.manifest);
    let manifest = referrer(&subject, &format!("{title}.cdx.json"), &text);
    Layout::at(*sbom).write(name, &manifest, &[EMPTY, &text])?;
    Ok(subject.digest)
}

/// What is true of every build of the same source: neither the time nor the commit, which changes with files that
/// no module knows of.
fn labels(title: &str, linked: &Linked) -> BTreeMap<&'static str, String> {
    let mut labels = BTreeMap::from([
        ("org.opencontainers.image.title", title.to_owned()),
        ("org.opencontainers.image.description", linked.description.clone()),
        ("org.opencontainers.image.version", linked.root.version.clone()),
    ]);
    let license = linked.crates.get(&linked.root).and_then(|root| root.license.clone());
    if let Some(license) = license {
        labels.insert("org.opencontainers.image.licenses", license);
    }
    labels
}

/// The blobs of an image.
#[derive(Debug)]
pub struct Image {
    /// What the digest in manifests is of.
    pub manifest: Vec<u8>,
    /// Its configuration.
    pub config: Vec<u8>,
    /// Its one layer.
    pub layer: Vec<u8>,
}

impl Image {
    /// Of a module's bytes.
    ///
    /// # Errors
    /// None that memory does not give; the archive's own are handed on.
    pub fn of(module: &[u8], labels: &BTreeMap<&str, String>) -> Result<Self, Fault> {
        let archive = archive(&[(PLUGIN, module)])?;
        let layer = gzip(&archive)?;
        // An image must name a platform, though a module knows none. Where an image is put into an index, by a mirror for
        // one, the agent asks for this one, whatever machine it runs on.
        let config = json!({
            "architecture": "amd64", "os": "linux",
            "config": { "Labels": labels },
            "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", sha256(&archive))] },
            // One for each layer, which tools that rewrite images count on.
            "history": [{ "created_by": "make image" }],
        });
        let config = config.to_string().into_bytes();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media::MANIFEST,
            "config": Descriptor::of(media::CONFIG, &config).json(),
            "layers": [Descriptor::of(media::LAYER, &layer).json()],
            "annotations": labels,
        });
        Ok(Self { manifest: manifest.to_string().into_bytes(), config, layer })
    }
}

/// The configuration of what has none.
const EMPTY: &[u8] = b"{}";

/// The manifest of a bill, which names the image that it is of.
fn referrer(subject: &Descriptor, file: &str, bill: &[u8]) -> Vec<u8> {
    let Descriptor { media_type, digest, size, .. } = Descriptor::of(media::CYCLONEDX, bill);
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media::MANIFEST, "artifactType": media::CYCLONEDX,
        "config": Descriptor::of(media::EMPTY, EMPTY).json(),
        "layers": [{
            "mediaType": media_type, "digest": digest, "size": size,
            "annotations": { "org.opencontainers.image.title": file },
        }],
        "subject": subject.json(),
    });
    manifest.to_string().into_bytes()
}

/// A tar archive of files that have neither owner nor date.
///
/// # Errors
/// Where a name is too long for the format.
pub fn archive(files: &[(&str, &[u8])]) -> Result<Vec<u8>, Fault> {
    let unwritten =
        |error: std::io::Error| Fault::new("the layer's archive", error.to_string(), "use shorter names");
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, *bytes).map_err(unwritten)?;
    }
    archive.into_inner().map_err(unwritten)
}

/// Compresses without a date, a name, or the kind of machine that did it.
///
/// # Errors
/// None that memory does not give.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    const UNKNOWN_SYSTEM: u8 = 255;
    let mut gzip =
        GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM).write(Vec::new(), Compression::best());
    gzip.write_all(bytes)
        .and_then(|()| gzip.finish())
        .map_err(|error| Fault::new("the layer", error.to_string(), "free memory"))
}
