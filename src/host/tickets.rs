//! What is attached to a request when it is sent: kept here, and found again by a ticket.
//!
//! Only where an attempt to send a request is made is it certain which cluster gets it. So where a door attaches
//! upstream, the filter runs twice, in one VM: in a listener, where it decides and issues a ticket, and in a
//! cluster, once for each attempt, where the ticket is shown. The ticket travels in the stream's filter state,
//! which no client reaches and of which a mirror's request has another. It is worth nothing to anybody else: what
//! it stands for never leaves this VM but through an attempt.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::envoy::{self, HostError};
use crate::attached::Attached;

/// Envoy keeps it as `wasm.vestibule.ticket`.
const PROPERTY: &str = "vestibule.ticket";

/// The most streams of one VM that have a ticket: each keeps what is attached to it, a context of some kilobytes
/// among it, for as long as it lives.
const MOST: usize = 20_000;

thread_local! {
    /// By the numbers of the tickets; as many as there are streams that were permitted and are not over.
    ///
    /// A number is found by hashing it, in a time that may depend on it. That tells nobody anything: nobody
    /// outside can name one, and 128 random bits are not found by trying.
    static TICKETS: RefCell<HashMap<u128, Rc<Attached>>> = RefCell::default();
}

/// The right of a stream to what is attached to it. It ends with this value.
pub(super) struct Ticket(u128);

impl Ticket {
    /// Gives the stream at hand a ticket.
    ///
    /// The number is random, and not the next one: another VM may show a ticket that it issued, and must find
    /// nobody's here.
    ///
    /// None where there are too many.
    pub(super) fn issue(attached: Attached) -> Result<Option<Self>, HostError> {
        if TICKETS.with_borrow(HashMap::len) >= MOST {
            return Ok(None);
        }
        let number = envoy::random()?;
        envoy::set_property(PROPERTY, &number.to_le_bytes())?;
        TICKETS.with_borrow_mut(|tickets| tickets.insert(number, Rc::new(attached)));
        Ok(Some(Self(number)))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        TICKETS.with_borrow_mut(|tickets| tickets.remove(&self.0));
    }
}

/// What the ticket of the stream at hand stands for; none where it has none, or none of this VM's.
pub(super) fn shown() -> Result<Option<Rc<Attached>>, HostError> {
    let number = envoy::property(PROPERTY)?.and_then(|bytes| bytes.try_into().ok().map(u128::from_le_bytes));
    Ok(number.and_then(|number| TICKETS.with_borrow(|tickets| tickets.get(&number).map(Rc::clone))))
}
