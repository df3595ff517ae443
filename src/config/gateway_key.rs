//! `gatewayKey`: as written, every field typed; and the clusters to which what the outer door attaches may go.

use super::node::Node;
use super::secret::{self, Secret};
use super::{GATEWAY_KEY_HEADER, ownable};
use crate::attached::Attach;
use crate::cluster::ClusterPattern;
use crate::header::HeaderName;

/// `gatewayKey`.
#[derive(Debug)]
pub struct GatewayKey<'v> {
    /// `header`.
    pub header: HeaderName,
    /// `key`.
    pub key: Option<Secret<'v>>,
    /// `to`, or its default.
    pub to: Vec<ClusterPattern>,
    /// `attach`.
    pub attach: Attach,
}

/// The clusters of a mesh that Istio names.
const MESH: &str = "outbound|*|*|*.svc.cluster.local";

#[inline(never)]
pub(crate) fn read<'v>(node: &Node<'v>) -> Option<GatewayKey<'v>> {
    let mut fields = node.object()?;
    let header = fields.optional("header").and_then(|header| ownable(&header));
    let key = fields.required("key", "name the environment variable that holds it: `key: {env: NAME}`");
    let to = fields.optional("to").map(|to| clusters(&to));
    let written = fields.optional("attach").and_then(|node| attach(&node));
    fields.finish();
    Some(GatewayKey {
        header: header.or_else(|| HeaderName::parse(GATEWAY_KEY_HEADER))?,
        key: key.and_then(|key| secret::read(&key)),
        to: to.unwrap_or_else(mesh),
        attach: written.unwrap_or(Attach::Route),
    })
}

/// By which cluster it is decided what goes along.
pub(crate) fn attach(node: &Node<'_>) -> Option<Attach> {
    node.choice(&[("route", Attach::Route), ("upstream", Attach::Upstream)])
}

/// A list of patterns.
pub(crate) fn clusters(node: &Node<'_>) -> Vec<ClusterPattern> {
    node.each(|pattern| {
        let text = pattern.text()?;
        let parsed = ClusterPattern::parse(text);
        if parsed.is_none() {
            pattern.error(
                "a pattern of cluster names is visible ASCII and more than `*`: \
                 name the clusters that may get what the door attaches",
            );
        }
        parsed
    })
}

/// Where `to` is not written.
pub(crate) fn mesh() -> Vec<ClusterPattern> {
    ClusterPattern::parse(MESH).into_iter().collect()
}
