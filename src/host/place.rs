//! Where the filter runs, as Envoy tells it. Whether the door belongs there is the core's to say
//! ([`crate::place`]).
//!
//! A root context is no place: one serves the listeners of both directions where they have the same plugin, as
//! a sidecar's have that get one WasmPlugin without `match` (measured on Envoy 1.40). So the direction is asked
//! for at each request, and remembered nowhere; the node's id is one for the process.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use super::envoy::{self, HostError, Level};
use super::log;
use crate::denial::Denial;
use crate::place::{self, Direction, Node, Place};
use crate::policy::Policy;
use crate::record::Record;

thread_local! {
    static NODE: Cell<Option<Node>> = const { Cell::new(None) };
    /// The policies about which the operator was told that they are at the wrong place.
    static TOLD: RefCell<Vec<Weak<Policy>>> = const { RefCell::new(Vec::new()) };
}

/// The denial of the request at hand where the policy's door does not belong where it is met; the operator is
/// told of it once.
pub(super) fn refusal(policy: &Rc<Policy>) -> Result<Option<Denial>, HostError> {
    let door = policy.door();
    let direction = if place::reads_direction(door) { direction()? } else { Direction::Unspecified };
    let place = Place { node: node()?, direction };
    Ok(place.check(door).err().map(|wrong| {
        if is_news(policy) {
            log::tell(Level::Error, &Record::Misplaced { message: &wrong.to_string() });
        }
        wrong.into()
    }))
}

/// The kind of this proxy; one without an id is none of Istio's.
fn node() -> Result<Node, HostError> {
    if let Some(node) = NODE.get() {
        return Ok(node);
    }
    let id = envoy::property("xds\0node\0id")?;
    let node = Node::of(id.as_deref().unwrap_or_default());
    NODE.set(Some(node));
    Ok(node)
}

/// The listener's direction, an int64 in little-endian; unspecified where there is no listener to have one.
fn direction() -> Result<Direction, HostError> {
    let Some(bytes) = envoy::property("xds\0listener_direction")? else {
        return Ok(Direction::Unspecified);
    };
    // A direction that nobody knows here may be the wrong one.
    let number = bytes.try_into().ok().map(i64::from_le_bytes);
    number.and_then(Direction::of_number).ok_or(HostError::unreadable("proxy_get_property"))
}

/// Whether nobody was told yet.
fn is_news(policy: &Rc<Policy>) -> bool {
    TOLD.with_borrow_mut(|told| {
        told.retain(|known| known.strong_count() > 0);
        let is_news = !told.iter().any(|known| std::ptr::eq(known.as_ptr(), Rc::as_ptr(policy)));
        if is_news {
            told.push(Rc::downgrade(policy));
        }
        is_news
    })
}
