//! The engines on trial: a filter that verifies and makes signatures as Vestibule does, in a real Envoy, and says
//! what came of each. It also says what Envoy tells of a connection, in the words of Envoy.
//!
//! It is made of the shipped files of the host's engine and knows no policy, no token and no right answer.
//! Those who ask know (`tests/envoy/probe.rs`): the body of a request is `{"engine": "host" or "module",
//! "questions": [{"algorithm", "key", "text", "signature", "times"}]}`, with the key as DER SubjectPublicKeyInfo and
//! all bytes in base64url; the answer is a list of outcomes in the same order. With `"signings": [{"pem", "text",
//! "times"}]` in their place each text is signed so often with the private key, and the answer is the last signature
//! of each, `null` where there is none. Or it is `{"properties":
//! [path, …]}`, each path a list of names; the answer is their values in the same order, bytes in base64url,
//! `null` where Envoy has none.
//!
//! A request without a body is answered 400; one with the header `x-probe-trap` ends the VM.

#![cfg(target_os = "wasi")]
#![expect(missing_docs, reason = "the SDK's macro makes a public function")]

#[path = "../../src/host/crypto.rs"]
mod crypto;
#[path = "../../src/host/envoy.rs"]
#[allow(dead_code, reason = "the filter calls more of Envoy than its engine does")]
mod envoy;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};
use serde_json::{Value, json};
// Where the shipped files look for them.
use vestibule::{header, jose, response, time};

use jose::algorithm::Algorithm;
use jose::key::VerifyingKey;
use jose::signature::{Engine, Outcome};
use jose::signing::SigningKey;
use jose::software::Software;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root) });
}}

struct Root;

struct Trial;

impl Context for Root {}

impl RootContext for Root {
    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Trial))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

impl Context for Trial {}

impl HttpContext for Trial {
    /// Waits for the body. The listener says `allow_on_headers_stop_iteration`, else none would come.
    fn on_http_request_headers(&mut self, _: usize, is_whole: bool) -> Action {
        if self.get_http_request_header_bytes("x-probe-trap").is_some() {
            std::process::abort();
        }
        if is_whole {
            self.send_http_response(400, Vec::new(), Some(b"there are no questions"));
        }
        Action::Pause
    }

    fn on_http_request_body(&mut self, size: usize, is_whole: bool) -> Action {
        if is_whole {
            let body = self.get_http_request_body(0, size).unwrap_or_default();
            let (status, answer) = match answer(&body) {
                Ok(outcomes) => (200, outcomes),
                Err(fault) => (400, fault.into()),
            };
            self.send_http_response(status, Vec::new(), Some(answer.to_string().as_bytes()));
        }
        Action::Pause
    }
}

/// # Errors
/// What is wrong with the questions, or with Envoy.
fn answer(body: &[u8]) -> Result<Value, String> {
    let asked: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    match asked.get("properties").and_then(Value::as_array) {
        Some(paths) => paths.iter().map(property).collect::<Result<Vec<_>, _>>().map(Value::from),
        None => outcomes(&asked),
    }
}

fn property(path: &Value) -> Result<Value, String> {
    let names = path.as_array().ok_or("a path is no list")?.iter().map(Value::as_str);
    let names: Vec<&str> = names.collect::<Option<_>>().ok_or("a name is no text")?;
    let value = envoy::property(&names.join("\0")).map_err(|error| error.to_string())?;
    Ok(value.map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).into())
}

fn outcomes(asked: &Value) -> Result<Value, String> {
    let engine: &dyn Engine = match asked.get("engine").and_then(Value::as_str) {
        Some("host") => &crypto::Host,
        Some("module") => &Software,
        _ => return Err("there is no such engine".into()),
    };
    if let Some(signings) = asked.get("signings").and_then(Value::as_array) {
        let signatures = signings.iter().map(|signing| signature(engine, signing));
        return signatures.collect::<Result<Vec<_>, _>>().map(Value::from);
    }
    let questions = asked.get("questions").and_then(Value::as_array).ok_or("there are no questions")?;
    questions.iter().map(|question| outcome(engine, question)).collect::<Result<Vec<_>, _>>().map(Value::from)
}

fn signature(engine: &dyn Engine, signing: &Value) -> Result<Value, String> {
    let text = |member: &str| {
        signing.get(member).and_then(Value::as_str).ok_or(format!("a signing lacks its {member}"))
    };
    let key = SigningKey::from_pem(text("pem")?)?;
    let text = jose::base64url(text("text")?.as_bytes()).ok_or("a text is not base64url")?;
    let times = signing.get("times").and_then(Value::as_u64).ok_or("a signing lacks its times")?;
    let signature = (0..times).map(|_| engine.sign(&key, &text)).last().flatten();
    Ok(signature.map(|signature| URL_SAFE_NO_PAD.encode(signature)).into())
}

fn outcome(engine: &dyn Engine, question: &Value) -> Result<Value, String> {
    let text = |member: &str| {
        question.get(member).and_then(Value::as_str).ok_or(format!("a question lacks its {member}"))
    };
    let bytes = |member: &str| {
        jose::base64url(text(member)?.as_bytes()).ok_or(format!("a {member} is not base64url"))
    };
    let algorithm = Algorithm::parse(text("algorithm")?).ok_or("there is no such algorithm")?;
    let key = VerifyingKey::from_spki(&bytes("key")?)?;
    let (text, signature) = (bytes("text")?, bytes("signature")?);
    // For who measures; the outcome is the same each time.
    let times = question.get("times").and_then(Value::as_u64).unwrap_or(1);
    let outcome = (0..times).map(|_| engine.verify(algorithm, &key, &text, &signature)).last();
    Ok(json!(match outcome.ok_or("nothing was to be verified")? {
        Outcome::Valid => "valid",
        Outcome::Invalid => "invalid",
        Outcome::Unavailable => "unavailable",
    }))
}
