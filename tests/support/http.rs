//! A client that sends exactly the bytes it is told, and reads the answer whole.
//!
//! A library would refuse most of what the tests must send: byte 0xFF, copies of one header, any spelling of
//! a name.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::secrets;

const TIMEOUT: Duration = Duration::from_secs(20);

/// One request over a connection of its own.
#[derive(Clone, Debug)]
pub struct Call {
    method: Vec<u8>,
    path: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
}

/// A GET of this path.
pub fn get(path: impl AsRef<[u8]>) -> Call {
    call("GET", path)
}

/// A request with this method and path.
pub fn call(method: impl AsRef<[u8]>, path: impl AsRef<[u8]>) -> Call {
    Call {
        method: method.as_ref().to_vec(),
        path: path.as_ref().to_vec(),
        headers: Vec::new(),
        body: Vec::new(),
    }
}

impl Call {
    /// The same with another method.
    pub fn method(mut self, method: &str) -> Self {
        self.method = method.as_bytes().to_vec();
        self
    }

    /// One more header line, spelt as given; a second call with the same name is a second copy.
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// An `authorization` header with this bearer token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// What follows the empty line, as it stands: the caller also sends the framing header that fits.
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Sends it to a port of this machine.
    ///
    /// # Panics
    /// Where no HTTP answer comes back: every call of a test is answered, if only with an error.
    pub fn send(&self, port: u16) -> Response {
        self.try_send(port).unwrap_or_else(|error| panic!("no answer on port {port}: {error}"))
    }

    /// Sends it to a port of this machine.
    ///
    /// # Errors
    /// Where the connection or the answer is broken.
    pub fn try_send(&self, port: u16) -> io::Result<Response> {
        for (name, value) in &self.headers {
            secrets::remember_header(name, value);
        }
        let mut connection = Connection::try_open(port)?;
        connection.stream.write_all(&self.bytes_with("close"))?;
        connection.read(self)
    }

    /// What goes over a connection that stays open.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes_with("keep-alive")
    }

    fn bytes_with(&self, connection: &str) -> Vec<u8> {
        let mut head = [&self.method, b" ".as_slice(), &self.path, b" HTTP/1.1\r\nconnection: "].concat();
        head.extend([connection.as_bytes(), b"\r\n"].concat());
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"host")) {
            head.extend(b"host: vestibule.test\r\n");
        }
        for (name, value) in &self.headers {
            head.extend([name, b": ".as_slice(), value, b"\r\n"].concat());
        }
        [head.as_slice(), b"\r\n", &self.body].concat()
    }
}

/// A connection that stays open from one request to the next, for a test that sends very many or takes its
/// time.
///
/// It remembers no secrets, which would take longer than the requests: the test remembers those that matter.
pub struct Connection {
    stream: TcpStream,
}

impl Connection {
    /// Connects to a port of this machine.
    ///
    /// # Panics
    /// Where nobody listens there.
    pub fn open(port: u16) -> Self {
        Self::try_open(port).unwrap_or_else(|error| panic!("no connection to port {port}: {error}"))
    }

    fn try_open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream })
    }

    /// Sends a request and reads its answer.
    ///
    /// # Panics
    /// Where no HTTP answer comes back.
    pub fn send(&mut self, call: &Call) -> Response {
        self.write(call);
        self.read(call).unwrap_or_else(|error| panic!("no answer to {call:?}: {error}"))
    }

    /// Sends a request whose answer is read later, or never.
    ///
    /// # Panics
    /// Where the connection is broken.
    pub fn write(&mut self, call: &Call) {
        self.stream.write_all(&call.bytes()).unwrap_or_else(|error| panic!("{call:?}: {error}"));
    }

    /// Sends bytes as they stand, such as the rest of a body.
    ///
    /// # Panics
    /// Where the connection is broken.
    pub fn write_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Waits until there is something to read, and leaves it unread.
    ///
    /// # Panics
    /// Where nothing comes.
    pub fn wait_for_bytes(&self) {
        let length = self.stream.peek(&mut [0]).unwrap_or_else(|error| panic!("nothing came: {error}"));
        assert_eq!(length, 1, "the connection has ended");
    }

    /// Reads so many bytes, which are no HTTP.
    ///
    /// # Panics
    /// Where fewer come.
    pub fn read_bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).unwrap_or_else(|error| panic!("{count} bytes: {error}"));
        bytes
    }

    /// Reads the answer to this request.
    ///
    /// # Errors
    /// Where the connection or the answer is broken.
    pub fn read(&mut self, call: &Call) -> io::Result<Response> {
        let mut answer = Vec::new();
        let mut buffer = [0; 16 * 1024];
        // Not until the connection ends: Envoy keeps it for a second after it has refused a request.
        loop {
            let length = self.stream.read(&mut buffer)?;
            answer.extend(&buffer[..length]);
            if let Some(response) = Response::parse(&answer, length == 0, call.method == b"HEAD") {
                return Ok(response);
            }
            if length == 0 {
                let answer = String::from_utf8_lossy(&answer).into_owned();
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("incomplete: {answer:?}")));
            }
        }
    }
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    /// The header's value; copies are joined with `, `.
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> =
            self.headers.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Every header, names in lower case.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The denial code: of a problem document or, to a gRPC client, of the gRPC message.
    pub fn code(&self) -> Option<String> {
        self.json()["code"].as_str().map(str::to_owned).or_else(|| self.header("grpc-message"))
    }

    /// The response that these bytes are, of a connection that has ended; none where it was cut short.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        Self::parse(bytes, true, false)
    }

    /// The response, as soon as it is whole. Only the request tells that it has no body (RFC 9112 section
    /// 6.3).
    fn parse(bytes: &[u8], ended: bool, bodiless: bool) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]);
        let mut lines = head.split("\r\n");
        let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let body = &bytes[end + 4..];
        let value_of =
            |name: &str| headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
        let body = match (value_of("transfer-encoding"), value_of("content-length")) {
            // What follows a 101 is no HTTP any more (RFC 9110 section 15.2.2).
            _ if bodiless || status == 101 => Vec::new(),
            (Some("chunked"), _) => unchunk(body)?,
            (_, Some(length)) => body.get(..length.parse().ok()?)?.to_vec(),
            _ => ended.then(|| body.to_vec())?,
        };
        Some(Self { status, headers, body })
    }
}

/// The content of a chunked body (RFC 9112 section 7.1).
fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line_end]).ok()?.split(';').next()?, 16)
            .ok()?;
        rest = &rest[line_end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}
