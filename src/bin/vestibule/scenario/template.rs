//! A text that a request sends or an upstream sees, in which `{{name}}` is that token. One character is one
//! byte (Latin-1), so that every byte can be written.

use std::collections::BTreeMap;

use super::super::document::Fault;

/// The tokens of a case at one time, by name.
pub(crate) type Minted = BTreeMap<String, Vec<u8>>;

/// The text, in pieces.
#[derive(Clone)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Clone)]
enum Piece {
    Bytes(Vec<u8>),
    Token(String),
}

impl Template {
    pub(crate) fn parse(at: &str, text: &str) -> Result<Self, Fault> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let unclosed = || Fault::new(at, "has `{{` without `}}`: a token is written {{name}}");
            let (name, after) = after.split_once("}}").ok_or_else(unclosed)?;
            pieces.extend([Piece::Bytes(latin_1(at, before)?), Piece::Token(name.to_owned())]);
            rest = after;
        }
        pieces.push(Piece::Bytes(latin_1(at, rest)?));
        Ok(Self(pieces))
    }

    /// A text in which no token stands.
    pub(crate) fn plain(at: &str, text: &str) -> Result<Self, Fault> {
        Ok(Self(vec![Piece::Bytes(latin_1(at, text)?)]))
    }

    /// The tokens that the text names.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Bytes(_) => None,
            Piece::Token(name) => Some(name.as_str()),
        })
    }

    /// The bytes, with these tokens in their places.
    pub(crate) fn fill(&self, tokens: &Minted) -> Vec<u8> {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Bytes(bytes) => bytes.as_slice(),
            // A case names no others than its own: `Case::parse` sees to it.
            Piece::Token(name) => tokens.get(name).map(Vec::as_slice).unwrap_or_default(),
        });
        pieces.collect::<Vec<_>>().concat()
    }
}

/// The bytes of a text, one for each character.
pub(crate) fn latin_1(at: &str, text: &str) -> Result<Vec<u8>, Fault> {
    let message = "has a character beyond Latin-1: one character is one byte, so write the bytes one by one";
    text.chars().map(|character| u8::try_from(character).map_err(|_| Fault::new(at, message))).collect()
}
