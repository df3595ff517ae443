//! A token's header as any JSON: nothing in it that changes what was signed gets through, and nothing in it
//! is read otherwise than it was written.

use serde_json::Value;
use vestibule::denial::Code;
use vestibule::jose::algorithm::Algorithm;
use vestibule::jose::header::{Header, media_type};
use vestibule::json::{self, Bounds, Error, Tree};

const BOUNDS: Bounds = Bounds { depth: 16, duplicates: 1 };

pub fn run(data: &[u8]) {
    let plain = serde_json::from_slice::<Value>(data);
    let header = match json::parse(data, BOUNDS) {
        Ok(header) => header,
        Err(Error::Duplicates(names)) => {
            assert_eq!(Tree::parse(data, BOUNDS.depth), None);
            return assert_eq!(names.len(), 1);
        }
        // What serde_json reads may be too deep, or have been in a member that a later one of its name replaced.
        Err(Error::Syntax(_)) => {
            assert_eq!(Tree::parse(data, BOUNDS.depth), None);
            let Ok(plain) = plain else { return };
            return assert!(json::depth(&plain) > 16 || members(&plain) < colons(data));
        }
    };
    assert_eq!(plain.expect("what is read strictly is JSON"), header);
    assert!(json::depth(&header) <= BOUNDS.depth);
    assert_eq!(members(&header), colons(data), "a member is there twice");

    let has = |name| header.get(name).is_some();
    let text = |name| header.get(name).and_then(Value::as_str);
    let wrong = |name| has(name) && text(name).is_none();
    let tree = Tree::parse(data, BOUNDS.depth).expect("it is read without reasons as well");
    assert_eq!(Value::from(&tree), header);
    match Header::parse(&tree) {
        Err(Code::CriticalHeader) => assert!(has("crit")),
        Err(Code::TokenMalformed) => assert!(
            ["b64", "zip"].into_iter().any(has)
                || ["alg", "kid", "typ", "cty"].into_iter().any(wrong)
                || !has("alg")
        ),
        Err(code) => panic!("{code:?} is no fault of a header"),
        Ok(read) => {
            assert!(!["crit", "b64", "zip"].into_iter().any(has));
            assert_eq!(read.kid.as_deref(), text("kid"));
            assert_eq!(read.algorithm, text("alg").and_then(Algorithm::parse));
            if let Some(algorithm) = read.algorithm {
                let name = text("alg").expect("an algorithm has a name");
                assert!(name == algorithm.as_str() || (name == "Ed25519" && algorithm == Algorithm::EdDsa));
            }
            let typ = read.typ.as_deref();
            assert_eq!(typ.is_some(), has("typ"));
            // Whatever its case and prefix, a type has one form, in which two are compared.
            if let Some(typ) = typ {
                assert_eq!(media_type(&typ.to_ascii_uppercase()), *typ);
                assert!(typ.contains('/') || media_type(&format!("Application/{typ}")) == *typ);
            }
        }
    }
}

fn members(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.len() + members.values().map(self::members).sum::<usize>(),
        Value::Array(elements) => elements.iter().map(members).sum(),
        _ => 0,
    }
}

/// Those between names and values, one for each member that is written.
fn colons(json: &[u8]) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let stands_between = |byte: &&u8| {
        let is_quote = **byte == b'"' && !escaped;
        escaped = **byte == b'\\' && !escaped;
        quoted ^= is_quote;
        **byte == b':' && !quoted
    };
    json.iter().filter(stands_between).count()
}
