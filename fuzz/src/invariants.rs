//! What holds for every decision at every door, told from the configuration as it is written and not from
//! what was compiled of it.

use std::collections::BTreeSet;

use serde_json::Value;
use vestibule::mutation::Mutation;

use super::access;
use super::credentials::Credentials;
use super::door::{Asked, Door, Ended, Forwarded, Headers, Outcome};

impl Forwarded {
    /// What the door has set, in its order.
    fn set(&self) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
        self.mutations.iter().filter_map(|mutation| match mutation {
            Mutation::Set { name, value } => Some((name.as_bytes().to_vec(), value.to_vec())),
            Mutation::Remove { .. } => None,
        })
    }
}

/// What becomes of the request, where all of it holds.
pub fn check(door: &Door, asked: &Asked) -> Outcome {
    let outcome = door.decide(asked);
    assert_eq!(outcome, door.decide(asked), "the same request, decided twice");
    let mut reversed = asked.clone();
    reversed.headers.reverse();
    assert_eq!(essence(&outcome), essence(&door.decide(&reversed)), "the same request in another order");

    let (owned, credentials) = (Owned::of(&door.config), Credentials::of(&door.config));
    let mut without = asked.clone();
    without.headers.retain(|(name, _)| !owned.is_the_clients(name));
    assert_eq!(
        essence(&outcome),
        essence(&door.decide(&without)),
        "an owned header of the client's had a say"
    );

    if let Err(Ended::Answered(jwks)) = &outcome {
        check_answer(&door.config, asked, jwks);
    }
    if let Ok(forwarded) = &outcome {
        let said: Headers = forwarded.set().filter(|(name, _)| owned.is_the_clients(name)).collect();
        without.headers.extend(said.clone());
        assert_eq!(essence(&outcome), essence(&door.decide(&without)), "what the door says was said before");
        without.headers.extend(said.into_iter().map(|(name, _)| (name, b"forged".to_vec())));
        assert_eq!(
            essence(&outcome),
            essence(&door.decide(&without)),
            "what the door says was said, and more"
        );
        if forwarded.is_reported {
            check_report(&owned, asked, forwarded);
        } else {
            check_request(&owned, &credentials, &asked.headers);
            check_gateway_key(&door.config, asked, forwarded);
            let by = forwarded.principal.as_ref().and_then(|principal| principal.issuer());
            credentials.check(by, &forwarded.headers);
        }
        check_mutations(&owned, &credentials, asked, forwarded);
        owned.check(&forwarded.headers);
        if forwarded.principal.is_none() {
            let set: Headers = forwarded.set().collect();
            let names_somebody =
                |header: &&(Vec<u8>, Vec<u8>)| owned.is_trusted(&header.0) && !set.contains(header);
            let left = forwarded.headers.iter().find(names_somebody);
            assert!(left.is_none(), "nobody was proved, and somebody is named");
        }
        access::check(&door.config, asked, forwarded);
    }
    outcome
}

/// An outcome, but for the order of headers, which has no meaning where their names differ.
fn essence(outcome: &Outcome) -> Result<(Headers, String), String> {
    match outcome {
        Ok(forwarded) => {
            let mut headers = forwarded.headers.clone();
            // Nor has that of cookies, which become one header where one of them is removed.
            for (_, value) in headers.iter_mut().filter(|(name, _)| name == b"cookie") {
                let mut cookies: Vec<&[u8]> =
                    value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).collect();
                cookies.sort_unstable();
                *value = cookies.join(&b';');
            }
            headers.sort();
            Ok((headers, format!("{:?}", forwarded.principal)))
        }
        Err(ended) => Err(format!("{ended:?}")),
    }
}

pub fn values<'h>(headers: &'h Headers, name: &[u8]) -> Vec<&'h [u8]> {
    headers.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_slice()).collect()
}

/// What is published is answered where it was asked for, in whatever spelling, and holds what is public.
fn check_answer(config: &Value, asked: &Asked, jwks: &Value) {
    let method = values(&asked.headers, b":method");
    assert!(matches!(method[..], [b"GET" | b"HEAD"]), "{method:?} is answered");
    let [target] = values(&asked.headers, b":path")[..] else { panic!("one path is answered") };
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let decoded = percent_decoded(path);
    let published = config["context"]["mint"]["publish"].as_str().expect("something is published");
    assert_eq!(decoded.strip_suffix(b"/").unwrap_or(&decoded), published.as_bytes());
    let keys = jwks["keys"].as_array().expect("a JWK Set has keys");
    let public = ["kty", "crv", "n", "e", "x", "y", "kid", "alg", "use"];
    let names = keys.iter().flat_map(|key| key.as_object().expect("a JWK is an object").keys());
    names.for_each(|name| assert!(public.contains(&name.as_str()), "{name} is published"));
    assert!(!keys.is_empty());
}

fn percent_decoded(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = path;
    while let [byte, tail @ ..] = rest {
        let escape = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = escape.filter(|_| *byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    decoded
}

fn check_request(owned: &Owned, credentials: &Credentials, headers: &Headers) {
    for name in [&b":method"[..], b":path"] {
        assert!(matches!(values(headers, name)[..], [value] if !value.is_empty()), "{}", name.escape_ascii());
    }
    let method = values(headers, b":method")[0].to_ascii_uppercase();
    assert!(![&b"CONNECT"[..], b"TRACE", b"TRACK"].contains(&method.as_slice()));
    // The next hop removes what `connection` names (RFC 9110 section 7.6.1).
    for named in
        values(headers, b"connection").into_iter().flat_map(|value| value.split(|byte| *byte == b','))
    {
        let named = named.trim_ascii();
        assert!(
            !owned.owns(named) && !credentials.guards(named),
            "connection names {}",
            named.escape_ascii()
        );
    }
}

fn check_mutations(owned: &Owned, credentials: &Credentials, asked: &Asked, forwarded: &Forwarded) {
    for mutation in &forwarded.mutations {
        match mutation {
            Mutation::Remove { name } => {
                assert!(!values(&asked.headers, name).is_empty(), "{mutation:?} of what is not there");
                assert!(owned.owns(name) || credentials.guards(name), "{mutation:?} of what is nobody's");
            }
            // What is left of what the client sent, in whatever bytes.
            Mutation::Set { name, value } if credentials.rewrites(name) => assert!(!value.is_empty()),
            Mutation::Set { name, value } => {
                assert!(owned.set.contains(&**name), "{mutation:?}, which no configuration asks for");
                let visible = value.iter().all(|byte| matches!(byte, b' '..=b'~'));
                let whole = value.trim_ascii() == &**value && !value.is_empty();
                assert!(visible && whole, "{mutation:?} to {}", value.escape_ascii());
            }
        }
    }
}

/// Where denials are only reported, a request that would be denied loses what would be believed of it, and
/// nothing else becomes of it.
fn check_report(owned: &Owned, asked: &Asked, forwarded: &Forwarded) {
    let mut left = asked.headers.clone();
    left.retain(|(name, _)| !owned.owns(name));
    assert_eq!(forwarded.headers, left, "what would be denied goes on in another way");
    assert!(forwarded.set().next().is_none(), "who would be denied got something");
}

/// The gateway key goes to the clusters that may have it, and in its place stands nothing else.
fn check_gateway_key(config: &Value, asked: &Asked, forwarded: &Forwarded) {
    let Some(gateway_key) = config.get("gatewayKey") else { return };
    let name =
        gateway_key.get("header").and_then(Value::as_str).unwrap_or("x-gateway-key").to_ascii_lowercase();
    let default = [Value::from("outbound|*|*|*.svc.cluster.local")];
    let to = gateway_key.get("to").and_then(Value::as_array).map_or(&default[..], Vec::as_slice);
    let to = || to.iter().filter_map(Value::as_str).map(str::as_bytes);
    // Below, time grows with the power of the stars.
    if to().any(|pattern| pattern.iter().filter(|byte| **byte == b'*').count() > 5) {
        return;
    }
    let goes = asked.cluster.as_ref().is_some_and(|cluster| to().any(|pattern| matches(pattern, cluster)));
    assert_eq!(values(&forwarded.headers, name.as_bytes()).len(), usize::from(goes));
    let is_set = |mutation: &Mutation| matches!(mutation, Mutation::Set { name: set, .. } if **set == *name);
    assert_eq!(forwarded.mutations.iter().any(is_set), goes);
}

fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => {
            let run = text.iter().take_while(|byte| **byte != b'|').count();
            (0..=run).any(|length| matches(rest, &text[length..]))
        }
        [first, rest @ ..] => text.first() == Some(first) && matches(rest, &text[1..]),
    }
}

/// Whose header is whose, by the configuration.
pub struct Owned {
    /// Folded.
    names: BTreeSet<String>,
    /// Folded.
    prefixes: Vec<String>,
    /// Exact names that the gateway may send to an inner door.
    read: BTreeSet<String>,
    /// Of these, the ones whose key stays.
    kept: BTreeSet<String>,
    /// And the ones that say who calls.
    trusted: BTreeSet<String>,
    /// Exact names under which the door itself may say something.
    set: BTreeSet<String>,
}

impl Owned {
    pub fn of(config: &Value) -> Self {
        let defaults = ["x-user-id", "x-tenant-id", "x-user-permissions"].map(str::to_owned);
        let text = |value: &Value, or: &str| value.as_str().unwrap_or(or).to_ascii_lowercase();
        let (mut keys, mut trusted) = (BTreeSet::new(), BTreeSet::new());
        let entrances =
            || config.get("entrances").and_then(Value::as_object).into_iter().flat_map(|all| all.values());
        let key_header = |entrance: &Value| text(&entrance["header"], "x-gateway-key");
        let has_keys = |entrance: &Value| entrance.get("keys").is_some();
        let is_sole = config.get("issuers").is_none() && config.pointer("/context/require").is_none();
        for entrance in entrances() {
            if has_keys(entrance) {
                keys.insert(key_header(entrance));
            }
            match entrance.get("trust") {
                Some(Value::Object(trust)) => trusted.extend(trust.values().map(|name| text(name, ""))),
                None if is_sole && has_keys(entrance) => trusted.extend(defaults.clone()),
                _ => {}
            }
        }
        let context = config.pointer("/context/require").map(|require| text(&require["header"], "txn-token"));
        let read: BTreeSet<String> = keys.union(&trusted).chain(&context).cloned().collect();
        let keeps = |entrance: &&Value| entrance.get("forward").is_some_and(|forward| forward == true);
        let kept = entrances().filter(keeps).map(key_header).chain(context).collect();
        let mut set: BTreeSet<String> = defaults.into();
        if let Some(inject) = config.get("inject").and_then(Value::as_object) {
            set.extend(inject.keys().map(|name| name.to_ascii_lowercase()));
        }
        if let Some(gateway_key) = config.get("gatewayKey") {
            set.insert(text(&gateway_key["header"], "x-gateway-key"));
        }
        if let Some(mint) = config.pointer("/context/mint") {
            set.insert(text(&mint["header"], "txn-token"));
        }
        let mut names: BTreeSet<String> = read.union(&set).map(|name| fold(name.as_bytes())).collect();
        let always = [
            "x-gateway-key",
            "txn-token",
            "x-original-url",
            "x-rewrite-url",
            "x-http-method-override",
            "x-http-method",
            "x-method-override",
        ];
        names.extend(always.map(str::to_owned));
        let strip =
            config.get("strip").and_then(Value::as_array).into_iter().flatten().map(|name| text(name, ""));
        let (prefixes, stripped): (Vec<String>, Vec<String>) = strip.partition(|name| name.ends_with('*'));
        names.extend(stripped.iter().map(|name| fold(name.as_bytes())));
        let prefixes = prefixes.iter().map(|prefix| fold(prefix.trim_end_matches('*').as_bytes())).collect();
        Self { names, prefixes, read, kept, trusted, set }
    }

    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.names.iter().chain(&self.prefixes)
    }

    pub fn owns(&self, name: &[u8]) -> bool {
        let folded = fold(name);
        !name.starts_with(b":")
            && (self.names.contains(&folded) || self.prefixes.iter().any(|prefix| folded.starts_with(prefix)))
    }

    /// Whether a client may have set it, and nobody who is to be believed.
    fn is_the_clients(&self, name: &[u8]) -> bool {
        self.owns(name) && !self.read.iter().any(|read| read.as_bytes() == name)
    }

    fn is_trusted(&self, name: &[u8]) -> bool {
        self.trusted.iter().any(|trusted| trusted.as_bytes() == name)
    }

    /// Behind the door an owned header has one spelling and one value.
    fn check(&self, headers: &Headers) {
        for (name, _) in headers.iter().filter(|(name, _)| self.owns(name)) {
            let known =
                self.kept.iter().chain(&self.trusted).chain(&self.set).any(|known| known.as_bytes() == name);
            assert!(known, "{} goes on", name.escape_ascii());
            assert_eq!(values(headers, name).len(), 1, "{} goes on in copies", name.escape_ascii());
        }
    }
}

/// As servers do that make variables of headers.
pub fn fold(name: &[u8]) -> String {
    let fold =
        |byte: &u8| if byte.is_ascii_alphanumeric() { char::from(byte.to_ascii_lowercase()) } else { '-' };
    name.iter().map(fold).collect()
}
