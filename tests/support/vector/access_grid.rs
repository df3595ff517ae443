//! Every access rule × what a request presents × the door, and at an inner one how the route stands to the
//! entrance × the gateway key, written as a vector file would be. What must come of each cell is computed from
//! the words of the rules in their order, by a principal's lists and nothing cleverer.

use serde_json::{Map, Value, json};

const SECRET: &str = "a-secret-of-the-grid-0123456789abcdef";
const OTHER_SECRET: &str = "another-secret-of-the-grid-0123456789abc";
const GATEWAY_KEY: &str = "the-gateway-key-of-the-grid-0123456789abc";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Door {
    Outer,
    /// An inner one whose entrance is trusted with the caller's identity.
    Trusting,
    /// An inner one with an entrance that is trusted with nothing, and issuers of its own.
    Verifying,
    /// An inner one whose entrance is trusted, on a route that needs no entrance.
    Exempt,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Key {
    Absent,
    Right,
    Wrong,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Presented {
    Nothing,
    Good,
    Tenantless,
    Forged,
    Expired,
    /// Good, of the door's other issuer.
    OtherIssuer,
    /// Good, of an issuer that the door does not know.
    UnknownIssuer,
    /// What a gateway writes.
    Headers,
    HeadersWithoutTenant,
    HeadersAndGood,
}

const PRESENTED: [Presented; 10] = [
    Presented::Nothing,
    Presented::Good,
    Presented::Tenantless,
    Presented::Forged,
    Presented::Expired,
    Presented::OtherIssuer,
    Presented::UnknownIssuer,
    Presented::Headers,
    Presented::HeadersWithoutTenant,
    Presented::HeadersAndGood,
];

/// Whom a good credential proves, and what is granted to them.
struct Principal {
    user: &'static str,
    has_tenant: bool,
    /// None for whom a gateway names, who has neither scopes nor roles.
    issuer: Option<&'static str>,
}

const PERMISSIONS: [&str; 2] = ["p:1", "p:2"];
const SCOPES: [&str; 2] = ["s:1", "s:2"];
const ROLES: [&str; 2] = ["r:1", "r:2"];

/// Every access rule; each requirement once with what a good token holds and once with what nobody does.
fn rules() -> Vec<Value> {
    vec![
        json!("public"),
        json!("optional"),
        json!("authenticated"),
        json!("deny"),
        json!({ "permissions": ["p:1", "p:2"] }),
        json!({ "permissions": ["p:1", "p:9"] }),
        json!({ "anyPermission": ["p:9", "p:2"] }),
        json!({ "anyPermission": ["p:8", "p:9"] }),
        json!({ "scopes": ["s:1", "s:2"] }),
        json!({ "scopes": ["s:1", "s:9"] }),
        json!({ "roles": ["r:9", "r:2"] }),
        json!({ "roles": ["r:8", "r:9"] }),
        json!({ "issuers": ["main"] }),
        json!({ "issuers": ["other"] }),
        json!({ "tenant": "optional" }),
    ]
}

pub(super) fn document() -> Value {
    let mut cases = Vec::new();
    for access in rules() {
        for door in [Door::Outer, Door::Trusting, Door::Verifying, Door::Exempt] {
            for key in [Key::Absent, Key::Right, Key::Wrong] {
                cases.extend(PRESENTED.map(|presented| case(&access, door, key, presented)));
            }
        }
    }
    let token = |issuer: &str, secret: &str, expires: i64, tenant: Option<&str>| {
        let mut payload = json!({
            "iss": format!("https://{issuer}.test"), "aud": "https://api.test", "sub": "alice", "permissions": PERMISSIONS,
            "scope": SCOPES.join(" "), "roles": ROLES, "iat": { "$now": -600 }, "exp": { "$now": expires },
        });
        if let Some(tenant) = tenant {
            payload["tenant_id"] = tenant.into();
        }
        json!({ "sign": { "alg": "HS256", "secret": secret }, "header": { "alg": "HS256", "typ": "JWT" },
                "payload": payload })
    };
    let issuer = |name: &str| {
        json!({ "issuer": format!("https://{name}.test"), "audiences": ["https://api.test"], "tenants": "*",
                "keys": [{ "secret": { "env": "SECRET" } }], "subjectPrefix": format!("{name}|") })
    };
    json!({
        "about": "The grid of access rules.",
        "config": { "issuers": { "main": issuer("main"), "other": issuer("other") }, "default": "deny" },
        "env": { "SECRET": SECRET, "GATEWAY_KEY": GATEWAY_KEY },
        "tokens": {
            "good": token("main", SECRET, 300, Some("acme")), "tenantless": token("main", SECRET, 300, None),
            "forged": token("main", OTHER_SECRET, 300, Some("acme")), "expired": token("main", SECRET, -300, Some("acme")),
            "other": token("other", SECRET, 300, Some("acme")), "unknown": token("unknown", SECRET, 300, Some("acme")),
        },
        "request": { "path": "/cell", "cluster": "service" },
        "cases": cases,
    })
}

fn case(access: &Value, door: Door, key: Key, presented: Presented) -> Value {
    // Beside all else, what no door lets through.
    let mut headers = vec![("x_user_id", "forged"), ("X-Tenant_Id", "forged")];
    headers.extend(match key {
        Key::Absent => None,
        Key::Right => Some(("x-gateway-key", GATEWAY_KEY)),
        Key::Wrong => Some(("x-gateway-key", "a-wrong-gateway-key-0123456789abcdefghijk")),
    });
    if let Presented::Headers | Presented::HeadersWithoutTenant | Presented::HeadersAndGood = presented {
        headers.extend([("x-user-id", "bob"), ("x-user-permissions", "p:1,p:2")]);
    }
    if let Presented::Headers | Presented::HeadersAndGood = presented {
        headers.push(("x-tenant-id", "acme"));
    }
    headers.extend(match presented {
        Presented::Nothing | Presented::Headers | Presented::HeadersWithoutTenant => None,
        Presented::Good | Presented::HeadersAndGood => Some(("authorization", "Bearer {{good}}")),
        Presented::Tenantless => Some(("authorization", "Bearer {{tenantless}}")),
        Presented::Forged => Some(("authorization", "Bearer {{forged}}")),
        Presented::Expired => Some(("authorization", "Bearer {{expired}}")),
        Presented::OtherIssuer => Some(("authorization", "Bearer {{other}}")),
        Presented::UnknownIssuer => Some(("authorization", "Bearer {{unknown}}")),
    });
    let expect = match outcome(access, door, key, presented) {
        Err(code) => json!({ "code": code, "route": "cell" }),
        Ok(principal) => {
            // No owned header and no token of the client's goes on, whoever it is.
            let mut upstream: Map<String, Value> =
                headers.iter().map(|(name, _)| (name.to_ascii_lowercase(), json!([]))).collect();
            if door == Door::Outer {
                upstream.insert("x-gateway-key".into(), json!([GATEWAY_KEY]));
            }
            if let Some(principal) = principal {
                upstream.insert("x-user-id".into(), json!([principal.user]));
                upstream.insert("x-user-permissions".into(), json!([PERMISSIONS.join(",")]));
                if principal.has_tenant {
                    upstream.insert("x-tenant-id".into(), json!(["acme"]));
                }
            }
            json!({ "upstream": upstream, "route": "cell" })
        }
    };
    json!({
        "name": format!("{door:?} door, key {key:?}, access {access}, presented {presented:?}"),
        "config": door.config(access),
        "request": { "headers": headers },
        "expect": expect,
    })
}

/// Whom a request that passes is of; else why it does not.
fn outcome(
    access: &Value,
    door: Door,
    key: Key,
    presented: Presented,
) -> Result<Option<Principal>, &'static str> {
    if access == "deny" {
        return Err("route_denied");
    }
    // The entrance, unless the route is exempt.
    if let Door::Trusting | Door::Verifying = door {
        match key {
            Key::Absent => return Err("gateway_key_missing"),
            Key::Wrong => return Err("gateway_key_invalid"),
            Key::Right => {}
        }
    }
    // The credential, only where the rule looks at one.
    if access == "public" {
        return Ok(None);
    }
    let Some(principal) = principal(door, presented)? else {
        return if access == "optional" { Ok(None) } else { Err("credential_missing") };
    };
    // The tenant, and then what is required.
    if !principal.has_tenant && access["tenant"] != "optional" {
        return Err("tenant_missing");
    }
    let by_token = principal.issuer.is_some();
    let required =
        |list: &str| -> Option<Vec<String>> { serde_json::from_value(access.get(list)?.clone()).ok() };
    let all = |list, held: &[&str]| {
        required(list).is_none_or(|names| names.iter().all(|name| held.contains(&name.as_str())))
    };
    let any = |list, held: &[&str]| {
        required(list).is_none_or(|names| names.iter().any(|name| held.contains(&name.as_str())))
    };
    if !any("issuers", principal.issuer.as_slice()) {
        Err("issuer_not_allowed")
    } else if !all("permissions", &PERMISSIONS) || !any("anyPermission", &PERMISSIONS) {
        Err("permission_missing")
    } else if !all("scopes", if by_token { &SCOPES } else { &[] }) {
        Err("scope_missing")
    } else if !any("roles", if by_token { &ROLES } else { &[] }) {
        Err("role_missing")
    } else {
        Ok(Some(principal))
    }
}

/// Whom a request presents. Headers are a credential where the entrance is trusted, and nothing elsewhere.
fn principal(door: Door, presented: Presented) -> Result<Option<Principal>, &'static str> {
    let of_main = |has_tenant| Ok(Some(Principal { user: "main|alice", has_tenant, issuer: Some("main") }));
    let named = |has_tenant| match door {
        Door::Trusting => Some(Principal { user: "bob", has_tenant, issuer: None }),
        Door::Outer | Door::Verifying | Door::Exempt => None,
    };
    match presented {
        Presented::Nothing => Ok(None),
        Presented::Good => of_main(true),
        Presented::Tenantless => of_main(false),
        Presented::Forged => Err("signature_invalid"),
        Presented::Expired => Err("token_expired"),
        Presented::OtherIssuer => {
            Ok(Some(Principal { user: "other|alice", has_tenant: true, issuer: Some("other") }))
        }
        Presented::UnknownIssuer => Err("issuer_unknown"),
        Presented::Headers => Ok(named(true)),
        Presented::HeadersWithoutTenant => Ok(named(false)),
        Presented::HeadersAndGood if door == Door::Trusting => Err("credential_multiple"),
        Presented::HeadersAndGood => of_main(true),
    }
}

impl Door {
    fn config(self, access: &Value) -> Value {
        let key = json!({ "env": "GATEWAY_KEY" });
        let keys = json!({ "current": key });
        let trust =
            json!({ "subject": "x-user-id", "tenant": "x-tenant-id", "permissions": "x-user-permissions" });
        let trusting = json!({ "keys": keys, "trust": trust });
        let mut config = match self {
            Self::Outer => json!({ "door": "outer", "gatewayKey": { "key": key, "to": ["service"] } }),
            Self::Verifying => json!({ "door": "inner", "entrances": { "gateway": { "keys": keys } } }),
            Self::Trusting | Self::Exempt => json!({ "door": "inner", "entrances": { "gateway": trusting } }),
        };
        let mut route = json!({ "paths": ["/cell"], "access": access });
        if self == Self::Exempt {
            route["entrance"] = "exempt".into();
        }
        config["routes"] = json!({ "cell": route });
        config
    }
}
