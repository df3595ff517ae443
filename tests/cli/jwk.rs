//! `vestibule jwk`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{directory, text, vestibule};

fn test_key(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/support/keys/{name}.pem"))
}

fn jwk(pem: &[u8]) -> Value {
    serde_json::from_str(&vestibule(&["jwk", "-"]).input(pem).succeeded()).unwrap()
}

/// The thumbprints are OpenSSL's SHA-256 of what RFC 7638 section 3.3 says.
#[test]
fn a_private_key_is_shown_as_its_public_jwk_with_its_thumbprint_as_kid() {
    for (name, kid, kty, alg, members) in [
        ("ec-256", "IQPvSEA-C479tKavaQh0XSdd_BkxTsn0C6lmCXGDvgQ", "EC", "ES256", &["crv", "x", "y"][..]),
        ("rsa-1", "b58alRrkf8ldQW7Ln75yGMtXZcCaVVOumtUEksBeT-I", "RSA", "RS256", &["e", "n"]),
        ("ed-1", "dIJKF8JHP0RcVMs3fCiBDg4blM0Rfx-sb1TtWzkR44A", "OKP", "EdDSA", &["crv", "x"]),
    ] {
        let file = test_key(name);
        let out = vestibule(&["jwk", text(&file)]).run().succeeded();
        assert_eq!(out.lines().count(), 1, "{out}");
        let shown: Value = serde_json::from_str(&out).unwrap();
        for (member, value) in [("kid", kid), ("kty", kty), ("alg", alg), ("use", "sig")] {
            assert_eq!(shown[member], value, "{name}");
        }
        let mut names: Vec<&str> = [&["alg", "kid", "kty", "use"], members].concat();
        names.sort_unstable();
        assert_eq!(shown.as_object().unwrap().keys().collect::<Vec<_>>(), names, "{name}");
        assert_eq!(jwk(&fs::read(&file).unwrap()), shown);
    }
}

#[test]
fn a_public_key_has_the_same_jwk_as_its_private_one_and_that_is_what_keygen_prints() {
    let directory = directory("a_public_key");
    let file = directory.join("signing.pem");
    let set: Value =
        serde_json::from_str(&vestibule(&["keygen", "p256", "--out", text(&file)]).run().succeeded())
            .unwrap();
    let shown = jwk(&fs::read(&file).unwrap());
    for member in ["kty", "crv", "x", "y", "kid"] {
        assert_eq!(shown[member], set["keys"][0][member], "{member}");
    }
    let public = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    // RFC 8037 appendix A.3.
    assert_eq!(
        jwk(public.as_bytes()),
        json!({
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "alg": "EdDSA",
            "use": "sig", "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        })
    );
}

/// What the command prints, `announce` takes.
#[test]
fn what_is_printed_can_be_announced() {
    let directory = directory("what_is_printed");
    let announced: Vec<Value> =
        ["ec-256", "rsa-1", "ed-1"].map(|name| jwk(&fs::read(test_key(name)).unwrap())).into();
    let configuration = json!({
        "door": "outer",
        "issuers": { "main": { "issuer": "https://issuer", "audiences": ["a"], "keys": [{ "jwks": { "keys": announced } }] } },
        "context": { "mint": {
            "issuer": "https://gateway", "audience": "mesh", "workload": "gateway", "key": { "env": "KEY" },
            "publish": "/.well-known/jwks.json", "announce": announced,
        } },
    });
    let file = directory.join("outer.json");
    fs::write(&file, configuration.to_string()).unwrap();
    let run = vestibule(&["check", text(&file)]).run();
    assert_eq!((run.code, run.err.contains("announce")), (0, false), "{}{}", run.out, run.err);
}

#[test]
fn what_is_no_usable_key_is_a_failure_with_the_remedy_and_shows_nothing_of_it() {
    let body = "MIGHAgEAMBMGByqGSM49";
    let block = |label: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
    for (pem, remedy) in [
        (block("ENCRYPTED PRIVATE KEY"), "decrypt"),
        (block("RSA PRIVATE KEY"), "openssl pkcs8 -topk8 -nocrypt"),
        (block("EC PRIVATE KEY"), "openssl pkcs8 -topk8 -nocrypt"),
        (block("PRIVATE KEY"), "standard input: it is"),
        (block("PUBLIC KEY"), "SubjectPublicKeyInfo"),
        (block("CERTIFICATE"), "openssl x509 -pubkey -noout"),
        (fs::read_to_string(test_key("ec-384")).unwrap(), "vestibule keygen p256"),
        (fs::read_to_string(test_key("rsa-weak")).unwrap(), "2048"),
        (String::new(), "PEM"),
    ] {
        let run = vestibule(&["jwk", "-"]).input(&pem);
        run.failed(1, remedy);
        assert!(!run.err.contains(body), "{}", run.err);
    }
    vestibule(&["jwk", "-"]).input(b"\xff\xfe").failed(1, "not PEM");
    vestibule(&["jwk", "no-such-file.pem"]).run().failed(1, "no-such-file.pem");
    vestibule(&["jwk"]).run().failed(1, "FILE");
    vestibule(&["jwk", "-"]).input(vec![b'a'; 70_000]).failed(1, "larger than");
}
