//! `vestibule token`, with keys by `vestibule keygen`.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::jose::base64url;
use vestibule::keyring::Keys;
use vestibule::policy;
use vestibule::request::Request;
use vestibule::time::UnixTime;

use super::check::check;
use super::{Run, directory, text, vestibule};

/// Makes a key pair, and a function that signs a token with it.
fn issuer(test: &str, keygen: &[&str]) -> (Value, impl Fn(&[&str]) -> Run + use<>) {
    let file = directory(test).join("signing.pem");
    let jwks = vestibule(&[&["keygen"], keygen, &["--out", text(&file)]].concat()).run().succeeded();
    let token = move |more: &[&str]| {
        let arguments =
            ["token", "--key", text(&file), "--issuer", "https://issuer.example", "--audience", "api"];
        vestibule(&[&arguments[..], more].concat()).run()
    };
    (serde_json::from_str(&jwks).unwrap(), token)
}

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&base64url(token.trim_end().split('.').nth(index).unwrap().as_bytes()).unwrap())
        .unwrap()
}

#[test]
fn a_token_signed_here_is_permitted_by_a_door_with_the_printed_keys() {
    let kinds: [(&[&str], &[&str]); 4] = [
        (&["p256"], &[]),
        (&["p384"], &["--alg", "ES384"]),
        (&["ed25519"], &[]),
        (&["rsa", "--alg", "RS512"], &["--alg", "RS512"]),
    ];
    for (index, (keygen, alg)) in kinds.into_iter().enumerate() {
        let (jwks, token) = issuer(&format!("a_token_signed_here_{index}"), keygen);
        assert!(jwks["keys"][0].get("d").is_none());
        let token = token(
            &[alg, &["--subject", "alice", "--tenant", "acme", "--permission", "orders:read"]].concat(),
        );
        let token = token.succeeded();
        assert_eq!(part(&token, 0)["kid"], jwks["keys"][0]["kid"]);

        let configuration = json!({"door": "outer", "issuers": {"main": {
            "issuer": "https://issuer.example", "audiences": ["api"], "keys": [{"jwks": jwks}],
        }}});
        check(&configuration.to_string()).succeeded();
        let policy =
            compile::compile(&configuration, &Secrets::Unchecked, UnixTime::from_secs(0)).unwrap().value;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let authorization = format!("Bearer {}", token.trim_end());
        let headers: [(&[u8], &[u8]); 4] = [
            (b":method", b"GET"),
            (b":path", b"/"),
            (b":authority", b"shop.example"),
            (b"authorization", authorization.as_bytes()),
        ];
        let request = Request::new(headers.to_vec());
        match policy::decide(&policy, &Keys::in_module(), &request, UnixTime::from_secs(now)) {
            Decision::Permit(permit) => assert!(permit.principal().is_some()),
            other => panic!("{keygen:?}: {other:?}"),
        }
        let late = UnixTime::from_secs(now + 3600);
        assert!(matches!(policy::decide(&policy, &Keys::in_module(), &request, late), Decision::Denial(_)));
    }
}

#[test]
fn a_token_holds_what_was_asked_for_and_nothing_twice() {
    let (_, token) = issuer("a_token_holds", &["p256"]);
    let made = token(&[
        "--audience",
        "web",
        "--claim",
        "plan={\"name\":\"gold\"}",
        "--claim",
        "sub=5",
        "--lifetime",
        "90s",
        "--permission",
        "a",
        "--permission",
        "b",
        "--kid",
        "mine",
    ])
    .succeeded();
    assert_eq!(part(&made, 0), json!({"alg": "ES256", "kid": "mine", "typ": "JWT"}));
    let mut claims = part(&made, 1);
    let (iat, exp) = (claims["iat"].take(), claims["exp"].take());
    assert_eq!(exp.as_u64().unwrap() - iat.as_u64().unwrap(), 90);
    let expected = json!({"iss": "https://issuer.example", "aud": ["api", "web"], "sub": 5, "permissions": ["a", "b"],
        "plan": {"name": "gold"}, "iat": null, "exp": null});
    assert_eq!(claims, expected);

    for more in [
        &["--claim", "iss=\"x\""][..],
        &["--claim", "exp=1"],
        &["--subject", "a", "--claim", "sub=\"b\""],
        &["--claim", "x=1", "--claim", "x=2"],
        &["--claim", "x={\"a\":1,\"a\":2}"],
    ] {
        let run = token(more);
        assert!(run.err.contains("already") || run.err.contains("twice"), "{}", run.err);
        run.failed(1, "claim");
    }
    for wrong in ["x", "=1", "x=gold"] {
        token(&["--claim", wrong]).failed(1, "--claim");
    }
    for wrong in ["0s", "24h1s", "1.5s", "5", "-5m"] {
        token(&[&format!("--lifetime={wrong}")]).failed(1, "--lifetime");
    }
    token(&["--lifetime", "24h"]).succeeded();
}

#[test]
fn a_key_that_cannot_sign_is_refused_and_not_shown() {
    let (_, token) = issuer("a_key_that_cannot_sign", &["p256"]);
    token(&["--alg", "ES384"]).failed(1, "not a P-384 key");
    token(&["--alg", "RS256"]).failed(1, "not an RSA key");
    let file = directory("a_key_that_is_none").join("signing.pem");
    fs::write(&file, "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n").unwrap();
    let run = vestibule(&["token", "--key", text(&file), "--issuer", "i", "--audience", "a"]).run();
    assert!(!run.err.contains("hunter2"), "{}", run.err);
    run.failed(1, "PKCS#8");
}

/// A context by hand is one to an inner door, and a user's token by the same key is none.
#[test]
fn a_context_made_here_is_believed_by_an_inner_door() {
    for (index, keygen) in [["p256"], ["ed25519"], ["rsa"]].into_iter().enumerate() {
        let (jwks, token) = issuer(&format!("a_context_made_here_{index}"), &keygen);
        let claims = ["--subject", "alice", "--claim", "txn=\"1\"", "--claim", "tctx={\"tenant\":\"acme\"}"];
        let context = token(&[&claims[..], &["--typ", "txntoken+jwt"]].concat()).succeeded();
        assert_eq!(part(&context, 0)["typ"], "txntoken+jwt");
        let require =
            json!({ "issuer": "https://issuer.example", "audience": "api", "keys": [{ "jwks": jwks }] });
        let configuration = json!({ "door": "inner", "context": { "require": require } });
        let policy =
            compile::compile(&configuration, &Secrets::Unchecked, UnixTime::from_secs(0)).unwrap().value;
        let now = UnixTime::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
        let is_permitted = |context: &str| {
            let headers: [(&[u8], &[u8]); 3] =
                [(b":method", b"GET"), (b":path", b"/"), (b"txn-token", context.trim_end().as_bytes())];
            let decision = policy::decide(&policy, &Keys::in_module(), &Request::new(headers.to_vec()), now);
            matches!(decision, Decision::Permit(_))
        };
        assert!(is_permitted(&context), "{keygen:?}");
        assert!(!is_permitted(&token(&claims).succeeded()), "{keygen:?}");
    }
}
