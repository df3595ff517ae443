//! What a run is asked for: how long, which variants, where its files go.

use std::path::PathBuf;

use clap::Parser;
use serde_json::{Value, json};

/// Measures what Vestibule costs beside Envoy's own filters. `make bench` starts it.
#[derive(Debug, Parser)]
pub struct Options {
    /// Two minutes instead of ten.
    #[arg(long)]
    pub quick: bool,
    /// These variants alone, by name; one that ends in `*` stands for all that begin so.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Another Vestibule's module, as before a change: its doors stand in the same Envoy.
    #[arg(long)]
    pub beside: Option<PathBuf>,
    /// Where `bench.json` and `bench.svg` go.
    #[arg(long, default_value = "target/bench")]
    pub out: PathBuf,
    /// How many Envoys, one after the other.
    #[arg(long)]
    launches: Option<usize>,
    /// How often each variant has its turn in an Envoy.
    #[arg(long)]
    rounds: Option<usize>,
    /// How many requests a turn has; where each verifies a signature, half of them.
    #[arg(long, default_value_t = 500)]
    requests: usize,
    /// Only what loading costs and how much memory is held; without it requests too, if none is left out.
    #[arg(long, conflicts_with = "only")]
    memory: bool,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// How many Envoys.
    pub fn launches(&self) -> usize {
        self.launches.unwrap_or(if self.quick { 2 } else { 5 })
    }

    /// How many rounds in each.
    pub fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 20 } else { 40 })
    }

    /// How many requests in a turn.
    pub fn requests(&self) -> usize {
        self.requests
    }

    /// How often each Envoy is started whose memory is measured.
    pub fn starts(&self) -> usize {
        if self.quick { 3 } else { 7 }
    }

    /// Whether memory and loading are measured.
    pub fn measures_memory(&self) -> bool {
        self.only.is_empty()
    }

    /// Whether requests are measured.
    pub fn measures_requests(&self) -> bool {
        !self.memory
    }

    /// Whether the variant of this name is asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| stands_for(only, name))
    }

    /// For the report.
    pub fn to_json(&self) -> Value {
        json!({
            "launches": self.launches(), "rounds": self.rounds(), "requests": self.requests(),
            "starts": self.starts(), "only": self.only,
        })
    }
}

/// Whether a name, or the beginning of one, stands for this variant.
pub fn stands_for(only: &str, name: &str) -> bool {
    match only.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => only == name,
    }
}
