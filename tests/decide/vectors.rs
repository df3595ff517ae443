//! Every vector through the command: the same decision as natively and through Envoy, and no secret in what it
//! prints.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::run::{Run, decide, directory, file};
use super::support::vector::{self, Case, Expect, RequestBytes};

/// Processes at a time: the machine has other things to do, and a few are enough.
const AT_A_TIME: usize = 4;

type Headers = Vec<(String, String)>;

/// Each is asked about twice, for programs and for people.
#[test]
fn every_vector_is_decided_as_it_says_and_no_secret_is_printed() {
    let directory = directory("vectors");
    let files = vector::load_all();
    let cases: Vec<&Case> = files.iter().flat_map(|file| &file.cases).collect();
    let failure = |(number, case): (usize, &&Case)| {
        let request = case.request(case.now);
        let ask = |arguments: &[&str]| run(&directory, number, case, &request, arguments);
        let (json, text) = (ask(&["--json"]), ask(&[]));
        let outputs = [&json.out, &json.err, &text.out, &text.err];
        let secret =
            secrets(case, &request).into_iter().find(|it| outputs.iter().any(|output| output.contains(it)));
        let secret = secret.map(|secret| format!("it prints {secret}"));
        let failure =
            secret.or_else(|| difference(case, &request, &json)).or_else(|| disagreement(&json, &text));
        failure.map(|failure| format!("{}: {failure}", case.name))
    };
    let failures: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_A_TIME)
            .map(|worker| {
                let (cases, failure) = (&cases, &failure);
                let own = cases.iter().enumerate().skip(worker).step_by(AT_A_TIME);
                scope.spawn(move || own.filter_map(failure).collect::<Vec<_>>())
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(cases.len() > 1000, "only {} vectors", cases.len());
    assert!(
        failures.is_empty(),
        "{} of {} vectors fail:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

fn run(directory: &Path, number: usize, case: &Case, request: &RequestBytes, arguments: &[&str]) -> Run {
    let configuration = file(directory, &format!("{number}.json"), case.config.to_string());
    let now = case.now.to_string();
    let more = ["--now", &now, "--request", "-"];
    let command = decide(&configuration, &[arguments, &more].concat());
    let command = case.env.iter().fold(command, |command, (name, value)| command.env(name, value));
    let headers = request.headers.iter().map(|(name, value)| json!([latin_1(name), latin_1(value)]));
    let request = json!({
        "authority": "vestibule.test",
        "method": request.method.as_deref().map(latin_1),
        "path": request.path.as_deref().map(latin_1),
        "headers": headers.collect::<Vec<_>>(),
        "cluster": request.cluster,
    });
    command.input(request.to_string())
}

/// Shorter pieces stand in harmless text by chance.
const SHORTEST: usize = 20;

/// The environment's values, gateway keys, and the parts of tokens wherever they stand.
fn secrets(case: &Case, request: &RequestBytes) -> Vec<String> {
    let mut secrets: Vec<String> = case.env.values().cloned().collect();
    let keys = request.headers.iter().filter(|(name, _)| name.ends_with(b"gateway-key"));
    secrets.extend(keys.map(|(_, value)| latin_1(value)));
    for text in request.headers.iter().map(|(_, value)| value).chain(&request.path) {
        let text = latin_1(text);
        let words = text.split([' ', '\t', ',', ';', '&', '=', '?', '"']);
        let tokens = words.filter(|word| word.matches('.').count() >= 2 && word.starts_with("ey"));
        secrets.extend(tokens.flat_map(|token| token.split('.')).map(str::to_owned));
    }
    secrets.retain(|secret| secret.len() >= SHORTEST);
    secrets
}

/// Whether the text for people says another decision than the JSON.
fn disagreement(json: &Run, text: &Run) -> Option<String> {
    let code = json.json()["denial"]["code"].as_str().map(str::to_owned);
    let decision = text.out.lines().find(|line| line.starts_with("denied: ") || *line == "allowed");
    let agrees = match (&code, decision) {
        (Some(code), Some(line)) => line.ends_with(&format!(" {code}")) && text.out.contains("  DENIED  "),
        (None, line) => line == Some("allowed") && !text.out.contains("  DENIED  "),
        (Some(_), None) => false,
    };
    (!agrees || json.code != text.code)
        .then(|| format!("the JSON has {code:?}, and the text is:\n{}", text.out))
}

fn difference(case: &Case, request: &RequestBytes, run: &Run) -> Option<String> {
    if !matches!(run.code, 0 | 2) {
        return Some(format!("ended with {}: {}", run.code, run.err));
    }
    let answer = run.json();
    match case.expect(case.now) {
        Expect::Deny(code) => {
            let agrees = run.code == 2 && answer["decision"] == "denied" && answer["denial"]["code"] == *code;
            (!agrees)
                .then(|| format!("expected {code}, got {} {}", answer["decision"], answer["denial"]["code"]))
        }
        Expect::Permit(_) if run.code != 0 || answer["decision"] != "allowed" => {
            Some(format!("expected a permit, got {}", answer["denial"]["code"]))
        }
        Expect::Permit(expected) => {
            let (upstream, set) = upstream(case, request, &answer["headers"]);
            let expected: BTreeMap<String, Vec<String>> = expected
                .into_iter()
                .filter(|(_, values)| !values.is_empty())
                .map(|(name, values)| {
                    let values = values.iter().map(|value| latin_1(value));
                    // What the command sets it shows without what is nobody's business.
                    let values = values
                        .map(|value| if set.contains(&name) { shown(case, &name, &value) } else { value });
                    (name.clone(), values.collect())
                })
                .collect();
            (upstream != expected).then(|| format!("expected {expected:?}, got {upstream:?}"))
        }
    }
}

/// What the upstream sees: the request's own headers, changed as the answer says; and which it set.
fn upstream(
    case: &Case,
    request: &RequestBytes,
    changes: &Value,
) -> (BTreeMap<String, Vec<String>>, Vec<String>) {
    let path = request.path.as_ref().map(|path| (vector::PATH.to_owned(), latin_1(path)));
    let headers =
        request.headers.iter().map(|(name, value)| (latin_1(&name.to_ascii_lowercase()), latin_1(value)));
    let mut headers: Headers =
        path.into_iter().chain(headers.filter(|(name, _)| !name.starts_with(':'))).collect();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for removed in changes["removed"].as_array().unwrap() {
        let before = headers.len();
        headers.retain(|(name, _)| *removed != **name);
        assert!(headers.len() < before, "{}: {removed} was not there", case.name);
    }
    let mut set = Vec::new();
    for change in changes["set"].as_array().unwrap() {
        let name = text(&change["name"]);
        headers.retain(|(given, _)| *given != name);
        headers.push((name.clone(), text(&change["value"])));
        set.push(name);
    }
    let mut upstream: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        upstream.entry(name).or_default().push(value);
    }
    (upstream, set)
}

/// A value as the command may show it.
fn shown(case: &Case, name: &str, value: &str) -> String {
    let pairs = |pairs: &str, separator: char| {
        let shown = pairs.split(separator).map(|pair| match pair.split_once('=') {
            Some((name, _)) => format!("{name}=(value)"),
            None if pair.trim().is_empty() => pair.to_owned(),
            None => "(value)".to_owned(),
        });
        shown.collect::<Vec<_>>().join(&separator.to_string())
    };
    let gateway_key = &case.config["gatewayKey"];
    let is_gateway_key =
        gateway_key.is_object() && name == gateway_key["header"].as_str().unwrap_or("x-gateway-key");
    let is_payload = case.config["inject"][name] == "payload";
    match (name, value.split_once('?')) {
        ("cookie", _) => pairs(value, ';'),
        (vector::PATH, Some((path, query))) => format!("{path}?{}", pairs(query, '&')),
        _ if is_gateway_key => "(secret)".to_owned(),
        _ if is_payload => "(token)".to_owned(),
        _ => value.to_owned(),
    }
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
