//! That each variant does what its row says: asked once in each launch, before anything is measured.
//!
//! Who brings nothing is refused, and so is who brings what is wrong; what an upstream would have seen of a
//! permitted request is what the variant promises; and signatures are verified where the row says so, and
//! nowhere else.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::doors::prefix;
use super::listeners::{SEEN, Upstreams};
use super::peers::Native;
use super::requests::{Wallet, as_from_the_gateway, with_gateway_key, with_token, without_credential};
use super::support::envoy::Envoy;
use super::support::http::{Call, Response};
use super::tokens::{Form, PERMISSIONS, TENANT};
use super::variants::{Filter, Requests, Variant};

/// What the filter calls where the host is to verify.
const VERIFICATION: &str = "[vm->host] env.proxy_call_foreign_function";

/// # Errors
/// What the variant does otherwise than it should.
pub fn prove(
    envoy: &Envoy,
    upstreams: &Upstreams,
    variant: &Variant,
    wallet: &mut Wallet,
) -> Result<(), String> {
    let door = Asked { envoy, upstreams, variant, path: format!("{}8", variant.path) };
    match &variant.filter {
        Filter::Nothing => door.is_open(wallet),
        Filter::Noop(_) => {
            door.is_open(wallet)?;
            let calls = door.traced(&door.good(wallet).0)?;
            calls
                .contains("[host->vm] proxy_on_request_headers")
                .then_some(())
                .ok_or("it was not called".into())
        }
        Filter::Native(native) => {
            door.refuses(wallet, 401, native.permission.is_some())?;
            door.injects(wallet)?;
            door.remembers_natively(wallet, native)
        }
        Filter::Outer(configuration) => {
            door.refuses(wallet, 401, configuration["routes"].is_object())?;
            door.injects(wallet)?;
            door.verifies(wallet)
        }
        Filter::Inner(_) => {
            door.refuses(wallet, 403, false)?;
            door.injects(wallet)?;
            door.verifies(wallet)
        }
    }
}

struct Asked<'a> {
    envoy: &'a Envoy,
    upstreams: &'a Upstreams,
    variant: &'a Variant,
    /// One on which the listener, or its upstream, tells what it has seen. It is on the route of the measured
    /// one.
    path: String,
}

impl Asked<'_> {
    /// A request that is permitted, and its caller.
    fn good(&self, wallet: &mut Wallet) -> (Call, String) {
        let (Requests::Seen(form) | Requests::New(form)) = self.variant.requests else {
            return (with_gateway_key(&self.path), "alice".to_owned());
        };
        let minted = wallet.token(form);
        let subject = match form {
            Form::Rs256From(number) => format!("{}{}", prefix(number), minted.subject),
            _ => minted.subject,
        };
        (with_token(&self.path, form, &minted.token), subject)
    }

    /// Whatever comes goes through as it came.
    fn is_open(&self, wallet: &mut Wallet) -> Result<(), String> {
        self.answers(&without_credential(&self.path), 200)?;
        let seen = self.answers(&self.good(wallet).0, 200)?;
        let token = self.seen(&seen, "authorization");
        match self.variant.requests {
            Requests::Seen(form) | Requests::New(form) if form != Form::Context => {
                expect(token.is_some(), || "the token did not go through".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Who brings nothing, what nobody signed so, or too few permissions.
    fn refuses(&self, wallet: &mut Wallet, status: u16, by_permission: bool) -> Result<(), String> {
        // On the measured path, so that it is known to be guarded.
        let path = self.variant.path;
        self.answers(&without_credential(path), status)?;
        match self.variant.requests {
            Requests::GatewayKey => {
                let wrong = as_from_the_gateway(path).header("x-gateway-key", "x".repeat(52));
                self.answers(&as_from_the_gateway(path), status)?;
                self.answers(&wrong, status)?;
            }
            Requests::Seen(form) | Requests::New(form) => {
                let token = wallet.token(form).token;
                self.answers(&with_token(path, form, &tampered(&token)), status)?;
            }
        }
        if by_permission {
            self.answers(&with_token(path, Form::Powerless, &wallet.token(Form::Powerless).token), 403)?;
        }
        Ok(())
    }

    /// The upstream learns who calls, and gets no token.
    fn injects(&self, wallet: &mut Wallet) -> Result<(), String> {
        let (call, subject) = self.good(wallet);
        let response = self.answers(&call, 200)?;
        let seen = SEEN.map(|name| self.seen(&response, name));
        let [user, tenant, permissions, token] = &seen;
        let permissions = match self.variant.filter {
            Filter::Native(_) => permissions.as_deref().and_then(list),
            _ => permissions.clone(),
        };
        let is_right = user.as_deref() == Some(&*subject)
            && tenant.as_deref() == Some(TENANT)
            && permissions == Some(PERMISSIONS.join(","))
            && token.is_none();
        expect(is_right, || format!("the upstream of {subject} sees {seen:?}"))?;
        let is_minted = self.seen(&response, "txn-token").is_some();
        let mints =
            matches!(&self.variant.filter, Filter::Outer(door) if door["context"]["mint"].is_object());
        expect(!self.variant.forwards || is_minted == mints, || format!("a context was sent: {is_minted}"))
    }

    /// The door has the host verify what it has not seen, and nothing that it has.
    fn verifies(&self, wallet: &mut Wallet) -> Result<(), String> {
        let (call, _) = self.good(wallet);
        let verifications = |calls: String| calls.matches(VERIFICATION).count();
        let [first, second] = [self.traced(&call)?, self.traced(&call)?].map(verifications);
        // Where contexts are signed each request has one signature of its own.
        let (new, seen) = match (self.variant.requests, self.variant.name.as_str()) {
            (Requests::GatewayKey, _) => (0, 0),
            (_, "mint") => (2, 1),
            _ => (1, 0),
        };
        expect((first, second) == (new, seen), || {
            format!("a new credential takes {first} signatures of the host, the same again {second}")
        })
    }

    fn remembers_natively(&self, wallet: &mut Wallet, native: &Native) -> Result<(), String> {
        let (call, _) = self.good(wallet);
        self.answers(&call, 200)?;
        let prefix = format!("http.{}.jwt_authn.jwt_cache_hit", self.variant.name);
        let hits = || self.envoy.stats(&prefix).into_values().sum::<u64>();
        let before = hits();
        self.answers(&call, 200)?;
        let remembered = hits() - before;
        expect(remembered == u64::from(native.cached), || format!("its cache hit {remembered} times"))
    }

    fn answers(&self, call: &Call, status: u16) -> Result<Response, String> {
        let response = call.send(self.envoy.port(&self.variant.name));
        expect(response.status == status, || {
            let (sent, answer) = (String::from_utf8_lossy(&call.bytes()).into_owned(), response.text());
            format!("{} {answer} instead of {status} to\n{sent}", response.status)
        })?;
        Ok(response)
    }

    /// What Envoy and the filter's VM called of each other.
    fn traced(&self, call: &Call) -> Result<String, String> {
        self.envoy.command("/logging?wasm=trace");
        let before = self.envoy.log().len();
        let answer = self.answers(call, 200);
        let calls = self.envoy.log().split_off(before);
        self.envoy.command("/logging?wasm=warning");
        answer.map(|_| calls)
    }

    /// What the upstream of this answer has seen under this name.
    fn seen(&self, response: &Response, name: &str) -> Option<String> {
        if self.variant.forwards {
            return self.upstreams.witness.arrival(response)?.values(name).into_iter().next();
        }
        response.header(&format!("seen-{name}"))
    }
}

fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// The same with another signature.
fn tampered(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').expect("a token has three parts");
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).expect("a signature is base64url");
    bytes[0] ^= 1;
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// A list as `jwt_authn` writes it.
fn list(text: &str) -> Option<String> {
    let list: Value = serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()?;
    let items = list.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<_>>>();
    Some(items?.join(","))
}
