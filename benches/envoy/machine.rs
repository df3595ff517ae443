//! The machine that measures: which cores Envoy and its clients get, and what belongs into a report of it.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

/// Who runs where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// Envoy on the one, its clients on the other.
    Apart {
        /// Envoy's.
        envoy: usize,
        /// The clients'.
        clients: usize,
    },
    /// Wherever the kernel puts them, for this reason.
    Anywhere(&'static str),
}

impl Cores {
    /// Moves this thread, and those that it starts, to the clients' core, and leaves another to Envoy.
    pub fn settle() -> Self {
        let allowed = allowed_cores();
        let [envoy, clients, ..] = *allowed else {
            return Self::Anywhere("there is only one core");
        };
        let own = std::process::id().to_string();
        let pinned =
            Command::new("taskset").args(["--cpu-list", "--pid", &clients.to_string(), &own]).output();
        match pinned {
            Ok(output) if output.status.success() => Self::Apart { envoy, clients },
            Ok(_) => Self::Anywhere("taskset may not choose cores here"),
            Err(_) => Self::Anywhere("there is no taskset (of util-linux)"),
        }
    }

    /// Envoy's core.
    pub fn envoy(self) -> Option<usize> {
        match self {
            Self::Apart { envoy, .. } => Some(envoy),
            Self::Anywhere(_) => None,
        }
    }
}

impl std::fmt::Display for Cores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Apart { envoy, clients } => {
                write!(f, "Envoy on core {envoy}, its clients on core {clients}")
            }
            Self::Anywhere(reason) => {
                write!(f, "NOT PINNED: {reason}; Envoy and its clients disturb each other")
            }
        }
    }
}

/// What the report says of the machine.
pub fn describe() -> Value {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    json!({
        "processor": model.map_or("unknown", |(_, model)| model.trim()),
        "cores": information.lines().filter(|line| line.starts_with("processor")).count(),
        "kernel": kernel.trim(),
        "architecture": std::env::consts::ARCH,
    })
}

/// How many threads wanted to run in the last minute, on average: what else the machine does.
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

/// What Envoy says of itself.
pub fn envoy_version() -> Result<String, String> {
    let binary = std::env::var_os("ENVOY").ok_or("ENVOY is not set")?;
    let output = Command::new(binary).arg("--version").output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split("version: ").nth(1).map(|version| version.trim().to_owned());
    version.ok_or(format!("Envoy does not tell its version: {text}"))
}

/// The cores that this process may run on.
fn allowed_cores() -> Vec<usize> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let range = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    list.unwrap_or_default().trim().split(',').filter_map(range).flatten().collect()
}
