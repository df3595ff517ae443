//! What Vestibule is measured beside: Envoy's own filters, configured to do what the door does, and a filter
//! of the SDK that does nothing.
//!
//! `jwt_authn` checks signature, issuer, audience and times, removes the token, and writes the same three
//! claims into the same headers. Lists it cannot join: permissions reach the upstream as base64 of JSON.
//! Where there is a permission to have, RBAC looks for it in the token's payload, which `jwt_authn` leaves in
//! dynamic metadata.

use serde_json::{Value, json};

use super::support::keys;
use super::tokens::{AUDIENCE, ISSUER};

/// Envoy's `jwt_authn`, perhaps with its RBAC filter behind.
pub struct Native {
    /// The test key that the issuer signs with.
    pub key: &'static str,
    /// Whether it remembers tokens that it has verified (`jwt_cache_config`).
    pub cached: bool,
    /// What RBAC demands.
    pub permission: Option<&'static str>,
}

/// The module of `benches/noop`.
pub struct Noop;

/// Under which name the payload stands in the dynamic metadata.
const PAYLOAD: &str = "payload";

impl Native {
    /// The HTTP filters, in their order.
    pub fn filters(&self) -> Vec<Value> {
        let mut filters = vec![self.jwt_authn()];
        filters.extend(self.permission.map(rbac));
        filters
    }

    fn jwt_authn(&self) -> Value {
        let claim = |header: &str, claim: &str| json!({ "header_name": header, "claim_name": claim });
        let mut provider = json!({
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "local_jwks": { "inline_string": keys::jwks(&[self.key]).to_string() },
            "claim_to_headers": [
                claim("x-user-id", "sub"),
                claim("x-tenant-id", "tenant_id"),
                claim("x-user-permissions", "permissions"),
            ],
        });
        if self.cached {
            provider["jwt_cache_config"] = json!({ "jwt_cache_size": 1_000, "jwt_max_token_size": 16_384 });
        }
        if self.permission.is_some() {
            provider["payload_in_metadata"] = json!(PAYLOAD);
        }
        json!({
            "name": "envoy.filters.http.jwt_authn",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
                "providers": { "main": provider },
                "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "main" } }],
            },
        })
    }
}

impl Noop {
    /// The file of the module.
    pub fn module() -> String {
        std::env::var("VESTIBULE_NOOP").expect("`make bench` says where the module is")
    }
}

/// Lets those pass on the measured path who have the permission.
fn rbac(permission: &str) -> Value {
    let held = json!({ "metadata": {
        "filter": "envoy.filters.http.jwt_authn",
        "path": [{ "key": PAYLOAD }, { "key": "permissions" }],
        "value": { "list_match": { "one_of": { "string_match": { "exact": permission } } } },
    } });
    let path = json!({ "url_path": { "path": { "safe_regex": { "regex": "/v1/[^/]+/orders/[^/]+" } } } });
    json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": { "action": "ALLOW", "policies": {
                "readers": { "permissions": [path], "principals": [held] },
            } },
        },
    })
}
