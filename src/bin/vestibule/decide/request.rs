//! The request that is decided about: as it is written, and as Envoy's codec would deliver it.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use vestibule::json::{self, Bounds};

use super::curl;
use super::target::Target;
use crate::{Failure, file};

/// A request, like curl's arguments.
#[derive(clap::Args)]
pub(crate) struct RequestArgs {
    /// The method [default: GET]
    #[arg(short = 'X', long, conflicts_with = "request")]
    method: Option<String>,
    /// A header; repeatable. `host` is the authority; `name;` is a header without a value
    #[arg(
        short = 'H',
        long,
        value_name = "NAME: VALUE",
        conflicts_with = "request",
        allow_hyphen_values = true
    )]
    header: Vec<String>,
    /// Cookies, as one `cookie` header has them
    #[arg(short = 'b', long, value_name = "COOKIES", conflicts_with = "request", allow_hyphen_values = true)]
    cookie: Vec<String>,
    /// Read the request from a file: JSON, or a `curl` command as browsers copy it; `-` is standard input
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// The upstream cluster of Envoy's route, by which `gatewayKey.to` is judged
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// The client's address, with or without a port, of which a context tells
    #[arg(long, value_name = "ADDRESS")]
    client: Option<String>,
    // A list, for clap would repeat a token that is an argument too many.
    /// The URL, or the path with its query [default: /]
    #[arg(value_name = "URL or PATH", conflicts_with = "request")]
    target: Vec<String>,
}

/// A name and a value.
pub(crate) type Header = (Vec<u8>, Vec<u8>);

/// Names and values in order.
pub(crate) type Headers = Vec<Header>;

/// A request as somebody wrote it; what is none is not sent.
pub(crate) struct Written {
    pub(crate) method: Option<Vec<u8>>,
    pub(crate) scheme: &'static str,
    pub(crate) authority: Authority,
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) headers: Headers,
    pub(crate) cluster: Option<String>,
    pub(crate) client: Option<String>,
}

/// The authority of a request.
pub(crate) enum Authority {
    /// This one.
    Given(Vec<u8>),
    /// Sent without one.
    Missing,
    /// Nobody said; a `host` header may.
    Unsaid,
}

/// A request as the filter sees it.
pub(crate) struct Delivered {
    pub(crate) headers: Headers,
    pub(crate) cluster: Option<String>,
    pub(crate) client: Option<String>,
    /// Whether nobody said which host it is for.
    pub(crate) host_is_assumed: bool,
}

/// Longer than any request that a proxy takes.
const MOST: u64 = 1024 * 1024;

impl RequestArgs {
    /// Whether the request stands in this file.
    pub(crate) fn is_read_from(&self, path: &Path) -> bool {
        self.request.as_deref() == Some(path)
    }

    pub(crate) fn read(&self) -> Result<Delivered, Failure> {
        let mut written = match &self.request {
            Some(path) => from_file(path)?,
            None => self.written()?,
        };
        if self.cluster.is_some() {
            written.cluster.clone_from(&self.cluster);
        }
        if self.client.is_some() {
            written.client.clone_from(&self.client);
        }
        written.deliver()
    }

    fn written(&self) -> Result<Written, Failure> {
        let target = match self.target.as_slice() {
            [] => "/",
            [target] => target.as_str(),
            _ => {
                return Err(Failure::new(
                    "more than one URL or path: quote a header, as in -H 'name: value', and a URL with `&`",
                ));
            }
        };
        let mut written = Written::to(Target::parse(target).map_err(Failure::new)?);
        if let Some(method) = &self.method {
            written.method = Some(method.as_bytes().to_vec());
        }
        let cookies = cookies(&self.cookie).map_err(Failure)?;
        written.add(&self.header, cookies.into_iter().collect()).map_err(Failure)?;
        Ok(written)
    }
}

impl Written {
    /// A GET of this target.
    pub(crate) fn to(Target { origin, path }: Target) -> Self {
        let mut headers = Headers::new();
        let user = origin.as_ref().and_then(|origin| origin.user.as_deref());
        headers.extend(user.map(basic));
        Self {
            method: Some(b"GET".to_vec()),
            scheme: origin.as_ref().map_or("http", |origin| origin.scheme),
            authority: match origin {
                Some(origin) => Authority::Given(origin.authority.into_bytes()),
                None => Authority::Unsaid,
            },
            path: Some(path.into_bytes()),
            headers,
            cluster: None,
            client: None,
        }
    }

    /// Adds headers as curl's `-H` says them, and what they leave of curl's own: one that is given takes the
    /// place of those of its name, or keeps them from being sent. The first `host` among them is the authority,
    /// whatever the URL has.
    pub(crate) fn add(&mut self, headers: &[String], own: Headers) -> Result<(), String> {
        let mut own: Headers = self.headers.drain(..).chain(own).collect();
        let mut has_host = false;
        for text in headers {
            let (name, value) = header(text)?;
            own.retain(|(own, _)| *own != name);
            match value {
                None if name == b"host" => {
                    return Err("-H leaves the request without a host, which Envoy refuses".into());
                }
                Some(host) if name == b"host" => {
                    if !has_host {
                        self.authority = Authority::Given(host);
                    }
                    has_host = true;
                }
                value => self.headers.extend(value.map(|value| (name, value))),
            }
        }
        self.headers.extend(own);
        Ok(())
    }

    /// The headers as Envoy's codecs deliver them: names in lower case, pseudo-headers first, no `host`.
    fn deliver(self) -> Result<Delivered, Failure> {
        let mut headers = self.headers;
        headers.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase());
        let hosts: Vec<_> =
            headers.extract_if(.., |(name, _)| name == b"host").map(|(_, value)| value).collect();
        let mut host_is_assumed = false;
        let authority = match (self.authority, hosts.as_slice()) {
            (Authority::Given(authority), _) => Some(authority),
            (Authority::Unsaid, [host]) => Some(host.clone()),
            (Authority::Unsaid | Authority::Missing, [_, _, ..]) => {
                return Err(Failure::new("the request has several `host` headers, which Envoy refuses"));
            }
            (Authority::Unsaid, []) => {
                host_is_assumed = true;
                Some(b"localhost".to_vec())
            }
            (Authority::Missing, _) => None,
        };
        let pseudo = [
            (":authority", authority),
            (":scheme", Some(self.scheme.as_bytes().to_vec())),
            (":method", self.method),
            (":path", self.path),
        ];
        let pseudo = pseudo.into_iter().filter_map(|(name, value)| Some((name.as_bytes().to_vec(), value?)));
        Ok(Delivered {
            headers: pseudo.chain(headers).collect(),
            cluster: self.cluster,
            client: self.client,
            host_is_assumed,
        })
    }
}

/// The header of `user:password` (RFC 7617).
pub(crate) fn basic(user: &str) -> Header {
    (b"authorization".to_vec(), format!("Basic {}", STANDARD.encode(user)).into_bytes())
}

/// The header of cookies as curl's `-b` says them.
pub(crate) fn cookies(cookies: &[String]) -> Result<Option<Header>, String> {
    if cookies.iter().any(|cookies| !cookies.contains('=')) {
        return Err("-b without `=` names a file of cookies, which is not read: write the cookies".into());
    }
    let value = cookies.join("; ");
    Ok((!value.is_empty()).then(|| (b"cookie".to_vec(), value.into_bytes())))
}

/// A header as `-H` has it; without a value where it says that a header of curl's own is not to be sent. A
/// message has nothing of the text.
fn header(text: &str) -> Result<(Vec<u8>, Option<Vec<u8>>), String> {
    if text.starts_with('@') {
        return Err("-H @FILE is not read: write the header, or give the request by --request".into());
    }
    if text.contains(['\r', '\n', '\0']) {
        return Err("a header has a line end or NUL in it, which Envoy refuses".into());
    }
    let (name, value) = match text.split_once(':') {
        Some((name, value)) => {
            (name, Some(value.trim_matches([' ', '\t'])).filter(|value| !value.is_empty()))
        }
        None => match text.strip_suffix(';') {
            Some(name) => (name, Some("")),
            None => return Err("a header is written as 'name: value', or 'name;' without a value".into()),
        },
    };
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err("a header's name is letters, digits and -._~!#$%&'*+^`|".into());
    }
    Ok((name.to_ascii_lowercase().into_bytes(), value.map(|value| value.as_bytes().to_vec())))
}

fn from_file(path: &Path) -> Result<Written, Failure> {
    let name = file::name(path);
    let failure = |message: String| Failure(format!("{name}: {message}"));
    if ["curl ", "{"].iter().any(|start| name.trim_start().starts_with(start)) && !path.exists() {
        return Err(Failure::new("--request takes a file: give the request itself to `--request -`"));
    }
    let text = file::read(path, MOST).map_err(|Failure(message)| {
        let is_method = name.bytes().all(|byte| byte.is_ascii_uppercase());
        Failure(if is_method { format!("{message}; a method is given by -X") } else { message })
    })?;
    let text = str::from_utf8(&text).map_err(|_| failure("is not UTF-8".into()))?.trim();
    if text.starts_with('{') {
        return from_json(text).map_err(failure);
    }
    if text.trim_start_matches(['$', ' ']).starts_with("curl") {
        return curl::read(text).map_err(|message| failure(format!("the curl command {message}")));
    }
    Err(failure("is neither a request in JSON nor a curl command".into()))
}

/// `{method, path, authority, headers: [[name, value]], cluster, client}`, in which one character is one byte.
fn from_json(text: &str) -> Result<Written, String> {
    let value =
        json::parse(text.as_bytes(), Bounds { depth: 4, duplicates: 1 }).map_err(|error| match error {
            json::Error::Syntax(message) => format!("is {message}"),
            json::Error::Duplicates(names) => format!("{}: is there twice: remove one", names.join(", ")),
        })?;
    let Value::Object(mut members) = value else { return Err("should be an object".into()) };
    let mut text = |name: &str, unsaid: &str| match members.remove(name) {
        None => Ok(Some(unsaid.as_bytes().to_vec())),
        Some(Value::Null) => Ok(None),
        Some(value) => latin_1(name, &value).map(Some),
    };
    let (method, path) = (text("method", "GET")?, text("path", "/")?);
    let authority = match members.remove("authority") {
        None => Authority::Unsaid,
        Some(Value::Null) => Authority::Missing,
        Some(value) => Authority::Given(latin_1("authority", &value)?),
    };
    let mut optional = |name: &str| match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{name}: should be a text")),
    };
    let (cluster, client) = (optional("cluster")?, optional("client")?);
    let headers = match members.remove("headers") {
        None => Headers::new(),
        Some(Value::Array(headers)) => headers.iter().enumerate().map(pair).collect::<Result<_, _>>()?,
        Some(_) => return Err("headers: should be a list of [name, value]".into()),
    };
    if let Some(unknown) = members.keys().next() {
        return Err(format!(
            "{}: is not known here; there are method, path, authority, headers, cluster, client",
            unknown.escape_debug()
        ));
    }
    Ok(Written { method, scheme: "http", authority, path, headers, cluster, client })
}

fn pair((index, pair): (usize, &Value)) -> Result<Header, String> {
    let at = format!("headers[{index}]");
    match pair.as_array().map(Vec::as_slice) {
        Some([name, value]) => Ok((latin_1(&at, name)?, latin_1(&at, value)?)),
        _ => Err(format!("{at}: should be [name, value]")),
    }
}

/// The bytes of a text, one for each character.
fn latin_1(at: &str, value: &Value) -> Result<Vec<u8>, String> {
    let text = value.as_str().ok_or_else(|| format!("{at}: should be a text"))?;
    let bytes = text.chars().map(|character| u8::try_from(character).ok()).collect::<Option<_>>();
    bytes.ok_or_else(|| {
        format!(
            "{at}: has a character beyond Latin-1: one character is one byte, so write the bytes one by one"
        )
    })
}
