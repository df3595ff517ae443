//! What the dearest requests cost: each line is a request that a stranger can send, or an issuer, and the
//! time of its decision in microseconds, the median of many. It judges nothing; the bounds that do not depend
//! on a clock are tested in `tests/work.rs`.
//!
//! ```sh
//! cargo run --release --example hostile                                             # natively tools/wasm.sh
//! hostile                                                             # as wasm, in Node
//! ```

#![allow(clippy::expect_used, clippy::panic, reason = "a measurement that cannot go on ends with the reason")]

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::algorithms::{HS256Key, MACLike as _};
use serde_json::{Value, json};
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::keyring::Keys;
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::time::UnixTime;

const NOW: u64 = 1_800_000_000;
const SECRET: &str = "a secret of an issuer that is not to be trusted with our time";

fn main() {
    // The default of `limits.tokenBytes`, and the most that it can be.
    for token_bytes in [8192, 65536] {
        println!("limits.tokenBytes: {token_bytes}");
        println!("  {:<58} {:>8}  {:>9}  decision", "token", "bytes", "us");
        let door = Door::with(token_bytes);
        for (name, token) in by_strangers(token_bytes).into_iter().chain(by_the_issuer(token_bytes)) {
            assert!(token.len() <= token_bytes, "{name} is too large to be looked at: {}", token.len());
            let (microseconds, decision) = door.measure(&token);
            println!("  {name:<58} {:>8}  {microseconds:>9.1}  {decision}", token.len());
        }
    }
}

struct Door {
    policy: Policy,
    keys: Keys,
}

impl Door {
    /// A door with everything that makes work: the largest keys, the most of what a configuration may list.
    fn with(token_bytes: usize) -> Self {
        let many =
            |prefix: &str, count: usize| (0..count).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>();
        let accepted: serde_json::Map<String, Value> =
            (0..100).map(|n| (format!("/list{n}"), json!(many("value", 100)))).collect();
        let config = json!({
            "door": "outer",
            "limits": { "tokenBytes": token_bytes, "jsonDepth": 100, "injectedBytes": 32768, "tokenCacheBytes": 0 },
            "issuers": {
                "strangers": {
                    "issuer": "https://issuer.test", "audiences": ["https://api.test"],
                    "keys": [{ "jwks": { "keys": public_keys() } }], "tenants": "*", "subjectPrefix": "s:",
                    "algorithms": ["RS256", "PS512", "ES256", "ES384", "EdDSA"],
                },
                "plain": {
                    "issuer": "https://plain.test", "audiences": many("https://api.test/", 100),
                    "keys": [{ "secret": { "env": "SECRET" } }], "tenants": "*", "subjectPrefix": "p:",
                },
                "demanding": {
                    "issuer": "https://demanding.test", "audiences": ["*"], "claims": accepted,
                    "keys": [{ "secret": { "env": "SECRET" } }], "tenants": "*", "subjectPrefix": "d:",
                },
            },
            "inject": { "x-payload": "payload", "x-json": { "claim": "json", "as": "json" } },
        });
        let environment = |_: &str| Some(SECRET.to_owned());
        match compile::compile(&config, &Secrets::From(&environment), UnixTime::from_secs(NOW)) {
            Ok(compiled) => Self { policy: compiled.value, keys: Keys::in_module() },
            Err(errors) => panic!("the configuration is refused: {errors}"),
        }
    }

    fn measure(&self, token: &str) -> (f64, String) {
        let authorization = format!("Bearer {token}");
        let headers: Vec<(&[u8], &[u8])> =
            vec![(b":method", b"GET"), (b":path", b"/"), (b"authorization", authorization.as_bytes())];
        let request = Request::new(headers);
        let decide = || policy::decide(&self.policy, &self.keys, &request, UnixTime::from_secs(NOW));
        let decision = match decide() {
            Decision::Permit(_) => "permit".to_owned(),
            Decision::Denial(denial) => denial.code().as_str().to_owned(),
            Decision::AwaitKeys(issuer) => panic!("{issuer} has no remote keys"),
            Decision::Publish(_) => panic!("nothing is published here"),
        };
        // At most half a second each.
        let mut times = Vec::new();
        let start = Instant::now();
        while times.len() < 201 && (times.len() < 5 || start.elapsed().as_millis() < 500) {
            let start = Instant::now();
            drop(std::hint::black_box(decide()));
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
        times.sort_by(f64::total_cmp);
        (times.get(times.len() / 2).copied().unwrap_or_default(), decision)
    }
}

/// Four of a kind that all fit a token without `kid`. Of an RSA key nobody knows the factors; none is needed.
fn public_keys() -> Vec<Value> {
    let number = |bytes: usize, seed: u8| {
        let mut number: Vec<u8> =
            (0..bytes).map(|n| u8::try_from(n % 251).unwrap_or(0).wrapping_mul(31) ^ seed).collect();
        number.first_mut().map(|first| *first |= 0x80).expect("a number has bytes");
        number.last_mut().map(|last| *last |= 1).expect("a number has bytes");
        URL_SAFE_NO_PAD.encode(number)
    };
    let p256 = ["axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY", "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"];
    let p384 = [
        "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3",
        "NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f",
    ];
    let ed25519 = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let mut keys = Vec::new();
    for copy in 0..4_u8 {
        for (alg, seed) in [("RS256", copy), ("PS512", copy + 8)] {
            keys.push(json!({ "kty": "RSA", "alg": alg, "n": number(512, seed), "e": "AQAB" }));
        }
        keys.push(json!({ "kty": "EC", "crv": "P-256", "x": p256[0], "y": p256[1] }));
        keys.push(json!({ "kty": "EC", "crv": "P-384", "x": p384[0], "y": p384[1] }));
        keys.push(json!({ "kty": "OKP", "crv": "Ed25519", "x": ed25519 }));
    }
    keys
}

type Tokens = Vec<(String, String)>;

/// What anybody can send: no signature is right.
fn by_strangers(most: usize) -> Tokens {
    let mut tokens: Tokens = vec![
        ("one byte a part".into(), "e.e.e".into()),
        ("dots".into(), ".".repeat(most)),
        ("base64url that ends in a stray bit".into(), format!("{}B.e30.AA", "A".repeat(most / 4 * 4 - 10))),
    ];
    for (alg, length) in [("RS256", 512), ("PS512", 512), ("ES256", 64), ("ES384", 96), ("EdDSA", 64)] {
        let header = json!({ "alg": alg }).to_string();
        let payload = json!({ "iss": "https://issuer.test" }).to_string();
        let signature: Vec<u8> = match alg {
            // The base point and the scalar one: what is no point or no scalar is refused at once.
            "EdDSA" => [&[0x58][..], &[0x66; 31], &[1], &[0; 31]].concat(),
            _ => (0..length).map(|n| u8::try_from(n % 97).unwrap_or(0) + 1).collect(),
        };
        let token = join(&header, &payload, &signature);
        tokens.push((format!("{alg}, more keys that fit than are tried"), token));
    }
    for (name, text) in objects(most) {
        tokens.push((format!("payload: {name}"), join(r#"{"alg":"RS256"}"#, &text, b"x")));
    }
    for (name, text) in objects(most) {
        tokens.push((format!("header: {name}"), join(&text, "{}", b"x")));
    }
    tokens
}

/// What an issuer can sign that wants to harm: its claims are looked at.
fn by_the_issuer(most: usize) -> Tokens {
    let signed = |issuer: &str, claims: String| {
        let payload = format!(
            r#"{{"iss":"https://{issuer}.test","aud":"https://api.test/99","sub":"a","tenant_id":"a","exp":{},{claims}}}"#,
            NOW + 60
        );
        let input = join(r#"{"alg":"HS256"}"#, &payload, b"");
        let input = input.trim_end_matches('.');
        let tag = HS256Key::from_bytes(SECRET.as_bytes()).authentication_tag(input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
    };
    let room = most * 3 / 4 - 400;
    let list = |word: &str| {
        let most = room / (word.len() + 8);
        (0..most).map(|n| format!("\"{word}{n}\"")).collect::<Vec<_>>().join(",")
    };
    let long = "x".repeat(100);
    let lists = |count: usize| {
        let each = room / count / 12;
        let lists = (0..count).map(|n| {
            let words: Vec<String> = (0..each).map(|word| format!("\"no{word}\"")).collect();
            format!("\"list{n}\":[{}]", words.join(","))
        });
        lists.collect::<Vec<_>>().join(",")
    };
    vec![
        ("signed: nothing".into(), signed("plain", "\"a\":1".into())),
        (
            "signed: permissions, all different".into(),
            signed("plain", format!("\"permissions\":[{}]", list(""))),
        ),
        (
            "signed: permissions, long, all different".into(),
            signed("plain", format!("\"permissions\":[{}]", list(&long))),
        ),
        (
            "signed: a JSON claim that is all escapes".into(),
            signed("plain", format!("\"json\":\"{}\"", "é".repeat((room / 2).min(5_000)))),
        ),
        ("signed: one list against a hundred accepted values".into(), signed("demanding", lists(1))),
        ("signed: lists against a hundred accepted values each".into(), signed("demanding", lists(100))),
    ]
}

/// JSON objects, each as long as a token has room for.
fn objects(most: usize) -> Tokens {
    let room = most * 3 / 4 - 60;
    let fill = |unit: &str, separator: &str| {
        let count = room / (unit.len() + separator.len()) - 1;
        vec![unit; count].join(separator)
    };
    let members = |name: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        for n in 0.. {
            let member = format!("\"{}\":0,", name(n));
            if text.len() + member.len() + 6 > room {
                break;
            }
            text.push_str(&member);
        }
        format!("{{{text}\"\":0}}")
    };
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let in_array = |elements: String| format!("{{\"a\":[{elements}]}}");
    let prefix = "p".repeat(200);
    vec![
        ("members with short names".into(), members(&|n| format!("{n:x}"))),
        ("members with short names, downwards".into(), members(&|n| format!("{:x}", 0xffff - n))),
        ("members with long names that differ at the end".into(), members(&|n| format!("{prefix}{n:x}"))),
        (
            "members, the last one twice".into(),
            members(&|n| format!("{n:x}")).replace("\"\":0}", "\"\":0,\"\":0}"),
        ),
        ("zeros".into(), in_array(fill("0", ","))),
        ("empty arrays".into(), in_array(fill("[]", ","))),
        ("objects of one member".into(), in_array(fill("{\"\":0}", ","))),
        ("nested to the limit, again and again".into(), in_array(fill(&nested(98), ","))),
        ("nested without end".into(), format!("{{\"a\":{}", "[".repeat(room - 6))),
        ("one integer of all digits".into(), format!("{{\"a\":{}}}", "7".repeat(300.min(room - 6)))),
        ("one fraction of all digits".into(), format!("{{\"a\":0.{}}}", "7".repeat(room - 8))),
        (
            "fractions of 800 digits".into(),
            in_array(fill(&format!("0.{}e-300", "123456789".repeat(88)), ",")),
        ),
        (
            "fractions near halves of the last bit".into(),
            in_array(fill("9007199254740993.00000000000000000001e-30", ",")),
        ),
        ("exponents".into(), in_array(fill("1e-308", ","))),
        ("an exponent of all digits".into(), format!("{{\"a\":1e{}}}", "9".repeat(room - 8))),
        ("one string".into(), format!("{{\"a\":\"{}\"}}", "x".repeat(room - 8))),
        ("one string of escapes".into(), format!("{{\"a\":\"{}\"}}", fill("\\u0061", ""))),
        ("one string of pairs of escapes".into(), format!("{{\"a\":\"{}\"}}", fill("\\ud83d\\ude00", ""))),
        ("empty strings".into(), in_array(fill("\"\"", ","))),
        ("white space".into(), format!("{{\"a\":{}1}}", " ".repeat(room - 6))),
    ]
}

fn join(header: &str, payload: &str, signature: &[u8]) -> String {
    [header.as_bytes(), payload.as_bytes(), signature].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
}
