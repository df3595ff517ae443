//! A token as it stands in a request: what is read of it is all of it, and it has one spelling.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use vestibule::denial::Code;
use vestibule::jose::base64url;
use vestibule::jose::compact::{Compact, Decoded, Size};
use vestibule::jose::header::Header;
use vestibule::json::{self, Tree};

const SIZE: Size = Size { bytes: 8192, depth: 32 };

pub fn run(data: &[u8]) {
    let refused = |code| assert_eq!(code == Code::TokenTooLarge, data.len() > SIZE.bytes, "{code:?}");
    let decoded = match Decoded::of(data, SIZE) {
        Ok(decoded) => decoded,
        Err(code) => return refused(code),
    };
    let token = match Compact::read(&decoded) {
        Ok(token) => token,
        Err(code) => return refused(code),
    };
    let parts: Vec<Vec<u8>> =
        data.split(|byte| *byte == b'.').map(|part| base64url(part).expect("a part decodes")).collect();
    let again: Vec<String> = parts.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
    assert_eq!(again.join(".").as_bytes(), data, "another spelling of the same token was read");

    let [header, payload, signature] = &parts[..] else { panic!("{} parts were read", parts.len()) };
    assert!(!signature.is_empty());
    let tree = Tree::parse(header, SIZE.depth).expect("a header is JSON");
    assert_eq!(Header::parse(&tree).as_ref(), Ok(token.header()));
    let [header, payload] = [header, payload].map(|part| {
        let object: Value = serde_json::from_slice(part).expect("header and payload are JSON");
        assert!(object.is_object() && json::depth(&object) <= SIZE.depth);
        object
    });
    assert_eq!(token.header().kid.as_deref(), header.get("kid").and_then(Value::as_str));
    match (payload.get("iss"), token.unverified_issuer()) {
        (None, Ok(None)) | (Some(_), Err(Code::ClaimMalformed)) => {}
        (Some(Value::String(text)), Ok(Some(issuer))) => assert_eq!(text, issuer),
        (claim, read) => panic!("{claim:?} was read as {read:?}"),
    }

    let smaller = Size { bytes: data.len() - 1, ..SIZE };
    assert!(matches!(Decoded::of(data, smaller), Err(Code::TokenTooLarge)));
    for end in [&b"="[..], b".", b"\n", b" ", b"\0"] {
        let longer = [data, end].concat();
        let is_read = Decoded::of(&longer, SIZE).is_ok_and(|decoded| Compact::read(&decoded).is_ok());
        assert!(!is_read, "read with {end:?} at its end");
    }
}
