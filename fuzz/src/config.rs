//! A configuration of any bytes: it is refused with reasons that can be mended, or makes a door at which the
//! invariants hold for whoever comes with forged headers.

use serde_json::json;
use vestibule::compile::{self, Secrets};
use vestibule::config::error::ConfigErrors;
use vestibule::time::UnixTime;

use super::credentials::Credentials;
use super::door::{Asked, Door, Headers, environment};
use super::invariants::{self, Owned};
use super::nearest::Written;
use super::token::{self, NOW};

pub fn run(data: &[u8]) {
    let document = match compile::parse_document(data) {
        Ok(document) => document,
        Err(errors) => return check_errors(&errors, data),
    };
    let secrets = Secrets::From(&environment);
    let now = UnixTime::from_secs(NOW);
    let compiled = compile::compile(&document, &secrets, now);
    let without_secrets = compile::check(&document, &Secrets::Unchecked, now);
    match (compiled, compile::check(&document, &secrets, now)) {
        (Err(errors), Err(same)) => {
            assert_eq!(errors, same, "checking finds what compiling finds");
            check_errors(&errors, data);
        }
        (Ok(policy), Ok(outline)) => {
            let is_told = |warning| outline.warnings.contains(warning);
            assert!(policy.warnings.iter().all(is_told), "what loading tells, checking tells");
            assert_eq!(policy.value.door(), outline.value.door());
            assert!(without_secrets.is_ok(), "refused only where less is known");
            visit(&Door { config: document, policy: policy.value });
        }
        (compiled, checked) => panic!("compiling says {compiled:?}, checking says {checked:?}"),
    }
}

fn check_errors(errors: &ConfigErrors, data: &[u8]) {
    assert!((1..=101).contains(&errors.iter().count()));
    let of_the_document = [
        "is not JSON at",
        "is not UTF-8 behind",
        "is nested too deeply",
        "and must be an object",
        "more errors, which are not shown",
    ];
    for error in errors {
        let (path, message) = (error.path(), error.message());
        assert!(!message.is_empty() && !message.contains("bug"), "{path}: {message}");
        assert!(!path.is_empty() || of_the_document.iter().any(|known| message.contains(known)), "{message}");
    }
    let text = errors.to_string();
    for secret in ["SECRET", "OTHER", "GATEWAY_KEY", "HEX", "SHORT"].into_iter().filter_map(environment) {
        let is_written = data.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
        assert!(is_written || !text.contains(&secret), "a secret is shown");
    }
}

/// Somebody with a good token, the gateway's key and a certificate, if such a thing opens this door, and with every owned
/// header in several spellings.
fn visit(door: &Door) {
    let Door { config, policy } = door;
    let owned = Owned::of(config);
    let mut asked = Asked { headers: Vec::new(), cluster: None, peer: None, now: NOW };
    asked.headers.push((b":method".to_vec(), b"GET".to_vec()));
    asked.headers.push((b":path".to_vec(), b"/".to_vec()));
    if let Some(issuer) = config["issuers"].as_object().and_then(|issuers| issuers.values().next()) {
        let claims = json!({
            "iss": issuer["issuer"], "aud": issuer["audiences"][0], "sub": "alice", "tenant_id": "acme",
            "iat": NOW, "exp": NOW + 300, "permissions": ["a"], "scope": "a b", "roles": ["a"],
        });
        let secret = issuer["keys"][0]["secret"]["env"].as_str().and_then(environment).unwrap_or_default();
        let token = token::sign(br#"{"alg":"HS256"}"#, claims.to_string().as_bytes(), &secret);
        let (name, value) = Credentials::present(issuer, &token);
        asked.headers.retain(|(known, _)| *known != name);
        asked.headers.push((name, value));
    }
    for entrance in config["entrances"].as_object().into_iter().flat_map(|entrances| entrances.values()) {
        if let Some(peer) = entrance["peers"][0].as_str() {
            asked.peer = Some(peer.into());
        }
        let keys = entrance["keys"].as_object().into_iter().flat_map(|keys| keys.values());
        let key = keys.filter_map(|key| environment(key["env"].as_str()?)).next().unwrap_or_default();
        let name = entrance["header"].as_str().unwrap_or("x-gateway-key").to_ascii_lowercase();
        // One copy: a second would shut the door.
        if !asked.headers.iter().any(|(known, _)| *known == name.as_bytes()) {
            asked.headers.push((name.into(), key.into()));
        }
    }
    let admitted = asked.clone();
    for name in owned.names() {
        assert!(policy.guards(name.as_bytes()), "{name} is not guarded");
        for spelling in [name.clone(), name.replace('-', "_"), name.replace('-', "."), format!("{name}x")] {
            asked.headers.push((spelling.into(), b"forged".to_vec()));
        }
    }
    for cluster in [None, Some(&b"inner"[..]), Some(b"outbound|80||api.svc.cluster.local")] {
        for asked in [&admitted, &asked] {
            let _ = invariants::check(door, &Asked { cluster: cluster.map(<[u8]>::to_vec), ..asked.clone() });
        }
    }
    for route in Written::all(config).iter().take(MOST_ROUTES) {
        let mut asked = admitted.clone();
        // A token that stands in the path stays there.
        let is_asked = |name: &[u8]| name == b":method" || (name == b":path" && !has_query(&admitted));
        asked.headers.retain(|(name, _)| !is_asked(name));
        asked.headers.extend(example(route, has_query(&admitted)));
        let _ = invariants::check(door, &asked);
    }
}

/// The most routes of a door that somebody tries.
const MOST_ROUTES: usize = 8;

fn has_query(asked: &Asked) -> bool {
    asked.headers.iter().any(|(name, value)| name == b":path" && value.contains(&b'?'))
}

/// A request that the route matches: its authority, method and path.
fn example(route: &Written, has_path: bool) -> Headers {
    let host = route.hosts.first().cloned().flatten().unwrap_or("api.test".into());
    let host = if host.starts_with("*.") { host.replacen('*', "any", 1) } else { host };
    let method = route.methods.first().cloned().unwrap_or("GET".into());
    let segment = |segment: &str| match segment.strip_prefix('{') {
        Some(_) => "any".to_owned(),
        None => segment.bytes().fold(String::new(), |text, byte| match byte {
            b'!'..=b'~' => format!("{text}{}", char::from(byte)),
            _ => format!("{text}%{byte:02x}"),
        }),
    };
    let path: Vec<String> =
        route.paths.first().into_iter().flat_map(|path| path.split('/').map(segment)).collect();
    let mut headers: Headers =
        vec![(b":authority".to_vec(), host.into()), (b":method".to_vec(), method.into())];
    if !has_path {
        headers.push((b":path".to_vec(), path.join("/").into()));
    }
    headers
}
