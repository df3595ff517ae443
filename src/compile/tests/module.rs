//! What the module that leaves signatures to its host cannot do, and says so before a request comes.

use serde_json::{Value, json};

use super::{KEY, NOW, PEM, Secrets, inner, outer, with};
use crate::compile::{check_engines, check_for, compile_for};
use crate::jose::algorithm::Algorithm;
use crate::jose::module::Module;
use crate::jose::signature::Engines;

const P256: &str = include_str!("../../../tests/support/keys/ec-256.pem");
const RSA: &str = include_str!("../../../tests/support/keys/rsa-1.pem");
const ED25519: &str = include_str!("../../../tests/support/keys/ed-1.pem");
/// The base point of P-256 as a private key of one, without the public point beside it.
const WITHOUT_POINT: &str = "-----BEGIN PRIVATE KEY-----\n\
    MEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQcEJzAlAgEBBCAAAAAAAAAAAAAAAAAA\n\
    AAAAAAAAAAAAAAAAAAAAAAAAAQ==\n\
    -----END PRIVATE KEY-----\n";

fn environment(name: &str) -> Option<String> {
    match name {
        "P256" => Some(P256.into()),
        "RSA" => Some(RSA.into()),
        "ED25519" => Some(ED25519.into()),
        "WITHOUT_POINT" => Some(WITHOUT_POINT.into()),
        "KEY" => Some(KEY.into()),
        _ => None,
    }
}

fn errors(module: Module, document: &Value) -> Vec<String> {
    match compile_for(module, document, &Secrets::From(&environment), NOW) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

/// The full module takes it, where it is built; the other refuses it here, and says which takes it.
#[track_caller]
fn only_the_full_module_takes(document: &Value, path: &str) {
    if Module::BUILT == Module::Full {
        assert_eq!(errors(Module::Full, document), [""; 0]);
    }
    let errors = errors(Module::Host, document);
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert!(error.starts_with(&format!("{path}: ")), "{error}");
    assert!(error.contains("dist/vestibule.wasm"), "{error}");
}

fn minting(key: &str) -> Value {
    let mint = json!({ "issuer": "https://gateway", "audience": "mesh", "workload": "gateway", "key": { "env": key } });
    with(outer(), "/context", json!({ "mint": mint }))
}

fn ed25519() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
}

fn p256() -> Value {
    json!({ "kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" })
}

fn jwks(keys: &[Value]) -> Value {
    with(outer(), "/issuers/main/keys", json!([{ "jwks": { "keys": keys } }]))
}

#[test]
fn what_hosts_verify_and_sign_both_modules_take() {
    let remote = json!([{ "remote": { "url": "https://issuer.example/keys" } }]);
    let hosts = json!(["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]);
    let published = with(outer(), "/issuers/main/keys", remote);
    for document in [
        outer(),
        inner(),
        published.clone(),
        with(published, "/issuers/main/algorithms", hosts),
        jwks(&[p256()]),
        minting("P256"),
        minting("RSA"),
    ] {
        for module in [Module::Full, Module::Host] {
            assert_eq!(errors(module, &document), [""; 0], "{module:?}: {document}");
        }
    }
}

#[test]
fn what_hosts_do_not_verify_the_host_module_refuses_where_it_is_named() {
    let remote =
        with(outer(), "/issuers/main/keys", json!([{ "remote": { "url": "https://issuer.example/keys" } }]));
    for algorithm in ["PS256", "PS384", "PS512", "EdDSA"] {
        let named = with(remote.clone(), "/issuers/main/algorithms", json!(["ES256", algorithm]));
        only_the_full_module_takes(&named, "issuers.main.algorithms");
    }
    let secret = with(outer(), "/issuers/main/keys", json!([{ "pem": PEM }, { "secret": { "env": "KEY" } }]));
    only_the_full_module_takes(&secret, "issuers.main.keys[1].secret");
    let unknown = check_for(Module::Host, &secret, &Secrets::Unchecked, NOW).unwrap_err();
    assert!(unknown.iter().any(|error| error.to_string().starts_with("issuers.main.keys[1].secret: ")));
    only_the_full_module_takes(&jwks(&[ed25519()]), "issuers.main.keys[0].jwks");
    only_the_full_module_takes(&minting("ED25519"), "context.mint.key.env");
    let announcing = with(minting("P256"), "/context/mint/publish", json!("/keys"));
    let announcing = with(announcing, "/context/mint/announce", json!([ed25519()]));
    only_the_full_module_takes(&announcing, "context.mint.announce[0]");
}

#[test]
fn a_p256_key_of_which_the_host_module_cannot_tell_the_public_one_is_refused_with_the_remedy() {
    let found = errors(Module::Host, &minting("WITHOUT_POINT"));
    assert!(
        found[0].starts_with("context.mint.key.env: ") && found[0].contains("`openssl pkey`"),
        "{found:?}"
    );
    if Module::BUILT == Module::Full {
        assert_eq!(errors(Module::Full, &minting("WITHOUT_POINT")), [""; 0]);
    }
}

/// As any key that cannot be used: the others are.
#[test]
fn a_key_that_hosts_do_not_serve_is_left_out_of_its_set_with_a_warning() {
    let mixed = jwks(&[ed25519(), p256()]);
    let compiled = compile_for(Module::Host, &mixed, &Secrets::From(&environment), NOW).unwrap();
    let [warning] = compiled.warnings.as_slice() else { panic!("{:?}", compiled.warnings) };
    let warning = warning.to_string();
    assert!(warning.starts_with("issuers.main.keys[0].jwks: keys[0] is left out: "), "{warning}");
    assert!(warning.contains("dist/vestibule.wasm"), "{warning}");
    let [key] = compiled.value.issuers.at(0).unwrap().keys.as_slice() else { panic!("one key is left") };
    assert_eq!(key.algorithms(), [Algorithm::Es256]);
}

#[test]
fn a_host_that_does_not_verify_what_may_be_needed_refuses_the_configuration() {
    // As if of all algorithms this one alone were served, by whomever.
    let refused = |document: &Value, served: &[Algorithm]| {
        let policy = compile_for(Module::BUILT, document, &Secrets::From(&environment), NOW).unwrap().value;
        let engines = Engines::served_as_if(served);
        check_engines(&policy, &engines).err().map(|errors| errors.to_string())
    };
    let remote = json!([{ "remote": { "url": "https://issuer.example/keys" } }]);
    let published = with(outer(), "/issuers/main/keys", remote.clone());
    let named = with(published.clone(), "/issuers/main/algorithms", json!(["RS256", "ES256"]));
    let context = json!({ "door": "inner", "context": { "require": {
        "issuer": "https://gateway", "audience": "mesh", "keys": remote } } });
    assert_eq!(refused(&outer(), &[Algorithm::Es256]), None);
    assert_eq!(refused(&named, &[Algorithm::Es256, Algorithm::Rs256]), None);
    assert_eq!(refused(&published, &Algorithm::ALL), None);
    assert_eq!(refused(&inner(), &[]), None);
    for (document, served, path, algorithm) in [
        (&outer(), vec![Algorithm::Rs256], "issuers.main.keys", "ES256"),
        (&named, vec![Algorithm::Rs256], "issuers.main.algorithms", "ES256"),
        (&published, vec![Algorithm::Rs256, Algorithm::Es256], "issuers.main.keys", "RS384, RS512"),
        (&context, vec![], "context.require.keys", "RS256"),
    ] {
        let refusal = refused(document, &served).unwrap();
        assert!(refusal.contains(&format!("{path}: ")) && refusal.contains(algorithm), "{refusal}");
        assert!(refusal.contains("dist/vestibule.wasm") && !refusal.contains("HS256"), "{refusal}");
    }
}
