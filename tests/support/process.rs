//! A program for as long as a value of this type lives, or the suite: even where that ends without notice, the
//! program does, and all that it has started.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long what must happen may take, unless a suite knows that it takes longer.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the program's group once nobody holds the other end of its own input any more, and waits for it; not
/// for long.
const WATCH: &str = r#"setsid "$@" </dev/null & child=$!
read -r _
kill -- "-$child"
(n=0; while [ $n -lt 200 ]; do sleep 0.1; n=$((n+1)); done; kill -9 -- "-$child") & late=$!
wait "$child"
kill "$late""#;

/// A program and its log.
pub struct Process {
    watch: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program in a folder, which has to be there and gets its log, with these variables and no others
    /// than `PATH`.
    pub fn start(
        name: &str,
        program: &Path,
        arguments: &[impl AsRef<OsStr>],
        folder: &Path,
        environment: &[(&str, &str)],
    ) -> Self {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        let watch = Command::new("sh")
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
        Self { watch, log }
    }

    /// Everything logged so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).expect("the log can be read")).into_owned()
    }

    /// Where its log is.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// Tries until it succeeds.
    ///
    /// # Panics
    /// Where it does not; it shows the end of the log.
    pub fn until<T>(&self, what: &str, attempt: impl FnMut() -> Option<T>) -> T {
        self.within(PATIENCE, what, attempt)
    }

    /// The same, for as long as this.
    ///
    /// # Panics
    /// Where it does not succeed within this time; it shows the end of the log.
    pub fn within<T>(&self, patience: Duration, what: &str, attempt: impl FnMut() -> Option<T>) -> T {
        eventually_within(patience, attempt).unwrap_or_else(|| {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines[lines.len().saturating_sub(60)..].join("\n");
            panic!("not within {patience:?}: {what}; the end of {}:\n{last}", self.log.display())
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        // Where it has ended by itself there is nothing left to wait for.
        drop(self.watch.wait());
    }
}

/// Tries until it succeeds; none where it does not.
pub fn eventually<T>(attempt: impl FnMut() -> Option<T>) -> Option<T> {
    eventually_within(PATIENCE, attempt)
}

fn eventually_within<T>(patience: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
    loop {
        match attempt() {
            None if Instant::now() < end => thread::sleep(Duration::from_millis(100)),
            outcome => return outcome,
        }
    }
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
