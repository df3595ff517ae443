//! One Envoy with a listener for each variant. They differ in the filter before the router and in nothing
//! else: the connection manager is that of `envoy/outer.yaml` for all of them, without access logs.
//!
//! Each door has a VM of its own, as in a mesh; the machine code of one module is there once.

use serde_json::{Value, json};

use super::doors::{MINT_KEY, UPSTREAMS};
use super::peers::Noop;
use super::support::bootstrap::Bootstrap;
use super::support::envoy::Envoy;
use super::support::keys;
use super::support::upstream::Upstream;
use super::tokens::CONTEXT_KEY;
use super::upstream;
use super::variants::{Filter, Variant};

/// Nothing is logged that takes part of the time.
pub const QUIET: [&str; 2] = ["--log-level", "warning"];

/// What a listener that answers by itself says beside 200, on every path but the measured one: what an
/// upstream would have seen.
pub const SEEN: [&str; 4] = ["x-user-id", "x-tenant-id", "x-user-permissions", "authorization"];

/// Where the measured requests end that go to an upstream, and those that prove something.
pub struct Upstreams {
    quick: u16,
    /// Remembers what it is sent.
    pub witness: Upstream,
}

impl Upstreams {
    /// Starts both.
    pub fn start() -> Self {
        Self { quick: upstream::start(), witness: Upstream::start() }
    }
}

/// Starts an Envoy with these variants, on this core.
pub fn start(variants: &[Variant], upstreams: &Upstreams, core: Option<usize>) -> Envoy {
    let environment = [(MINT_KEY, keys::pem(CONTEXT_KEY))];
    Envoy::start_on(core, &bootstrap(variants, upstreams), &environment, &QUIET)
}

/// An Envoy with these variants.
pub fn bootstrap(variants: &[Variant], upstreams: &Upstreams) -> Bootstrap {
    let mut bootstrap = Bootstrap::of("outer.yaml")
        .cluster(UPSTREAMS[0], upstreams.quick)
        .cluster(UPSTREAMS[1], upstreams.witness.port());
    for variant in variants {
        bootstrap = add(bootstrap, variant);
    }
    bootstrap.remove_listener("outer")
}

fn add(bootstrap: Bootstrap, variant: &Variant) -> Bootstrap {
    let name = variant.name.as_str();
    let (configuration, direction) = match &variant.filter {
        Filter::Outer(configuration) => (configuration.clone(), "OUTBOUND"),
        Filter::Inner(configuration) => (configuration.clone(), "INBOUND"),
        Filter::Nothing | Filter::Noop(_) | Filter::Native(_) => (Value::Null, "OUTBOUND"),
    };
    let mut bootstrap = bootstrap
        .copy_listener("outer", name, &configuration, UPSTREAMS[0])
        .direct(name, Some(direction))
        .environment(
            name,
            [MINT_KEY.to_owned()].iter().filter(|_| configuration["context"]["mint"].is_object()),
        );
    let manager = bootstrap.connection_manager(name);
    manager["access_log"] = json!([]);
    manager["route_config"]["virtual_hosts"][0]["routes"] = routes(variant);
    let filters = manager["http_filters"].as_array_mut().expect("a listener has filters");
    // Ours is the first.
    let machine = &mut filters[0]["typed_config"]["config"]["vm_config"];
    machine["vm_id"] = json!(name);
    match &variant.filter {
        Filter::Outer(_) | Filter::Inner(_) => {
            if let Some(module) = &variant.module {
                machine["code"]["local"]["filename"] = json!(module);
            }
        }
        Filter::Noop(_) => machine["code"]["local"]["filename"] = json!(Noop::module()),
        Filter::Nothing => drop(filters.remove(0)),
        Filter::Native(native) => drop(filters.splice(0..1, native.filters())),
    }
    bootstrap
}

/// The measured path, then every other one.
fn routes(variant: &Variant) -> Value {
    if variant.forwards {
        return json!([
            { "match": { "path": variant.path }, "route": { "cluster": UPSTREAMS[0] } },
            { "match": { "prefix": "/" }, "route": { "cluster": UPSTREAMS[1] } },
        ]);
    }
    let seen = SEEN.map(
        |name| json!({ "header": { "key": format!("seen-{name}"), "value": format!("%REQ({name})%") } }),
    );
    json!([
        { "match": { "path": variant.path }, "direct_response": { "status": 200 } },
        { "match": { "prefix": "/" }, "direct_response": { "status": 200 }, "response_headers_to_add": seen },
    ])
}
