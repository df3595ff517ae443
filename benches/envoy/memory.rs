//! What a module costs before the first request: the memory that Envoy holds because of it, and how much
//! later it serves, by the number of its workers.
//!
//! An Envoy is started anew for each sample, on whichever cores the kernel gives it: without a module, with
//! each of the modules, and then again. Memory is read after every worker has answered requests, and is
//! anonymous: what is mapped from files is shared and can be thrown away.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};

use super::doors;
use super::listeners::{self, Upstreams};
use super::requests::with_token;
use super::statistics::Spread;
use super::support::envoy::Envoy;
use super::support::http::Connection;
use super::support::thread::Process;
use super::tokens::{Form, Mint, PATH};
use super::variants::{Filter, Requests, base, over};

/// How many workers Envoy has.
pub const WORKERS: [usize; 3] = [1, 2, 8];
/// Over each connection.
const REQUESTS: usize = 20;
/// By which every worker has got one, however the kernel distributes them.
const MOST_CONNECTIONS: usize = 1_000;
const LISTENER: &str = "door";

/// A kind of Envoy that is measured.
pub struct Subject {
    /// What the table calls it.
    pub name: String,
    /// The file of its module, if it has one.
    pub module: Option<PathBuf>,
    /// What a door is told.
    configuration: Value,
    /// What it should not exceed.
    pub goals: Goals,
}

/// What a module should not exceed.
#[derive(Clone, Copy, Default)]
pub struct Goals {
    /// Its size, in KB.
    pub size: Option<f64>,
    /// How much later an Envoy serves, in milliseconds.
    pub load: Option<f64>,
    /// What it adds to an Envoy with two workers, in MiB.
    pub memory: Option<f64>,
}

/// A subject with so many workers, as it was measured: everything of it, and what the module added.
pub struct Cost {
    /// Which subject.
    pub subject: usize,
    /// How many workers.
    pub workers: usize,
    /// Anonymous memory, in MiB.
    pub memory: [Spread; 2],
    /// From the start until it serves, in milliseconds.
    pub wall: [Spread; 2],
    /// The CPU time of the process until then, in milliseconds.
    pub cpu: [Spread; 2],
}

/// Without a module, with the SDK's that does nothing, and with each of Vestibule's that was built: beside
/// the one that verifies by itself what its host cannot there may be one that leaves all to the host.
pub fn subjects(module: &Path, noop: &Path) -> Vec<Subject> {
    let whole = Goals { size: Some(700.0), ..Goals::default() };
    let by_host = Goals { size: Some(350.0), load: Some(400.0), memory: Some(25.0) };
    let subject = |name: &str, module: Option<&Path>, goals| Subject {
        name: name.to_owned(),
        module: module.map(Path::to_owned),
        configuration: doors::outer(),
        goals,
    };
    let mut subjects = vec![
        subject("no wasm", None, Goals::default()),
        subject("SDK filter that does nothing", Some(noop), Goals::default()),
        subject("vestibule.wasm", Some(module), whole),
    ];
    let other = module.with_file_name("vestibule-host.wasm");
    if other.exists() {
        subjects.push(subject("vestibule-host.wasm", Some(&other), by_host));
    }
    subjects.push(Subject {
        configuration: doors::routes(doors::MANY_ROUTES),
        ..subject("vestibule.wasm, 10,000 routes", Some(module), Goals::default())
    });
    subjects
}

/// Starts each as often as that, in turn.
///
/// # Errors
/// Where one does not serve on every worker.
pub fn measure(subjects: &[Subject], starts: usize) -> Result<Vec<Cost>, String> {
    let upstreams = Upstreams::start();
    let mut mint = Mint::new();
    let mut samples = vec![vec![Vec::new(); subjects.len()]; WORKERS.len()];
    for start in 0..starts {
        for (workers, samples) in WORKERS.iter().zip(&mut samples) {
            for turn in 0..subjects.len() {
                let which = (start + turn) % subjects.len();
                let sample = sample(&subjects[which], *workers, &upstreams, &mut mint)
                    .map_err(|reason| format!("{} with {workers} workers: {reason}", subjects[which].name))?;
                samples[which].push(sample);
            }
        }
    }
    let cost = |workers: usize, which: usize| {
        let of = |column: usize| {
            let samples = &samples[workers];
            let all: Vec<f64> = samples[which].iter().map(|sample| sample[column]).collect();
            let added =
                samples[which].iter().zip(&samples[0]).map(|(with, none)| with[column] - none[column]);
            [Spread::of(&all), Spread::of(&added.collect::<Vec<_>>())]
        };
        Cost { subject: which, workers: WORKERS[workers], memory: of(0), wall: of(1), cpu: of(2) }
    };
    Ok((0..WORKERS.len())
        .flat_map(|workers| (0..subjects.len()).map(move |which| (workers, which)))
        .map(|(workers, which)| cost(workers, which))
        .collect())
}

/// Memory, wall time and CPU time of one start.
fn sample(
    subject: &Subject,
    workers: usize,
    upstreams: &Upstreams,
    mint: &mut Mint,
) -> Result<[f64; 3], String> {
    let requests = Requests::Seen(Form::Rs256);
    let variant = match &subject.module {
        None => base(LISTENER, &subject.name, requests),
        Some(_) => {
            over("none", LISTENER, &subject.name, Filter::Outer(subject.configuration.clone()), requests)
        }
    };
    let mut bootstrap = listeners::bootstrap(&[variant], upstreams);
    if let Some(module) = &subject.module {
        let filter = &mut bootstrap.connection_manager(LISTENER)["http_filters"][0];
        filter["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"] = json!(module);
    }
    let count = workers.to_string();
    let arguments = [&listeners::QUIET[..], &["--concurrency", &count]].concat();
    let start = Instant::now();
    let envoy = Envoy::start_on(None, &bootstrap, &[], &arguments);
    let wall = start.elapsed().as_secs_f64() * 1e3;
    let process = Process::of(&envoy);
    let cpu = process.milliseconds();
    let connections = reach_every_worker(&envoy, workers, mint)?;
    let memory = process.anonymous_mebibytes();
    drop(connections);
    Ok([memory, wall, cpu])
}

/// Sends requests over connections, one after the other, until every worker has one.
fn reach_every_worker(envoy: &Envoy, workers: usize, mint: &mut Mint) -> Result<Vec<Connection>, String> {
    let port = envoy.port(LISTENER);
    let mut connections = Vec::new();
    while connections.len() < MOST_CONNECTIONS {
        let mut connection = Connection::open(port);
        let call = with_token(PATH, Form::Rs256, &mint.token(Form::Rs256).token);
        for _ in 0..REQUESTS {
            let response = connection.send(&call);
            if response.status != 200 {
                return Err(format!("{} {}", response.status, response.text()));
            }
        }
        connections.push(connection);
        let reached = envoy.stats("listener.").into_iter().filter(|(name, count)| {
            name.contains(".worker_") && name.ends_with(".downstream_cx_active") && *count > 0
        });
        if reached.count() == workers {
            return Ok(connections);
        }
    }
    Err("some worker gets no connection".to_owned())
}
