//! Tokens from a description, as scenarios have them (`docs/scenarios.md`).

use std::sync::Arc;

use serde_json::Value;

use super::keys::{self, TestKey};
use super::scenario::Token;

/// The token that the description stands for, signed with the test keys.
pub fn mint(spec: &Value, now: u64) -> String {
    mint_with(spec, now, &|name| Arc::clone(keys::named(name)))
}

/// The same, with keys from elsewhere.
pub(crate) fn mint_with(spec: &Value, now: u64, key_named: &dyn Fn(&str) -> Arc<TestKey>) -> String {
    let token = Token::parse("token", spec.clone(), &|name| Ok(key_named(name)));
    let token = token.unwrap_or_else(|fault| panic!("{fault}"));
    token.mint(now).unwrap_or_else(|message| panic!("{message}: {spec}"))
}
