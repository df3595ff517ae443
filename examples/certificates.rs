//! `make certificates`: what `envoy/mesh.yaml` reads from `dist/certificates/`.
//!
//! Plays the part of a mesh's certificate authority, once: its own key is gone when this ends.

#![allow(clippy::expect_used, reason = "what cannot be made is said as this ends")]

#[path = "../tests/support/certificates.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tests make more kinds of certificates")]
mod certificates;

use std::path::Path;
use std::process::ExitCode;

use certificates::MeshCertificates;

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/certificates");
    match MeshCertificates::fresh().write(&folder) {
        Ok(()) => {
            println!("{}: certificates of the gateway and the service, valid for 90 days", folder.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}
