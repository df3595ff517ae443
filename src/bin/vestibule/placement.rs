//! Whether a bootstrap has a door where it would answer nobody.
//!
//! The filter knows where it is only when a request comes. What is written down is known before: the node's id,
//! unless Envoy is given another as `--service-node`, and the listener's direction.

use serde_json::Value;
use vestibule::compile::Outline;
use vestibule::place::{Direction, Node, Place, WrongDoor};

use crate::bootstrap::{Filter, member};
use crate::document::Fault;

/// The fault of the place, by the path of what makes it the wrong one.
pub(crate) fn check(filter: &Filter<'_>, bootstrap: &Value, outline: &Outline) -> Option<Fault> {
    let id = member(bootstrap, "node").and_then(|node| node.get("id")).and_then(Value::as_str);
    let (listener, direction) = match &filter.direction {
        Some((path, value)) => (path.as_str(), direction(value)),
        None => ("", None),
    };
    let place = Place {
        node: Node::of(id.unwrap_or_default().as_bytes()),
        // What is no direction, Envoy refuses.
        direction: direction.unwrap_or(Direction::Unspecified),
    };
    let wrong = place.check(outline.door()).err()?;
    let path = match wrong {
        WrongDoor::OuterInSidecar => "node.id",
        WrongDoor::InnerOnOutbound => listener,
    };
    Some(Fault::new(path, wrong.to_string()))
}

/// A protobuf's enumeration is its name or its number.
fn direction(value: &Value) -> Option<Direction> {
    match value {
        Value::String(name) => Direction::of_name(name),
        _ => Direction::of_number(value.as_i64()?),
    }
}
