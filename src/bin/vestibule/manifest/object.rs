//! A Kubernetes object, read as a value. It knows what all objects have, and nothing of any kind's fields.

use std::path::Path;

use serde_json::Value;

use crate::document::{self, Fault};

/// An object of a stream.
pub(crate) struct Object {
    /// The API's group, without its version.
    pub(crate) group: String,
    pub(crate) kind: String,
    /// Empty where none is written.
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) value: Value,
    /// What its text says that readers understand differently.
    pub(crate) ambiguities: Vec<Fault>,
}

impl Object {
    /// None where the value has no `apiVersion` and `kind`.
    pub(crate) fn of(value: Value, ambiguities: Vec<Fault>) -> Option<Self> {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let version = text("/apiVersion")?;
        let group = version.split_once('/').map_or("", |(group, _)| group).to_owned();
        let kind = text("/kind")?.to_owned();
        let namespace = text("/metadata/namespace").unwrap_or_default().to_owned();
        let name = text("/metadata/name").unwrap_or_default().to_owned();
        Some(Self { group, kind, namespace, name, value, ambiguities })
    }

    /// How messages call it.
    pub(crate) fn title(&self) -> String {
        match self.namespace.as_str() {
            "" => format!("{} {}", self.kind, self.name),
            namespace => format!("{} {namespace}/{}", self.kind, self.name),
        }
    }

    pub(crate) fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }

    /// What stands at this JSON Pointer, an empty text or list included.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Value> {
        self.value.pointer(pointer).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        self.at(pointer).and_then(Value::as_str)
    }

    /// The elements of a list; none where there is no list.
    pub(crate) fn list(&self, pointer: &str) -> &[Value] {
        list(&self.value, pointer)
    }

    /// A host in it, as Istio names clusters: a name without dots is a service of the object's namespace.
    pub(crate) fn whole_host(&self, host: &str) -> String {
        if host.contains('.') || host == "*" { host.to_owned() } else { service_host(host, &self.namespace) }
    }

    /// Whether other namespaces see it too, or this one: what `exportTo` says.
    pub(crate) fn is_seen_from(&self, namespace: &str) -> bool {
        let exports = self.list("/spec/exportTo");
        exports.is_empty()
            || exports.iter().filter_map(Value::as_str).any(|to| match to {
                "*" => true,
                "." => self.namespace == namespace,
                other => other == namespace,
            })
    }
}

/// The host of a service.
pub(crate) fn service_host(name: &str, namespace: &str) -> String {
    format!("{name}.{namespace}.svc.cluster.local")
}

/// The elements of a list below a value; none where there is no list.
pub(crate) fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A text below a value.
pub(crate) fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// Whether labels have each of these, which may be none.
pub(crate) fn has_labels(labels: Option<&Value>, these: Option<&Value>) -> bool {
    let mut these = these.and_then(Value::as_object).into_iter().flatten();
    these.all(|(name, value)| labels.and_then(|labels| labels.get(name)) == Some(value))
}

/// Whether both sides have a label, and neither has another value for one: labels of which neither side excludes
/// the other.
pub(crate) fn labels_agree(one: Option<&Value>, other: Option<&Value>) -> bool {
    shared_labels(one, other).next().is_some() && !labels_clash(one, other)
}

/// Whether a label has one value here and another one there, so that no pod has both.
pub(crate) fn labels_clash(one: Option<&Value>, other: Option<&Value>) -> bool {
    shared_labels(one, other).any(|(one, other)| one != other)
}

/// The values of each label that both sides have.
fn shared_labels<'v>(
    one: Option<&'v Value>,
    other: Option<&'v Value>,
) -> impl Iterator<Item = (&'v Value, &'v Value)> {
    let ones = one.and_then(Value::as_object).into_iter().flatten();
    ones.filter_map(move |(name, value)| Some((value, other?.get(name)?)))
}

/// A text within an object that is a document itself, in YAML or JSON: as Istio has the mesh's configuration.
pub(crate) fn document_in(text: &str) -> Option<Value> {
    let document = document::parse(Path::new(""), text.as_bytes()).ok()?;
    document.value.is_object().then_some(document.value)
}
