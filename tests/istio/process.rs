//! A program for as long as a value of this type lives, or the suite: even where that ends without notice, the
//! program does.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long what must happen may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the program once nobody holds the other end of its own input any more, and waits for it; not for long.
const WATCH: &str = r#""$@" </dev/null & child=$!
read -r _
kill "$child"
(sleep 5; kill -9 "$child") & late=$!
wait "$child"
kill "$late""#;

/// A program and its log.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program in a folder of its own, which has to be there, with these variables and no others.
    pub fn start(
        name: &str,
        program: &Path,
        arguments: &[String],
        folder: &Path,
        environment: &[(&str, &str)],
    ) -> Self {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        let child = Command::new("sh")
            .args(["-c", WATCH, "sh"])
            .arg(program)
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(file.try_clone().expect("a file handle can be copied"))
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        Self { child, log }
    }

    /// Everything logged so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).expect("the log can be read")).into_owned()
    }

    /// Where its log is.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// Tries until it succeeds, and shows the end of the log where it does not.
    pub fn until<T>(&self, what: &str, attempt: impl FnMut() -> Option<T>) -> T {
        eventually(attempt).unwrap_or_else(|| {
            let log = self.log();
            let last: Vec<&str> = log.lines().rev().take(40).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            panic!("not within {PATIENCE:?}: {what}; the end of {}:\n{}", self.log.display(), last.join("\n"))
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Where it has ended by itself there is nothing left to wait for.
        drop(self.child.wait());
    }
}

/// Tries until it succeeds; none where it does not.
pub fn eventually<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            None if Instant::now() < end => thread::sleep(Duration::from_millis(100)),
            outcome => return outcome,
        }
    }
}

/// What a variable says that `make test-istio` sets.
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test-istio`"))
}

/// A folder of this run, empty at its start. It stays until the next run.
pub fn folder(name: &str) -> PathBuf {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("istio");
        drop(fs::remove_dir_all(&root)); // of the run before, if there was one
        root
    });
    let folder = ROOT.join(name);
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    folder
}

/// Writes a file, and the folders that it is in.
pub fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("a file is in a folder");
    fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// So many ports that nobody listens on, and that nobody is given who asks for any: else a connection of
/// another program could have one of them before its own does.
pub fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    // Below those that Linux gives away (`ip_local_port_range`); others who run this begin elsewhere.
    static NEXT: LazyLock<AtomicU16> =
        LazyLock::new(|| AtomicU16::new(10_000 + u16::try_from(std::process::id() % 15_000).unwrap_or(0)));
    [(); COUNT].map(|()| {
        loop {
            let port = NEXT.fetch_add(1, Ordering::Relaxed);
            assert!(port < 32_000, "this machine has no free port");
            if TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
                return port;
            }
        }
    })
}
