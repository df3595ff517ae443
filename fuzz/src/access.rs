//! That whoever passed was on the right route and has what it requires, told from the configuration as it is
//! written.

use serde_json::Value;
use vestibule::principal::{Grant, Principal};

use super::door::{Asked, Forwarded, Headers, environment};
use super::holding::Holder;
use super::invariants::values;
use super::nearest::{self, Target, Written};

pub fn check(config: &Value, asked: &Asked, forwarded: &Forwarded) {
    if forwarded.is_reported {
        assert!(config.get("report").is_some(), "reported where nothing is only reported");
        assert!(forwarded.principal.is_none(), "who would be denied is somebody");
        return;
    }
    let is_preflight = config.get("preflight").is_none_or(|preflight| preflight == "pass")
        && preflight(&asked.headers).is_some();
    let route = check_route(config, asked, forwarded, is_preflight);
    let access = route.map_or(config.get("default"), |route| route.get("access"));
    check_entrance(config, asked, route);
    let principal = &forwarded.principal;
    match access {
        Some(Value::String(access)) if access == "deny" => panic!("let in where nobody is"),
        _ if is_preflight => assert!(principal.is_none(), "a preflight's credential was looked at"),
        None => assert!(principal.is_some(), "nobody was let in"),
        Some(Value::String(access)) => match access.as_str() {
            "authenticated" => assert!(principal.is_some(), "nobody was let in"),
            "public" => assert!(principal.is_none(), "a credential was looked at"),
            "optional" => {}
            other => panic!("let in by {other:?}"),
        },
        Some(required) => {
            let lacks = |principal| holder(principal).lacks(required, &config["grants"]);
            assert_eq!(principal.as_ref().map(lacks), Some(None), "let in without what is required");
        }
    }
    let Some(principal) = principal else { return };
    let graphic = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    assert!(graphic(principal.subject()) && principal.tenant().is_none_or(graphic));
    let is_optional = |rule: Option<&Value>| rule.is_some_and(|rule| rule == "optional");
    let of_route = access.and_then(|access| access.get("tenant"));
    assert!(principal.tenant().is_some() || is_optional(config.get("tenant")) || is_optional(of_route));
}

/// The route that the request must be on, as it is written; none where it is on none.
fn check_route<'c>(
    config: &'c Value,
    asked: &Asked,
    forwarded: &Forwarded,
    is_preflight: bool,
) -> Option<&'c Value> {
    let routes = Written::all(config);
    if routes.is_empty() {
        assert_eq!(forwarded.route, None);
        return None;
    }
    let one = |name: &[u8]| match values(&asked.headers, name)[..] {
        [value] => value.to_vec(),
        _ => panic!("let in with no one {}", name.escape_ascii()),
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what is compared is text");
    let target = one(b":path");
    assert!(!is_ambiguous(&target), "let in by {}", target.escape_ascii());
    let path = nearest::path_of(&target);
    let reads_host = routes.iter().any(|route| route.hosts != [None]);
    let host = if reads_host { nearest::host_of(&text(one(b":authority"))) } else { String::new() };
    let method = text(one(b":method"));
    assert!(!method.bytes().any(|byte| byte.is_ascii_lowercase()), "let in by the method {method}");
    let asked_about = is_preflight.then(|| preflight(&asked.headers)).flatten();
    let method = asked_about.map_or(method, |asked| text(asked.to_vec()));
    if is_preflight {
        let of_options = nearest::nearest(&routes, Target { host: &host, path: &path, method: "OPTIONS" });
        let closes = |route: &&Written| {
            let route = &config["routes"][&route.name];
            let names_options =
                route["methods"].as_array().is_some_and(|all| all.iter().any(|it| it == "OPTIONS"));
            names_options && route["access"] == "deny"
        };
        assert!(
            !of_options.into_iter().any(|route| closes(&route)),
            "a preflight passes where OPTIONS is closed"
        );
    }
    let nearest = nearest::nearest(&routes, Target { host: &host, path: &path, method: &method });
    let names: Vec<&str> = nearest.iter().map(|route| route.name.as_str()).collect();
    let found: Vec<&str> = forwarded.route.as_deref().into_iter().collect();
    assert_eq!(found, names, "{method} {host}{path}");
    found.first().map(|name| &config["routes"][*name])
}

/// The method that a preflight asks about.
fn preflight(headers: &Headers) -> Option<&[u8]> {
    let is_options = values(headers, b":method") == [b"OPTIONS"];
    let is_origin = |origin: &[u8]| {
        !origin.is_empty() && origin.iter().all(|byte| byte.is_ascii_graphic() && *byte != b',')
    };
    let has_origin = matches!(values(headers, b"origin")[..], [origin] if is_origin(origin));
    let asked = match values(headers, b"access-control-request-method")[..] {
        [asked] if is_options && has_origin => asked,
        _ => return None,
    };
    let is_letter = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-_".contains(byte);
    let is_method = (1..=32).contains(&asked.len()) && asked.iter().all(is_letter);
    (is_method && ![&b"CONNECT"[..], b"TRACE", b"TRACK"].contains(&asked)).then_some(asked)
}

/// Whether somebody could read another path.
fn is_ambiguous(target: &[u8]) -> bool {
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let raw = path.to_ascii_lowercase();
    let has_bad_escape = path.iter().enumerate().filter(|(_, byte)| **byte == b'%').any(|(position, _)| {
        path.get(position + 1..position + 3).is_none_or(|digits| !digits.iter().all(u8::is_ascii_hexdigit))
    });
    if !path.starts_with(b"/") || path.contains(&b' ') || has_bad_escape || find(&raw, b"%2f") {
        return true;
    }
    let decoded = nearest::path_of(path);
    let segments: Vec<&str> = decoded.split('/').skip(1).collect();
    let inner = segments.split_last().map_or(&[][..], |(_, inner)| inner);
    decoded.chars().any(|character| "\\?#%;".contains(character) || character.is_control())
        || segments.iter().any(|segment| matches!(*segment, "." | ".."))
        || inner.contains(&"")
}

fn find(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// Who comes in by an entrance has a key of one, or is a peer that it lists, or both where it wants both.
fn check_entrance(config: &Value, asked: &Asked, route: Option<&Value>) {
    let Some(entrances) = config.get("entrances").and_then(Value::as_object) else { return };
    if route.is_some_and(|route| route["entrance"] == "exempt") {
        return;
    }
    let is_listed = |entrance: &Value| {
        let mut peers = entrance["peers"].as_array().into_iter().flatten().filter_map(Value::as_str);
        peers.any(|peer| asked.peer.as_deref() == Some(peer.as_bytes()))
    };
    let has_key = |entrance: &Value| {
        let header = entrance["header"].as_str().unwrap_or("x-gateway-key").to_ascii_lowercase();
        let [given] = values(&asked.headers, header.as_bytes())[..] else { return false };
        entrance["keys"].as_object().into_iter().flatten().any(|(_, key)| {
            match key["env"].as_str().filter(|_| key.get("encoding").is_none()) {
                Some(name) => environment(name).is_some_and(|key| key.as_bytes() == given),
                // What is written in another way is not made here once more.
                None => true,
            }
        })
    };
    let opens = |entrance: &&Value| match (entrance.get("keys"), entrance.get("peers")) {
        (Some(_), Some(_)) => has_key(entrance) && is_listed(entrance),
        (Some(_), None) => has_key(entrance),
        (None, _) => is_listed(entrance),
    };
    assert!(entrances.values().any(|entrance| opens(&entrance)), "let in past the entrances");
}

fn holder(principal: &Principal) -> Holder {
    let texts = |grants: &[Grant]| grants.iter().map(|grant| grant.as_str().to_owned()).collect();
    Holder {
        issuer: principal.issuer().map(str::to_owned),
        permissions: texts(principal.permissions()),
        scopes: texts(principal.scopes()),
        roles: texts(principal.roles()),
    }
}
