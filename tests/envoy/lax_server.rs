//! The fixture: how the laxest server could read a path, for the tests that ask what it would serve.

use std::collections::BTreeSet;

/// What a server makes of a path before it looks for what is there.
type Habit = fn(&[u8]) -> Vec<u8>;

/// Every way in which the laxest server could read a path: each of its habits, as often as it likes and in any
/// order.
pub fn readings(path: &[u8]) -> BTreeSet<Vec<u8>> {
    let habits: [Habit; 12] = [
        decode,
        |path| replace(path, &[(b"\\", b"/")]),
        // UTF-8 that is longer than it may be (RFC 3629 section 3).
        |path| replace(path, &[(b"\xc0\xaf", b"/"), (b"\xc0\xae", b"."), (b"\xc1\x9c", b"\\")]),
        |path| replace(path, &[(b"//", b"/")]),
        resolve_dots,
        |path| until(path, |byte| byte == b'?'),
        |path| until(path, |byte| byte == b'#'),
        |path| until(path, |byte| byte == b';'),
        |path| until(path, |byte| byte == 0),
        // The parameters of each segment (RFC 3986 section 3.3).
        |path| each_segment(path, |segment| until(segment, |byte| byte == b';')),
        // Controls that nobody sees. A space is part of a name.
        |path| path.iter().copied().filter(|byte| !byte.is_ascii_control()).collect(),
        |path| path.iter().copied().filter(u8::is_ascii).collect(),
    ];
    let mut known = BTreeSet::new();
    let mut new = vec![until(path, |byte| byte == b'?')];
    while let Some(path) = new.pop() {
        if known.insert(path.clone()) {
            new.extend(habits.iter().map(|habit| habit(&path)));
        }
    }
    known
}

/// The first segment of what was read.
pub fn first_segment(reading: &[u8]) -> &[u8] {
    let path = reading.strip_prefix(b"/").unwrap_or(reading);
    path.split(|byte| *byte == b'/').next().unwrap_or_default()
}

fn decode(path: &[u8]) -> Vec<u8> {
    let digits = |from: usize, count: usize| {
        let text = std::str::from_utf8(path.get(from..from + count)?).ok()?;
        u8::from_str_radix(text.strip_prefix("00").filter(|_| count == 4).unwrap_or(text), 16).ok()
    };
    let mut decoded = Vec::new();
    let mut at = 0;
    while let Some(byte) = path.get(at) {
        let (byte, length) = match (byte, path.get(at + 1)) {
            (b'%', Some(b'u')) => digits(at + 2, 4).map_or((*byte, 1), |byte| (byte, 6)),
            (b'%', _) => digits(at + 1, 2).map_or((*byte, 1), |byte| (byte, 3)),
            _ => (*byte, 1),
        };
        decoded.push(byte);
        at += length;
    }
    decoded
}

fn replace(path: &[u8], pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut rest = path;
    while let Some(byte) = rest.first() {
        let pair = pairs.iter().find(|(from, _)| rest.starts_with(from));
        let (from, to) = pair.map_or((1, std::slice::from_ref(byte)), |(from, to)| (from.len(), *to));
        replaced.extend(to);
        rest = &rest[from..];
    }
    replaced
}

fn until(path: &[u8], is_end: fn(u8) -> bool) -> Vec<u8> {
    path.split(|byte| is_end(*byte)).next().unwrap_or_default().to_vec()
}

fn each_segment(path: &[u8], change: Habit) -> Vec<u8> {
    path.split(|byte| *byte == b'/').map(change).collect::<Vec<_>>().join(b"/".as_slice())
}

/// RFC 3986 section 5.2.4, but for what stands before the first slash.
fn resolve_dots(path: &[u8]) -> Vec<u8> {
    let mut resolved: Vec<&[u8]> = Vec::new();
    for segment in path.split(|byte| *byte == b'/').skip(1) {
        match segment {
            b"." => {}
            b".." => drop(resolved.pop()),
            segment => resolved.push(segment),
        }
    }
    [b"/".as_slice(), &resolved.join(b"/".as_slice())].concat()
}

#[test]
fn the_laxest_server_reads_what_the_lax_ones_do() {
    for path in [
        "/closed",
        "/closed/x",
        "//closed",
        "/open/../closed",
        "/open/..;/closed",
        "/open/..;v=1/closed;x",
        "/open/%2e%2e%2fclosed",
        "/open/%252e%252e%252fclosed",
        "/open\\..\\closed",
        "/open%5c..%5Cclosed",
        "/closed#x",
        "/closed%23x",
        "/closed%00.html",
        "/closed%3fx",
        "/open/..%c0%afclosed",
        "/open/%u002e%u002e/closed",
        "/clo%09sed",
        "/closed?/../open",
    ] {
        assert!(
            readings(path.as_bytes()).iter().any(|reading| first_segment(reading) == b"closed"),
            "{path}"
        );
    }
    for path in [
        "/",
        "/open",
        "/closedx",
        "/open/closed",
        "/open?/../closed",
        "/open/..closed",
        "/xclosed",
        "/clo/sed",
    ] {
        assert!(
            !readings(path.as_bytes()).iter().any(|reading| first_segment(reading) == b"closed"),
            "{path}"
        );
    }
}
