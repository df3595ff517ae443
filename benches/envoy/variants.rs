//! What is measured: each variant is a listener of one Envoy and the requests that it is sent.
//!
//! A variant's base is sent the same requests, so that what it adds is its filter and nothing else. Peers get
//! tokens of one stream: what the door has never seen, the native filter has never seen either.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::doors;
use super::peers::{Native, Noop};
use super::tokens::{EC_KEY, Form, PATH, RSA_KEY};

/// One listener and its requests.
pub struct Variant {
    /// Its name, and the listener's.
    pub name: String,
    /// What it is, in the words of the table.
    pub title: String,
    /// What stands before the router.
    pub filter: Filter,
    /// The module, where it is not the one that is measured.
    pub module: Option<PathBuf>,
    /// What its requests carry.
    pub requests: Requests,
    /// Their path.
    pub path: &'static str,
    /// Whether a permitted request goes on to an upstream. Else the listener answers by itself.
    pub forwards: bool,
    /// The variant whose cost is taken off; none where this is such a base.
    pub base: Option<&'static str>,
}

/// What stands before the router.
pub enum Filter {
    /// Nothing.
    Nothing,
    /// A filter of the SDK that does nothing.
    Noop(Noop),
    /// Envoy's own.
    Native(Native),
    /// Vestibule at an outer door, so configured.
    Outer(Value),
    /// Vestibule at an inner door, so configured.
    Inner(Value),
}

/// What the requests of a turn carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requests {
    /// The tokens of a few callers, over and over: each was seen before.
    Seen(Form),
    /// A token each that was never there before.
    New(Form),
    /// The gateway key and the headers of the outer door.
    GatewayKey,
}

/// A variant beside its peer.
pub struct Comparison {
    /// What is compared.
    pub title: &'static str,
    /// The variant.
    pub variant: &'static str,
    /// Its peer.
    pub peer: &'static str,
    /// What the ratio of their added parts should not exceed.
    pub goal: Option<f64>,
}

/// The longest tokens that a door takes by default, and what lies halfway, as they are called and in bytes.
pub const SIZES: [(&str, usize); 2] = [("2k", 2_048), ("8k", 8_192)];

/// Every variant; those that others rest on come first.
pub fn all() -> Vec<Variant> {
    use Requests::{GatewayKey, New, Seen};
    let rs256 = |cached| Filter::Native(Native { key: RSA_KEY, cached, permission: None });
    let rbac = |cached| Filter::Native(Native { key: RSA_KEY, cached, permission: Some("orders:read") });
    let es256 = Filter::Native(Native { key: EC_KEY, cached: false, permission: None });
    let mut variants = vec![
        base("none", "no filter", Seen(Form::Rs256)),
        base("none-key", "no filter, requests with a gateway key", GatewayKey),
        base("none-es256", "no filter, ES256 tokens", Seen(Form::Es256)),
        base("none-context", "no filter, contexts", Seen(Form::Context)),
        over("none-key", "sdk", "SDK filter that does nothing", Filter::Noop(Noop), GatewayKey),
        over("none", "native", "jwt_authn RS256", rs256(false), New(Form::Rs256)),
        over("none", "native-cached", "jwt_authn RS256, cache", rs256(true), Seen(Form::Rs256)),
        over("none-es256", "native-es256", "jwt_authn ES256", es256, New(Form::Es256)),
        over("none", "native-rbac", "jwt_authn RS256 + RBAC", rbac(false), Seen(Form::Rs256)),
        over("none", "native-rbac-cached", "jwt_authn RS256, cache + RBAC", rbac(true), Seen(Form::Rs256)),
        over("none", "warm", "door, token seen before", Filter::Outer(doors::outer()), Seen(Form::Rs256)),
        over("none", "cold", "door, every token new", Filter::Outer(doors::outer()), New(Form::Rs256)),
        over("none", "access", "door, permission, warm", Filter::Outer(doors::access()), Seen(Form::Rs256)),
        over("none-key", "key", "inner door, gateway key", Filter::Inner(doors::entrance()), GatewayKey),
        over(
            "none-context",
            "context",
            "inner door, every context new",
            Filter::Inner(doors::require()),
            New(Form::Context),
        ),
    ];
    variants.extend(doors::many());
    for (name, size) in SIZES {
        let form = Form::Rs256Of(size);
        let none = if name == "2k" { "none-2k" } else { "none-8k" };
        let door = || Filter::Outer(doors::outer());
        variants.extend([
            base(none, &format!("no filter, {name} tokens"), Seen(form)),
            over(
                none,
                &format!("native-{name}"),
                &format!("jwt_authn RS256, {name}"),
                rs256(false),
                New(form),
            ),
            over(
                none,
                &format!("native-cached-{name}"),
                &format!("jwt_authn RS256, cache, {name}"),
                rs256(true),
                Seen(form),
            ),
            over(none, &format!("warm-{name}"), &format!("door, {name}, seen before"), door(), Seen(form)),
            over(none, &format!("cold-{name}"), &format!("door, {name}, every one new"), door(), New(form)),
        ]);
    }
    variants
}

/// The same doors by another module, each called `NAME-beside`.
pub fn beside(module: &Path) -> Vec<Variant> {
    let doors =
        all().into_iter().filter(|variant| COMPARISONS.iter().any(|one| is_beside(one, &variant.name)));
    doors
        .map(|door| Variant {
            name: format!("{}{BESIDE}", door.name),
            title: format!("{}, by the other module", door.title),
            module: Some(module.to_owned()),
            ..door
        })
        .collect()
}

const BESIDE: &str = "-beside";

fn is_beside(comparison: &Comparison, name: &str) -> bool {
    comparison.variant == name && comparison.peer.strip_suffix(BESIDE) == Some(name)
}

/// What is compared, and with which goal.
pub const COMPARISONS: [Comparison; 22] = [
    comparison("token seen before / jwt_authn", "warm", "native", Some(0.25)),
    comparison("token seen before / jwt_authn, cache", "warm", "native-cached", Some(1.0)),
    comparison("every token new / jwt_authn", "cold", "native", Some(0.9)),
    comparison("gateway key / SDK filter that does nothing", "key", "sdk", Some(1.3)),
    comparison("every context new / jwt_authn ES256", "context", "native-es256", Some(0.9)),
    comparison("10,000 routes / 10", "routes-10000", "routes-10", Some(1.1)),
    comparison("100 issuers / 1", "issuers-100", "issuers-1", Some(1.1)),
    comparison("permission, warm / jwt_authn + RBAC", "access", "native-rbac", None),
    comparison("permission, warm / jwt_authn, cache + RBAC", "access", "native-rbac-cached", None),
    comparison("minting ES256 / jwt_authn ES256", "mint", "native-es256", None),
    comparison("2k, seen before / jwt_authn", "warm-2k", "native-2k", None),
    comparison("2k, seen before / jwt_authn, cache", "warm-2k", "native-cached-2k", None),
    comparison("2k, every one new / jwt_authn", "cold-2k", "native-2k", None),
    comparison("8k, seen before / jwt_authn", "warm-8k", "native-8k", None),
    comparison("8k, seen before / jwt_authn, cache", "warm-8k", "native-cached-8k", None),
    comparison("8k, every one new / jwt_authn", "cold-8k", "native-8k", None),
    comparison("token seen before / SDK filter that does nothing", "warm", "sdk", None),
    comparison("token seen before / by the other module", "warm", "warm-beside", None),
    comparison("every token new / by the other module", "cold", "cold-beside", None),
    comparison("permission, warm / by the other module", "access", "access-beside", None),
    comparison("gateway key / by the other module", "key", "key-beside", None),
    comparison("every context new / by the other module", "context", "context-beside", None),
];

const fn comparison(
    title: &'static str,
    variant: &'static str,
    peer: &'static str,
    goal: Option<f64>,
) -> Comparison {
    Comparison { title, variant, peer, goal }
}

/// A variant without a filter.
pub fn base(name: &str, title: &str, requests: Requests) -> Variant {
    let (name, title) = (name.to_owned(), title.to_owned());
    let filter = Filter::Nothing;
    Variant { name, title, filter, module: None, requests, path: PATH, forwards: false, base: None }
}

/// A variant over its base.
pub fn over(base: &'static str, name: &str, title: &str, filter: Filter, requests: Requests) -> Variant {
    let (name, title) = (name.to_owned(), title.to_owned());
    Variant { name, title, filter, module: None, requests, path: PATH, forwards: false, base: Some(base) }
}
