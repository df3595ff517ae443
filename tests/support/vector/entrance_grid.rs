//! Every layout of entrances × every key that a request may present × every peer × whether a route asks for a
//! principal, written as a vector file would be, with what must come of each cell by the rules of
//! `docs/configuration.md` and `docs/denials.md`.

use serde_json::{Map, Value, json};

const KEY: &str = "gateway-key-1-0123456789abcdef0123456789abcdef";
const EXPIRED: &str = "gateway-key-2-0123456789abcdef0123456789abcdef";
const EARLY: &str = "gateway-key-3-0123456789abcdef0123456789abcdef";
const WRONG: &str = "gateway-key-9-0123456789abcdef0123456789abcdef";

const LISTED: &str = "spiffe://mesh.test/ns/shop/sa/listed";
const UNLISTED: &str = "spiffe://mesh.test/ns/shop/sa/unlisted";

/// Each entrance by its name and what it demands: whether a key, and whether a peer.
type Layout = &'static [(&'static str, bool, bool)];

const LAYOUTS: [Layout; 5] = [
    &[("gateway", true, false)],
    &[("mesh", false, true)],
    &[("both", true, true)],
    &[("gateway", true, false), ("mesh", false, true)],
    &[("both", true, true), ("mesh", false, true)],
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Presented {
    Right,
    Wrong,
    Expired,
    Early,
    Nothing,
    Twice,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Peer {
    Listed,
    Unlisted,
    Nobody,
}

pub(super) fn document() -> Value {
    let mut cases = Vec::new();
    for layout in LAYOUTS {
        for presented in [
            Presented::Right,
            Presented::Wrong,
            Presented::Expired,
            Presented::Early,
            Presented::Nothing,
            Presented::Twice,
        ] {
            for peer in [Peer::Listed, Peer::Unlisted, Peer::Nobody] {
                for access in ["public", "authenticated"] {
                    cases.push(case(layout, presented, peer, access));
                }
            }
        }
    }
    json!({
        "about": "The grid of entrances.",
        "config": { "door": "inner", "tenant": "optional" },
        "cases": cases,
    })
}

fn case(layout: Layout, presented: Presented, peer: Peer, access: &str) -> Value {
    let names: Vec<&str> = layout.iter().map(|(name, ..)| *name).collect();
    let entrances: Map<String, Value> =
        layout.iter().map(|(name, key, peer)| ((*name).to_owned(), entrance(*key, *peer))).collect();
    let keys: &[&str] = match presented {
        Presented::Right => &[KEY],
        Presented::Wrong => &[WRONG],
        Presented::Expired => &[EXPIRED],
        Presented::Early => &[EARLY],
        Presented::Nothing => &[],
        Presented::Twice => &[KEY, KEY],
    };
    let keys = keys.iter().map(|key| json!(["x-gateway-key", key]));
    let headers: Vec<Value> = keys.chain([json!(["x-user-id", "alice"])]).collect();
    let peer_id = match peer {
        Peer::Listed => Some(LISTED),
        Peer::Unlisted => Some(UNLISTED),
        Peer::Nobody => None,
    };
    let expect = match outcome(layout, presented, peer, access) {
        Err(code) => json!({ "code": code }),
        // Only who came in by a key is believed, and on a public route nobody is.
        Ok(is_trusted) => {
            let subject = if is_trusted && access != "public" { json!(["alice"]) } else { json!([]) };
            json!({ "upstream": { "x-gateway-key": [], "x-user-id": subject } })
        }
    };
    json!({
        "name": format!("{}, key {presented:?}, peer {peer:?}, access {access}", names.join(" and ")),
        "config": { "default": access, "entrances": entrances },
        "request": { "headers": headers, "peer": peer_id },
        "expect": expect,
    })
}

fn entrance(key: bool, peer: bool) -> Value {
    let mut entrance = Map::new();
    if key {
        let keys = json!({
            "current": { "sha256": { "$sha256": KEY } },
            "previous": { "sha256": { "$sha256": EXPIRED }, "notAfter": "2020-01-01T00:00:00Z" },
            "next": { "sha256": { "$sha256": EARLY }, "notBefore": "2099-01-01T00:00:00Z" },
        });
        entrance.insert("keys".into(), keys);
    }
    if peer {
        entrance.insert("peers".into(), json!(["spiffe://mesh.test/ns/shop/sa/another", LISTED]));
    }
    Value::Object(entrance)
}

/// Whether somebody is believed who comes in, or the code.
fn outcome(layout: Layout, presented: Presented, peer: Peer, access: &str) -> Result<bool, &'static str> {
    let lets_in = |(_, key, listed): &&(&str, bool, bool)| {
        (!key || presented == Presented::Right) && (!listed || peer == Peer::Listed)
    };
    let mut open = layout.iter().filter(lets_in).peekable();
    if open.peek().is_some() {
        let is_trusted = open.any(|(_, key, _)| *key);
        return if is_trusted || access == "public" { Ok(is_trusted) } else { Err("credential_missing") };
    }
    let reads_key = layout.iter().any(|(_, key, _)| *key);
    let without_key = layout.iter().any(|(_, key, _)| !*key);
    match presented {
        Presented::Right if reads_key => Err("peer_not_allowed"),
        Presented::Nothing if without_key && (peer != Peer::Nobody || !reads_key) => Err("peer_not_allowed"),
        Presented::Nothing => Err("gateway_key_missing"),
        _ if reads_key => Err("gateway_key_invalid"),
        _ => Err("peer_not_allowed"),
    }
}
