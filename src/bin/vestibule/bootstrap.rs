//! Envoy's own configuration: where it holds Vestibule's, and what surrounds it there.
//!
//! Knows how a filter is embedded, and nothing of what its configuration means.

use serde_json::{Map, Value};
use vestibule::compile;

use crate::document::{self, Fault};

const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const MANAGER: &str =
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const CLUSTER: &str = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
const STRING: &str = "type.googleapis.com/google.protobuf.StringValue";

/// A wasm filter in a bootstrap.
pub(crate) struct Filter<'d> {
    /// Whether it is Vestibule, or meant to be.
    pub(crate) is_vestibule: bool,
    /// Where its configuration stands.
    pub(crate) path: String,
    /// The configuration, unless it cannot be read.
    pub(crate) configuration: Option<Value>,
    /// What is wrong with how it is embedded, by paths from the bootstrap's root.
    pub(crate) faults: Vec<Fault>,
    /// The HTTP connection manager around it, and where that stands.
    pub(crate) manager: Option<(String, &'d Value)>,
    /// The cluster around it.
    pub(crate) cluster: Option<&'d Value>,
    /// The VM that it runs in.
    pub(crate) vm: Option<&'d Value>,
    /// The `traffic_direction` of the listener around it, and where that stands.
    pub(crate) direction: Option<(String, &'d Value)>,
    /// The filter chain around it, and where that stands.
    pub(crate) chain: Option<(String, &'d Value)>,
}

impl Filter<'_> {
    /// The value of an environment variable as the filter's VM will see it: given in the bootstrap, or passed
    /// on from Envoy's own, for which the process asks here.
    pub(crate) fn variable(&self, name: &str, process: impl Fn(&str) -> Option<String>) -> Option<String> {
        let environment = member(self.vm?, "environment_variables")?;
        let passed_on = member(environment, "host_env_keys").and_then(Value::as_array);
        if passed_on.is_some_and(|keys| keys.iter().any(|key| key.as_str() == Some(name))) {
            return process(name);
        }
        member(environment, "key_values")?.get(name)?.as_str().map(str::to_owned)
    }
}

/// Whether a document is Envoy's configuration and not the filter's.
pub(crate) fn is_bootstrap(document: &Value) -> bool {
    ["static_resources", "staticResources", "dynamic_resources", "dynamicResources", "resources"]
        .iter()
        .any(|name| document.get(name).is_some())
}

/// Every wasm filter in the document, in its order.
pub(crate) fn filters(document: &Value) -> Vec<Filter<'_>> {
    let mut filters = Vec::new();
    collect(document, "", Around::default(), &mut filters);
    filters
}

/// The clusters that the document lists.
pub(crate) fn clusters(document: &Value) -> impl Iterator<Item = &Value> {
    let listed = member(document, "static_resources").and_then(|resources| resources.get("clusters"));
    listed.and_then(Value::as_array).into_iter().flatten()
}

/// Whether there may be more than the document lists: by these sources of xDS, or by the one for everything.
pub(crate) fn more_come(document: &Value, sources: &[&str]) -> bool {
    let comes = |dynamic| sources.iter().chain(&["ads_config"]).any(|name| member(dynamic, name).is_some());
    member(document, "dynamic_resources").is_some_and(comes)
}

/// What surrounds a value, most of it with its path.
#[derive(Clone, Default)]
struct Around<'d> {
    manager: Option<(String, &'d Value)>,
    direction: Option<(String, &'d Value)>,
    chain: Option<(String, &'d Value)>,
    cluster: Option<&'d Value>,
}

fn collect<'d>(value: &'d Value, path: &str, around: Around<'d>, filters: &mut Vec<Filter<'d>>) {
    match value {
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                let mut around = around.clone();
                if matches!(path, "static_resources.clusters" | "staticResources.clusters") {
                    around.cluster = Some(element);
                }
                collect(element, &format!("{path}[{index}]"), around, filters);
            }
        }
        Value::Object(members) => {
            let mut around = around;
            let kind = members.get("@type").and_then(Value::as_str);
            if kind == Some(WASM) {
                filters.push(filter(members, path, around.clone()));
            }
            if kind == Some(MANAGER) {
                around.manager = Some((path.to_owned(), value));
            }
            if kind == Some(CLUSTER) {
                around.cluster = Some(value);
            }
            // Nothing but a listener has one.
            if let Some((name, direction)) = named_member(value, "traffic_direction") {
                around.direction = Some((below(path, name), direction));
            }
            // Nothing else around a filter has a list of `filters`.
            if members.get("filters").is_some_and(Value::is_array) {
                around.chain = Some((path.to_owned(), value));
            }
            for (name, member) in members {
                collect(member, &below(path, name), around.clone(), filters);
            }
        }
        _ => {}
    }
}

/// The path of a member of what stands at `path`.
fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn filter<'d>(wasm: &'d Map<String, Value>, path: &str, around: Around<'d>) -> Filter<'d> {
    let config = wasm.get("config").unwrap_or(&Value::Null);
    let path = format!("{path}.config");
    let mut faults = open_door(config, &path);
    let path = format!("{path}.configuration");
    let configuration = configuration(config)
        .map_err(|unreadable| faults.extend(unreadable.into_iter().map(|fault| fault.inside(&path))))
        .ok();
    Filter {
        is_vestibule: is_vestibule(config, configuration.as_ref()),
        path,
        configuration,
        faults,
        manager: around.manager,
        cluster: around.cluster,
        vm: member(config, "vm_config"),
        direction: around.direction,
        chain: around.chain,
    }
}

/// A bootstrap may load other modules too. A filter is Vestibule's if its configuration has a door, or if its
/// name, root or code says so: a mistake in one of them leaves the others.
fn is_vestibule(config: &Value, configuration: Option<&Value>) -> bool {
    let has_door = configuration.is_some_and(|configuration| configuration.get("door").is_some());
    let says_so = ["name", "root_id", "vm_config"]
        .iter()
        .filter_map(|name| member(config, name))
        .any(|member| member.to_string().to_ascii_lowercase().contains("vestibule"));
    has_door || says_so
}

fn configuration(config: &Value) -> Result<Value, Vec<Fault>> {
    let fault = |message| vec![Fault::new("", message)];
    let Some(any) = config.get("configuration") else {
        return Err(fault("missing; without it the filter denies everything"));
    };
    if any.get("@type").and_then(Value::as_str) != Some(STRING) {
        return Err(fault(
            "must be a google.protobuf.StringValue whose `value` is the configuration as JSON: \
             anything else reaches the filter as protobuf",
        ));
    }
    let text = any.get("value").and_then(Value::as_str).ok_or_else(|| fault("`value` must be text"))?;
    compile::parse_document(text.as_bytes()).map_err(|errors| document::faults(&errors))
}

/// A filter that fails open lets every request through as soon as it fails.
fn open_door(config: &Value, path: &str) -> Vec<Fault> {
    let message = "lets requests pass unchecked when the filter fails: set failure_policy: FAIL_RELOAD";
    let policy = member(config, "failure_policy");
    let mut faults = Vec::new();
    if policy.is_some_and(|policy| policy.as_str() == Some("FAIL_OPEN") || policy.as_u64() == Some(3)) {
        faults.push(Fault::new(format!("{path}.failure_policy"), message));
    }
    if member(config, "fail_open").is_some_and(|open| open.as_bool() != Some(false)) {
        faults.push(Fault::new(format!("{path}.fail_open"), message));
    }
    faults
}

/// A field by its name in the protobuf, which JSON may also spell in camel case.
pub(crate) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    named_member(value, name).map(|(_, member)| member)
}

/// The same with its name as it is spelt there.
fn named_member<'v>(value: &'v Value, name: &str) -> Option<(&'v str, &'v Value)> {
    let (spelling, member) = value.as_object()?.get_key_value(name).or_else(|| {
        let mut words = name.split('_');
        let mut camel = words.next()?.to_owned();
        for word in words {
            let mut chars = word.chars();
            camel.extend(chars.next().map(|first| first.to_ascii_uppercase()));
            camel.push_str(chars.as_str());
        }
        value.as_object()?.get_key_value(&camel)
    })?;
    Some((spelling, member))
}

/// Whether a field of one of these names stands anywhere below and says something.
pub(crate) fn has(value: &Value, names: &[&str]) -> bool {
    names.iter().any(|name| find(value, name).any(says_something))
}

/// Whether nothing in a value is empty or false: an empty list of names, or a matcher for the empty prefix,
/// would let everything match.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => !elements.is_empty() && elements.iter().all(says_something),
        // `system_root_certs: {}` says all there is to say.
        Value::Object(members) => members.values().all(says_something),
    }
}

/// Every field of this name, at any depth.
pub(crate) fn find<'v>(value: &'v Value, name: &'v str) -> Box<dyn Iterator<Item = &'v Value> + 'v> {
    match value {
        Value::Array(elements) => Box::new(elements.iter().flat_map(move |element| find(element, name))),
        Value::Object(members) => {
            let below = members.values().flat_map(move |member| find(member, name));
            Box::new(member(value, name).into_iter().chain(below))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Box::new(std::iter::empty()),
    }
}
