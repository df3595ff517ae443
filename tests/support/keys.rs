//! The test keys by name. They guard nothing: their private halves stand in this repository.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use rsa::rand_core::{OsRng, RngCore as _};
use serde_json::{Value, json};

pub(crate) use super::scenario::Key as TestKey;

const FILES: [(&str, &str); 8] = [
    ("rsa-1", include_str!("keys/rsa-1.pem")),
    ("rsa-2", include_str!("keys/rsa-2.pem")),
    ("rsa-weak", include_str!("keys/rsa-weak.pem")), // 1024 bits: no issuer may use it
    ("ec-256", include_str!("keys/ec-256.pem")),
    ("ec-256b", include_str!("keys/ec-256b.pem")),
    ("ec-384", include_str!("keys/ec-384.pem")),
    ("ec-521", include_str!("keys/ec-521.pem")), // its x begins with a zero byte
    ("ed-1", include_str!("keys/ed-1.pem")),
];

static KEYS: LazyLock<Vec<Arc<TestKey>>> =
    LazyLock::new(|| FILES.iter().map(|(name, pem)| from_pem(name, pem)).collect());

/// The test key of this name.
pub(crate) fn named(name: &str) -> &'static Arc<TestKey> {
    KEYS.iter()
        .find(|key| key.name() == name)
        .unwrap_or_else(|| panic!("there is no test key named {name:?}"))
}

/// The private half of the test key of this name.
pub(crate) fn pem(name: &str) -> &'static str {
    let file = FILES.iter().find(|(known, _)| *known == name);
    file.unwrap_or_else(|| panic!("there is no test key named {name:?}")).1
}

/// A public JWK set of these keys; each key's `kid` is its name.
pub fn jwks(names: &[&str]) -> Value {
    json!({ "keys": names.iter().map(|name| named(name).public_jwk()).collect::<Vec<_>>() })
}

/// A fresh secret of 32 bytes as text, such as a gateway key.
pub fn random_text() -> String {
    let mut bytes = [0; 32];
    OsRng.fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A fresh RSA key of 2048 bits.
pub(crate) fn fresh_rsa(name: &str) -> Arc<TestKey> {
    let key = RsaPrivateKey::new(&mut OsRng, 2048).expect("2048 bits is a size that RSA can have");
    from_pem(name, &key.to_pkcs8_pem(LineEnding::LF).expect("a key has a PEM"))
}

fn from_pem(name: &str, pem: &str) -> Arc<TestKey> {
    let key = TestKey::from_pem(name, pem);
    Arc::new(key.unwrap_or_else(|| panic!("{name} is no RSA, P-256, P-384, P-521 or Ed25519 key")))
}
