//! The fixture: the documented realm, with secrets, with users, and with clients that somebody has set up
//! wrongly.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::support::{keys, secrets};

const REALM: &str = include_str!("../../docs/keycloak/realm.json");

/// The tenant of the client and of alice.
pub const TENANT: &str = "acme";

/// What all the clients and users of this run prove themselves with.
pub fn secret() -> &'static str {
    static SECRET: LazyLock<String> = LazyLock::new(|| {
        let secret = keys::random_text();
        secrets::remember(secret.as_bytes());
        secret
    });
    &SECRET
}

/// The realm of the documentation, and more in it.
pub fn shop() -> Value {
    let mut realm: Value = serde_json::from_str(REALM).expect("the documented realm is JSON");
    let job = client(&realm, "billing-job");
    let app = client(&realm, "shop-app");
    let clients = [
        // Its tokens are for another API, but for that as they should be.
        changed(&job, "elsewhere", |client| {
            client["protocolMappers"]
                .as_array_mut()
                .expect("it has mappers")
                .extend([subject(), audience("https://billing.example.com", false)]);
            client["defaultClientScopes"] = json!([]);
        }),
        // Nobody thought of an audience.
        changed(&job, "for-nobody", |client| {
            client["protocolMappers"].as_array_mut().expect("it has mappers").push(subject());
            client["defaultClientScopes"] = json!([]);
        }),
        // Nobody thought of a subject, which Keycloak gives to services and not to users.
        changed(&app, "without-subject", |client| {
            client["protocolMappers"] = json!([audience("https://api.shop.example.com", false)]);
            client["defaultClientScopes"] = json!([]);
        }),
        // A service that nobody gave a role.
        changed(&job, "idle-job", |_| {}),
        changed(&app, "hasty", |client| client["attributes"]["access.token.lifespan"] = json!("1")),
        // As Keycloak sets a client up by itself.
        changed(&app, "untyped", |client| {
            client["attributes"]["access.token.header.type.rfc9068"] = json!("false");
        }),
        // Its ID tokens name the API as their audience.
        changed(&app, "generous", |client| {
            client["protocolMappers"] = json!([audience("https://api.shop.example.com", true)]);
        }),
        // As Keycloak's own account console: it may do for a user what the user may.
        changed(&app, "account-page", |client| {
            client["fullScopeAllowed"] = json!(true);
            let mut roles = subject();
            roles["name"] = json!("what it may do to accounts");
            roles["protocolMapper"] = json!("oidc-usermodel-client-role-mapper");
            roles["config"] = json!({
                "usermodel.clientRoleMapping.clientId": "account",
                "claim.name": "resource_access.account.roles",
                "jsonType.label": "String",
                "multivalued": "true",
                "access.token.claim": "true",
            });
            client["protocolMappers"] = json!([audience("account", false), roles]);
        }),
    ];
    realm["clients"].as_array_mut().expect("it has clients").extend(clients);
    for client in realm["clients"].as_array_mut().expect("it has clients") {
        if client["publicClient"] == json!(false) {
            client["secret"] = json!(secret());
        }
    }
    realm["users"].as_array_mut().expect("it has users").extend([
        user("alice", Some(TENANT)),
        user("bob", None),
        user("carol", Some("acme/../umbrella")),
    ]);
    realm
}

/// Another realm of the same Keycloak, in which everything is called the same.
pub fn other() -> Value {
    let mut realm = shop();
    realm["realm"] = json!("other");
    realm
}

/// The realms of the cluster that `make test-kind` makes. There they are reached over TLS, and here they are not.
pub fn of_kind() -> [Value; 2] {
    let realms = [
        include_str!("../../istio/kind/keycloak/kind-realm.json"),
        include_str!("../../istio/kind/keycloak/elsewhere-realm.json"),
    ];
    realms.map(|realm| {
        let mut realm: Value = serde_json::from_str(realm).expect("the realms of istio/kind are JSON");
        realm["sslRequired"] = json!("external");
        realm
    })
}

fn client(realm: &Value, id: &str) -> Value {
    let clients = realm["clients"].as_array().expect("it has clients");
    clients.iter().find(|client| client["clientId"] == id).expect("the documented client").clone()
}

fn changed(client: &Value, id: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut client = client.clone();
    client["clientId"] = json!(id);
    change(&mut client);
    client
}

fn subject() -> Value {
    json!({
        "name": "subject",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-sub-mapper",
        "config": { "access.token.claim": "true" },
    })
}

fn audience(audience: &str, in_id_tokens: bool) -> Value {
    json!({
        "name": "its own audience",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-audience-mapper",
        "config": {
            "included.custom.audience": audience,
            "access.token.claim": "true",
            "id.token.claim": in_id_tokens.to_string(),
        },
    })
}

/// A user who may do what a clerk may.
fn user(name: &str, tenant: Option<&str>) -> Value {
    json!({
        "username": name,
        "email": format!("{name}@example.com"),
        "emailVerified": true,
        "enabled": true,
        "attributes": tenant.map(|tenant| json!({ "tenant_id": [tenant] })).unwrap_or_else(|| json!({})),
        "credentials": [{ "type": "password", "value": secret() }],
        "realmRoles": ["clerk"],
        "clientRoles": {
            "shop-api": ["orders:read", "orders:write"],
            "account": ["manage-account", "view-profile"],
        },
    })
}
