//! Who comes in, and what those are told who do not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use sha2::{Digest as _, Sha256};

use super::key::AcceptedKey;
use super::peer::Peer;
use super::*;
use crate::spiffe::SpiffeId;

const NOW: u64 = 100;

/// A key of which the tests know one letter.
fn long(letter: &str) -> Vec<u8> {
    letter.repeat(32).into_bytes()
}

fn key(letter: &str, not_before: Option<u64>, not_after: Option<u64>) -> AcceptedKey {
    AcceptedKey {
        name: letter.into(),
        sha256: Sha256::digest(long(letter)).into(),
        not_before: not_before.map(UnixTime::from_secs),
        not_after: not_after.map(UnixTime::from_secs),
    }
}

fn keys(header: &str, accepted: Vec<AcceptedKey>) -> Keys {
    Keys { header: HeaderName::parse(header).unwrap(), accepted, forward: false }
}

fn peers(ids: &[&str]) -> Peers {
    let listed = ids.iter().map(|id| Peer::new(SpiffeId::parse(id).unwrap())).collect();
    Peers { listed, admits_resumed: false }
}

fn entrance(name: &str, demand: Demand) -> Entrance {
    Entrance { name: name.into(), demand, trust: None }
}

/// By which entrance and key a request comes in that presents these keys over a connection of this peer.
fn admitted(
    mut entrances: Vec<Entrance>,
    presented: &[(&str, &[u8])],
    peer: Option<&str>,
    now: u64,
) -> Result<String, Code> {
    entrances.sort_by_key(Entrance::precedence);
    let request = Request::new(presented.iter().map(|(name, value)| (name.as_bytes(), *value)).collect());
    let request = peer.map_or(request.clone(), |peer| request.with_peer(peer.as_bytes()));
    let admission = admit(&entrances, &request, UnixTime::from_secs(now))?.admission();
    Ok(match admission.key() {
        Some(key) => format!("{} {key}", admission.entrance()),
        None => admission.entrance().to_owned(),
    })
}

fn by_key(accepted: Vec<AcceptedKey>, values: &[&[u8]], now: u64) -> Result<String, Code> {
    let presented: Vec<_> = values.iter().map(|value| ("x-gateway-key", *value)).collect();
    admitted(vec![entrance("gateway", Demand::Key(keys("x-gateway-key", accepted)))], &presented, None, now)
}

#[test]
fn any_accepted_key_opens_wherever_it_stands_in_the_list_and_is_named() {
    for name in ["a", "b", "c"] {
        let accepted = vec![key("a", None, None), key("b", None, None), key("c", None, None)];
        assert_eq!(by_key(accepted, &[&long(name)], 0), Ok(format!("gateway {name}")));
    }
}

#[test]
fn a_key_opens_only_where_its_entrance_reads_it() {
    let two = || {
        let one = Demand::Key(keys("x-gateway-key", vec![key("a", None, None)]));
        let other = Demand::Key(keys("x-other-key", vec![key("b", None, None)]));
        vec![entrance("gateway", one), entrance("other", other)]
    };
    let come = |header, letter| admitted(two(), &[(header, &long(letter))], None, NOW);
    assert_eq!(come("x-gateway-key", "a"), Ok("gateway a".into()));
    assert_eq!(come("x-other-key", "b"), Ok("other b".into()));
    assert_eq!(come("x-gateway-key", "b"), Err(Code::GatewayKeyInvalid));
    assert_eq!(come("x-other-key", "a"), Err(Code::GatewayKeyInvalid));
    assert_eq!(come("x-third-key", "a"), Err(Code::GatewayKeyMissing));
}

#[test]
fn a_key_counts_from_not_before_up_to_not_after() {
    let at = |now| by_key(vec![key("a", Some(10), Some(20))], &[&long("a")], now).map(drop);
    assert_eq!(
        (at(9), at(10), at(19), at(20)),
        (Err(Code::GatewayKeyInvalid), Ok(()), Ok(()), Err(Code::GatewayKeyInvalid))
    );
}

#[test]
fn the_hash_of_what_is_no_key_lets_nobody_in() {
    for text in ["", "short"] {
        let accepted = vec![AcceptedKey { sha256: Sha256::digest(text).into(), ..key("a", None, None) }];
        assert_eq!(by_key(accepted, &[text.as_bytes()], 0), Err(Code::GatewayKeyInvalid));
    }
}

#[test]
fn a_peer_is_listed_to_the_letter() {
    let mesh = || vec![entrance("mesh", Demand::Peer(peers(&["spiffe://a/b", "spiffe://a/c/d"])))];
    for peer in ["spiffe://a/b", "spiffe://a/c/d"] {
        assert_eq!(admitted(mesh(), &[], Some(peer), NOW), Ok("mesh".into()));
    }
    let long = format!("spiffe://a/{}", "b".repeat(4000));
    for peer in ["", "spiffe://a/", "spiffe://a/b/", "spiffe://a/bb", "spiffe://a/B", "spiffe://A/b", &long] {
        assert_eq!(admitted(mesh(), &[], Some(peer), NOW), Err(Code::PeerNotAllowed), "{peer}");
    }
}

/// Nobody has validated the certificate on this connection.
#[test]
fn the_peer_of_a_resumed_session_is_listed_where_that_is_admitted_only() {
    for (admits_resumed, outcome) in [(false, Err(Code::PeerNotAllowed)), (true, Ok(()))] {
        let listed = Peers { admits_resumed, ..peers(&["spiffe://a/b"]) };
        let entrances = [entrance("mesh", Demand::Peer(listed))];
        let admitted = |request: &Request<'_>| admit(&entrances, request, UnixTime::from_secs(NOW)).map(drop);
        assert_eq!(admitted(&Request::new(vec![]).with_unvalidated_peer(b"spiffe://a/b")), outcome);
        let other = Request::new(vec![]).with_unvalidated_peer(b"spiffe://a/c");
        assert_eq!(admitted(&other), Err(Code::PeerNotAllowed));
        assert_eq!(admitted(&Request::new(vec![]).with_peer(b"spiffe://a/b")), Ok(()));
    }
}

/// A header says nothing about a peer.
#[test]
fn a_peer_that_only_a_header_names_is_none() {
    let mesh = vec![entrance("mesh", Demand::Peer(peers(&["spiffe://a/b"])))];
    let headers: Vec<(&str, &[u8])> = ["x-forwarded-client-cert", "x-peer", "x-gateway-key"]
        .map(|name| (name, &b"spiffe://a/b"[..]))
        .into();
    assert_eq!(admitted(mesh, &headers, None, NOW), Err(Code::PeerNotAllowed));
}

#[test]
fn of_several_entrances_the_one_that_demands_most_counts_and_then_the_first_by_name() {
    let gateway = || keys("x-gateway-key", vec![key("a", None, None)]);
    let other = || keys("x-other-key", vec![key("b", None, None)]);
    let listed = || peers(&["spiffe://a/b"]);
    let both: &[(&str, &[u8])] = &[("x-gateway-key", &long("a")), ("x-other-key", &long("b"))];
    let one: &[(&str, &[u8])] = &[("x-gateway-key", &long("a"))];
    let peer = Some("spiffe://a/b");
    for (one_name, other_name) in [("a", "b"), ("b", "a")] {
        let two =
            |first: Demand, second: Demand| vec![entrance(one_name, first), entrance(other_name, second)];
        let come = |entrances, presented| admitted(entrances, presented, peer, NOW);
        assert_eq!(
            come(two(Demand::Key(gateway()), Demand::Peer(listed())), one),
            Ok(format!("{one_name} a"))
        );
        assert_eq!(
            come(two(Demand::Key(gateway()), Demand::Both(other(), listed())), both),
            Ok(format!("{other_name} b"))
        );
        assert_eq!(
            come(two(Demand::Peer(listed()), Demand::Both(gateway(), listed())), one),
            Ok(format!("{other_name} a"))
        );
        let first = if one_name == "a" { "a a" } else { "a b" };
        assert_eq!(come(two(Demand::Key(gateway()), Demand::Key(other())), both), Ok(first.into()));
        assert_eq!(come(two(Demand::Peer(listed()), Demand::Peer(listed())), one), Ok("a".into()));
    }
}

/// What a request presents as its key, in the header of every entrance.
const PRESENTED: [&str; 6] = ["right", "wrong", "expired", "not yet", "missing", "two copies"];
/// Whose connection it is.
const PEERS: [&str; 3] = ["listed", "unlisted", "none"];

/// What becomes of each: a row for each of `PRESENTED`, in it a cell for each of `PEERS`. `-` comes in, `I` is
/// gateway_key_invalid, `M` gateway_key_missing, `P` peer_not_allowed.
const LAYOUTS: [(&str, [&str; 6]); 5] = [
    ("keys", ["---", "III", "III", "III", "MMM", "III"]),
    ("peers", ["-PP", "-PP", "-PP", "-PP", "-PP", "-PP"]),
    ("keys+peers", ["-PP", "III", "III", "III", "MMM", "III"]),
    ("keys | peers", ["---", "-II", "-II", "-II", "-PM", "-II"]),
    ("keys+peers | peers", ["-PP", "-II", "-II", "-II", "-PM", "-II"]),
];

#[test]
fn what_each_is_told_is_the_table() {
    for (layout, rows) in LAYOUTS {
        for (presented, row) in PRESENTED.into_iter().zip(rows) {
            for (peer, cell) in PEERS.into_iter().zip(row.chars()) {
                let expected = match cell {
                    '-' => Ok(()),
                    'I' => Err(Code::GatewayKeyInvalid),
                    'M' => Err(Code::GatewayKeyMissing),
                    'P' => Err(Code::PeerNotAllowed),
                    other => panic!("{other}"),
                };
                let outcome = admitted(layout_of(layout), &headers(presented), peer_of(peer), NOW);
                assert_eq!(outcome.map(drop), expected, "{layout}: key {presented}, peer {peer}");
            }
        }
    }
}

fn layout_of(layout: &str) -> Vec<Entrance> {
    let all = || {
        let right = key("a", Some(NOW), Some(NOW + 1));
        keys("x-gateway-key", vec![key("e", None, Some(NOW)), right, key("n", Some(NOW + 1), None)])
    };
    let listed = || peers(&["spiffe://mesh/other", "spiffe://mesh/listed"]);
    let demand = |part| match part {
        "keys" => Demand::Key(all()),
        "peers" => Demand::Peer(listed()),
        "keys+peers" => Demand::Both(all(), listed()),
        other => panic!("{other}"),
    };
    layout.split(" | ").zip(["one", "two"]).map(|(part, name)| entrance(name, demand(part))).collect()
}

fn headers(presented: &str) -> Vec<(&'static str, &'static [u8])> {
    const A: &[u8] = &[b'a'; 32];
    let values: &[&[u8]] = match presented {
        "right" => &[A],
        "wrong" => &[&[b'w'; 32]],
        "expired" => &[&[b'e'; 32]],
        "not yet" => &[&[b'n'; 32]],
        "missing" => &[],
        "two copies" => &[A, A],
        other => panic!("{other}"),
    };
    values.iter().map(|value| ("x-gateway-key", *value)).collect()
}

fn peer_of(peer: &str) -> Option<&'static str> {
    match peer {
        "listed" => Some("spiffe://mesh/listed"),
        "unlisted" => Some("spiffe://mesh/unlisted"),
        _ => None,
    }
}
