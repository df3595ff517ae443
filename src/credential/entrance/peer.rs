//! The peers of an entrance: whose connections it takes requests from.
//!
//! A peer is who the other end of the connection proved to be, by a certificate that the host validated: on this
//! connection, unless the entrance says that another will do. It is no header, so nobody sends it along.

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::request::Request;
use crate::spiffe::{self, SpiffeId};

/// The peers that are let in, any of them.
#[derive(Clone, Debug)]
pub struct Peers {
    pub(crate) listed: Vec<Peer>,
    /// Whether one is believed of whom nobody says that it was validated on this connection.
    pub(crate) admits_resumed: bool,
}

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

/// Who the connection's peer proved to be.
pub(super) struct Proved {
    sha256: [u8; 32],
    is_validated: bool,
}

impl Proved {
    /// None where it is nobody, or too long for an id.
    pub(super) fn of(request: &Request<'_>) -> Option<Self> {
        let peer = request.peer().filter(|peer| peer.uri.len() <= spiffe::MAX_BYTES)?;
        Some(Self { sha256: Sha256::digest(peer.uri).into(), is_validated: peer.is_validated })
    }
}

impl Peers {
    /// The ids, as they are configured.
    pub fn ids(&self) -> impl Iterator<Item = &SpiffeId> {
        self.listed.iter().map(|peer| &peer.id)
    }

    /// Whether the peer is one of these. Every one is compared, in constant time.
    pub(super) fn compare(&self, proved: Option<&Proved>) -> Choice {
        let Some(proved) = proved else { return Choice::from(0) };
        let is_believed = Choice::from(u8::from(proved.is_validated || self.admits_resumed));
        let listed = self.listed.iter();
        is_believed & listed.fold(Choice::from(0), |listed, peer| listed | proved.sha256.ct_eq(&peer.sha256))
    }
}
