//! `make bench`: what Vestibule costs beside Envoy's own filters, in a real Envoy. It judges nothing; it ends
//! with an error only where it could not measure.
//!
//! - A **variant** is a listener of one Envoy, and the requests that it is sent. All of them are served by
//!   one worker, which has a core of its own; the clients have another one. No access logs, no upstream but
//!   where the row says so.
//! - A **round** is one turn of each variant, and each begins with another one, so that whatever else the
//!   machine does burdens all of them alike. A turn is a number of requests over eight connections, each of
//!   which sends its next as soon as the last is answered. What is counted is the time that the worker has
//!   spent on the CPU, as the kernel tells it, over the requests. An answer that is not 200 ends the run.
//! - A **launch** is an Envoy, its proofs (`proof.rs`: each variant shows that it does its work), one round
//!   that does not count, and those that do. How code and data come to lie in memory differs from process to
//!   process, and with it the time that the same code takes: so there are several launches, and their rounds
//!   are pooled.
//! - **Added** is what a variant took over its base in the same round: the same requests without a filter.
//! - A **ratio** is what a variant added over what its peer added in the same round. Of both the tables show
//!   the median and the quartiles.
//!
//! - Memory and loading are measured on Envoys of their own (`memory.rs`), before.
//!
//! Where tokens are new, each is used once at a listener, and a peer gets the tokens of the same stream. To a
//! native filter without a cache it makes no difference whether it has seen a token before.

#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement that cannot go on ends with the reason"
)]

mod chart;
mod doors;
mod footprint;
mod listeners;
mod load;
mod machine;
mod memory;
mod options;
mod peers;
mod proof;
mod report;
mod requests;
mod rounds;
mod sample;
mod statistics;
#[path = "../../tests/support/mod.rs"]
mod support;
mod tokens;
mod upstream;
mod variants;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use machine::Cores;
use options::Options;
use sample::Samples;
use tokens::Mint;
use variants::Variant;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("bench: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let needed = ["ENVOY", "VESTIBULE_WASM", "VESTIBULE_NOOP"];
    if let Some(name) = needed.into_iter().find(|name| std::env::var_os(name).is_none()) {
        return Err(format!("{name} is not set: run `make bench`"));
    }
    let (begin, variants) = (Instant::now(), chosen(options)?);
    let (version, load) = (machine::envoy_version()?, machine::load());
    let measured = std::env::var_os("VESTIBULE_WASM").map(PathBuf::from).unwrap_or_default();
    let module = module(&measured)?;
    let beside = options.beside.as_deref().map(self::module).transpose()?;
    fs::create_dir_all(&options.out).map_err(|error| format!("{}: {error}", options.out.display()))?;
    println!("Envoy {version}");
    for (what, module) in [("module", Some(&module)), ("beside it", beside.as_ref())] {
        if let Some(module) = module {
            println!(
                "{what} {} bytes, sha256 {}",
                module["bytes"],
                module["sha256"].as_str().unwrap_or_default()
            );
        }
    }
    let mut document = json!({
        "date": date(),
        "machine": machine::describe(),
        "envoy": version,
        "module": module,
        "beside": beside,
        "parameters": options.to_json(),
    });
    // First, while this process may still run on every core, and so what it starts.
    if options.measures_memory() {
        document["memory"] = measure_memory(options)?;
    }
    let cores = options.measures_requests().then(Cores::settle);
    let samples = cores.map(|cores| measure_requests(options, cores, &variants)).transpose()?;
    let rows = samples.as_ref().map(Samples::rows);
    if let (Some(samples), Some(rows)) = (&samples, &rows) {
        let ratios = samples.ratios();
        println!("\n{}\n\n{}", report::rows(rows), report::ratios(&ratios));
        document["cores"] = json!(cores.map(|cores| cores.to_string()));
        document["token_bytes"] = Mint::new().sizes();
        document["requests"] = report::to_json(rows, &ratios);
    }
    document["load_average"] = json!({ "start": load, "end": machine::load() });
    write(options, "bench.json", &format!("{document:#}\n"))?;
    if let Some(rows) = &rows {
        let caption = "What a filter adds to a request, by median and quartiles";
        chart::draw(rows, caption, &options.out.join("bench.svg"))?;
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!("It took {seconds:.0} s; the load average was {load} before and is {} now.", machine::load());
    Ok(())
}

fn measure_memory(options: &Options) -> Result<Value, String> {
    let [module, noop] = ["VESTIBULE_WASM", "VESTIBULE_NOOP"].map(std::env::var_os);
    let [module, noop] = [module, noop].map(|path| PathBuf::from(path.unwrap_or_default()));
    let subjects = memory::subjects(&module, &noop);
    eprintln!("memory and loading, {} Envoys", options.starts() * memory::WORKERS.len() * subjects.len());
    let costs = memory::measure(&subjects, options.starts())?;
    println!("\n{}", footprint::table(&subjects, &costs)?);
    footprint::to_json(&subjects, &costs)
}

fn measure_requests<'v>(
    options: &Options,
    cores: Cores,
    variants: &'v [Variant],
) -> Result<Samples<'v>, String> {
    println!("\n{cores}");
    let mut samples = Samples::of(variants);
    for launch in 1..=options.launches() {
        eprintln!("launch {launch} of {}, {} variants", options.launches(), variants.len());
        rounds::launch(variants, cores, options, &mut samples)?;
    }
    Ok(samples)
}

/// The variants that are asked for, and the bases that they rest on.
fn chosen(options: &Options) -> Result<Vec<Variant>, String> {
    let mut variants = variants::all();
    variants.extend(options.beside.iter().flat_map(|module| variants::beside(module)));
    for only in &options.only {
        if !variants.iter().any(|variant| options::stands_for(only, &variant.name)) {
            let names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
            return Err(format!("there is no variant {only}; there are {}", names.join(", ")));
        }
    }
    let wanted = variants.iter().filter(|variant| options.wants(&variant.name));
    let bases: BTreeSet<&str> = wanted.filter_map(|variant| variant.base).collect();
    variants.retain(|variant| options.wants(&variant.name) || bases.contains(variant.name.as_str()));
    Ok(variants)
}

/// What is measured, so that nobody takes it for another.
fn module(path: &Path) -> Result<Value, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(json!({ "bytes": bytes.len(), "sha256": digest }))
}

fn write(options: &Options, name: &str, text: &str) -> Result<(), String> {
    let path = options.out.join(name);
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("wrote {}", path.display());
    Ok(())
}

fn date() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = now.ok().and_then(|now| i64::try_from(now.as_secs()).ok());
    let time = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or_else(|| "unknown".to_owned(), |time| time.to_string())
}
