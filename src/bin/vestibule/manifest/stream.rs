//! A stream of Kubernetes' documents, as `kubectl kustomize` or `kubectl get` writes one: which objects are in it.

use std::path::Path;

use serde_json::Value;

use super::object::Object;
use crate::document::{self, Document, Fault};

/// Where Istio itself lives, unless a mesh says otherwise: what stands here is the whole mesh's.
pub(crate) const ROOT_NAMESPACE: &str = "istio-system";

/// The groups of Istio's and Kubernetes' kinds.
pub(crate) const EXTENSIONS: &str = "extensions.istio.io";
pub(crate) const NETWORKING: &str = "networking.istio.io";
pub(crate) const SECURITY: &str = "security.istio.io";
pub(crate) const GATEWAY_API: &str = "gateway.networking.k8s.io";

/// The objects of a stream, in its order, and what could not be read.
#[derive(Default)]
pub(crate) struct Stream {
    pub(crate) objects: Vec<Object>,
    pub(crate) faults: Vec<Fault>,
}

impl Stream {
    /// The stream in a YAML text; none where the text is no manifest.
    pub(crate) fn parse(path: &Path, text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?;
        if !text.lines().any(|line| line.starts_with("apiVersion:")) {
            return None;
        }
        let mut stream = Self::default();
        for part in document::split(text) {
            let place = format!("the document of line {}", part.line);
            match document::parse(path, part.text.as_bytes()) {
                Ok(Document { value: Value::Null, .. }) => {}
                Ok(Document { value, ambiguities }) => {
                    let inside = ambiguities.into_iter().map(|fault| fault.inside(&place)).collect();
                    stream.add(value, inside, &place);
                }
                Err(faults) => stream.faults.extend(faults.into_iter().map(|fault| fault.inside(&place))),
            }
        }
        (!stream.objects.is_empty()).then_some(stream)
    }

    /// The stream of one document.
    pub(crate) fn of(value: Value) -> Self {
        let mut stream = Self::default();
        stream.add(value, Vec::new(), "");
        stream
    }

    fn add(&mut self, value: Value, ambiguities: Vec<Fault>, place: &str) {
        let is_list = value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
        if let Some(items) = value.get("items").and_then(Value::as_array).filter(|_| is_list) {
            for item in items {
                self.add(item.clone(), ambiguities.clone(), place);
            }
            return;
        }
        match Object::of(value, ambiguities) {
            Some(object) => self.objects.push(object),
            None => self.faults.push(Fault::new(
                place,
                "has no `apiVersion` or no `kind`, as every Kubernetes object has: add them, or remove it",
            )),
        }
    }

    /// The objects of a kind.
    pub(crate) fn each(&self, group: &str, kind: &str) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(move |object| object.is(group, kind))
    }

    /// Whether there is nothing but plugins: what stands around them is somewhere else.
    pub(crate) fn has_plugins_alone(&self) -> bool {
        self.objects.iter().all(|object| object.group == EXTENSIONS)
    }
}
