//! An issuer that publishes its keys: what it answers, and when, is the test's to say; what it was asked, and
//! when, it remembers.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::keys;
use super::upstream::{Arrival, read_request};

/// How long a test waits for what must happen before it fails: long, since a loaded machine is slow and no
/// test is about this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// A listener on a loopback port. As servers do, it keeps its connections until it ends.
pub struct JwksServer {
    port: u16,
    state: Arc<State>,
}

/// What a fetch is answered with.
#[derive(Clone, Debug)]
pub struct Reply {
    bytes: Vec<u8>,
    end: End,
}

/// What becomes of the connection after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It stays.
    None,
    /// It is closed in order.
    Close,
    /// It is reset.
    Reset,
}

/// One request for the keys.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// What came.
    pub request: Arrival,
    /// When it had come whole.
    pub at: Instant,
    /// Which reply it got, and when that was sent; none while it is held.
    pub answered: Option<(Version, Instant)>,
}

/// The number of a reply among those that the test has set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(usize);

impl Version {
    /// The reply that the server was started with.
    pub const FIRST: Self = Self(0);
}

#[derive(Default)]
struct State {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Default)]
struct Now {
    replies: Vec<Reply>,
    is_held: bool,
    is_stopped: bool,
    fetches: Vec<Fetch>,
    connections: Vec<TcpStream>,
}

impl JwksServer {
    /// A server on a free port.
    pub fn start(reply: Reply) -> Self {
        Self::start_on(0, reply)
    }

    /// A server on this port.
    ///
    /// # Panics
    /// Where the port is taken.
    pub fn start_on(port: u16, reply: Reply) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .unwrap_or_else(|error| panic!("port {port}: {error}"));
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let state = Arc::<State>::default();
        state.lock().replies.push(reply);
        let server = Self { port, state: Arc::clone(&state) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                if state.lock().is_stopped {
                    return;
                }
                let Ok(stream) = stream else { continue };
                state.lock().connections.extend(stream.try_clone());
                let state = Arc::clone(&state);
                thread::spawn(move || {
                    while let Some(true) = state.serve(&stream) {}
                    // The server's own copy would keep it open.
                    let address = stream.peer_addr().ok();
                    state.lock().connections.retain(|other| other.peer_addr().ok() != address);
                });
            }
        });
        server
    }

    /// A port on which nobody listens, so that connections are refused until a server starts there.
    pub fn free_port() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        listener.local_addr().expect("a bound socket has an address").port()
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What is answered from now on.
    pub fn answer(&self, reply: Reply) -> Version {
        let mut now = self.state.lock();
        now.replies.push(reply);
        Version(now.replies.len() - 1)
    }

    /// From now on, no fetch is answered.
    pub fn hold(&self) {
        self.state.lock().is_held = true;
    }

    /// Answers every fetch that was held, and all that come, with what is the answer now.
    pub fn release(&self) {
        self.state.lock().is_held = false;
        self.state.changed.notify_all();
    }

    /// Every fetch so far.
    pub fn fetches(&self) -> Vec<Fetch> {
        self.state.lock().fetches.clone()
    }

    /// How many fetches there were so far.
    pub fn count(&self) -> usize {
        self.state.lock().fetches.len()
    }

    /// Waits until there were so many fetches.
    ///
    /// # Panics
    /// Where there are not.
    pub fn wait_for_fetches(&self, count: usize) {
        self.wait(|now| now.fetches.len() >= count, &format!("{count} fetches"));
    }

    /// Waits until this reply was sent so many times.
    ///
    /// # Panics
    /// Where it is not.
    pub fn wait_for_answers(&self, version: Version, count: usize) {
        let sent = |now: &Now| {
            let answers = now.fetches.iter().filter_map(|fetch| fetch.answered);
            answers.filter(|(sent, _)| *sent == version).count()
        };
        self.wait(|now| sent(now) >= count, &format!("{count} times {version:?}"));
    }

    fn wait(&self, is_there: impl Fn(&Now) -> bool, what: &str) {
        let now = self.state.lock();
        let (now, timeout) = self
            .state
            .changed
            .wait_timeout_while(now, PATIENCE, |now| !is_there(now))
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "no {what} within {PATIENCE:?}, but {:?}", now.fetches);
    }
}

impl Drop for JwksServer {
    fn drop(&mut self) {
        let mut now = self.state.lock();
        now.is_stopped = true;
        for connection in now.connections.drain(..) {
            // One that has ended by itself need not be ended.
            drop(connection.shutdown(Shutdown::Both));
        }
        drop(now);
        self.state.changed.notify_all();
        // Wakes the listener, so that it sees the flag; if that fails there is nothing to wake.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request; whether the connection stays.
    fn serve(&self, mut stream: &TcpStream) -> Option<bool> {
        let head = peek_head(stream)?;
        let request = read_request(&mut head.as_slice())?;
        let number = {
            let mut now = self.lock();
            now.fetches.push(Fetch { request, at: Instant::now(), answered: None });
            now.fetches.len() - 1
        };
        self.changed.notify_all();
        let reply = {
            let now = self.lock();
            let is_held = |now: &mut Now| now.is_held && !now.is_stopped;
            let mut now = self.changed.wait_while(now, is_held).unwrap_or_else(PoisonError::into_inner);
            if now.is_stopped {
                return None;
            }
            let (version, reply) = (now.replies.len() - 1, now.replies.last()?.clone());
            now.fetches.get_mut(number)?.answered = Some((Version(version), Instant::now()));
            reply
        };
        self.changed.notify_all();
        if reply.end != End::Reset {
            stream.read_exact(&mut vec![0; head.len()]).ok()?;
        }
        stream.write_all(&reply.bytes).ok()?;
        // What is left unread makes the kernel reset the connection as it closes.
        Some(reply.end == End::None)
    }
}

/// The head of the request, left unread.
fn peek_head(stream: &TcpStream) -> Option<Vec<u8>> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut buffer = [0; 16 * 1024];
    loop {
        let length = stream.peek(&mut buffer).ok().filter(|length| *length > 0)?;
        if buffer[..length].ends_with(b"\r\n\r\n") {
            return Some(buffer[..length].to_vec());
        }
        thread::sleep(Duration::from_millis(1));
    }
}

impl Reply {
    /// A set of these test keys.
    pub fn keys(names: &[&str]) -> Self {
        Self::set(&keys::jwks(names))
    }

    /// A document with status 200.
    pub fn set(document: &Value) -> Self {
        Self::response("200 OK", "content-type: application/json\r\n", document.to_string())
    }

    /// A response with this status line, these header lines and this body.
    pub fn response(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
        Self { bytes: [head.as_bytes(), body].concat(), end: End::None }
    }

    /// These bytes, which need be no HTTP, and then the end of the connection.
    pub fn bytes(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), end: End::Close }
    }

    /// The same twice.
    pub fn twice(mut self) -> Self {
        self.bytes.extend_from_within(..);
        self
    }

    /// Only its first half, and then the end of the connection.
    pub fn cut(mut self) -> Self {
        self.bytes.truncate(self.bytes.len() / 2);
        Self { end: End::Close, ..self }
    }

    /// The same, and then a reset.
    pub fn and_reset(self) -> Self {
        Self { end: End::Reset, ..self }
    }
}
