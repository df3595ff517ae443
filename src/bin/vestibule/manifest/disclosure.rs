//! What would show the gateway key, a context or a token to whoever reads logs, metrics, traces or answers: formats
//! and expressions of Envoy that read their headers.

use serde_json::Value;
use vestibule::compile::handover::Handover;

use super::findings::Findings;
use super::object::{Object, document_in};
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

/// Where the mesh's configuration stands, which is a document within another.
const MESH: &str = "data.mesh";

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
                let separator = if path.ends_with(':') { " " } else { "." };
                search(object, member, &format!("{path}{separator}{name}"), headers, findings);
            }
        }
        // A document in its own right, or a text like others.
        Value::String(text) => match Some(text).filter(|_| path == MESH).and_then(|text| document_in(text)) {
            Some(mesh) => search(object, &mesh, &format!("{path}:"), headers, findings),
            None => read(object, text, path, headers, findings),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a text at this path tells of the headers.
fn read(object: &Object, text: &str, path: &str, headers: &[&str], findings: &mut Findings) {
    // What decides which requests are logged is not logged itself.
    if path.ends_with(".filter.expression") {
        return;
    }
    let remedy = "to whoever reads it there, who could come in with it: leave it out";
    if let Some(header) = headers.iter().find(|header| shows(text, path, header)) {
        findings.error(object, path, format!("shows what `{header}` carries {remedy}"));
    } else if let Some(header) = headers.iter().find(|header| uses(text, header).contains(&Use::Asked)) {
        findings.warn(object, path, format!("may show what `{header}` carries {remedy}"));
    }
}

/// Whether a text at this path reads the header.
fn shows(text: &str, path: &str, header: &str) -> bool {
    let text = text.to_ascii_lowercase();
    // A span's own tags name the header alone.
    let is_tag = ["header.name", "Header.name"].iter().any(|end| path.ends_with(end));
    let formats = COMMANDS.iter().flat_map(|command| text.split(command).skip(1));
    let mut names = formats.flat_map(|rest| rest.split(')').next().unwrap_or_default().split(['?', ':']));
    is_tag && text == header || names.any(|name| name == header) || uses(&text, header).contains(&Use::Shown)
}

/// What an expression does with a header.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    /// It is the expression's value, or a part of that.
    Shown,
    /// A function is asked of it, of which nobody here knows what it tells.
    Asked,
    /// It is held against something, which tells whether it is that.
    Compared,
}

/// Each use of a header in an expression.
fn uses(text: &str, header: &str) -> Vec<Use> {
    let text = text.to_ascii_lowercase();
    let references = ['\'', '"'].map(|quote| format!("headers[{quote}{header}{quote}]"));
    let each = references.iter().flat_map(|reference| text.match_indices(reference.as_str()));
    each.map(|(start, reference)| {
        let (before, rest) = text.split_at(start);
        let before = before.strip_suffix("request.").unwrap_or(before).trim_end();
        let after = rest.strip_prefix(reference).unwrap_or_default().trim_start();
        let is_argument = before
            .strip_suffix('(')
            .is_some_and(|before| before.ends_with(|char: char| char.is_ascii_alphanumeric()));
        if ["==", "!="].iter().any(|operator| before.ends_with(operator) || after.starts_with(operator)) {
            Use::Compared
        } else if is_argument || after.starts_with('.') {
            Use::Asked
        } else {
            Use::Shown
        }
    })
    .collect()
}
