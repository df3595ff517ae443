//! The media types by which manifests say what they hold.

/// An image's manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Docker's manifest, whose layers must be Docker's as well.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Several images under one name.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The same, in Docker's words.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// An image's configuration.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Docker's.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// Where there is nothing to configure: the two bytes `{}` (OCI image specification, "Guidance for an Empty
/// Descriptor").
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// The one kind of layer that the agent unpacks in an OCI image.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The one kind of layer that the agent unpacks in a Docker image.
pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// The configuration of the two-layer artifact, and its first layer (Wasm Image Specification).
pub const WASM_CONFIG: &str = "application/vnd.module.wasm.config.v1+json";
/// The second layer of the two-layer artifact, the module as it is.
pub const WASM_CONTENT: &str = "application/vnd.module.wasm.content.layer.v1+wasm";

/// A CycloneDX bill of materials.
pub const CYCLONEDX: &str = "application/vnd.cyclonedx+json";
