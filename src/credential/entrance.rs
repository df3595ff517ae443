//! An entrance of the inner door: who may hand a request in, and what of the caller's identity it is trusted
//! to say.

pub mod key;
pub mod peer;
#[cfg(test)]
mod tests;
pub mod trust;

use std::sync::Arc;

use subtle::{Choice, ConditionallySelectable as _};

use crate::admission::Admission;
use crate::denial::Code;
use crate::header::HeaderName;
use crate::request::Request;
use crate::time::UnixTime;
use key::{Keys, Presented};
use peer::{Peers, Proved};
pub use trust::Trust;

/// A way in.
#[derive(Clone, Debug)]
pub struct Entrance {
    pub(crate) name: Arc<str>,
    pub(crate) demand: Demand,
    pub(crate) trust: Option<Trust>,
}

/// What a request must bring to come in. There is no entrance that demands nothing.
#[derive(Clone, Debug)]
pub enum Demand {
    /// A key, from a peer that is listed.
    Both(Keys, Peers),
    /// A key, whoever the peer is.
    Key(Keys),
    /// A peer that is listed.
    Peer(Peers),
}

/// The entrance that a request came in by, and its key where it demands one.
#[derive(Clone, Copy, Debug)]
pub struct Admitted<'e> {
    pub(crate) entrance: &'e Entrance,
    key: Option<&'e Arc<str>>,
}

/// The entrance by which a request comes in: of several that would let it in, the one that demands most, and
/// of these the first by name, in which order [`Entrance::precedence`] brings them. So a key that is presented
/// counts, and a peer, which every request of a connection has, takes nothing away from it.
///
/// Every key and every peer of all entrances is compared, whatever was found already.
///
/// # Errors
/// - [`Code::GatewayKeyInvalid`] where an entrance's header is there, but no header has a key that its entrance
///   accepts now, be it because there are several copies;
/// - [`Code::PeerNotAllowed`] where one has, so that it is the peer who may not use it; or where no header is
///   there, and what is missing is not a key: an entrance demands none, and either there is a peer, or no
///   entrance demands one;
/// - [`Code::GatewayKeyMissing`] where no header is there otherwise.
#[inline(never)]
pub fn admit<'e>(
    entrances: &'e [Entrance],
    request: &Request<'_>,
    now: UnixTime,
) -> Result<Admitted<'e>, Code> {
    let proved = Proved::of(request);
    let mut headers = Headers { request, read: Vec::new() };
    let (no, mut is_admitted, mut has_key) = (Choice::from(0), Choice::from(0), Choice::from(0));
    let (mut found, mut found_key) = (0, 0);
    for (position, entrance) in (0_u32..).zip(entrances) {
        let (key, key_position) =
            entrance.keys().map_or((no, 0), |keys| keys.compare(&headers.presented(&keys.header), now));
        let peer = entrance.peers().map_or(no, |peers| peers.compare(proved.as_ref()));
        let admits = match &entrance.demand {
            Demand::Both(..) => key & peer,
            Demand::Key(_) => key,
            Demand::Peer(_) => peer,
        };
        let is_first = admits & !is_admitted;
        found.conditional_assign(&position, is_first);
        found_key.conditional_assign(&key_position, is_first);
        is_admitted |= admits;
        has_key |= key;
    }
    // From here on time may tell what the answer tells.
    if is_admitted.into()
        && let Some(entrance) = usize::try_from(found).ok().and_then(|found| entrances.get(found))
    {
        let key = entrance.keys().and_then(|keys| keys.name_at(found_key));
        return Ok(Admitted { entrance, key });
    }
    let is_presented = headers.read.iter().any(|(_, presented)| !matches!(presented, Presented::Nothing));
    Err(match (is_presented, has_key.into()) {
        (true, false) => Code::GatewayKeyInvalid,
        (true, true) => Code::PeerNotAllowed,
        (false, _) => missing(entrances, request.peer().is_some()),
    })
}

/// What a request lacks that presents no key.
fn missing(entrances: &[Entrance], has_peer: bool) -> Code {
    let mut demand_key = entrances.iter().map(|entrance| entrance.keys().is_some());
    let (any, all) = (demand_key.clone().any(|demands| demands), demand_key.all(|demands| demands));
    if !all && (has_peer || !any) { Code::PeerNotAllowed } else { Code::GatewayKeyMissing }
}

/// The headers of keys, each read and hashed once.
struct Headers<'r, 'e> {
    request: &'r Request<'r>,
    read: Vec<(&'e HeaderName, Presented)>,
}

impl<'e> Headers<'_, 'e> {
    fn presented(&mut self, header: &'e HeaderName) -> Presented {
        if let Some((_, presented)) = self.read.iter().find(|(name, _)| *name == header) {
            return *presented;
        }
        let presented = Presented::of(self.request, header);
        self.read.push((header, presented));
        presented
    }
}

impl Admitted<'_> {
    /// By name.
    #[must_use]
    pub fn admission(&self) -> Admission {
        Admission { entrance: Arc::clone(&self.entrance.name), key: self.key.map(Arc::clone) }
    }
}

impl Entrance {
    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The keys of which it demands one.
    #[must_use]
    pub fn keys(&self) -> Option<&Keys> {
        match &self.demand {
            Demand::Both(keys, _) | Demand::Key(keys) => Some(keys),
            Demand::Peer(_) => None,
        }
    }

    /// The peers of which it demands one.
    #[must_use]
    pub fn peers(&self) -> Option<&Peers> {
        match &self.demand {
            Demand::Both(_, peers) | Demand::Peer(peers) => Some(peers),
            Demand::Key(_) => None,
        }
    }

    /// Whether the header is its key's, and stays on the request.
    pub(crate) fn forwards(&self, header: &[u8]) -> bool {
        self.keys().is_some_and(|keys| keys.forward && keys.header.as_bytes() == header)
    }

    /// Its place among others, the first first.
    pub(crate) fn precedence(&self) -> impl Ord + use<> {
        let rank = match &self.demand {
            Demand::Both(..) => 0,
            Demand::Key(_) => 1,
            Demand::Peer(_) => 2,
        };
        (rank, Arc::clone(&self.name))
    }
}
