//! Where the filter runs, and whether a door of its kind belongs there.
//!
//! An outer door in a service's sidecar would attach the gateway key to whatever the service calls, and an inner
//! one on a listener for outgoing requests would judge the service's own calls as if they came in. Neither is
//! ever meant, and both look like doors that work. Knows names of Istio's nodes and Envoy's directions, and
//! nothing of requests.

use std::fmt;

use crate::denial::{Code, Denial};
use crate::policy::Door;

/// The kind of proxy, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A proxy of Istio's beside one service.
    Sidecar,
    /// A gateway, a waypoint, or an Envoy that Istio knows nothing of.
    Other,
}

impl Node {
    /// The kind that a node's id tells. Istio's are `KIND~ADDRESS~POD~DOMAIN`.
    #[must_use]
    pub fn of(id: &[u8]) -> Self {
        if id.starts_with(b"sidecar~") { Self::Sidecar } else { Self::Other }
    }
}

/// Envoy's `traffic_direction` of a listener (`envoy.config.core.v3.TrafficDirection`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Nobody has said. It is the default, and says nothing against any door.
    Unspecified,
    /// Requests to what the proxy stands before.
    Inbound,
    /// Requests out of what the proxy stands before, and all that a gateway takes.
    Outbound,
}

impl Direction {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Unspecified, "UNSPECIFIED"), (Self::Inbound, "INBOUND"), (Self::Outbound, "OUTBOUND")];

    /// By its number in the protobuf; none where that has no such number.
    #[must_use]
    pub fn of_number(number: i64) -> Option<Self> {
        let (direction, _) = Self::ALL.get(usize::try_from(number).ok()?)?;
        Some(*direction)
    }

    /// By its name in the protobuf; none where that has no such name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(direction, _)| *direction)
    }
}

/// Where the filter meets a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The proxy.
    pub node: Node,
    /// The listener's; it need not be known where [`reads_direction`] says that it does not matter.
    pub direction: Direction,
}

/// Whether it depends on the listener's direction that this door is at its place. The host looks it up for every
/// request, so it need not where not.
#[must_use]
pub const fn reads_direction(door: Door) -> bool {
    match door {
        Door::Outer => false,
        Door::Inner => true,
    }
}

impl Place {
    /// Whether this door belongs here.
    ///
    /// # Errors
    /// Why not. Then every request is denied, whatever else is configured: a report of denials does not open a
    /// door that is at the wrong place.
    pub const fn check(self, door: Door) -> Result<(), WrongDoor> {
        match (door, self.node, self.direction) {
            (Door::Outer, Node::Sidecar, _) => Err(WrongDoor::OuterInSidecar),
            (Door::Inner, _, Direction::Outbound) => Err(WrongDoor::InnerOnOutbound),
            (Door::Outer, Node::Other, _) | (Door::Inner, _, Direction::Unspecified | Direction::Inbound) => {
                Ok(())
            }
        }
    }
}

/// A door where it does not belong. Displayed it says to the operator what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongDoor {
    /// An outer door beside a service.
    OuterInSidecar,
    /// An inner door for requests that go out.
    InnerOnOutbound,
}

impl From<WrongDoor> for Denial {
    fn from(_: WrongDoor) -> Self {
        Code::WrongDoor.into()
    }
}

impl fmt::Display for WrongDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OuterInSidecar => {
                "an outer door in a sidecar (the node's id begins with sidecar~) answers wrong_door to every \
                 request: load it into the gateway alone (Istio: a selector or targetRefs of the gateway), or \
                 configure an inner door"
            }
            Self::InnerOnOutbound => {
                "an inner door on an outbound listener (traffic_direction: OUTBOUND) answers wrong_door to every \
                 request there: load it where requests come in (Istio: match mode SERVER), or configure an outer \
                 door"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOORS: [Door; 2] = [Door::Outer, Door::Inner];
    const NODES: [Node; 2] = [Node::Sidecar, Node::Other];

    /// Every door at every place.
    fn all() -> impl Iterator<Item = (Door, Place)> {
        let directions = Direction::ALL.map(|(direction, _)| direction);
        let places = NODES
            .into_iter()
            .flat_map(move |node| directions.into_iter().map(move |direction| Place { node, direction }));
        places.flat_map(|place| DOORS.into_iter().map(move |door| (door, place)))
    }

    #[test]
    fn an_outer_door_is_wrong_in_a_sidecar_and_an_inner_one_on_an_outbound_listener_and_nowhere_else() {
        for (door, place) in all() {
            let expected = match door {
                Door::Outer if place.node == Node::Sidecar => Err(WrongDoor::OuterInSidecar),
                Door::Inner if place.direction == Direction::Outbound => Err(WrongDoor::InnerOnOutbound),
                Door::Outer | Door::Inner => Ok(()),
            };
            assert_eq!(place.check(door), expected, "{door:?} at {place:?}");
        }
    }

    #[test]
    fn a_direction_that_is_not_read_changes_nothing() {
        for (door, place) in all().filter(|(door, _)| !reads_direction(*door)) {
            let unread = Place { direction: Direction::Unspecified, ..place };
            assert_eq!(place.check(door), unread.check(door), "{door:?} at {place:?}");
        }
    }

    #[test]
    fn a_sidecar_is_known_by_the_first_part_of_its_id() {
        let istio =
            |kind: &str| Node::of(format!("{kind}~10.0.0.1~shop-1.shop~shop.svc.cluster.local").as_bytes());
        assert_eq!(istio("sidecar"), Node::Sidecar);
        for kind in ["router", "waypoint", "ztunnel", "Sidecar", "my-sidecar", "sidecars", ""] {
            assert_eq!(istio(kind), Node::Other, "{kind}");
        }
        for id in [&b""[..], b"sidecar", b"envoy-1", b"\xff~sidecar~"] {
            assert_eq!(Node::of(id), Node::Other, "{id:?}");
        }
    }

    #[test]
    fn a_direction_has_the_number_and_the_name_of_the_protobuf() {
        for (number, name) in [(0, "UNSPECIFIED"), (1, "INBOUND"), (2, "OUTBOUND")] {
            let direction = Direction::of_number(number);
            assert!(direction.is_some() && direction == Direction::of_name(name), "{name}");
        }
        assert_eq!(Direction::of_number(1), Some(Direction::Inbound));
        assert_eq!(Direction::of_number(2), Some(Direction::Outbound));
        for number in [-1, 3, i64::MIN, i64::MAX] {
            assert_eq!(Direction::of_number(number), None);
        }
        for name in ["", "outbound", "OUT"] {
            assert_eq!(Direction::of_name(name), None);
        }
    }

    #[test]
    fn a_door_at_the_wrong_place_denies_with_its_code_and_names_door_place_and_remedy() {
        for (wrong, parts) in [
            (WrongDoor::OuterInSidecar, ["outer door", "sidecar", "gateway"]),
            (WrongDoor::InnerOnOutbound, ["inner door", "OUTBOUND", "mode SERVER"]),
        ] {
            assert_eq!(Denial::from(wrong).code(), Code::WrongDoor);
            let said = wrong.to_string();
            assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        }
    }
}
