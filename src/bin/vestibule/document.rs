//! The text of a document, JSON or YAML, read so that nothing in it could be read in two ways.

use std::fmt;
use std::path::Path;

use granit_parser::{Event, Parser, ScalarStyle};
use serde_json::Value;
use serde_saphyr::options::MergeKeyPolicy;
use serde_saphyr::{DuplicateKeyPolicy, UserMessageFormatter};
use vestibule::compile;
use vestibule::config::error::ConfigErrors;

/// What is wrong, and where in the document. Displayed it is one line, whatever the document holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    path: String,
    message: String,
}

impl Fault {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }

    /// The same fault, seen from the document around this one.
    pub(crate) fn inside(self, outer: &str) -> Self {
        let separator = if self.path.is_empty() || outer.is_empty() { "" } else { ": " };
        Self { path: format!("{outer}{separator}{}", self.path), ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = match self.path.as_str() {
            "" => self.message.clone(),
            path => format!("{path}: {}", self.message),
        };
        // Names come from the document: none may start a line of its own, or steer the terminal.
        line.chars().try_for_each(|char| match char.is_control() {
            true => write!(f, "{}", char.escape_default()),
            false => write!(f, "{char}"),
        })
    }
}

/// The errors of the library, as faults.
pub(crate) fn faults(errors: &ConfigErrors) -> Vec<Fault> {
    errors.iter().map(|error| Fault::new(error.path(), error.message())).collect()
}

/// A document, and what in it is not plain enough for a configuration.
pub(crate) struct Document {
    pub(crate) value: Value,
    pub(crate) ambiguities: Vec<Fault>,
}

/// What reads a text as JSON.
pub(crate) type ReadJson<'r> = &'r dyn Fn(&[u8]) -> Result<Value, Vec<Fault>>;

/// Parses a configuration in JSON or YAML: as the file's name says, else JSON where it begins with a brace.
pub(crate) fn parse(path: &Path, text: &[u8]) -> Result<Document, Vec<Fault>> {
    parse_as(path, text, &|text| compile::parse_document(text).map_err(|errors| faults(&errors)))
}

/// The same for a document whose JSON is read by `json`.
pub(crate) fn parse_as(path: &Path, text: &[u8], json: ReadJson<'_>) -> Result<Document, Vec<Fault>> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let is_json = match extension.to_ascii_lowercase().as_str() {
        "json" => true,
        "yaml" | "yml" => false,
        _ => text.trim_ascii_start().first() == Some(&b'{'),
    };
    if is_json {
        return Ok(Document { value: json(text)?, ambiguities: Vec::new() });
    }
    let text = str::from_utf8(text).map_err(|_| vec![Fault::new("", "not UTF-8")])?;
    let value = parse_yaml(text).map_err(|fault| vec![fault])?;
    Ok(Document { value, ambiguities: ambiguities(text) })
}

/// A document of a YAML stream.
pub(crate) struct Part<'t> {
    /// The number of its first line.
    pub(crate) line: usize,
    pub(crate) text: &'t str,
}

/// The documents of a YAML text. A line that begins with `---` begins one, wherever it stands (YAML 1.2 section
/// 9.1.2), so no parser is asked.
pub(crate) fn split(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut start, mut first, mut end) = (0, 1, 0);
    let mut part = |start: usize, end: usize, line: usize| {
        if let Some(text) = text.get(start..end)
            && text.lines().any(says_something)
        {
            parts.push(Part { line, text });
        }
    };
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let rest = line.strip_prefix("---");
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)) {
            part(start, end, first);
            (start, first) = (end, index + 1);
        }
        end += line.len();
    }
    part(start, end, first);
    parts
}

/// Whether a line is more than a marker, a comment or nothing.
fn says_something(line: &str) -> bool {
    let said = line.strip_prefix("---").or_else(|| line.strip_prefix("...")).unwrap_or(line).trim();
    !said.is_empty() && !said.starts_with('#')
}

/// YAML 1.1's booleans are read as such, so that an unquoted `no` is refused wherever text is expected.
fn parse_yaml(text: &str) -> Result<Value, Fault> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        // Envoy does not know them.
        merge_keys: MergeKeyPolicy::Error,
        budget: serde_saphyr::budget! { max_depth: 64, max_anchors: 100, max_aliases: 1000 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 10_000 },
        // The lines around an error may hold what nobody should read.
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.render_with_formatter(&UserMessageFormatter);
        Fault::new("", format!("not acceptable YAML: {message}"))
    })
}

/// What YAML's readers understand differently: tags, and the words and numbers of YAML 1.1.
fn ambiguities(text: &str) -> Vec<Fault> {
    let events = Parser::new_from_str(text).map_while(Result::ok);
    let ambiguity = |(event, span): (Event<'_>, granit_parser::Span)| {
        let remedy = if event.tag().is_some() {
            "tags are not read alike everywhere: leave it out, and quote what is text"
        } else if let Event::Scalar(scalar, ScalarStyle::Plain, ..) = &event {
            ambiguous(scalar)?
        } else {
            return None;
        };
        Some(Fault::new(format!("line {}", span.start.line()), remedy))
    };
    events.filter_map(ambiguity).collect()
}

fn ambiguous(scalar: &str) -> Option<&'static str> {
    let lower = scalar.to_ascii_lowercase();
    let number = lower.trim_start_matches(['+', '-']);
    match lower.as_str() {
        "y" | "yes" | "n" | "no" | "on" | "off" => {
            Some("a bare y, yes, on, n, no or off is text to some readers: write true or false, or quote it")
        }
        _ if number.len() > 1
            && (number.starts_with('0') || number.contains('_'))
            && number.starts_with(|char: char| char.is_ascii_digit())
            && number.chars().all(|char| char.is_ascii_hexdigit() || matches!(char, '_' | 'o' | 'x')) =>
        {
            Some("a number like this is not read alike everywhere: write it in decimal digits, or quote it")
        }
        _ => None,
    }
}
