//! The fixture of those who ask the engines themselves, or what Envoy tells a filter of a connection: the
//! probe (`tests/probe`) in a real Envoy.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use vestibule::jose::algorithm::Algorithm;
use vestibule::jose::key::VerifyingKey;
use vestibule::jose::signature::Outcome;

use super::abilities::verifies;
use crate::conformance::engine::{Engine, Question, module_serves};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::http::call;

/// A body of more bytes is sent in several: Envoy holds no more than 1 MiB of one.
const BODY: usize = 256 * 1024;

/// A running Envoy with the probe.
pub struct Probe(Envoy);

impl Probe {
    pub fn start() -> Self {
        Self(Envoy::start(&Bootstrap::of_probe(), &[]))
    }

    /// What Envoy's own engine says.
    pub fn host(&self) -> Host<'_> {
        Host(self)
    }

    /// What the module's engine says where it runs: in Envoy's VM, on 32 bits.
    pub fn module(&self) -> Module<'_> {
        Module(self)
    }

    /// The signature of the text by this engine with a private key in PEM; none where the engine makes none.
    pub fn signature(&self, engine: &str, pem: &str, text: &[u8]) -> Option<Vec<u8>> {
        let signing = json!({ "pem": pem, "text": URL_SAFE_NO_PAD.encode(text), "times": 1 });
        let body = json!({ "engine": engine, "signings": [signing] }).to_string();
        let call = call("POST", "/").header("content-length", body.len().to_string()).body(body);
        let response = call.send(self.0.port("outer"));
        assert_eq!(response.status, 200, "{}", response.text());
        let signature = response.json()[0].as_str().map(str::to_owned);
        signature.map(|text| URL_SAFE_NO_PAD.decode(text).expect("the probe writes base64url"))
    }

    fn ask(&self, engine: &str, questions: &[Question]) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let mut batch = Vec::new();
        let mut size = 0;
        for question in questions {
            let question = written(question);
            size += question.to_string().len();
            batch.push(question);
            if size > BODY {
                outcomes.extend(self.send(engine, &std::mem::take(&mut batch)));
                size = 0;
            }
        }
        outcomes.extend(self.send(engine, &batch));
        assert_eq!(outcomes.len(), questions.len(), "an outcome for each question");
        outcomes
    }

    fn send(&self, engine: &str, questions: &[Value]) -> Vec<Outcome> {
        let body = json!({ "engine": engine, "questions": questions }).to_string();
        let call = call("POST", "/").header("content-length", body.len().to_string()).body(body);
        let response = call.send(self.0.port("outer"));
        assert_eq!(response.status, 200, "{}", response.text());
        let outcomes = response.json();
        let outcomes = outcomes.as_array().expect("the probe answers with a list");
        let outcome = |outcome: &Value| match outcome.as_str() {
            Some("valid") => Outcome::Valid,
            Some("invalid") => Outcome::Invalid,
            Some("unavailable") => Outcome::Unavailable,
            _ => panic!("{outcome} is no outcome"),
        };
        outcomes.iter().map(outcome).collect()
    }
}

/// What a probe behind this port finds in these properties, each a path of names joined with dots; none where
/// Envoy has no value.
pub fn properties(port: u16, paths: &[&str]) -> Vec<Option<Vec<u8>>> {
    let names = paths.iter().map(|path| path.split('.').collect::<Vec<_>>());
    let body = json!({ "properties": names.collect::<Vec<_>>() }).to_string();
    let response = call("POST", "/").header("content-length", body.len().to_string()).body(body).send(port);
    assert_eq!(response.status, 200, "{}", response.text());
    let values = response.json();
    let values = values.as_array().expect("the probe answers with a list");
    let value = |value: &Value| {
        value.as_str().map(|text| URL_SAFE_NO_PAD.decode(text).expect("the probe writes base64url"))
    };
    values.iter().map(value).collect()
}

fn written(question: &Question) -> Value {
    let bytes = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({
        "algorithm": question.algorithm.as_str(), "key": bytes(question.key.spki()),
        "text": bytes(&question.text), "signature": bytes(&question.signature),
    })
}

/// The host's engine. Whatever it is asked, the module's is asked as well: where both can tell, they agree.
pub struct Host<'p>(&'p Probe);

impl Engine for Host<'_> {
    fn name(&self) -> &'static str {
        "host"
    }

    fn serves(&self, algorithm: Algorithm, _: &VerifyingKey) -> bool {
        verifies(algorithm)
    }

    fn outcomes(&self, questions: &[Question]) -> Vec<Outcome> {
        let host = self.0.ask("host", questions);
        let module = self.0.ask("module", questions);
        let both = questions.iter().zip(host.iter().zip(module));
        let disagreements: Vec<String> = both
            .filter(|(asked, _)| verifies(asked.algorithm) && module_serves(&asked.key))
            .filter(|(_, (host, module))| *host != module)
            .map(|(asked, (host, module))| format!("{host:?} or {module:?}: {}", written(asked)))
            .collect();
        assert!(disagreements.is_empty(), "host and module disagree:\n{}", disagreements.join("\n"));
        host
    }
}

/// The module's engine, compiled for wasm.
pub struct Module<'p>(&'p Probe);

impl Engine for Module<'_> {
    fn name(&self) -> &'static str {
        "module"
    }

    fn serves(&self, _: Algorithm, key: &VerifyingKey) -> bool {
        module_serves(key)
    }

    fn outcomes(&self, questions: &[Question]) -> Vec<Outcome> {
        self.0.ask("module", questions)
    }
}
