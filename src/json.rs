//! Strict JSON: what two parsers could read differently is refused.
//!
//! `serde_json` does the parsing; this module adds what it leaves open: duplicate members (RFC 8259 section 4
//! lets a parser take either, and an attacker picks) and a depth that the caller chooses. Whoever wants to know
//! what is wrong asks [`parse`], whoever is in a hurry [`Tree::parse`]. It knows nothing of tokens or
//! configurations.

mod ascii;
mod tree;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

pub use ascii::ascii;
pub use tree::Tree;

/// Why a text is not acceptable JSON.
#[derive(Debug)]
pub enum Error {
    /// Not JSON, or nested deeper than allowed. The message names line and column, never the content.
    Syntax(String),
    /// Members that occur twice in one object, by their paths; the first few, and each cut where it is long.
    Duplicates(Vec<String>),
}

/// What a text may cost.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The deepest nesting of arrays and objects; the outermost counts as one.
    pub depth: usize,
    /// How many duplicates are told of; at least one.
    pub duplicates: usize,
}

/// The longest path of a duplicate that is reported, in bytes: a name is as long as its author likes.
const MAX_PATH: usize = 200;

/// Parses the text of one JSON value, refusing duplicate members at every level and nesting deeper than the
/// bound.
///
/// # Errors
/// [`Error`] says whether the syntax is wrong or which members are there twice.
pub fn parse(text: &[u8], bounds: Bounds) -> Result<Value, Error> {
    let text = std::str::from_utf8(text).map_err(|error| {
        Error::Syntax(format!("not UTF-8 behind the first {} bytes", error.valid_up_to()))
    })?;
    let tree = Tree::read(text, bounds.depth).map_err(|error| {
        Error::Syntax(match (error.is_data(), error.line()) {
            // Depth is all that makes what is JSON unacceptable to it.
            (true, line) => format!("nested too deeply at line {line}"),
            (false, line) => format!("not JSON at line {line}, column {}", error.column()),
        })
    })?;
    let mut duplicates = Duplicates { paths: Vec::new(), most: bounds.duplicates.max(1) };
    duplicates.of(&tree, Path::Root);
    if duplicates.paths.is_empty() {
        Ok(Value::from(&tree))
    } else {
        Err(Error::Duplicates(duplicates.paths))
    }
}

/// How deeply a value is nested; an array or object with nothing in it counts as one.
#[must_use]
pub fn depth(value: &Value) -> usize {
    match value {
        Value::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The members that are there twice, as far as they are looked for.
struct Duplicates {
    paths: Vec<String>,
    most: usize,
}

impl Duplicates {
    fn of(&mut self, tree: &Tree<'_>, path: Path<'_>) {
        match tree {
            Tree::Null | Tree::Bool(_) | Tree::Number(_) | Tree::String(_) => {}
            Tree::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.of(element, Path::Element(&path, index));
                }
            }
            Tree::Object(members) => {
                let mut seen = BTreeSet::new();
                for (name, value) in members {
                    let path = Path::Member(&path, name);
                    if !seen.insert(&**name) {
                        self.note(path);
                    }
                    self.of(value, path);
                }
            }
        }
    }

    fn note(&mut self, path: Path<'_>) {
        if self.paths.len() < self.most {
            let mut cut = Cut(String::new());
            // An error here says that the path was cut.
            let _cut = fmt::Write::write_fmt(&mut cut, format_args!("{path}"));
            self.paths.push(cut.0);
        }
    }
}

/// A text that takes no more than [`MAX_PATH`] bytes.
struct Cut(String);

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_PATH.saturating_sub(self.0.len());
        let fits = text.floor_char_boundary(room);
        self.0.push_str(text.get(..fits).unwrap_or_default());
        if fits == text.len() {
            return Ok(());
        }
        self.0.push('…');
        Err(fmt::Error)
    }
}

/// Where in the document a value stands; a list on the stack, so that a document without faults allocates
/// nothing for it.
#[derive(Clone, Copy)]
enum Path<'p> {
    Root,
    Member(&'p Path<'p>, &'p str),
    Element(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Member(Path::Root, name) => f.write_str(shown(name)),
            Path::Member(parent, name) => write!(f, "{parent}.{}", shown(name)),
            Path::Element(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A member's name as a path shows it: one that is empty would leave no trace.
pub(crate) fn shown(name: &str) -> &str {
    if name.is_empty() { "\"\"" } else { name }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]
    use super::*;

    fn bounds(depth: usize) -> Bounds {
        Bounds { depth, duplicates: 20 }
    }

    #[test]
    fn a_document_without_faults_is_what_serde_json_reads() {
        let text = br#"{"a":[1,-2,2.5,"x",null,true,{"b":{}}],"c":18446744073709551615}"#;
        assert_eq!(parse(text, bounds(8)).unwrap(), serde_json::from_slice::<Value>(text).unwrap());
    }

    #[test]
    fn every_duplicate_member_is_named_by_its_path() {
        let Err(Error::Duplicates(paths)) = parse(br#"{"a":1,"b":[{"c":1,"c":2}],"a":2}"#, bounds(8)) else {
            panic!()
        };
        assert_eq!(paths, ["b[0].c", "a"]);
    }

    #[test]
    fn a_duplicate_is_refused_also_where_nobody_asks_for_its_path() {
        let none = Bounds { depth: 2, duplicates: 0 };
        assert!(matches!(parse(br#"{"a":1,"a":2}"#, none), Err(Error::Duplicates(_))));
    }

    #[test]
    fn a_member_without_a_name_has_a_path_all_the_same() {
        let Err(Error::Duplicates(paths)) = parse(br#"{"":1,"a":{"":1,"":2},"":2}"#, bounds(8)) else {
            panic!()
        };
        assert_eq!(paths, ["a.\"\"", "\"\""]);
    }

    #[test]
    fn an_escaped_spelling_of_a_name_is_the_same_name() {
        assert!(matches!(parse(br#"{"iss":"a","\u0069ss":"b"}"#, bounds(8)), Err(Error::Duplicates(_))));
    }

    #[test]
    fn nesting_stops_at_the_depth_given() {
        assert!(parse(b"[[[]]]", bounds(3)).is_ok());
        assert!(parse(b"[[[1]]]", bounds(3)).is_ok());
        assert!(
            matches!(parse(b"[[[[]]]]", bounds(3)), Err(Error::Syntax(message)) if message.contains("too deeply"))
        );
    }

    #[test]
    fn bytes_after_the_value_are_refused() {
        assert!(matches!(parse(b"{} {}", bounds(3)), Err(Error::Syntax(_))));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_refused() {
        assert!(matches!(parse(b"{\"a\":\"\xff\"}", bounds(3)), Err(Error::Syntax(_))));
    }

    #[test]
    fn a_number_too_large_for_a_double_is_refused() {
        assert!(matches!(parse(b"1e999", bounds(3)), Err(Error::Syntax(_))));
    }

    #[test]
    fn no_more_duplicates_are_told_of_than_asked_and_a_long_path_is_cut() {
        let text = format!(r#"{{"{}":{{"a":1,"a":1,"a":1,"a":1}}}}"#, "é".repeat(500));
        let Err(Error::Duplicates(paths)) = parse(text.as_bytes(), Bounds { depth: 3, duplicates: 2 }) else {
            panic!()
        };
        assert_eq!(paths.len(), 2);
        assert!(paths.iter().all(|path| path.len() <= MAX_PATH + 3 && path.ends_with('…')));
    }
}
