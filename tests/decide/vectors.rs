//! Every vector through the command: the same decision as natively and through Envoy, and no secret in what it
//! prints.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use vestibule::denial::Code;

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
    let configuration = case.config_at(case.now).expect("a configuration").to_string();
    let configuration = file(directory, &format!("{number}.json"), configuration);
    let now = case.now.to_string();
    let keys = case.published.iter().map(|(issuer, set)| {
        let set = file(directory, &format!("{number}-{issuer}.json"), set.to_string());
        format!("--keys={issuer}={}", set.display())
    });
    let keys: Vec<String> = keys.collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let more = ["--now", &now, "--request", "-"];
    let command = decide(&configuration, &[arguments, &more, &keys].concat());
    let command = case.env.iter().fold(command, |command, (name, value)| command.env(name, value));
    let headers = request.headers.iter().map(|(name, value)| json!([latin_1(name), latin_1(value)]));
    let request = json!({
        "authority": request.authority.as_deref().map(latin_1),
        "method": request.method.as_deref().map(latin_1),
        "path": request.path.as_deref().map(latin_1),
        "headers": headers.collect::<Vec<_>>(),
        "cluster": request.cluster,
        "peer": request.peer,
        "client": request.client,
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
    let answer = json.json();
    let code = answer["denial"]["code"].as_str().unwrap_or_default().to_owned();
    let is_line = |line: &&str| {
        *line == "allowed"
            || ["denied: ", "ALLOWED, ", "answered: "].iter().any(|word| line.starts_with(word))
    };
    let decision = text.out.lines().find(is_line).unwrap_or_default();
    let stops = text.out.contains("  DENIED  ");
    let agrees = match answer["decision"].as_str() {
        Some("allowed") => decision == "allowed" && !stops,
        Some("answered") => decision.starts_with("answered: ") && !stops,
        Some("denied") => {
            decision.starts_with("denied: ") && decision.ends_with(&format!(" {code}")) && stops
        }
        Some("reported") => {
            decision.starts_with("ALLOWED, ") && decision.ends_with(&format!(" {code}")) && !stops
        }
        _ => false,
    };
    (!agrees || json.code != text.code)
        .then(|| format!("the JSON has {code}, and the text is:\n{}", text.out))
}

fn difference(case: &Case, request: &RequestBytes, run: &Run) -> Option<String> {
    if !matches!(run.code, 0 | 2) {
        return Some(format!("ended with {}: {}", run.code, run.err));
    }
    let answer = run.json();
    let exchange = case.exchange(case.now);
    let (decision, code, exit, headers, is_whole) = match (exchange.expect, exchange.unseen.reported) {
        (Expect::Deny(code), _) => ("denied", Some(code), 2, None, false),
        (Expect::Permit(headers), None) => ("allowed", None, 0, Some(headers), true),
        (Expect::Permit(headers), Some(code)) => ("reported", Some(code), 0, Some(headers), true),
        (Expect::PermitWith(headers), None) => ("allowed", None, 0, Some(headers), false),
        (Expect::PermitWith(headers), Some(code)) => ("reported", Some(code), 0, Some(headers), false),
        (Expect::Answer(jwks), _) if answer["answer"] != jwks => {
            return Some(format!("expected {jwks}, got {}", answer["answer"]));
        }
        (Expect::Answer(_), _) => ("answered", None, 0, None, false),
    };
    let got = (answer["decision"].as_str(), answer["denial"]["code"].as_str(), run.code);
    let expected = (Some(decision), code.map(Code::as_str), exit);
    if got != expected {
        return Some(format!("expected {expected:?}, got {got:?}"));
    }
    if let Some(route) = exchange.unseen.route
        && answer["route"]["name"].as_str() != route.as_deref()
    {
        return Some(format!("expected the route {route:?}, got {}", answer["route"]["name"]));
    }
    let (mut upstream, set) = upstream(case, request, &answer["headers"]);
    let expected = headers?;
    upstream.retain(|name, _| is_whole || expected.contains_key(name));
    let expected: BTreeMap<String, Vec<String>> = expected
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| {
            let values = values.iter().map(|value| latin_1(value));
            // What the command sets it shows without what is nobody's business.
            let values =
                values.map(|value| if set.contains(&name) { shown(case, &name, &value) } else { value });
            (name.clone(), values.collect())
        })
        .collect();
    (upstream != expected).then(|| format!("expected {expected:?}, got {upstream:?}"))
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
    for removed in changes["removed"].as_array().into_iter().flatten() {
        let before = headers.len();
        headers.retain(|(name, _)| *removed != **name);
        assert!(headers.len() < before, "{}: {removed} was not there", case.name);
    }
    let mut set = Vec::new();
    for change in changes["set"].as_array().into_iter().flatten() {
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
    let context = case.config.pointer("/context/mint");
    let is_context =
        context.is_some_and(|mint| name.eq_ignore_ascii_case(mint["header"].as_str().unwrap_or("txn-token")));
    let is_payload = case.config["inject"][name] == "payload";
    match (name, value.split_once('?')) {
        ("cookie", _) => pairs(value, ';'),
        (vector::PATH, Some((path, query))) => format!("{path}?{}", pairs(query, '&')),
        _ if is_gateway_key => "(secret)".to_owned(),
        _ if is_payload || is_context => "(token)".to_owned(),
        _ => value.to_owned(),
    }
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
