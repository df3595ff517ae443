//! Changes to a request's headers. A value here is ready to be sent; what may be changed is the policy's
//! business.

use std::fmt;
use std::sync::Arc;

/// One change to one header name.
#[derive(Clone, PartialEq, Eq)]
pub enum Mutation {
    /// Every copy of the header goes.
    Remove {
        /// The name as the request spells it.
        name: Arc<[u8]>,
    },
    /// Every copy goes and one with this value stands in their place.
    Set {
        /// The name, lower-case.
        name: Arc<str>,
        /// The value; it may be a secret.
        value: Arc<[u8]>,
    },
}

/// A header, and the one value that it is to have.
#[derive(Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The name, lower-case.
    pub name: Arc<str>,
    /// The value; it may be a secret.
    pub value: Arc<[u8]>,
}

impl Mutation {
    /// Whether it removes the header that the request spells so.
    #[must_use]
    pub fn removes(&self, spelt: &[u8]) -> bool {
        matches!(self, Self::Remove { name } if **name == *spelt)
    }
}

impl From<Assignment> for Mutation {
    fn from(Assignment { name, value }: Assignment) -> Self {
        Self::Set { name, value }
    }
}

/// A value is not shown: it may be the gateway key.
impl fmt::Debug for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Assignment({})", self.name)
    }
}

/// A value is not shown: it may be the gateway key.
impl fmt::Debug for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remove { name } => write!(f, "Remove({})", name.escape_ascii()),
            Self::Set { name, .. } => write!(f, "Set({name})"),
        }
    }
}

/// The headers that an upstream sees: the request's, changed by the mutations in their order.
#[must_use]
pub fn apply<'a>(
    headers: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    mutations: &[Mutation],
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> =
        headers.map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
    for mutation in mutations {
        match mutation {
            Mutation::Remove { name } => headers.retain(|(given, _)| **given != **name),
            Mutation::Set { name, value } => {
                headers.retain(|(given, _)| given != name.as_bytes());
                headers.push((name.as_bytes().to_vec(), value.to_vec()));
            }
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_replaces_every_copy_by_one() {
        let headers: [(&[u8], &[u8]); 3] = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")];
        let set = Mutation::Set { name: "a".into(), value: Arc::from(&b"4"[..]) };
        assert_eq!(
            apply(headers.into_iter(), &[set]),
            [(b"b".to_vec(), b"2".to_vec()), (b"a".to_vec(), b"4".to_vec())]
        );
    }

    #[test]
    fn debug_output_shows_no_value() {
        let set = Mutation::Set { name: "x-gateway-key".into(), value: Arc::from(&b"secret"[..]) };
        assert_eq!(format!("{set:?}"), "Set(x-gateway-key)");
    }
}
