//! The words of a command as a POSIX shell, and bash for `$'…'`, would have them.
//!
//! Nothing is run or expanded: what a shell would expand is refused, for the words would be others. Browsers
//! write `$'…'`, which the crates that split words do not know and would take for other text.

use std::iter::Peekable;
use std::str::Chars;

/// The words of one command.
///
/// # Errors
/// Why the text is not one, never with anything of it, for there are tokens in it.
pub(crate) fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.trim().chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\n' if chars.clone().any(|next| !next.is_whitespace()) => {
                return Err("goes on after its first line: end the line with `\\`, or give one command");
            }
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => single_quoted(&mut chars, word.get_or_insert_default())?,
            '"' => double_quoted(&mut chars, word.get_or_insert_default())?,
            '$' if chars.next_if_eq(&'\'').is_some() => {
                escaped(&mut chars, word.get_or_insert_default())?;
            }
            '\\' => match chars.next() {
                Some('\n') => {}
                Some('\r') if chars.next_if_eq(&'\n').is_some() => {}
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err("ends in `\\`: a line is missing"),
            },
            '$' | '`' => return Err(EXPANDED),
            '^' if chars.peek() == Some(&'"') => {
                return Err("is for cmd.exe: choose \"Copy as cURL (bash)\"");
            }
            '|' | '&' | ';' | '<' | '>' | '(' | ')' => {
                return Err("has more than the words of one command: quote what belongs to a word");
            }
            '#' if word.is_none() => return Err("has a comment: leave it out, or quote the word"),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

const EXPANDED: &str = "has a `$` or a backtick that a shell would expand: write what it stands for";
const UNCLOSED: &str = "has a quote without its end";

fn single_quoted(chars: &mut Peekable<Chars<'_>>, word: &mut String) -> Result<(), &'static str> {
    loop {
        match chars.next().ok_or(UNCLOSED)? {
            '\'' => return Ok(()),
            other => word.push(other),
        }
    }
}

fn double_quoted(chars: &mut Peekable<Chars<'_>>, word: &mut String) -> Result<(), &'static str> {
    loop {
        match chars.next().ok_or(UNCLOSED)? {
            '"' => return Ok(()),
            '\\' => match chars.next().ok_or(UNCLOSED)? {
                '\n' => {}
                special @ ('"' | '\\' | '$' | '`') => word.push(special),
                other => word.extend(['\\', other]),
            },
            '$' if matches!(chars.peek(), Some('"' | ' ')) => word.push('$'),
            '$' | '`' => return Err(EXPANDED),
            other => word.push(other),
        }
    }
}

/// Bash's `$'…'`.
fn escaped(chars: &mut Peekable<Chars<'_>>, word: &mut String) -> Result<(), &'static str> {
    loop {
        let char = match chars.next().ok_or(UNCLOSED)? {
            '\'' => return Ok(()),
            '\\' => match chars.next().ok_or(UNCLOSED)? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                same @ ('\'' | '"' | '\\' | '?') => same,
                'x' => number(chars, 16, 2)?,
                'u' => number(chars, 16, 4)?,
                'U' => number(chars, 16, 8)?,
                _ => return Err("has an escape in `$'…'` that is not read here"),
            },
            other => other,
        };
        word.push(char);
    }
}

/// The character of this many digits at most. What is no character of ASCII by `\x` is half of another.
fn number(chars: &mut Peekable<Chars<'_>>, radix: u32, most: usize) -> Result<char, &'static str> {
    let mut value = 0;
    for _ in 0..most {
        let Some(digit) = chars.peek().and_then(|next| next.to_digit(radix)) else { break };
        value = value * radix + digit;
        chars.next();
    }
    char::from_u32(value)
        .filter(|char| *char != '\0' && (most > 2 || char.is_ascii()))
        .ok_or("has an escape in `$'…'` that stands for no character")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        for (text, words) in [
            ("curl  'a b'\tc", &["curl", "a b", "c"][..]),
            ("a 'b'\"c\"d ''", &["a", "bcd", ""]),
            ("a \\\n  b \\\r\n c\n", &["a", "b", "c"]),
            (r#"a\ b "c\"d\e$ " "#, &["a b", "c\"d\\e$ "]),
            (r"$'it\'s\u0021\x41\n' x#y", &["it's!A\n", "x#y"]),
            ("'$HOME `x` | &'", &["$HOME `x` | &"]),
        ] {
            assert_eq!(
                split(text).as_deref(),
                Ok(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()[..]),
                "{text}"
            );
        }
    }

    #[test]
    fn what_a_shell_would_make_something_else_of_is_refused() {
        for text in [
            "a $HOME",
            "a \"$HOME\"",
            "a `b`",
            "a \"`b`\"",
            "a | b",
            "a; b",
            "a & b",
            "a > b",
            "a (b)",
            "a\nb",
            "a 'b",
            "a \"b",
            "a $'b",
            "a \\",
            "a # b",
            "curl ^\"https://a^\"",
            r"$'\q'",
            r"$'\u'",
            r"$'\xff'",
            r"$'\ud800'",
            r"$'\0'",
        ] {
            assert!(split(text).is_err(), "{text}");
        }
    }
}
