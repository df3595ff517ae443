//! A program for as long as a value of this type lives, or the suite: even where that ends without notice,
//! the program does, and all that it has started.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

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
    /// Starts a program with these variables and no others.
    pub fn start(program: &Path, arguments: &[&str], environment: &[(&str, &str)], log: &Path) -> Self {
        let file = File::create(log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        let watch = Command::new("sh")
            .args(["-c", WATCH, "sh"])
            .arg(program)
            .args(arguments)
            .env_clear()
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(file.try_clone().expect("a file handle can be copied"))
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        Self { watch, log: log.to_owned() }
    }

    /// Tries until it succeeds.
    ///
    /// # Panics
    /// Where it does not within this time; it shows the end of the log.
    pub fn until<T>(&self, patience: Duration, what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + patience;
        loop {
            if let Some(outcome) = attempt() {
                return outcome;
            }
            if Instant::now() >= end {
                let log = String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned();
                let lines: Vec<&str> = log.lines().collect();
                let last = lines[lines.len().saturating_sub(60)..].join("\n");
                panic!("not within {patience:?}: {what}; the end of {}:\n{last}", self.log.display());
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        // Where it has ended by itself there is nothing left to wait for.
        drop(self.watch.wait());
    }
}

/// A port that nobody listens on, and that nobody is given who asks for any while the program that it is for
/// is not running: those that Linux gives away (`ip_local_port_range`) are higher.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = 10_000 + u16::try_from(std::process::id() % 15_000).unwrap_or(0);
    loop {
        let port = begin + NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(port < 32_000, "this machine has no free port");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
