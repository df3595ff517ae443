//! Every form of source × every way to forward × every access rule × what a request may present there,
//! written as a vector file would be, with what must come of each cell by the rules of
//! `docs/configuration.md`.

use serde_json::{Map, Value, json};

use super::PATH;

const SECRET: &str = "a-secret-of-the-grid-0123456789abcdef";

/// The name of every source here; a header has `-` in it, so that it can be spelt otherwise.
const NAME: &str = "x-access";

const FORWARD: [&str; 3] = ["none", "verified", "always"];
const ACCESS: [&str; 4] = ["public", "optional", "authenticated", "deny"];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Scheme,
    Header,
    Cookie,
    Query,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Presented {
    Nothing,
    Good,
    Expired,
    Twice,
    /// Good, under a name that only some servers read as the source's.
    Respelt,
}

pub(super) fn document() -> Value {
    let mut cases = Vec::new();
    for form in [Form::Scheme, Form::Header, Form::Cookie, Form::Query] {
        for forward in FORWARD {
            for access in ACCESS {
                for presented in [
                    Presented::Nothing,
                    Presented::Good,
                    Presented::Expired,
                    Presented::Twice,
                    Presented::Respelt,
                ] {
                    cases.push(case(form, forward, access, presented));
                }
            }
        }
    }
    let payload = |expires: i64| {
        json!({ "iss": "https://issuer.test", "aud": "https://api.test", "sub": "alice", "tenant_id": "acme",
                "iat": { "$now": -600 }, "exp": { "$now": expires } })
    };
    let token = |expires| {
        json!({ "sign": { "alg": "HS256", "secret": SECRET }, "header": { "alg": "HS256", "typ": "JWT" },
                "payload": payload(expires) })
    };
    json!({
        "about": "The grid of sources.",
        "config": { "door": "outer", "issuers": { "main": {
            "issuer": "https://issuer.test", "audiences": ["https://api.test"], "keys": [{ "secret": { "env": "SECRET" } }],
        } } },
        "env": { "SECRET": SECRET },
        "tokens": { "good": token(300), "expired": token(-300) },
        "cases": cases,
    })
}

fn case(form: Form, forward: &str, access: &str, presented: Presented) -> Value {
    let good = (NAME, "{{good}}");
    let sent = match presented {
        Presented::Nothing => vec![],
        Presented::Good => vec![good],
        Presented::Expired => vec![(NAME, "{{expired}}")],
        Presented::Twice => vec![good, good],
        Presented::Respelt => vec![(form.respelt(), "{{good}}")],
    };
    let (headers, path) = form.request(&sent);
    let expect = match outcome(form, forward, access, presented) {
        Err(code) => json!({ "code": code }),
        Ok(Passes { kept, principal }) => {
            let (kept_headers, kept_path) = form.request(if kept { &sent } else { &[] });
            let values = |of: &str| -> Vec<Value> {
                let copies = kept_headers.iter().filter(|(name, _)| *name == of);
                copies.map(|(_, value)| value.clone().into()).collect()
            };
            let mut upstream: Map<String, Value> =
                headers.iter().map(|(name, _)| (name.clone(), values(name).into())).collect();
            if principal {
                upstream.extend([
                    ("x-user-id".into(), json!(["alice"])),
                    ("x-tenant-id".into(), json!(["acme"])),
                ]);
            }
            if kept_path != path {
                upstream.insert(PATH.into(), json!([kept_path]));
            }
            json!({ "upstream": upstream })
        }
    };
    json!({
        "name": format!("{form:?}, forward {forward}, access {access}, presented {presented:?}"),
        "config": { "default": access, "issuers": { "main": { "sources": [form.source(forward)] } } },
        "request": { "headers": headers, "path": path },
        "expect": expect,
    })
}

/// What becomes of a request that passes: whether what it presented stays, and whether it proved anybody.
struct Passes {
    kept: bool,
    principal: bool,
}

fn outcome(form: Form, forward: &str, access: &str, presented: Presented) -> Result<Passes, &'static str> {
    // Another spelling of a header is another header, which goes unread whatever is configured.
    let is_header = matches!(form, Form::Scheme | Form::Header);
    match (access, presented) {
        ("deny", _) => Err("route_denied"),
        ("public", Presented::Respelt) if is_header => Ok(Passes { kept: false, principal: false }),
        ("public", _) => Ok(Passes { kept: forward == "always", principal: false }),
        (_, Presented::Respelt) if !is_header => Err("header_malformed"),
        (_, Presented::Twice) => Err("header_malformed"),
        (_, Presented::Expired) => Err("token_expired"),
        (_, Presented::Good) => Ok(Passes { kept: forward != "none", principal: true }),
        ("optional", _) => Ok(Passes { kept: false, principal: false }),
        _ => Err("credential_missing"),
    }
}

impl Form {
    fn source(self, forward: &str) -> Value {
        match self {
            Self::Scheme => json!({ "header": NAME, "scheme": "Token", "forward": forward }),
            Self::Header => json!({ "header": NAME, "forward": forward }),
            Self::Cookie => json!({ "cookie": NAME, "forward": forward }),
            Self::Query => json!({ "query": NAME, "forward": forward }),
        }
    }

    fn respelt(self) -> &'static str {
        match self {
            Self::Scheme | Self::Header => "x_access",
            Self::Cookie | Self::Query => "x-%61ccess",
        }
    }

    /// A request with these credentials among other things, which no door may touch.
    fn request(self, credentials: &[(&str, &str)]) -> (Vec<(String, String)>, String) {
        let among = |first: &str, last: &str, separator: &str| {
            let pairs = credentials.iter().map(|(name, value)| format!("{name}={value}"));
            let all: Vec<String> = [first.into()].into_iter().chain(pairs).chain([last.into()]).collect();
            all.join(separator)
        };
        let none: &[(&str, &str)] = &[];
        let (headers, cookie, query) = match self {
            Self::Scheme | Self::Header => (credentials, "a=1; b=2".into(), "a=1&b=2".into()),
            Self::Cookie => (none, among("a=1", "b=2", "; "), "a=1&b=2".into()),
            Self::Query => (none, "a=1; b=2".into(), among("a=1", "b=2", "&")),
        };
        let scheme = if self == Self::Scheme { "token " } else { "" };
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), format!("{scheme}{value}")));
        let cookie = ("cookie".to_owned(), cookie);
        (headers.chain([cookie]).collect(), format!("/items?{query}"))
    }
}
