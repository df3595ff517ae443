//! The fixture: one of Keycloak's keys, as its administrators see it.

use serde_json::{Value, json};

use super::server::{Keycloak, Tokens};

/// A provider of one key of the realm.
pub struct KeyProvider<'a> {
    keycloak: &'a Keycloak,
    path: String,
    document: Value,
    /// The `kid` of its key.
    pub kid: String,
}

impl<'a> KeyProvider<'a> {
    /// Makes a key. Of those with one algorithm, Keycloak signs with that of the highest priority, and
    /// publishes all.
    pub fn add(keycloak: &'a Keycloak, name: &str, settings: &Value, priority: u32) -> Self {
        let before = keycloak.published_kids();
        let mut document = json!({
            "name": name,
            "providerId": settings["providerId"],
            "providerType": "org.keycloak.keys.KeyProvider",
            "config": settings["config"],
        });
        document["config"]["priority"] = json!([priority.to_string()]);
        keycloak.administer("POST", "/components", &document);
        let published = keycloak.published_kids();
        let mut added = published.iter().filter(|kid| !before.contains(kid));
        let kid = added.next().unwrap_or_else(|| panic!("no key more is published: {published:?}"));
        Self::of(keycloak, kid)
    }

    /// The provider of the key that signed this token.
    pub fn that_signed(keycloak: &'a Keycloak, tokens: &Tokens) -> Self {
        Self::of(keycloak, &kid(tokens))
    }

    fn of(keycloak: &'a Keycloak, kid: &str) -> Self {
        let keys = keycloak.administer("GET", "/keys", &Value::Null).json();
        let key = keys["keys"].as_array().and_then(|keys| keys.iter().find(|key| key["kid"] == kid));
        let provider = key.and_then(|key| key["providerId"].as_str()).expect("a key has a provider");
        let path = format!("/components/{provider}");
        let document = keycloak.administer("GET", &path, &Value::Null).json();
        Self { keycloak, path, document, kid: kid.to_owned() }
    }

    /// Changes one of its settings.
    pub fn set(&mut self, setting: &str, value: &str) {
        self.document["config"][setting] = json!([value]);
        self.keycloak.administer("PUT", &self.path, &self.document);
    }

    /// Takes the key away for good.
    pub fn remove(self) {
        self.keycloak.administer("DELETE", &self.path, &Value::Null);
    }
}

/// What an RSA key for RS256 is made from.
pub fn rsa() -> Value {
    json!({ "providerId": "rsa-generated", "config": { "keySize": ["2048"], "algorithm": ["RS256"] } })
}

/// What an EC key for ES256 is made from.
pub fn ec() -> Value {
    json!({ "providerId": "ecdsa-generated", "config": { "ecdsaEllipticCurveKey": ["P-256"] } })
}

/// The key that the access token names.
pub fn kid(tokens: &Tokens) -> String {
    tokens.header()["kid"].as_str().expect("Keycloak names its keys").to_owned()
}
