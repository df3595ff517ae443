//! `vestibule check` of manifest streams: an overlay of `istio/` as kustomize builds it is fine, and with any one
//! of its guarded properties broken it is not.
//!
//! Here is how a stream is spoilt and what is asked of the report; each part of a manifest has a file.

mod attachment;
mod envoy_filters;
mod headers;
mod issuer_keys;
mod module;
mod pairs;
mod past;
mod policies;
mod streams;
mod two_files;
mod uncovered;
mod ways;

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::{Run, vestibule};

pub(crate) const OUTER: &str = "WasmPlugin istio-ingress/outer-door";
pub(crate) const INNER: &str = "WasmPlugin shop/inner-door";

/// What kustomize makes of a folder of `istio/`.
fn build(folder: &str) -> String {
    // The one that KUBECTL names, or the pinned one, fetched at need.
    static KUBECTL: OnceLock<String> = OnceLock::new();
    let kubectl = KUBECTL.get_or_init(|| run(&mut Command::new(root().join("tools/kubectl.sh"))));
    run(Command::new(kubectl.trim()).arg("kustomize").arg(root().join("istio").join(folder)))
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The overlay that is spoilt, as text.
fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| build("overlays/prod/us-east-1"))
}

/// Its objects.
fn overlay() -> Vec<Value> {
    objects(text())
}

fn objects(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

/// How messages call an object.
fn title(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
}

/// Writes a value at a path such as `spec.match[0].mode` of the object with this title, or removes what is there.
fn set(objects: &mut [Value], of: &str, path: &str, value: Option<&Value>) {
    let object = objects.iter_mut().find(|object| title(object) == of).unwrap_or_else(|| panic!("no {of}"));
    let pointer = format!("/{}", path.replace(['.', '['], "/").replace(']', ""));
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(parent).unwrap_or_else(|| panic!("{of} has no {path}"));
    match (parent, value) {
        (Value::Array(elements), Some(value)) if last == "-" => elements.push(value.clone()),
        (Value::Array(elements), Some(value)) => elements[last.parse::<usize>().unwrap()] = value.clone(),
        (Value::Array(elements), None) => drop(elements.remove(last.parse().unwrap())),
        (Value::Object(members), Some(value)) => drop(members.insert(last.to_owned(), value.clone())),
        (Value::Object(members), None) => assert!(members.remove(last).is_some(), "{of} has no {path}"),
        (other, _) => panic!("{of}: {path} stands in {other}"),
    }
}

fn remove(objects: &mut Vec<Value>, of: &str) {
    let before = objects.len();
    objects.retain(|object| title(object) != of);
    assert_eq!(objects.len() + 1, before, "no {of}");
}

fn check(objects: &[Value], arguments: &[&str]) -> Run {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    vestibule(&[&["check", "-"], arguments].concat()).input(list.to_string())
}

/// One way to spoil the overlay: which object's field becomes what, and where the report says what is to be done.
struct Spoilt {
    of: &'static str,
    field: &'static str,
    /// None removes it.
    value: Option<Value>,
    place: &'static str,
    says: &'static [&'static str],
}

/// Short for tables.
fn spoilt(
    of: &'static str,
    field: &'static str,
    value: impl Into<Option<Value>>,
    place: &'static str,
    says: &'static [&'static str],
) -> Spoilt {
    Spoilt { of, field, value: value.into(), place, says }
}

impl Spoilt {
    fn stream(&self) -> Vec<Value> {
        let mut objects = overlay();
        set(&mut objects, self.of, self.field, self.value.as_ref());
        objects
    }

    fn shown(&self) -> String {
        format!("{} {} = {:?}", self.of, self.field, self.value)
    }
}

/// Each of these makes the check fail, by one line that begins so and says how to mend it.
#[track_caller]
fn are_errors(ways: &[Spoilt]) {
    for way in ways {
        let run = check(&way.stream(), &[]);
        assert_eq!(run.code, 3, "{}: {}", way.shown(), run.err);
        said(&run, &format!("standard input: {}: ", way.place), way.says, &way.shown());
    }
}

/// Each of these is a warning, and fails where warnings are denied.
#[track_caller]
fn are_warnings(ways: &[Spoilt]) {
    for way in ways {
        let stream = way.stream();
        let run = check(&stream, &[]);
        assert_eq!(run.code, 0, "{}: {}", way.shown(), run.err);
        said(&run, &format!("standard input: warning: {}: ", way.place), way.says, &way.shown());
        assert_eq!(check(&stream, &["--deny-warnings"]).code, 3, "{}", way.shown());
    }
}

#[track_caller]
fn said(run: &Run, start: &str, says: &[&str], shown: &str) {
    let is_it = |line: &&str| line.starts_with(start) && says.iter().all(|part| line.contains(part));
    assert_eq!(
        run.err.lines().filter(is_it).count(),
        1,
        "{shown}: no `{start}` with {says:?} in\n{}",
        run.err
    );
}
