//! `inject`: header → what is written into it.

use serde_json::Value;

use super::node::Node;
use crate::header::{self, HeaderName};
use crate::policy::inject::{Form, Source};

/// One header of `inject`.
#[derive(Debug)]
pub struct Inject<'v> {
    /// The header.
    pub header: HeaderName,
    /// What is written into it; none to stop injecting, which never stops stripping.
    pub source: Option<Source>,
    /// Where it stands.
    pub node: Node<'v>,
}

pub(crate) fn read<'v>(node: &Node<'v>) -> Vec<Inject<'v>> {
    let mut all: Vec<Inject<'v>> = Vec::new();
    for inject in node.members().into_iter().filter_map(|(name, node)| one(name, node)) {
        if all.iter().any(|earlier| earlier.header == inject.header) {
            // Of two values for one header, whichever a client sends already would be left standing.
            inject.node.error("is there twice, for header names have no case: remove one");
        }
        all.push(inject);
    }
    all
}

#[inline(never)]
fn one<'v>(name: &str, node: Node<'v>) -> Option<Inject<'v>> {
    let header =
        super::header_name(&node, name).filter(|name| match header::untouchable(name.as_str(), false) {
            None => true,
            Some(_) => {
                node.error("this header belongs to HTTP or to Envoy and cannot be injected: choose another");
                false
            }
        });
    let source = match node.value() {
        Value::Object(members) if members.contains_key("claim") => claim(&node).map(Some),
        Value::Object(_) => text(&node).map(Some),
        Value::String(_) => node.choice(&[
            ("subject", Some(Source::Subject)),
            ("tenant", Some(Source::Tenant)),
            ("permissions", Some(Source::Permissions)),
            ("scopes", Some(Source::Scopes)),
            ("roles", Some(Source::Roles)),
            ("issuer", Some(Source::Issuer)),
            ("payload", Some(Source::Payload)),
            ("none", None),
        ]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            node.refuse("must be the name of what to inject, `{value: text}`, or `{claim: name, as: text}`")
        }
    };
    Some(Inject { header: header?, source: source?, node })
}

#[inline(never)]
fn claim(node: &Node<'_>) -> Option<Source> {
    let mut fields = node.object()?;
    let claim = fields.required("claim", "name the claim");
    let form = fields.required("as", "say how: `text`, `list`, `json` or `base64url`");
    fields.finish();
    let claim = claim.and_then(|node| super::issuer::claim(&node));
    let form = form.and_then(|node| {
        node.choice(&[
            ("text", Form::Text),
            ("list", Form::List),
            ("json", Form::Json),
            ("base64url", Form::Base64Url),
        ])
    });
    Some(Source::Claim(claim?, form?))
}

fn text(node: &Node<'_>) -> Option<Source> {
    let mut fields = node.object()?;
    let value = fields.required("value", "write the text to inject, as in `{value: eu-1}`");
    fields.finish();
    let value = value?;
    let text = value.text()?;
    // RFC 9110 section 5.5: no control characters, and none of the white space at the ends that every proxy
    // trims.
    let visible = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if text.len() > 1024 || !text.bytes().all(visible) || text.trim() != text {
        return value
            .refuse("must be at most 1024 characters of visible ASCII, without white space at its ends");
    }
    Some(Source::Text(text.as_bytes().into()))
}
