//! One request, as the client sent it: an immutable snapshot that every decision is made from.
//!
//! It holds bytes. Nothing here knows what a header means, and nothing assumes that a value is text.

use std::fmt;

/// The request's headers, and what the host knows of its way.
#[derive(Clone)]
pub struct Request<'a> {
    headers: Vec<(&'a [u8], &'a [u8])>,
    cluster: Option<&'a [u8]>,
    peer: Option<Peer<'a>>,
    client: Option<&'a [u8]>,
    nonce: Option<u128>,
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer<'a> {
    /// The URI of its certificate; never an empty one.
    pub uri: &'a [u8],
    /// Whether the certificate was validated on this connection. One that was not was validated on an earlier one,
    /// if anywhere.
    pub is_validated: bool,
}

/// Names only: values are tokens and keys.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.headers.iter().map(|(name, _)| name.escape_ascii().to_string())).finish()
    }
}

impl<'a> Request<'a> {
    /// A request from its headers in order of arrival, pseudo-headers (`:method`, `:path`) among them. Names
    /// are lower-case, as Envoy's codecs deliver them.
    #[must_use]
    pub fn new(headers: Vec<(&'a [u8], &'a [u8])>) -> Self {
        Self { headers, cluster: None, peer: None, client: None, nonce: None }
    }

    /// The same request with the upstream cluster that its route names.
    #[must_use]
    pub fn with_cluster(self, cluster: &'a [u8]) -> Self {
        Self { cluster: Some(cluster), ..self }
    }

    /// The same request over a connection whose peer has proved this URI (RFC 5280 section 4.2.1.6) by a
    /// certificate that was validated. An empty one is none.
    #[must_use]
    pub fn with_peer(self, uri: &'a [u8]) -> Self {
        self.with(Peer { uri, is_validated: true })
    }

    /// The same request over a connection whose peer shows this URI by a certificate of which nobody says that it was
    /// validated on this one: TLS was resumed (RFC 8446 section 2.2), or the host does not tell.
    #[must_use]
    pub fn with_unvalidated_peer(self, uri: &'a [u8]) -> Self {
        self.with(Peer { uri, is_validated: false })
    }

    fn with(self, peer: Peer<'a>) -> Self {
        Self { peer: Some(peer).filter(|peer| !peer.uri.is_empty()), ..self }
    }

    /// The same request with the address of the client as the host knows it, with or without a port.
    #[must_use]
    pub fn with_client(self, address: &'a [u8]) -> Self {
        Self { client: Some(address), ..self }
    }

    /// The same request with a number that no other request of this Envoy has, so that what is decided about
    /// it can be named.
    #[must_use]
    pub fn with_nonce(self, nonce: u128) -> Self {
        Self { nonce: Some(nonce), ..self }
    }

    /// Every header, in order of arrival.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + '_ {
        self.headers.iter().copied()
    }

    /// All copies of the header of exactly this lower-case name.
    pub fn values<'r>(&'r self, name: &'r [u8]) -> impl Iterator<Item = &'a [u8]> + 'r {
        self.headers().filter(move |(given, _)| *given == name).map(|(_, value)| value)
    }

    /// The header's value if there is exactly one copy.
    ///
    /// # Errors
    /// [`Copies::None`] or [`Copies::Several`]: the two ways in which a header has no single value.
    pub fn single(&self, name: &[u8]) -> Result<&'a [u8], Copies> {
        let mut values = self.values(name);
        match (values.next(), values.next()) {
            (None, _) => Err(Copies::None),
            (Some(value), None) => Ok(value),
            (Some(_), Some(_)) => Err(Copies::Several),
        }
    }

    /// The upstream cluster, where the host knows it.
    #[must_use]
    pub fn cluster(&self) -> Option<&'a [u8]> {
        self.cluster
    }

    /// Who the peer is, where it shows that.
    #[must_use]
    pub fn peer(&self) -> Option<Peer<'a>> {
        self.peer
    }

    /// The client's address, where the host knows it.
    #[must_use]
    pub fn client(&self) -> Option<&'a [u8]> {
        self.client
    }

    /// The number that no other request has, where the host drew one.
    #[must_use]
    pub fn nonce(&self) -> Option<u128> {
        self.nonce
    }
}

/// Why a header has no single value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copies {
    /// The header is not there.
    None,
    /// It is there more than once.
    Several,
}
