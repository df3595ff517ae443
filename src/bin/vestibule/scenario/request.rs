//! The request of a case: as it is written, and as it is sent.

use serde_json::Value;

use super::super::document::Fault;
use super::key_folder::KeyNamed;
use super::members::{Members, array, list, mistaken, object, optional_string};
use super::stand_in::resolve;
use super::template::{Minted, Template, latin_1};

/// The authority of a request that gives none.
const AUTHORITY: &str = "vestibule.test";

/// Names and values in order.
pub(crate) type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// The bytes that a client sends. Names are spelt as the client spells them.
pub(crate) struct RequestBytes {
    /// Missing in some cases that never run through Envoy.
    pub(crate) method: Option<Vec<u8>>,
    /// Missing in some cases that never run through Envoy.
    pub(crate) authority: Option<Vec<u8>>,
    /// Missing in some cases that never run through Envoy.
    pub(crate) path: Option<Vec<u8>>,
    /// Names and values in order; pseudo-headers only in cases that never run through Envoy.
    pub(crate) headers: Headers,
    /// The upstream cluster that the request would go to, where it matters.
    pub(crate) cluster: Option<String>,
    /// The URI that the other end of the connection has proved, where it has.
    pub(crate) peer: Option<String>,
    /// The address of the client, where it matters.
    pub(crate) client: Option<String>,
}

impl RequestBytes {
    /// The headers as Envoy's codecs deliver them: names in lower case, pseudo-headers first.
    pub(crate) fn delivered(&self) -> Headers {
        let pseudo = [
            (":authority", self.authority.as_deref()),
            (":scheme", Some(b"http")),
            (":method", self.method.as_deref()),
            (":path", self.path.as_deref()),
        ];
        let pseudo = pseudo.into_iter().filter_map(|(name, value)| Some((name.into(), value?.to_vec())));
        let headers = self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        pseudo.chain(headers).collect()
    }
}

/// The request as a case writes it.
pub(super) struct Written {
    method: Option<Template>,
    authority: Option<Template>,
    pub(super) path: Option<Template>,
    /// The path as text.
    pub(super) path_text: Option<String>,
    headers: Vec<(String, Vec<u8>, Template)>,
    cluster: Option<String>,
    peer: Option<String>,
    client: Option<String>,
}

impl Written {
    /// The case's request; what it does not say, the file's says.
    pub(super) fn parse(of_file: &Value, own: Value, keys: KeyNamed<'_>) -> Result<Self, Fault> {
        let mut members = object("request", of_file.clone())?;
        members.extend(object("request", own)?);
        let mut request = Members::of("request", Value::Object(members))?;
        let mut text = |name, default: Option<&str>| match request.take(name) {
            None => Ok(default.map(str::to_owned)),
            Some(value) => optional_string(&format!("request.{name}"), value),
        };
        let (method, authority) = (text("method", Some("GET"))?, text("authority", Some(AUTHORITY))?);
        let (path, cluster, peer) = (text("path", Some("/"))?, text("cluster", None)?, text("peer", None)?);
        if peer.as_deref() == Some("") {
            return Err(Fault::new("request.peer", "is empty: null is a connection without a peer"));
        }
        let client = text("client", None)?;
        let headers = request.take("headers").map(|value| headers(value, keys)).transpose()?;
        request.end()?;
        let template = |name, text: &Option<String>| {
            text.as_deref().map(|text| Template::parse(&format!("request.{name}"), text)).transpose()
        };
        Ok(Self {
            method: template("method", &method)?,
            authority: template("authority", &authority)?,
            path: template("path", &path)?,
            path_text: path,
            headers: headers.unwrap_or_default(),
            cluster,
            peer,
            client,
        })
    }

    /// The names of its headers, as they are spelt.
    pub(super) fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, ..)| name.as_str())
    }

    /// The texts in which tokens may stand.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        let headers = self.headers.iter().map(|(.., value)| value);
        self.method.iter().chain(&self.authority).chain(&self.path).chain(headers)
    }

    /// Whether a client of Envoy could send it.
    pub(super) fn is_sendable(&self) -> bool {
        let is_whole = self.method.is_some() && self.authority.is_some() && self.path.is_some();
        is_whole && self.header_names().all(|name| !name.starts_with(':'))
    }

    /// What is sent, with these tokens.
    pub(super) fn bytes(&self, tokens: &Minted) -> RequestBytes {
        let fill = |template: &Template| template.fill(tokens);
        RequestBytes {
            method: self.method.as_ref().map(fill),
            authority: self.authority.as_ref().map(fill),
            path: self.path.as_ref().map(fill),
            headers: self.headers.iter().map(|(_, name, value)| (name.clone(), fill(value))).collect(),
            cluster: self.cluster.clone(),
            peer: self.peer.clone(),
            client: self.client.clone(),
        }
    }
}

fn headers(value: Value, keys: KeyNamed<'_>) -> Result<Vec<(String, Vec<u8>, Template)>, Fault> {
    let pairs = array("request.headers", value)?.into_iter().enumerate();
    pairs
        .map(|(index, pair)| {
            let at = format!("request.headers[{index}]");
            let pair = resolve(&at, pair, keys)?;
            let wrong = mistaken(&at, "[name, value]", &pair);
            let [name, value] = <[String; 2]>::try_from(list(&at, pair)?).map_err(|_| wrong)?;
            Ok((name.clone(), latin_1(&at, &name)?, Template::parse(&at, &value)?))
        })
        .collect()
}
