//! A service that remembers every request as it came: the proof of what a door let through.

use std::io::{BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::http::Response;

/// Every answer carries the number of the request here, so that a test finds its own among those of others.
const NUMBER: &str = "x-upstream-request";

/// What the service says to a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// 200.
    Ok,
    /// 302, to this location.
    Redirect(String),
    /// This status line, and perhaps headers.
    Status(&'static str),
    /// 101. From then on it sends back whatever comes.
    Switch,
}

/// A listener on a free loopback port.
pub struct Upstream {
    port: u16,
    seen: Arc<Mutex<Vec<Arrival>>>,
    stopped: Arc<AtomicBool>,
}

/// What to answer to a request.
type Answering = Arc<dyn Fn(&Arrival) -> Answer + Send + Sync>;

impl From<&'static str> for Answer {
    fn from(line: &'static str) -> Self {
        Self::Status(line)
    }
}

/// One request as it arrived: bytes, in their order, every copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The request line, without its line end.
    pub request_line: Vec<u8>,
    /// The headers; names as they were spelt.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body with its chunk framing and trailers, if it was chunked.
    pub body: Vec<u8>,
}

impl Upstream {
    /// Starts to listen, and answers 200.
    pub fn start() -> Self {
        Self::answering(|_| Answer::Ok)
    }

    /// Starts to listen, and answers so.
    pub fn answering<A: Into<Answer>>(answer: impl Fn(&Arrival) -> A + Send + Sync + 'static) -> Self {
        let answer: Answering = Arc::new(move |arrival| answer(arrival).into());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let (seen, stopped) = (Arc::default(), Arc::<AtomicBool>::default());
        let upstream = Self { port, seen: Arc::clone(&seen), stopped: Arc::clone(&stopped) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                thread::spawn(move || stream.map(|stream| serve(stream, &seen, &answer)));
            }
        });
        upstream
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The request that this response answers; none if the response comes from a door.
    pub fn arrival(&self, response: &Response) -> Option<Arrival> {
        let number: usize = response.header(NUMBER)?.parse().ok()?;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(number).cloned()
    }

    /// Every request so far.
    pub fn all(&self) -> Vec<Arrival> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the listener, so that it sees the flag; if that fails there is nothing to wake.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

impl Arrival {
    /// What stood between the method and the version: the path and the query.
    pub fn path(&self) -> Option<&[u8]> {
        self.request_line.split(|byte| *byte == b' ').nth(1)
    }

    /// All copies of a header; the name in lower case.
    pub fn values(&self, name: &str) -> Vec<String> {
        let copies = self.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name.as_bytes()));
        copies.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// Whether these bytes stand anywhere in what arrived.
    pub fn contains(&self, needle: &str) -> bool {
        let within = |bytes: &[u8]| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
        within(&self.request_line)
            || within(&self.body)
            || self.headers.iter().any(|(name, value)| within(name) || within(value))
    }
}

/// Answers the requests of one connection until it ends.
fn serve(stream: TcpStream, seen: &Mutex<Vec<Arrival>>, answering: &Answering) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let arrival = read_request(&mut reader)?;
        // It may take its time, and others go on.
        let answer = answering(&arrival);
        let number = {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(arrival.clone());
            seen.len() - 1
        };
        let head = match &answer {
            Answer::Ok => "200 OK\r\ncontent-length: 2".to_owned(),
            Answer::Redirect(to) => format!("302 Found\r\nlocation: {to}\r\ncontent-length: 2"),
            Answer::Status(line) => format!("{line}\r\ncontent-length: 2"),
            Answer::Switch => {
                "101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket".to_owned()
            }
        };
        let body = if matches!(answer, Answer::Switch) { "" } else { "ok" };
        let answered = format!("HTTP/1.1 {head}\r\n{NUMBER}: {number}\r\n\r\n{body}");
        // In one piece: several would wait for each other's acknowledgement.
        writer.write_all(answered.as_bytes()).ok()?;
        if matches!(answer, Answer::Switch) {
            return std::io::copy(&mut reader, &mut writer).ok().map(drop);
        }
    }
}

/// The next request of a connection; none at its end, or where it makes no sense.
pub(super) fn read_request(reader: &mut impl BufRead) -> Option<Arrival> {
    let request_line = read_line(reader)?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|&byte| byte == b':')?;
        headers.push((line[..colon].to_vec(), line[colon + 1..].trim_ascii().to_vec()));
    }
    let mut arrival = Arrival { request_line, headers, body: Vec::new() };
    if let Some(length) = arrival.values("content-length").first().and_then(|length| length.parse().ok()) {
        arrival.body = vec![0; length];
        reader.read_exact(&mut arrival.body).ok()?;
    } else if arrival.values("transfer-encoding") == ["chunked"] {
        arrival.body = read_chunks(reader)?;
    }
    Some(arrival)
}

/// Chunks and trailers (RFC 9112 section 7.1), framing and all.
fn read_chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size_line = read_line(reader)?;
        let size = usize::from_str_radix(std::str::from_utf8(&size_line).ok()?, 16).ok()?;
        body.extend([size_line.as_slice(), b"\n"].concat());
        if size == 0 {
            break;
        }
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk).ok()?;
        body.extend(chunk);
    }
    loop {
        let trailer = read_line(reader)?;
        if trailer.is_empty() {
            return Some(body);
        }
        body.extend([trailer.as_slice(), b"\n"].concat());
    }
}

/// A line without its CR LF; none at the connection's end.
fn read_line(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).ok()?;
    line.strip_suffix(b"\r\n").map(<[u8]>::to_vec)
}
