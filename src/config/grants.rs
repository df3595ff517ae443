//! `grants`: as written, every name typed.

use super::access::grant;
use super::node::Node;
use crate::principal::Grant;

/// The most roles and permissions that imply others.
pub const MAX: usize = 1_000;

/// A role or a permission, and what it implies.
#[derive(Debug)]
pub struct Implied<'v> {
    /// The role or permission.
    pub name: Grant,
    /// The permissions that it implies.
    pub implied: Vec<Grant>,
    /// Where it stands.
    pub node: Node<'v>,
}

pub(crate) fn read<'v>(node: &Node<'v>) -> Vec<Implied<'v>> {
    let entries = node.members_up_to(MAX).into_iter();
    entries.filter_map(|(name, node)| entry(name, &node)).collect()
}

fn entry<'v>(name: &str, node: &Node<'v>) -> Option<Implied<'v>> {
    let parsed = Grant::parse(name.as_bytes()).filter(|name| !name.as_str().contains('*'));
    if parsed.is_none() {
        node.error(
            "cannot be a role or permission that implies others: 1 to 128 visible ASCII characters without `\"`, \
             `,`, `\\` and `*`",
        );
    }
    let implied = node.each(implied);
    Some(Implied { name: parsed?, implied, node: node.clone() })
}

fn implied(node: &Node<'_>) -> Option<Grant> {
    let name = grant(node)?;
    match name.as_str().find('*') {
        Some(star) if star + 1 < name.as_str().len() => {
            node.refuse("has `*` before its end, where it would mean itself")
        }
        _ => Some(name),
    }
}
