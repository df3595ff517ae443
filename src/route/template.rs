//! Path templates, as in `/orders/{id}` and `/static/{*rest}`.

use std::collections::BTreeSet;
use std::fmt;

use crate::path::is_segment;

/// The most segments of a template.
pub const MAX_SEGMENTS: usize = 32;

/// The paths that a route is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub(crate) segments: Vec<Segment>,
    /// Whether it ends in `{*name}`.
    pub(crate) has_rest: bool,
}

/// What one segment of a path must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// This text.
    Literal(Box<str>),
    /// Any text.
    Any,
}

/// Why a text is no template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// It does not begin with `/`.
    NoSlash,
    /// No request's path has such a segment, or none that is let through.
    Segment,
    /// A brace or `*` that is not where it means something.
    Wildcard,
    /// `{name}` with a name that is not one.
    Name,
    /// Two parts have one name.
    NameTwice,
    /// `{*name}` before the end.
    RestNotLast,
    /// It has more than [`MAX_SEGMENTS`].
    TooLong,
}

impl Template {
    /// The template of a text, whose literal parts stand as they are when decoded. A slash at the end means
    /// nothing.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let path = text.strip_prefix('/').ok_or(TemplateError::NoSlash)?;
        let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
        let mut template = Self { segments: Vec::new(), has_rest: false };
        let mut names = BTreeSet::new();
        for segment in path.split('/').filter(|_| !path.is_empty()) {
            if template.has_rest {
                return Err(TemplateError::RestNotLast);
            }
            if template.segments.len() == MAX_SEGMENTS {
                return Err(TemplateError::TooLong);
            }
            match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                None if segment.contains(['{', '}', '*']) => return Err(TemplateError::Wildcard),
                None if is_segment(segment) => template.segments.push(Segment::Literal(segment.into())),
                None => return Err(TemplateError::Segment),
                Some(name) => {
                    let rest = name.strip_prefix('*');
                    let name = rest.unwrap_or(name);
                    if !is_name(name) {
                        return Err(TemplateError::Name);
                    }
                    if !names.insert(name) {
                        return Err(TemplateError::NameTwice);
                    }
                    match rest {
                        Some(_) => template.has_rest = true,
                        None => template.segments.push(Segment::Any),
                    }
                }
            }
        }
        Ok(template)
    }
}

fn is_name(name: &str) -> bool {
    let is_first = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    (1..=63).contains(&name.len())
        && name.as_bytes().first().is_some_and(is_first)
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSlash => "must begin with `/`",
            Self::Segment => {
                "matches no request: write it decoded, without `//`, `.` and `..` segments, `\\`, `?`, `#`, `%`, \
                 `;` and control characters, for paths with those are refused"
            }
            Self::Wildcard => {
                "has a brace or `*` that means nothing there: `{name}` stands for one whole segment, `{*name}` \
                 for the rest of the path"
            }
            Self::Name => "has a name in braces that is not 1 to 63 letters, digits, `_` and `-`, a letter or `_` first",
            Self::NameTwice => "has two parts of one name: rename one",
            Self::RestNotLast => "has more after `{*name}`, which stands for all the rest: end it there",
            Self::TooLong => "has more than 32 segments, the most that are accepted",
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn a_template_is_literals_and_names_in_braces() {
        let literal = |text: &str| Segment::Literal(text.into());
        for (text, segments, has_rest) in [
            ("/", vec![], false),
            ("/{*all}", vec![], true),
            ("/orders/{id}/", vec![literal("orders"), Segment::Any], false),
            ("/static/{*rest}", vec![literal("static")], true),
            ("/a b/é/x.y,z", vec![literal("a b"), literal("é"), literal("x.y,z")], false),
        ] {
            assert_eq!(Template::parse(text).unwrap(), Template { segments, has_rest }, "{text}");
        }
    }

    #[test]
    fn what_no_path_can_match_or_nobody_can_mean_is_no_template() {
        for (text, error) in [
            ("", TemplateError::NoSlash),
            ("a", TemplateError::NoSlash),
            ("//", TemplateError::Segment),
            ("/a//b", TemplateError::Segment),
            ("/a//", TemplateError::Segment),
            ("/a/../b", TemplateError::Segment),
            ("/%61", TemplateError::Segment),
            ("/a;b", TemplateError::Segment),
            ("/a?b", TemplateError::Segment),
            ("/a#b", TemplateError::Segment),
            ("/a\\b", TemplateError::Segment),
            ("/a\n", TemplateError::Segment),
            ("/*", TemplateError::Wildcard),
            ("/a*", TemplateError::Wildcard),
            ("/{id}.json", TemplateError::Wildcard),
            ("/{id", TemplateError::Wildcard),
            ("/{}", TemplateError::Name),
            ("/{*}", TemplateError::Name),
            ("/{1}", TemplateError::Name),
            ("/{-a}", TemplateError::Name),
            ("/{a}/{a}", TemplateError::NameTwice),
            ("/{a}/{*a}", TemplateError::NameTwice),
            ("/{*a}/b", TemplateError::RestNotLast),
        ] {
            assert_eq!(Template::parse(text), Err(error), "{text}");
        }
        assert!(Template::parse(&"/a".repeat(32)).is_ok());
        assert_eq!(Template::parse(&"/a".repeat(33)), Err(TemplateError::TooLong));
    }
}
