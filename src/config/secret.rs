//! A secret: named in the configuration, kept in the VM's environment. There are no inline secrets, for
//! Envoy's admin port shows the whole configuration to whoever reaches it.

use super::node::{Fields, Node};

/// Where a secret is kept.
#[derive(Debug)]
pub struct Secret<'v> {
    /// `env`: the variable's name.
    pub env: &'v str,
    /// `encoding`: how the variable holds it.
    pub encoding: Encoding,
    /// For errors about its value.
    pub node: Node<'v>,
}

/// How a variable holds a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Utf8,
    /// RFC 4648 section 4, padded.
    Base64,
    /// RFC 4648 section 5, without padding.
    Base64Url,
    /// RFC 4648 section 8, in either case.
    Hex,
}

pub(crate) fn read<'v>(node: &Node<'v>) -> Option<Secret<'v>> {
    if node.value().is_string() {
        return node.refuse(
            "a secret cannot stand in the configuration: name the variable that holds it, \
             as in `{env: NAME}`",
        );
    }
    let mut fields = node.object()?;
    let env = fields.required("env", "name the environment variable that holds the secret");
    let secret = env.and_then(|env| of_fields(node, &env, &mut fields));
    fields.finish();
    secret
}

/// A secret whose fields stand among others.
#[inline(never)]
pub(crate) fn of_fields<'v>(node: &Node<'v>, env: &Node<'v>, fields: &mut Fields<'v>) -> Option<Secret<'v>> {
    let encoding = fields.optional("encoding").map(|encoding| {
        encoding.choice(&[
            ("utf8", Encoding::Utf8),
            ("base64", Encoding::Base64),
            ("base64url", Encoding::Base64Url),
            ("hex", Encoding::Hex),
        ])
    });
    let name = env.text()?;
    let start = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if !start || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return env.refuse(
            "is not the name of an environment variable: letters, digits and `_`, not beginning with a digit",
        );
    }
    Some(Secret { env: name, encoding: encoding.unwrap_or(Some(Encoding::Utf8))?, node: node.clone() })
}
