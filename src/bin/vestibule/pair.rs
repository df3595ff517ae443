//! Whether an outer and an inner door fit each other: what the one hands over is what the other asks for.
//!
//! Where a key is known by its hash on one side and by a variable's name on the other, only `--env` shows whether
//! they are the same.

use vestibule::compile::Outline;
use vestibule::compile::handover::{AskedContext, AskedEntrance, Asks, GivenContext, Gives, Handover};
use vestibule::credential::places::Matched;
use vestibule::header::HeaderName;
use vestibule::policy::inject::Source;

use crate::document::Fault;

/// What is told where keys could not be compared.
pub(crate) const KEYS_UNSEEN: &str = "whether the gateway's keys are those that inner doors know was not seen: pass --env where their variables are";

/// What does not fit, by paths of the inner door's configuration.
#[derive(Default)]
pub(crate) struct Misfits {
    /// By which requests are let in or kept out that should not be.
    pub(crate) errors: Vec<Fault>,
    pub(crate) warnings: Vec<Fault>,
    /// Whether keys could not be compared.
    pub(crate) keys_unseen: bool,
}

/// Compares an outer door, which messages call by this name, with an inner one.
pub(crate) fn check(outer: &Outline, name: &str, inner: &Outline) -> Misfits {
    let mut misfits = Misfits::default();
    if let (Handover::Gives(gives), Handover::Asks(asks)) = (outer.handover(), inner.handover()) {
        context(gives.context.as_ref(), asks.context.as_ref(), name, &mut misfits);
        keys(gives, asks, name, &mut misfits);
        trust(gives, asks, outer, name, &mut misfits);
        tokens(gives, asks, name, &mut misfits);
    }
    misfits
}

fn context(given: Option<&GivenContext>, asked: Option<&AskedContext>, name: &str, misfits: &mut Misfits) {
    let Some(asked) = asked else { return };
    let field = |field: &str| format!("{}.{field}", asked.path);
    let Some(given) = given else {
        let message = format!("is asked for, and {name} mints none: add `context.mint` there, or remove it");
        misfits.errors.push(Fault::new(&asked.path, message));
        return;
    };
    if given.header != asked.header {
        let (given, asked) = (given.header.as_str(), asked.header.as_str());
        misfits.errors.push(Fault::new(
            field("header"),
            format!("is `{asked}`, and {name} writes contexts into `{given}`: write the same in both"),
        ));
    }
    if given.issuer != asked.issuer {
        misfits.errors.push(Fault::new(
            field("issuer"),
            format!(
                "is `{}`, and contexts of {name} have `{}`: write the same in both",
                asked.issuer, given.issuer
            ),
        ));
    }
    if !given.audiences.contains(&asked.audience) {
        misfits.errors.push(Fault::new(
            field("audience"),
            format!(
                "is `{}`, and contexts of {name} are for `{}`: write the same in both",
                asked.audience,
                given.audiences.join("`, `")
            ),
        ));
    }
    for kid in
        given.announced.iter().filter(|kid| asked.kids.as_ref().is_some_and(|kids| !kids.contains(kid)))
    {
        misfits.warnings.push(Fault::new(
            field("keys"),
            format!("have not `{kid}`, which {name} announces: once it signs, its contexts are refused here. Add it"),
        ));
    }
    match (&given.kid, &asked.kids) {
        (Some(kid), Some(kids)) if !kids.contains(kid) => misfits.errors.push(Fault::new(
            field("keys"),
            format!("have not `{kid}`, by which {name} signs contexts: add what `vestibule jwk` prints of that key"),
        )),
        (None, Some(_)) => misfits.keys_unseen = true,
        (Some(_) | None, _) => {}
    }
}

/// The gateway's identity, as far as the contexts that it mints say who it is.
fn gateway_of(gives: &Gives) -> Option<&str> {
    let workload = gives.context.as_ref().map(|context| context.workload.as_str());
    workload.filter(|workload| workload.starts_with("spiffe://"))
}

fn lists(entrance: &AskedEntrance, gateway: &str) -> bool {
    entrance.peers.as_ref().is_some_and(|peers| peers.iter().any(|peer| peer.as_str() == gateway))
}

/// Whether the gateway comes in by an entrance.
fn keys(gives: &Gives, asks: &Asks, name: &str, misfits: &mut Misfits) {
    let with_keys: Vec<(&AskedEntrance, &HeaderName)> =
        asks.entrances.iter().filter_map(|entrance| Some((entrance, entrance.header.as_ref()?))).collect();
    let gateway = gateway_of(gives);
    // An entrance for peers alone may be the gateway's, if nobody says who that is.
    let by_peer = asks.entrances.iter().filter(|entrance| entrance.header.is_none());
    let by_peer = { by_peer }.any(|entrance| gateway.is_none_or(|gateway| lists(entrance, gateway)));
    if by_peer || asks.entrances.is_empty() {
        return;
    }
    let Some((first, _)) = with_keys.first() else {
        if let Some(gateway) = gateway {
            let message = format!(
                "let in nobody who is {gateway}, by whose name {name} mints contexts: list it under `peers`"
            );
            misfits.errors.push(Fault::new("entrances", message));
        }
        return;
    };
    let Some(given) = &gives.gateway_key else {
        let message = format!(
            "are asked for, and {name} attaches none: add `gatewayKey` there, or let it in by `peers`"
        );
        misfits.errors.push(Fault::new(format!("{}.keys", first.path), message));
        return;
    };
    let fitting: Vec<&AskedEntrance> = with_keys
        .iter()
        .filter(|(_, header)| **header == given.header)
        .map(|(entrance, _)| *entrance)
        .collect();
    if fitting.is_empty() {
        for (entrance, header) in &with_keys {
            let (asked, given) = (header.as_str(), given.header.as_str());
            let message =
                format!("is `{asked}`, and {name} attaches its key as `{given}`: write the same in both");
            misfits.errors.push(Fault::new(format!("{}.header", entrance.path), message));
        }
        return;
    }
    let is_let_in = |entrance: &&AskedEntrance| {
        entrance.peers.is_none() || gateway.is_none_or(|gateway| lists(entrance, gateway))
    };
    if let Some(gateway) = gateway.filter(|_| !fitting.iter().any(is_let_in)) {
        for entrance in &fitting {
            let message = format!(
                "have not {gateway}, by whose name {name} mints contexts: add it, or correct one of them"
            );
            misfits.errors.push(Fault::new(format!("{}.peers", entrance.path), message));
        }
    }
    let Some(sha256) = given.sha256 else {
        misfits.keys_unseen = true;
        return;
    };
    // Key and peer are asked for by the same entrance, or it does not open.
    let fitting = match fitting.iter().copied().filter(|entrance| is_let_in(entrance)).collect::<Vec<_>>() {
        none if none.is_empty() => fitting,
        let_in => let_in,
    };
    let opens =
        |entrance: &&&AskedEntrance| entrance.sha256.as_ref().is_none_or(|hashes| hashes.contains(&sha256));
    if fitting.iter().find(opens).is_none() {
        for entrance in &fitting {
            let message = format!(
                "have not the hash of the key that {name} attaches: add what `vestibule hash` prints of it"
            );
            misfits.errors.push(Fault::new(format!("{}.keys", entrance.path), message));
        }
    }
}

/// Whether the headers that an entrance believes are those that the outer door writes.
fn trust(gives: &Gives, asks: &Asks, outer: &Outline, name: &str, misfits: &mut Misfits) {
    let gateway = gateway_of(gives);
    // Where nobody says who the gateway is, an entrance for peers alone may be for services, and is the gateway's if
    // there is none with a key.
    let may_be_the_gateways = |entrance: &&AskedEntrance| match gateway {
        Some(gateway) => entrance.peers.is_none() || lists(entrance, gateway),
        None => entrance.header.is_some() || !asks.asks_for_a_key(),
    };
    for entrance in asks.entrances.iter().filter(may_be_the_gateways) {
        let Some(trust) = &entrance.trust else { continue };
        for (part, header) in trust.parts() {
            let path = format!("{}.trust", entrance.path);
            let (shown, written) =
                (header.as_str(), gives.injected.iter().find(|(injected, _)| injected == header));
            if !outer.changes(Matched::Header(shown)) {
                let message = format!(
                    "believes `{shown}`, which {name} neither writes nor removes, so a client could write it: add it to \
                     `inject` there"
                );
                misfits.errors.push(Fault::new(path, message));
            } else if written.is_none() {
                let message = format!(
                    "believes `{shown}`, which {name} removes and never writes: add it to `inject` there"
                );
                misfits.errors.push(Fault::new(path, message));
            } else if let Some((_, source)) = written
                && is_another(part, source)
            {
                let message = format!(
                    "takes the {part} from `{shown}`, into which {name} writes something else: correct one of them"
                );
                misfits.errors.push(Fault::new(format!("{path}.{part}"), message));
            }
        }
    }
}

/// Whether a source is something that a part of the principal never is. Roles may be meant for permissions, and of a
/// claim nobody here knows what it says.
fn is_another(part: &str, source: &Source) -> bool {
    match source {
        Source::Subject => part != "subject",
        Source::Tenant => part != "tenant",
        Source::Permissions => part != "permissions",
        Source::Roles => part != "permissions",
        Source::Scopes | Source::Issuer | Source::Payload => true,
        Source::Claim(..) | Source::Text(_) => false,
    }
}

/// Whether tokens that an inner door asks for come through.
fn tokens(gives: &Gives, asks: &Asks, name: &str, misfits: &mut Misfits) {
    for (path, issuer) in asks.tokens.iter().filter(|(_, issuer)| gives.taken_off.contains(issuer)) {
        let message = format!(
            "judges tokens of `{issuer}`, which {name} takes off: require the context in their place, or write `forward: \
             verified` at the source there"
        );
        misfits.warnings.push(Fault::new(path, message));
    }
}
