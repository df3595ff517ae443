//! usage: image build MODULE IMAGE-LAYOUT SBOM-LAYOUT BILL [CARGO-ARGUMENT...]
//!        image check IMAGE-LAYOUT [SBOM-LAYOUT [MODULE]]
//!
//! `build` makes both layouts of a module, and prints the image's digest; the arguments are those with which Cargo
//! built the module. `check` fails unless the agent can pull the image and gets a module of ours, the bill of
//! materials is of that image, and the module is that of the file; it prints the digest and what it found.
#![allow(clippy::print_stdout, reason = "the digest is what the command is for")]

use std::path::Path;
use std::process::ExitCode;

use vestibule_image::check::{self, Kind};
use vestibule_image::linked::Linked;
use vestibule_image::{Fault, build};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["build", module, image, sbom, bill, features @ ..] => {
            let places = build::Places {
                module: Path::new(module),
                image: Path::new(image),
                sbom: Path::new(sbom),
                bill: Path::new(bill),
            };
            make(&places, features)
        }
        ["check", image] => check(image, None, None),
        ["check", image, sbom] => check(image, Some(sbom), None),
        ["check", image, sbom, module] => check(image, Some(sbom), Some(module)),
        _ => {
            eprintln!("usage: image build MODULE IMAGE-LAYOUT SBOM-LAYOUT BILL [CARGO-ARGUMENT...]");
            eprintln!("       image check IMAGE-LAYOUT [SBOM-LAYOUT [MODULE]]");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("image: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn make(places: &build::Places<'_>, features: &[&str]) -> Result<String, Fault> {
    let features: Vec<String> = features.iter().map(|&word| word.to_owned()).collect();
    build::layouts(places, &Linked::of(Path::new("."), "vestibule", &features)?)
}

fn check(image: &str, sbom: Option<&str>, module: Option<&str>) -> Result<String, Fault> {
    let checked = check::image(Path::new(image))?;
    check::interface(Path::new("."), &checked.module, image)?;
    if let Some(sbom) = sbom {
        check::bill(Path::new(sbom), &checked)?;
    }
    if let Some(module) = module {
        let bytes = std::fs::read(module)
            .map_err(|error| Fault::new(module, error.to_string(), "`make wasm` builds it"))?;
        if bytes != checked.module {
            return Err(Fault::new(
                image,
                format!("it holds another module than {module}"),
                "`make image` makes it anew",
            ));
        }
    }
    let kind = match checked.kind {
        Kind::Image => "image",
        Kind::Artifact => "artifact",
    };
    Ok(format!("{} {kind}, a module of {} bytes", checked.manifest.digest, checked.module.len()))
}
