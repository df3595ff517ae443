//! The clients: so many connections, each of which sends its next request as soon as the last one is
//! answered.
//!
//! They send bytes that were made before, and believe no answer that they have not read: one that is not 200
//! ends the run. `wrk` would be faster, but it stops by time and not by count, and each request here has a
//! token of its own.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::support::http::{Call, Connection, get};

/// Enough that the worker is never idle, and few enough that none waits long.
pub const CONNECTIONS: usize = 8;

/// The clients of one listener.
pub struct Clients {
    connections: Vec<Connection>,
}

/// What the clients saw of a turn.
pub struct Turn {
    /// From the first request to the last answer.
    pub wall: Duration,
    /// How long each answer took.
    pub latencies: Vec<Duration>,
}

impl Clients {
    /// Connects to a port of this machine.
    pub fn connect(port: u16) -> Self {
        Self { connections: (0..CONNECTIONS).map(|_| Connection::open(port)).collect() }
    }

    /// Sends each of the requests once, and reads every answer.
    ///
    /// # Errors
    /// The first answer that is not 200.
    pub fn send(&mut self, requests: &[&[u8]]) -> Result<Turn, String> {
        let (next, start) = (AtomicUsize::new(0), Barrier::new(self.connections.len()));
        let template = get("/");
        let clients: Vec<Result<Client, String>> = thread::scope(|scope| {
            let serve = |connection| scope.spawn(|| client(connection, requests, &next, &start, &template));
            let threads: Vec<_> = self.connections.iter_mut().map(serve).collect();
            threads.into_iter().map(|thread| thread.join().expect("a client reports")).collect()
        });
        let clients = clients.into_iter().collect::<Result<Vec<_>, _>>()?;
        let first = clients.iter().map(|client| client.start).min().expect("there are clients");
        let last = clients.iter().map(|client| client.end).max().expect("there are clients");
        let latencies: Vec<Duration> = clients.into_iter().flat_map(|client| client.latencies).collect();
        assert_eq!(latencies.len(), requests.len(), "each request is sent once");
        Ok(Turn { wall: last - first, latencies })
    }
}

struct Client {
    start: Instant,
    end: Instant,
    latencies: Vec<Duration>,
}

fn client(
    connection: &mut Connection,
    requests: &[&[u8]],
    next: &AtomicUsize,
    start: &Barrier,
    template: &Call,
) -> Result<Client, String> {
    let mut latencies = Vec::with_capacity(requests.len());
    start.wait();
    let start = Instant::now();
    let mut end = start;
    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
        let sent = Instant::now();
        connection.write_bytes(request);
        let response = connection.read(template).map_err(|error| format!("no answer: {error}"))?;
        end = Instant::now();
        if response.status != 200 {
            return Err(format!("it answers {} {}", response.status, response.text()));
        }
        latencies.push(end - sent);
    }
    Ok(Client { start, end, latencies })
}
