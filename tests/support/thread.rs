//! Time that Envoy, or a thread of it, has spent on the CPU, its memory, and how such samples are summed up: for
//! the benchmarks.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::envoy::Envoy;

/// One of Envoy's threads.
pub struct Thread(pub String);

/// The only worker of an Envoy.
pub fn worker_of(envoy: &Envoy) -> Thread {
    let tasks = format!("/proc/{}/task", envoy.pid());
    let tasks = fs::read_dir(tasks).expect("a running process has threads");
    let folders = tasks.map(|task| task.expect("a thread").path().display().to_string());
    let is_worker = |folder: &String| {
        fs::read_to_string(format!("{folder}/comm")).is_ok_and(|name| name.starts_with("wrk:worker_0"))
    };
    Thread(folders.into_iter().find(is_worker).expect("an Envoy has a worker"))
}

impl Thread {
    /// Its time on the CPU.
    pub fn nanoseconds(&self) -> u64 {
        let text = fs::read_to_string(format!("{}/schedstat", self.0)).expect("the kernel counts");
        text.split(' ').next().and_then(|text| text.parse().ok()).expect("a number")
    }

    /// The same once it has nothing left to do: an answer arrives before all is tidied up behind it, and the
    /// kernel brings the time of a thread that runs up to date only now and then.
    ///
    /// # Panics
    /// Where it is never at rest.
    pub fn nanoseconds_at_rest(&self) -> u64 {
        let end = Instant::now() + Duration::from_secs(5);
        let mut before = self.nanoseconds();
        loop {
            sleep(Duration::from_millis(2));
            let now = self.nanoseconds();
            if now == before {
                return now;
            }
            assert!(Instant::now() < end, "a thread that should be at rest works on");
            before = now;
        }
    }
}

/// An Envoy as the kernel sees it.
pub struct Process(u32);

impl Process {
    /// The process of this Envoy.
    pub fn of(envoy: &Envoy) -> Self {
        Self(envoy.pid())
    }

    /// Its time on the CPU, in ticks of 10 ms: of all its threads, those included that have ended.
    pub fn milliseconds(&self) -> f64 {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.0)).expect("a running process");
        // proc_pid_stat(5): user and system time are the fields 14 and 15, and the second is a name in
        // parentheses.
        let (_, fields) = text.rsplit_once(") ").expect("a name in parentheses");
        let ticks = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("a number"));
        ticks.sum::<f64>() * 10.0
    }

    /// The memory that belongs to it and to no file, in MiB.
    pub fn anonymous_mebibytes(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).expect("a running process");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("it has memory");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
    }
}

/// The median, and the quarters that the middle half lies between. Between two samples it is as far as their
/// ranks say.
pub fn quartiles(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    [2, 1, 3].map(|quarter| {
        let (rank, between) = ((sorted.len() - 1) * quarter / 4, (sorted.len() - 1) * quarter % 4);
        let next = sorted[(rank + 1).min(sorted.len() - 1)];
        sorted[rank] + (next - sorted[rank]) * [0.0, 0.25, 0.5, 0.75][between]
    })
}
