//! The specimens, and what the parser says to documents like them.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use vestibule::compile::{self, Secrets};
use vestibule::time::UnixTime;

/// A configuration that compiles.
pub(crate) struct Specimen {
    pub(crate) name: &'static str,
    pub(crate) document: Value,
}

/// 2026-01-01T00:00:00Z.
const NOW: UnixTime = UnixTime::from_secs(1_767_225_600);

pub(crate) static SPECIMENS: LazyLock<Vec<Specimen>> = LazyLock::new(|| {
    let texts = [
        ("outer-key", include_str!("specimens/outer-key.json")),
        ("outer-mint", include_str!("specimens/outer-mint.json")),
        ("inner-key", include_str!("specimens/inner-key.json")),
        ("inner-context", include_str!("specimens/inner-context.json")),
        ("inner-issuer", include_str!("specimens/inner-issuer.json")),
    ];
    texts
        .map(|(name, text)| Specimen {
            name,
            document: serde_json::from_str(text).expect("a specimen is JSON"),
        })
        .into()
});

pub(crate) fn specimen(name: &str) -> &'static Value {
    let found = SPECIMENS.iter().find(|specimen| specimen.name == name);
    &found.expect("a specimen of this name").document
}

fn secret(name: &str) -> Option<String> {
    match name {
        "HMAC" => Some("5a".repeat(64)),
        "KEY" => Some(URL_SAFE_NO_PAD.encode("another-0123456789abcdef0123456789abcdef")),
        "MINT" => Some(STANDARD.encode(include_str!("../support/keys/ec-256.pem"))),
        _ => None,
    }
}

/// What is wrong with a document by the parser: path and message.
pub(crate) fn errors(document: &Value) -> Vec<(String, String)> {
    let outline = compile::check(document, &Secrets::From(&secret), NOW);
    let errors = outline.err().into_iter().flat_map(|errors| {
        let pairs = errors.iter().map(|error| (error.path().to_owned(), error.message().to_owned()));
        pairs.collect::<Vec<_>>()
    });
    errors.collect()
}

/// The message about this very path.
pub(crate) fn error_at(document: &Value, path: &str) -> Option<String> {
    errors(document).into_iter().find(|(at, _)| at == path).map(|(_, message)| message)
}

/// What comes of a document, in words: the whole policy but for its secrets, or what is wrong. Sorted line by
/// line, for maps have no order.
pub(crate) fn outcome(document: &Value) -> Vec<String> {
    let text = match compile::compile(document, &Secrets::From(&secret), NOW) {
        Ok(compiled) => format!("{:#?}", compiled.value),
        Err(errors) => errors.to_string(),
    };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn a_specimen_is_a_configuration_by_the_parser_and_by_the_schema() {
    for Specimen { name, document } in SPECIMENS.iter() {
        assert_eq!(errors(document), Vec::new(), "{name}");
        assert!(super::takes(document), "{name}");
    }
}
