//! A path or a host that is let through reads the same to everybody: no server, however lax, makes other
//! segments or another host of it. For whatever soup of separators and escapes a client sends.
//!
//! The readers here are written down once more, each as the servers of its kind do it, and share nothing with
//! the door.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails where it stands"
)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use vestibule::path::CanonicalPath;
use vestibule::route::host::CanonicalHost;

/// What paths are made of.
const PARTS: [&[u8]; 44] = [
    b"/",
    b"/",
    b"/",
    b"/",
    b"a",
    b"b",
    b"admin",
    b"x.y",
    b".",
    b"..",
    b"...",
    b"//",
    b"\\",
    b";",
    b";v=1",
    b"#",
    b"?",
    b"?q=/b",
    b"%2f",
    b"%2F",
    b"%5c",
    b"%2e",
    b"%2E%2e",
    b"%3b",
    b"%3f",
    b"%23",
    b"%25",
    b"%252f",
    b"%2500",
    b"%00",
    b"%0a",
    b"%20",
    b" ",
    b"+",
    b"%61",
    b"%C3%A9",
    b"\xc3\xa9",
    b"%ff",
    b"\xff",
    b"%c0%af",
    b"%",
    b"%4",
    b"%7f",
    b"\x00",
];

fn soup() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![12 => select(&PARTS[..]).prop_map(<[u8]>::to_vec), 1 => vec(any::<u8>(), 1..3)];
    let tame =
        select(vec!["/a", "/b", "/admin", "/%61", "/", "/x.y", "/caf%C3%A9", "/%2e%2e", "/a%20b", "?q"]);
    prop_oneof![
        vec(part, 0..10).prop_map(|parts| [&b"/"[..], &parts.concat()].concat()),
        vec(tame, 0..6).prop_map(|parts| parts.concat().into_bytes()),
    ]
}

/// One way to read a path, of the many that there are.
#[derive(Clone, Copy, Debug)]
struct Reader(u32);

impl Reader {
    /// With the last of the nine habits, only the first two of the others mean something.
    const ALL: u32 = (1 << 8) + (1 << 2);

    fn does(self, habit: u32) -> bool {
        self.0 >> habit & 1 == 1
    }

    /// The segments that this reader serves, without an empty last one.
    fn segments(self, target: &[u8]) -> Vec<Vec<u8>> {
        let cut = |bytes: &[u8], at: u8| bytes.split(|byte| *byte == at).next().unwrap_or_default().to_vec();
        let mut path = cut(target, b'?');
        if self.does(0) {
            path = cut(&path, b'#');
        }
        if self.does(1) {
            // Resolved before anything is decoded, as proxies do; what others do comes last.
            path = join(&resolved(split(&path)));
        }
        if self.does(8) {
            // Each segment for itself; its number of segments is then what it was.
            let segments: Vec<Vec<u8>> = split(&path).iter().map(|segment| decoded(segment)).collect();
            return without_empty_last(segments);
        }
        for _ in 0..1 + (self.0 >> 2 & 1) + (self.0 >> 3 & 1) {
            path = decoded(&path);
        }
        if self.does(4) {
            path.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
        }
        if self.does(5) {
            // Where a text ends in C, or a line anywhere, and a query that was encoded.
            path = [0, b'\n', b'\r', b'?'].into_iter().fold(path, |path, end| cut(&path, end));
        }
        let mut segments = split(&path);
        if self.does(6) {
            segments.iter_mut().for_each(|segment| *segment = cut(segment, b';'));
        }
        if self.does(7) {
            let last = segments.len().saturating_sub(1);
            let mut position = 0..;
            segments.retain(|segment| position.next() == Some(last) || !segment.is_empty());
        }
        // Every file system does it.
        without_empty_last(resolved(segments))
    }
}

fn without_empty_last(mut segments: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    if segments.last().is_some_and(Vec::is_empty) {
        segments.pop();
    }
    segments
}

fn split(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/').skip(1).map(<[u8]>::to_vec).collect()
}

fn join(segments: &[Vec<u8>]) -> Vec<u8> {
    segments.iter().flat_map(|segment| [&b"/"[..], segment].concat()).collect()
}

fn resolved(segments: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut resolved: Vec<Vec<u8>> = Vec::new();
    for segment in segments {
        match &*segment {
            b"." => {}
            b".." => drop(resolved.pop()),
            _ => resolved.push(segment),
        }
    }
    resolved
}

/// Decoded, with what is no escape left as it stands.
fn decoded(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut position = 0;
    while let Some(byte) = path.get(position) {
        let digits = path.get(position + 1..position + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped.filter(|_| *byte == b'%') {
            Some(escaped) => {
                decoded.push(escaped);
                position += 3;
            }
            None => {
                decoded.push(*byte);
                position += 1;
            }
        }
    }
    decoded
}

fn canonical(target: &[u8]) -> Option<Vec<u8>> {
    CanonicalPath::parse(target).ok().map(|path| path.to_string().into_bytes())
}

/// The path with those of its bytes encoded of which `chosen` says so, and all that would mean something else.
fn encoded(path: &[u8], chosen: &[bool]) -> Vec<u8> {
    let mut chosen = chosen.iter().cycle();
    let mut encoded = Vec::new();
    for byte in path {
        let is_chosen = chosen.next().copied().unwrap_or_default() || *byte == b' ';
        match (is_chosen && *byte != b'/', byte.is_ascii_alphabetic()) {
            (true, true) => encoded.extend(format!("%{byte:02x}").bytes()),
            (true, false) => encoded.extend(format!("%{byte:02X}").bytes()),
            (false, _) => encoded.push(*byte),
        }
    }
    encoded
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_path_that_is_let_through_has_the_same_segments_for_every_reader(target in soup()) {
        if let Some(path) = canonical(&target) {
            let mut segments = split(&path);
            segments.retain(|segment| !segment.is_empty());
            for reader in (0..Reader::ALL).map(Reader) {
                prop_assert_eq!(&reader.segments(&target), &segments, "{:?} of {}", reader, target.escape_ascii());
            }
        }
    }

    #[test]
    fn a_canonical_path_is_its_own_however_it_is_spelt(target in soup(), chosen in vec(any::<bool>(), 1..9)) {
        if let Some(path) = canonical(&target) {
            for spelt in [encoded(&path, &[false]), encoded(&path, &[true]), encoded(&path, &chosen)] {
                prop_assert_eq!(canonical(&spelt), Some(path.clone()), "{}", spelt.escape_ascii());
                let more = [&spelt[..], b"/?a=/../b#c"].concat();
                let more = if path == b"/" { more[1..].to_vec() } else { more };
                prop_assert_eq!(canonical(&more), Some(path.clone()), "{}", more.escape_ascii());
            }
        }
    }

    #[test]
    fn a_host_that_is_read_is_the_same_for_every_reader(authority in authorities()) {
        if let Some(host) = CanonicalHost::parse(&authority) {
            let host = host.as_str().to_owned();
            prop_assert_eq!(CanonicalHost::parse(host.as_bytes()).map(|again| again.as_str().to_owned()), Some(host.clone()));
            for reader in 0..HOST_READERS {
                prop_assert_eq!(&host_by(reader, &authority), &host, "{} of {}", reader, authority.escape_ascii());
            }
        }
    }
}

fn authorities() -> impl Strategy<Value = Vec<u8>> {
    let parts: [&[u8]; 38] = [
        b"a",
        b"API",
        b"test",
        b"x-y_z",
        b".",
        b".",
        b".",
        b"..",
        b":",
        b":80",
        b":080",
        b":65536",
        b":99999999",
        b"@",
        b"user:pw@",
        b"/",
        b"\\",
        b"?",
        b"#",
        b"%41",
        b"%2e",
        b"%00",
        b"\x00",
        b" ",
        b"\t",
        b",",
        b"[",
        b"]",
        b"[::1]",
        b"[::FFFF:1.2.3.4]",
        b"[fe80::1%25eth0]",
        b"127.0.0.1",
        b"0x7f.1",
        b"\xc3\xa9",
        b"\xff",
        b";",
        b"*",
        b"xn--caf-dma",
    ];
    let parts = parts.to_vec();
    prop_oneof![
        vec(select(parts), 0..6).prop_map(|parts| parts.concat()),
        vec(select(vec!["a", "B", ".", "test", ":8080", "[::1]", "[0:0::1]", "-"]), 0..6)
            .prop_map(|parts| parts.concat().into_bytes()),
    ]
}

const HOST_READERS: u32 = 1 << 6;

/// The host of an authority by one of many readers, in lower case.
fn host_by(reader: u32, authority: &[u8]) -> String {
    let does = |habit: u32| reader >> habit & 1 == 1;
    let mut text = authority.to_vec();
    if does(0) {
        text = decoded(&text);
    }
    if does(1) {
        // What a URL would end its authority with, and what ends a text.
        let ends = |byte: &u8| matches!(byte, b'/' | b'\\' | b'?' | b'#' | b';' | b',' | 0);
        text = text.split(ends).next().unwrap_or_default().to_vec();
    }
    if does(2) {
        text = text.rsplit(|byte| *byte == b'@').next().unwrap_or_default().to_vec();
    }
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if does(3) {
        text = text.trim().to_owned();
    }
    let end = match text.find(']') {
        Some(bracket) => bracket + 1,
        None if does(4) => text.find(':').unwrap_or(text.len()),
        None => text.rfind(':').unwrap_or(text.len()),
    };
    text.truncate(end);
    let mut text = text.to_lowercase();
    if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let address: Option<std::net::Ipv6Addr> =
            address.split('%').next().and_then(|text| text.parse().ok());
        text = address.map_or(text.clone(), |address| format!("[{address}]"));
    }
    // One dot, or all of them.
    if does(5) { text.trim_end_matches('.').into() } else { text.strip_suffix('.').unwrap_or(&text).into() }
}

#[test]
fn paths_and_hosts_like_those_above_are_often_read_and_often_refused() {
    let mut runner = TestRunner::deterministic();
    let (soup, authorities) = (soup(), authorities());
    let (mut paths, mut respelt, mut hosts) = (0, 0, 0);
    for _ in 0..2_000 {
        let target = soup.new_tree(&mut runner).expect("a target").current();
        let path = canonical(&target);
        paths += usize::from(path.is_some());
        respelt += usize::from(path.is_some_and(|path| path != target));
        let authority = authorities.new_tree(&mut runner).expect("an authority").current();
        hosts += usize::from(CanonicalHost::parse(&authority).is_some());
    }
    println!("{paths} paths, {respelt} of them spelt in another way, and {hosts} hosts of 2000 are read");
    assert!((400..1_600).contains(&paths) && respelt >= 200 && (200..1_600).contains(&hosts));
}
