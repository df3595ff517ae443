//! An OCI image layout: a directory of blobs by digest, and the index that says which of them is the image.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{Fault, media};

/// What a blob is, how long, and of which digest.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Its media type; old tools leave an index's out.
    #[serde(default)]
    pub media_type: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// In bytes.
    pub size: u64,
    /// Where it is instead, for a foreign layer.
    #[serde(default)]
    pub urls: Vec<String>,
    /// Ours are the name in a layout's index.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// Of bytes that are a blob.
    #[must_use]
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: format!("sha256:{}", sha256(bytes)),
            size: bytes.len() as u64,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
        }
    }

    /// As it stands in a manifest.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest, "size": self.size })
    }
}

/// SHA-256, in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A layout that is there, or is being written.
#[derive(Debug)]
pub struct Layout {
    directory: PathBuf,
}

impl Layout {
    /// Of a directory.
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// The path of a blob.
    #[must_use]
    pub fn blob_path(&self, digest: &str) -> PathBuf {
        self.directory.join("blobs").join(digest.replacen(':', "/", 1))
    }

    /// A file of the layout, for messages.
    #[must_use]
    pub fn place(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn file(&self, name: &str) -> Result<Vec<u8>, Fault> {
        let path = self.directory.join(name);
        fs::read(&path).map_err(|error| {
            Fault::new(
                path.display().to_string(),
                error.to_string(),
                "name the directory of an OCI image layout",
            )
        })
    }

    /// The bytes of a blob, which are what its descriptor says.
    ///
    /// # Errors
    /// Where it is absent, or is other bytes.
    pub fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, Fault> {
        let remedy = "copy or build the image again; a registry and the agent refuse such a blob";
        let hex = descriptor.digest.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() != 64 || !hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            let place = self.directory.display().to_string();
            return Err(Fault::new(
                place,
                format!("the digest {:?} is no sha256", descriptor.digest),
                remedy,
            ));
        }
        let path = self.blob_path(&descriptor.digest);
        let place = path.display().to_string();
        let bytes = fs::read(&path).map_err(|error| Fault::new(place.clone(), error.to_string(), remedy))?;
        if bytes.len() as u64 != descriptor.size {
            let found =
                format!("the blob has {} bytes, its descriptor says {}", bytes.len(), descriptor.size);
            return Err(Fault::new(place, found, remedy));
        }
        let found = sha256(&bytes);
        if found != hex {
            return Err(Fault::new(place, format!("the blob's digest is sha256:{found}"), remedy));
        }
        Ok(bytes)
    }

    /// Writes a layout that has one manifest, in place of whatever was there.
    ///
    /// # Errors
    /// Where files cannot be written.
    pub fn write(&self, name: &str, manifest: &[u8], blobs: &[&[u8]]) -> Result<(), Fault> {
        let mut entry = Descriptor::of(media::MANIFEST, manifest).json();
        if let Some(members) = entry.as_object_mut() {
            members.insert("annotations".into(), json!({ "org.opencontainers.image.ref.name": name }));
        }
        let index = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": [entry] });
        // Under its name only when it is whole.
        let new = Self::at(self.directory.with_extension("new"));
        remove(&new.directory)?;
        new.put("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        new.put("index.json", index.to_string().as_bytes())?;
        for blob in blobs.iter().chain([&manifest]) {
            new.put(&format!("blobs/sha256/{}", sha256(blob)), blob)?;
        }
        remove(&self.directory)?;
        fs::rename(&new.directory, &self.directory).map_err(|error| unwritten(&self.directory, &error))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        write(&self.directory.join(name), bytes)
    }
}

/// Writes a file, and the directories above it.
///
/// # Errors
/// Where it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let above = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(above).and_then(|()| fs::write(path, bytes)).map_err(|error| unwritten(path, &error))
}

fn remove(directory: &Path) -> Result<(), Fault> {
    if !directory.exists() {
        return Ok(());
    }
    fs::remove_dir_all(directory).map_err(|error| unwritten(directory, &error))
}

fn unwritten(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new(path.display().to_string(), error.to_string(), "make it a place that can be written to")
}
