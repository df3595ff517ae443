//! A real Envoy for as long as a value of this type lives, with its log, its statistics and its listeners'
//! ports.
//!
//! When it ends, the filter's own log lines are searched for secrets: every test that starts an Envoy is also
//! a test of that.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::bootstrap::Bootstrap;
use super::{http, secrets};

/// How long an Envoy may take until it serves.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the filter does is seen call by call.
const LOG_EVERYTHING: [&str; 4] = ["--log-level", "debug", "--component-log-level", "wasm:trace"];

/// A running Envoy, which ends with this value.
pub struct Envoy {
    child: Child,
    log: PathBuf,
    admin: u16,
    ports: BTreeMap<String, u16>,
}

/// An Envoy that did not start.
#[derive(Debug)]
pub struct Refusal {
    /// The process's exit code; none if it was ended by a signal.
    pub exit_code: Option<i32>,
    /// Its log.
    pub log: String,
}

impl Envoy {
    /// Starts an Envoy with these variables, and waits until every listener serves.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start(bootstrap: &Bootstrap, environment: &[(&str, &str)]) -> Self {
        Self::try_start(bootstrap, environment).unwrap_or_else(|refusal| refusal.stop())
    }

    /// The same with more arguments; a `--log-level` or a `--concurrency` among them takes the place of the
    /// tests' own.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start_with(bootstrap: &Bootstrap, environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        Self::start_on(None, bootstrap, environment, arguments)
    }

    /// The same on this core alone, by `taskset`; or on any.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start_on(
        core: Option<usize>,
        bootstrap: &Bootstrap,
        environment: &[(&str, &str)],
        arguments: &[&str],
    ) -> Self {
        Self::launch(core, bootstrap, environment, arguments).unwrap_or_else(|refusal| refusal.stop())
    }

    /// The same, where it may fail.
    ///
    /// # Errors
    /// Where Envoy ends instead of serving.
    pub fn try_start(bootstrap: &Bootstrap, environment: &[(&str, &str)]) -> Result<Self, Refusal> {
        Self::launch(None, bootstrap, environment, &[])
    }

    fn launch(
        core: Option<usize>,
        bootstrap: &Bootstrap,
        environment: &[(&str, &str)],
        arguments: &[&str],
    ) -> Result<Self, Refusal> {
        for (_, value) in environment {
            secrets::remember(value.as_bytes());
        }
        let files = Files::next();
        fs::write(&files.bootstrap, bootstrap.to_json()).expect("the bootstrap can be written");
        let log = File::create(&files.log).expect("the log can be written");
        let mut command = match core {
            None => Command::new(binary()),
            // It becomes Envoy, so that the child is Envoy either way.
            Some(core) => {
                let mut taskset = Command::new("taskset");
                taskset.args(["--cpu-list", &core.to_string()]).arg(binary());
                taskset
            }
        };
        let child = command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_clear()
            .envs(environment.iter().copied())
            .arg("--config-path")
            .arg(&files.bootstrap)
            .arg("--admin-address-path")
            .arg(&files.admin)
            // Nothing is shared with other Envoys of this machine.
            .args(["--disable-hot-restart", "--file-flush-interval-msec", "50"])
            .args(if arguments.contains(&"--concurrency") { &[] } else { &["--concurrency", "1"][..] })
            .args(if arguments.contains(&"--log-level") { &[] } else { &LOG_EVERYTHING[..] })
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file handle can be copied"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("ENVOY={}: {error}", binary().display()));
        let mut envoy = Self { child, log: files.log, admin: 0, ports: BTreeMap::new() };
        envoy.wait_until_it_serves(&files.admin)?;
        Ok(envoy)
    }

    /// The port of this listener.
    pub fn port(&self, listener: &str) -> u16 {
        *self
            .ports
            .get(listener)
            .unwrap_or_else(|| panic!("there is no listener {listener} in {:?}", self.ports))
    }

    /// The port of its administration, which Prometheus scrapes.
    pub fn admin_port(&self) -> u16 {
        self.admin
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where its log is.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// Everything logged so far, access logs included.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).expect("the log can be read")).into_owned()
    }

    /// Waits until the log holds this text: some of it is written with a delay.
    pub fn wait_for_log(&self, text: &str) -> bool {
        wait(Duration::from_secs(5), || self.log().contains(text).then_some(())).is_some()
    }

    /// What the filter itself has logged so far.
    pub fn filter_log(&self) -> Vec<String> {
        filter_records(&self.log())
    }

    /// What the filter has told so far of this kind, by the `vestibule` of its lines.
    pub fn told(&self, kind: &str) -> Vec<Value> {
        told(&self.log(), kind)
    }

    /// Waits until the filter has told of this kind what has these members.
    pub fn wait_until_told(&self, kind: &str, members: &Value) -> bool {
        let has = |told: &Value| {
            let members = members.as_object().expect("members");
            members.iter().all(|(name, value)| told.get(name) == Some(value))
        };
        wait(Duration::from_secs(5), || self.told(kind).iter().any(has).then_some(())).is_some()
    }

    /// What the admin port answers at this path.
    pub fn admin(&self, path: &str) -> http::Response {
        http::get(path).send(self.admin)
    }

    /// Has the admin port do what it does at this path only when asked by POST.
    ///
    /// # Panics
    /// Where it does not.
    pub fn command(&self, path: &str) {
        let response = http::call("POST", path).header("content-length", "0").send(self.admin);
        assert_eq!(response.status, 200, "{path}: {}", response.text());
    }

    /// The statistics whose name starts so.
    pub fn stats(&self, prefix: &str) -> BTreeMap<String, u64> {
        let text = http::get("/stats").send(self.admin).text();
        let pairs = text.lines().filter_map(|line| line.split_once(": "));
        let pairs = pairs.filter(|(name, _)| name.starts_with(prefix));
        pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
    }

    fn wait_until_it_serves(&mut self, admin_file: &Path) -> Result<(), Refusal> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked for its status") {
                return Err(Refusal { exit_code: status.code(), log: self.log() }); // searched for secrets as it drops
            }
            if self.find_ports(admin_file).is_some() {
                return Ok(());
            }
            assert!(
                Instant::now() < end,
                "Envoy does not serve after {PATIENCE:?}; see {}",
                self.log.display()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Succeeds once Envoy is live and every listener takes connections.
    fn find_ports(&mut self, admin_file: &Path) -> Option<()> {
        let address = fs::read_to_string(admin_file).ok()?;
        self.admin = port_in(&address)?;
        let live = http::get("/ready").try_send(self.admin).ok().filter(|response| response.status == 200);
        live?;
        let listeners = http::get("/listeners?format=json").try_send(self.admin).ok()?.json();
        self.ports =
            listeners["listener_statuses"].as_array()?.iter().map(listener_port).collect::<Option<_>>()?;
        let serving = |port: &u16| std::net::TcpStream::connect(("127.0.0.1", *port)).is_ok();
        (!self.ports.is_empty() && self.ports.values().all(serving)).then_some(())
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // Where it has ended by itself there is nothing left to end.
        drop(self.child.kill());
        drop(self.child.wait());
        if !thread::panicking() {
            assert_keeps_secrets(&self.log());
        }
    }
}

impl Refusal {
    /// What the filter has told of the configuration, a line for each fault: its path, `: `, and what is wrong.
    pub fn faults(&self) -> String {
        let line =
            |told: &Value| Some(format!("{}: {}\n", told["path"].as_str()?, told["message"].as_str()?));
        told(&self.log, "configuration_refused").iter().filter_map(line).collect()
    }

    fn stop(self) -> ! {
        panic!("Envoy did not start (exit code {:?}); its errors:\n{}", self.exit_code, self.complaints())
    }

    /// The lines that say why.
    pub fn complaints(&self) -> String {
        let complaint = |line: &&str| {
            ["[error]", "[critical]"].iter().any(|level| line.contains(level)) || !line.starts_with('[')
        };
        self.log.lines().filter(complaint).collect::<Vec<_>>().join("\n")
    }
}

/// Asks Envoy whether it would start with this file in this folder; its answer is the exit code and the log.
pub fn validate(file: &Path, folder: &Path, environment: &[(&str, &str)]) -> Refusal {
    let output = Command::new(binary())
        .current_dir(folder)
        .env_clear()
        .envs(environment.iter().copied())
        .args(["--mode", "validate", "--config-path"])
        .arg(file)
        .output()
        .unwrap_or_else(|error| panic!("ENVOY={}: {error}", binary().display()));
    let log = [output.stdout, output.stderr].concat();
    Refusal { exit_code: output.status.code(), log: String::from_utf8_lossy(&log).into_owned() }
}

/// The filter's own records in an Envoy's log; one goes on until the next begins.
pub fn filter_records(log: &str) -> Vec<String> {
    let mut records: Vec<String> = Vec::new();
    for line in log.lines() {
        match records.last_mut() {
            Some(record) if !line.starts_with('[') => *record = format!("{record}\n{line}"),
            _ => records.push(line.to_owned()),
        }
    }
    records.retain(|record| record.contains(" wasm log "));
    records
}

/// What the filter has told of this kind in an Envoy's log, line by line. All that it writes is JSON.
pub fn told(log: &str, kind: &str) -> Vec<Value> {
    let objects = filter_records(log).into_iter().map(|record| {
        let start = record.find('{').unwrap_or_else(|| panic!("no object: {record}"));
        let object = record.get(start..).and_then(|text| serde_json::from_str::<Value>(text).ok());
        object.unwrap_or_else(|| panic!("no JSON: {record}"))
    });
    objects.filter(|object| object["vestibule"] == kind).collect()
}

fn assert_keeps_secrets(log: &str) {
    // Most records are the same but for their time.
    let messages: BTreeSet<String> = filter_records(log)
        .iter()
        .filter_map(|record| Some(record.split_once(" wasm log ")?.1.to_owned()))
        .collect();
    let leak = messages.into_iter().find_map(|message| Some((secrets::first_in(&message)?, message)));
    assert!(leak.is_none(), "the filter logged a secret: {leak:?}");
}

/// The files of one Envoy. They stay until the next run of the same binary.
struct Files {
    bootstrap: PathBuf,
    admin: PathBuf,
    log: PathBuf,
}

impl Files {
    fn next() -> Self {
        static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
            // Beside the running binary: target/debug/deps/envoy-… or target/debug/examples/demo.
            let binary = std::env::current_exe().expect("a binary knows where it is");
            let stem = binary.file_stem().expect("a binary has a name").to_string_lossy().into_owned();
            let name = stem.split_once('-').map_or(stem.as_str(), |(name, _)| name);
            let target = binary.ancestors().nth(2).expect("cargo puts binaries into folders");
            let folder = target.join("envoy-logs").join(name);
            drop(fs::remove_dir_all(&folder)); // of the run before, if there was one
            fs::create_dir_all(&folder).expect("a folder for logs can be made");
            folder
        });
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let of_thread = thread::current().name().unwrap_or("envoy").replace("::", ".");
        let path = |extension: &str| FOLDER.join(format!("{number:03}-{of_thread}.{extension}"));
        Self { bootstrap: path("json"), admin: path("admin"), log: path("log") }
    }
}

/// The Envoy under test.
pub fn binary() -> PathBuf {
    std::env::var_os("ENVOY").expect("ENVOY is not set: run `make test`").into()
}

fn listener_port(status: &Value) -> Option<(String, u16)> {
    let port = status["local_address"]["socket_address"]["port_value"].as_u64()?;
    Some((status["name"].as_str()?.to_owned(), u16::try_from(port).ok()?))
}

fn port_in(address: &str) -> Option<u16> {
    address.trim().rsplit_once(':')?.1.parse().ok()
}

fn wait<T>(patience: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
    loop {
        match attempt() {
            None if Instant::now() < end => thread::sleep(Duration::from_millis(20)),
            outcome => return outcome,
        }
    }
}
