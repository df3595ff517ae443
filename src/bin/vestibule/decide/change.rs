//! The changes to a request, as they may be shown: the values of other cookies and parameters are nobody's
//! business.

use vestibule::mutation::Mutation;

use super::explanation::as_text;
use crate::terminal::is_token;

/// A header that is removed, or set to this value.
pub(crate) struct Change {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

impl Change {
    pub(crate) fn of(mutation: &Mutation) -> Self {
        match mutation {
            Mutation::Remove { name } => Self { name: as_text(name), value: None },
            Mutation::Set { name, value } => {
                let value = match &**name {
                    "cookie" => without_values(&as_text(value), ';'),
                    ":path" => match as_text(value).split_once('?') {
                        Some((path, query)) => format!("{path}?{}", without_values(query, '&')),
                        None => as_text(value),
                    },
                    // A context, or what a claim made one.
                    _ if is_token(value) => "(token)".to_owned(),
                    _ => as_text(value),
                };
                Self { name: name.to_string(), value: Some(value) }
            }
        }
    }
}

/// `name=value` pairs with `(value)` for each value.
fn without_values(pairs: &str, separator: char) -> String {
    let shown = pairs.split(separator).map(|pair| match pair.split_once('=') {
        Some((name, _)) => format!("{name}=(value)"),
        None if pair.trim().is_empty() => pair.to_owned(),
        None => "(value)".to_owned(),
    });
    shown.collect::<Vec<_>>().join(&separator.to_string())
}
