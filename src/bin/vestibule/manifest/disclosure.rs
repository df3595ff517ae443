//! What would show the gateway key, a context or a token to whoever reads logs, metrics, traces or answers: formats
//! and expressions of Envoy that read their headers.

use serde_json::Value;
use vestibule::compile::handover::Handover;

use super::findings::Findings;
use super::object::Object;
use super::plugin::Plugin;
use super::stream::{GATEWAY_API, NETWORKING, ROOT_NAMESPACE, Stream};

const TELEMETRY: &str = "telemetry.istio.io";

/// The kinds in which such a format may stand.
const KINDS: [(&str, &str); 5] = [
    (TELEMETRY, "Telemetry"),
    (NETWORKING, "EnvoyFilter"),
    (NETWORKING, "VirtualService"),
    (GATEWAY_API, "HTTPRoute"),
    (GATEWAY_API, "GRPCRoute"),
];

/// What Envoy's formats call a request's header by.
const COMMANDS: [&str; 2] = ["%req(", "%request_header("];

pub(crate) fn check(plugins: &[Plugin<'_>], stream: &Stream, findings: &mut Findings) {
    let mut headers: Vec<&str> = plugins.iter().flat_map(carriers).collect();
    headers.sort_unstable();
    headers.dedup();
    // A door takes a token off the requests that it lets pass, and the others are logged with it.
    let credentials: Vec<&str> = headers.iter().copied().chain(["authorization"]).collect();
    let kinds = KINDS.into_iter().flat_map(|(group, kind)| stream.each(group, kind));
    // What a mesh logs is in its configuration.
    let meshs = stream.each("", "ConfigMap").filter(|object| object.namespace == ROOT_NAMESPACE);
    for object in kinds.chain(meshs) {
        for member in ["spec", "data"] {
            if let Some(value) = object.value.get(member) {
                let is_log = object.is(TELEMETRY, "Telemetry") || object.kind == "ConfigMap";
                search(object, value, member, if is_log { &credentials } else { &headers }, findings);
            }
        }
    }
}

/// The headers by which one door hands a secret to another.
fn carriers<'p>(plugin: &'p Plugin<'_>) -> Vec<&'p str> {
    let headers = match plugin.outline.as_ref().map(|outline| outline.handover()) {
        Some(Handover::Gives(gives)) => {
            let key = gives.gateway_key.iter().map(|key| &key.header);
            key.chain(gives.context.iter().map(|context| &context.header)).collect::<Vec<_>>()
        }
        Some(Handover::Asks(asks)) => {
            let keys = asks.entrances.iter().filter_map(|entrance| entrance.header.as_ref());
            keys.chain(asks.context.iter().map(|context| &context.header)).collect()
        }
        None => Vec::new(),
    };
    headers.into_iter().map(|header| header.as_str()).collect()
}

fn search(object: &Object, value: &Value, path: &str, headers: &[&str], findings: &mut Findings) {
    match value {
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                search(object, element, &format!("{path}[{index}]"), headers, findings);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                search(object, member, &format!("{path}.{name}"), headers, findings);
            }
        }
        Value::String(text) => {
            if let Some(header) = headers.iter().find(|header| shows(text, path, header)) {
                let message = format!(
                    "shows what `{header}` carries to whoever reads it there, who could come in with it: leave it out"
                );
                findings.error(object, path, message);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a text at this path reads the header.
fn shows(text: &str, path: &str, header: &str) -> bool {
    let text = text.to_ascii_lowercase();
    // A span's own tags name the header alone.
    let is_tag = ["header.name", "Header.name"].iter().any(|end| path.ends_with(end));
    let formats = COMMANDS.iter().flat_map(|command| text.split(command).skip(1));
    let mut names = formats.flat_map(|rest| rest.split(')').next().unwrap_or_default().split(['?', ':']));
    let in_expression = |quote: char| text.contains(&format!("headers[{quote}{header}{quote}]"));
    is_tag && text == header || names.any(|name| name == header) || in_expression('\'') || in_expression('"')
}
