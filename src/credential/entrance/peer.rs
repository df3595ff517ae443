//! The peers of an entrance: whose connections it takes requests from.
//!
//! A peer is who the other end of the connection proved to be, by a certificate that the host validated. It is
//! no header, so nobody sends it along.

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::request::Request;
use crate::spiffe::{self, SpiffeId};

/// The peers that are let in, any of them.
#[derive(Clone, Debug)]
pub struct Peers(pub(crate) Vec<Peer>);

/// One peer. It is compared by its hash, for texts of different lengths cannot be compared in constant time.
#[derive(Clone, Debug)]
pub struct Peer {
    id: SpiffeId,
    sha256: [u8; 32],
}

impl Peer {
    pub(crate) fn new(id: SpiffeId) -> Self {
        let sha256 = Sha256::digest(id.as_str()).into();
        Self { id, sha256 }
    }
}

/// The hash of who the connection's peer proved to be; none where it is nobody, or too long for an id.
pub(super) fn proved(request: &Request<'_>) -> Option<[u8; 32]> {
    let peer = request.peer().filter(|peer| peer.len() <= spiffe::MAX_BYTES)?;
    Some(Sha256::digest(peer).into())
}

impl Peers {
    /// The ids, as they are configured.
    pub fn ids(&self) -> impl Iterator<Item = &SpiffeId> {
        self.0.iter().map(|peer| &peer.id)
    }

    /// Whether the peer is one of these. Every one is compared, in constant time.
    pub(super) fn compare(&self, proved: Option<&[u8; 32]>) -> Choice {
        let Some(hash) = proved else { return Choice::from(0) };
        self.0.iter().fold(Choice::from(0), |listed, peer| listed | hash.ct_eq(&peer.sha256))
    }
}
