//! The configuration as an operator writes it: every field read and typed, nothing decided yet.
//!
//! What does not depend on another field, on a key or on the environment is checked here; the rest is
//! [`crate::compile`]'s. A field that could not be read is `None` here and an error in the list, so that all
//! errors come together. INVARIANT: a required field is `None` only where the list of errors is not empty.

pub mod access;
pub mod context;
pub mod entrance;
pub mod error;
pub mod gateway_key;
pub mod grants;
pub mod inject;
pub mod issuer;
pub mod keys;
pub mod node;
pub mod route;
pub mod secret;
pub mod source;
mod time;

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::header::{self, HeaderName};
use crate::jose::module::Module;
use crate::json::Bounds;
use crate::policy::Door;
use crate::route::preflight::Preflight;
use crate::tenant::TenantRule;
use crate::time::UnixTime;
use access::Access;
use context::Context;
use entrance::Entrance;
use gateway_key::GatewayKey;
use grants::Implied;
use inject::Inject;
use issuer::Issuer;
use node::{Named, Node};
use route::Route;

/// The whole document.
#[derive(Debug)]
pub struct Config<'v> {
    /// `door`.
    pub door: Option<Door>,
    /// `issuers`, or who mints the contexts of `context.require`.
    pub issuers: Vec<Named<'v, Issuer<'v>>>,
    /// `gatewayKey`.
    pub gateway_key: Option<(Node<'v>, GatewayKey<'v>)>,
    /// `context.mint`.
    pub mint: Option<context::Mint<'v>>,
    /// `entrances`.
    pub entrances: Vec<Named<'v, Entrance<'v>>>,
    /// `tenant`.
    pub tenant: TenantRule,
    /// `inject`.
    pub inject: Vec<Inject<'v>>,
    /// `strip`.
    pub strip: Vec<Strip>,
    /// `routes`.
    pub routes: Vec<Named<'v, Route<'v>>>,
    /// `grants`.
    pub grants: Vec<Implied<'v>>,
    /// `default`.
    pub default: Option<Access<'v>>,
    /// `preflight`.
    pub preflight: Preflight,
    /// `report`.
    pub report: Option<Report<'v>>,
    /// `limits`.
    pub limits: Limits,
    /// The module that it is for, which is not written in it.
    pub module: Module,
    /// The document itself, for errors about what it lacks.
    pub node: Node<'v>,
}

/// An owned header, or the beginning of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strip {
    /// One name.
    Name(HeaderName),
    /// Every name that begins so.
    Prefix(HeaderName),
}

/// `report`.
#[derive(Debug)]
pub struct Report<'v> {
    /// `until`, and where it stands.
    pub until: Option<(Node<'v>, UnixTime)>,
}

/// `limits`, each within its range.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `tokenBytes`: the longest token, in bytes; 256 to 65536.
    pub token_bytes: usize,
    /// `jsonDepth`: the deepest nesting of a token's JSON; 2 to 100.
    pub json_depth: usize,
    /// `signatureTries`: keys tried for one token; 1 to 16.
    pub signature_tries: usize,
    /// `moduleSignatureTries`: of these, verified inside the module; 1 to 4.
    pub module_signature_tries: usize,
    /// `injectedBytes`: the longest injected value, in bytes; 256 to 32768.
    pub injected_bytes: usize,
    /// `pause`: how long a request waits for keys; 10ms to 10s.
    pub pause: Duration,
    /// `pausedRequests`: the most requests that wait at a time, in one VM; 1 to 10000.
    pub paused_requests: usize,
    /// `tokenCacheBytes`: the size of the cache of proved tokens, in one VM; 0, which is none, to 268435456.
    pub token_cache_bytes: usize,
    /// `denialLines`: the most lines in a minute about denials of one code, in one VM; 1 to 6000.
    pub denial_lines: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            token_bytes: 8192,
            json_depth: 32,
            signature_tries: 4,
            module_signature_tries: 2,
            injected_bytes: 8192,
            pause: Duration::from_secs(1),
            paused_requests: 1000,
            token_cache_bytes: 16 << 20,
            denial_lines: 60,
        }
    }
}

/// What the text of a configuration may cost, and that of a JWK Set inside it.
pub const BOUNDS: Bounds = Bounds { depth: 32, duplicates: 20 };

/// How long a request may wait for keys: a client has not given up, and no worker is full of waiting ones.
const PAUSE: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(10);

/// The header that carries the gateway key where none is configured.
pub const GATEWAY_KEY_HEADER: &str = "x-gateway-key";

/// Reads a document. Errors go to the node's list.
#[inline(never)]
pub(crate) fn read<'v>(node: &Node<'v>, module: Module) -> Option<Config<'v>> {
    let mut fields = node.object()?;
    let door = fields.required("door", "say `outer` (an ingress gateway) or `inner` (a service's sidecar)");
    let issuers: Vec<_> =
        fields.optional("issuers").map(|issuers| issuers.named(issuer::read)).unwrap_or_default();
    let context = fields.optional("context").and_then(|node| context::read(&node));
    let Context { mint, require } = context.unwrap_or_default();
    let config = Config {
        module,
        door: door.and_then(|door| door.choice(&[("outer", Door::Outer), ("inner", Door::Inner)])),
        issuers: issuers.into_iter().chain(require.map(context::Require::into_issuer)).collect(),
        gateway_key: fields
            .optional("gatewayKey")
            .and_then(|node| gateway_key::read(&node).map(|key| (node, key))),
        mint,
        entrances: fields
            .optional("entrances")
            .map(|entrances| entrances.named(entrance::read))
            .unwrap_or_default(),
        tenant: fields
            .optional("tenant")
            .and_then(|tenant| {
                tenant.choice(&[("required", TenantRule::Required), ("optional", TenantRule::Optional)])
            })
            .unwrap_or(TenantRule::Required),
        inject: fields.optional("inject").map(|inject| inject::read(&inject)).unwrap_or_default(),
        strip: fields.optional("strip").map(|strip| strip.each(strip_pattern)).unwrap_or_default(),
        routes: fields
            .optional("routes")
            .map(|routes| routes.named_up_to(route::MAX, route::read))
            .unwrap_or_default(),
        grants: fields.optional("grants").map(|grants| grants::read(&grants)).unwrap_or_default(),
        default: fields.optional("default").and_then(|access| access::read(&access)),
        preflight: fields
            .optional("preflight")
            .and_then(|node| node.choice(&[("pass", Preflight::Pass), ("check", Preflight::Check)]))
            .unwrap_or(Preflight::Pass),
        report: fields.optional("report").and_then(|node| report(&node)),
        limits: fields.optional("limits").and_then(|node| limits(&node)).unwrap_or_default(),
        node: node.clone(),
    };
    fields.finish();
    Some(config)
}

#[inline(never)]
fn report<'v>(node: &Node<'v>) -> Option<Report<'v>> {
    let mut fields = node.object()?;
    let until =
        fields.required("until", "say when it ends, at most 30 days ahead: `until: 2026-01-31T00:00:00Z`");
    fields.finish();
    Some(Report { until: until.and_then(|node| time::timestamp(&node).map(|time| (node, time))) })
}

/// A header name that Vestibule may set and remove.
pub(crate) fn ownable(node: &Node<'_>) -> Option<HeaderName> {
    let name = header_name(node, node.text()?)?;
    match header::untouchable(name.as_str(), false) {
        None => Some(name),
        Some(_) => node.refuse(format!(
            "`{name}` belongs to HTTP or to Envoy and cannot be set or removed: choose another header"
        )),
    }
}

pub(crate) fn header_name(node: &Node<'_>, text: &str) -> Option<HeaderName> {
    let name = HeaderName::parse(text);
    if name.is_none() {
        node.error(
            "not a header name: 1 to 128 letters, digits and any of `!#$%&'*+-.^_|~` or a backtick; \
             names with a `:` are the protocol's own",
        );
    }
    name
}

#[inline(never)]
fn strip_pattern(node: &Node<'_>) -> Option<Strip> {
    let text = node.text()?;
    let prefix = match text.split_once('*') {
        None => return ownable(node).map(Strip::Name),
        Some((prefix, "")) if prefix.len() >= 3 => prefix,
        Some(_) => return node.refuse("`*` may stand at the end, after at least 3 characters"),
    };
    let prefix = header_name(node, prefix)?;
    match header::untouchable(prefix.as_str(), true) {
        None => Some(Strip::Prefix(prefix)),
        Some(header) => node.refuse(format!(
            "this would remove `{header}`, which belongs to HTTP or to Envoy: use a longer prefix"
        )),
    }
}

#[inline(never)]
fn limits(node: &Node<'_>) -> Option<Limits> {
    let mut fields = node.object()?;
    let default = Limits::default();
    let pause = fields.optional("pause").and_then(|node| node.duration(PAUSE)).unwrap_or(default.pause);
    let mut number =
        |name, range, default| fields.optional(name).and_then(|node| node.integer(range)).unwrap_or(default);
    let limits = Limits {
        token_bytes: number("tokenBytes", 256..=65536, default.token_bytes),
        json_depth: number("jsonDepth", 2..=100, default.json_depth),
        signature_tries: number("signatureTries", 1..=16, default.signature_tries),
        module_signature_tries: number("moduleSignatureTries", 1..=4, default.module_signature_tries),
        injected_bytes: number("injectedBytes", 256..=32768, default.injected_bytes),
        pause,
        paused_requests: number("pausedRequests", 1..=10_000, default.paused_requests),
        token_cache_bytes: number("tokenCacheBytes", 0..=256 << 20, default.token_cache_bytes),
        denial_lines: number("denialLines", 1..=6000, default.denial_lines),
    };
    fields.finish();
    Some(limits)
}
