//! An issuer's keys: parsed, united, and no more of a kind than a token is tried with.

use std::net::IpAddr;
use std::sync::Arc;

use super::secret::{self, Resolved, Secrets};
use crate::config::issuer::Issues;
use crate::config::keys::{self as written, KeySource, Remote};
use crate::config::node::Node;
use crate::config::{Config, Limits};
use crate::credential::remote::RemoteSource;
use crate::jose::algorithm::{Algorithm, Family};
use crate::jose::jwk::{self, Key, KeySet};
use crate::jose::key::VerifyingKey;
use crate::jose::module::Module;

/// An issuer's keys: those that stand in the configuration, and where more are published.
#[derive(Default)]
pub(super) struct IssuerKeys {
    pub(super) fixed: Vec<Key>,
    pub(super) remote: Vec<Arc<RemoteSource>>,
}

/// The keys of all sources. A source that gives none is an error; a key that cannot be used beside others
/// that can is not.
#[inline(never)]
pub(super) fn compile(
    node: &Node<'_>,
    sources: &[KeySource<'_>],
    algorithms: Option<&[Algorithm]>,
    config: &Config<'_>,
    secrets: &Secrets<'_>,
    issues: Issues,
) -> Option<IssuerKeys> {
    let module = config.module;
    let nobodys = algorithms.into_iter().flatten().filter(|algorithm| !module.verifies(**algorithm));
    for algorithm in nobodys {
        let reason = format!("{algorithm} is not verified by hosts: use dist/vestibule.wasm, or remove it");
        node.below("algorithms").error(reason);
    }
    let mut fixed: Vec<Option<Vec<Key>>> = Vec::new();
    let mut remote: Vec<Option<Arc<RemoteSource>>> = Vec::new();
    for source in sources {
        match source {
            KeySource::Remote(written) => remote.push(remote_source(written, algorithms, issues)),
            KeySource::Jwks(_) | KeySource::Pem { .. } | KeySource::Secret(_) => {
                fixed.push(fixed_keys(source, algorithms, module, secrets));
            }
        }
    }
    let keys: Vec<Key> = fixed.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    let remote: Vec<Arc<RemoteSource>> = remote.into_iter().collect::<Option<_>>()?;
    for (position, source) in remote.iter().enumerate() {
        if remote.iter().take(position).any(|other| other.url() == source.url()) {
            node.below("keys").error(format!("fetches {} twice: remove one", source.url()));
        }
    }
    for algorithm in algorithms.into_iter().flatten().filter(|algorithm| module.verifies(**algorithm)) {
        // What is published may be any key but a secret.
        let may_be_published = !remote.is_empty() && algorithm.family() != Family::Hmac;
        if !may_be_published && !keys.iter().any(|key| key.algorithms().contains(algorithm)) {
            node.below("algorithms")
                .error(format!("{algorithm} goes with none of the keys: remove it, or add a key for it"));
        }
    }
    check_tries(&node.below("keys"), &keys, config.limits);
    Some(IssuerKeys { fixed: keys, remote })
}

/// Where keys are published, checked for what one field means beside another.
#[inline(never)]
fn remote_source(
    written: &Remote<'_>,
    algorithms: Option<&[Algorithm]>,
    issues: Issues,
) -> Option<Arc<RemoteSource>> {
    if written.max_stale < written.refresh.saturating_add(written.timeout) {
        let remedy = "is shorter than `refresh` and `timeout` together: the keys would run out before newer ones are there";
        written.node.below("maxStale").error(remedy);
    }
    let source = described(written, algorithms)?;
    let url = source.url();
    if url.scheme() == "http" && !is_near(url.host_and_port().0, issues) {
        written.node.below("url").warn(
            "is `http`: unless the cluster adds TLS, whoever can change the answer can sign as the issuer",
        );
    }
    Some(Arc::new(source))
}

/// The source as it is written.
pub(super) fn described(written: &Remote<'_>, algorithms: Option<&[Algorithm]>) -> Option<RemoteSource> {
    let Remote { url, cluster, refresh, timeout, max_stale, node: _ } = written;
    let url = url.clone()?;
    let (host, port) = url.host_and_port();
    // Istio's name for the outbound cluster of a host and port.
    let cluster = cluster.map_or_else(|| format!("outbound|{port}||{host}"), str::to_owned);
    Some(RemoteSource {
        cluster,
        url,
        refresh: *refresh,
        timeout: *timeout,
        max_stale: *max_stale,
        algorithms: algorithms.map(<[Algorithm]>::to_vec),
    })
}

/// Whether a request to this host stays on the machine, or goes to a service of the mesh, which has its own TLS. A
/// gateway, which publishes the keys of contexts, is none: what it listens on for clients is not the mesh's.
fn is_near(host: &str, issues: Issues) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_service = issues == Issues::Tokens && host.ends_with(".svc.cluster.local");
    host == "localhost" || is_service || address.is_ok_and(|it| it.is_loopback())
}

/// Keys that one token could be tried with are no more than the tries: the last of them would never be used.
#[inline(never)]
fn check_tries(node: &Node<'_>, keys: &[Key], limits: Limits) {
    for (key, algorithm) in
        keys.iter().flat_map(|key| key.algorithms().iter().map(move |algorithm| (key, algorithm)))
    {
        let alike = keys
            .iter()
            .filter(|other| other.kid() == key.kid() && other.algorithms().contains(algorithm))
            .count();
        let of = if key.kid().is_some() { "of one `kid`" } else { "without `kid`" };
        if alike > limits.signature_tries {
            node.error(format!(
                "has {alike} {algorithm} keys {of}, and a token is tried with {} (`limits.signatureTries`): \
                 give each a `kid` of its own",
                limits.signature_tries
            ));
        } else if alike > limits.module_signature_tries {
            node.warn(format!(
                "has {alike} {algorithm} keys {of}: where Envoy cannot verify, a token is tried with {} only \
                 (`limits.moduleSignatureTries`)",
                limits.module_signature_tries
            ));
        }
    }
}

#[inline(never)]
fn fixed_keys(
    source: &KeySource<'_>,
    algorithms: Option<&[Algorithm]>,
    module: Module,
    secrets: &Secrets<'_>,
) -> Option<Vec<Key>> {
    match source {
        KeySource::Remote(_) => Some(Vec::new()),
        KeySource::Jwks(node) => {
            let set = written::jwks(node)?;
            if let Some(position) = jwk::private_key(&set) {
                return node.refuse(format!(
                    "keys[{position}] holds a private or symmetric key: give the public part only, \
                     and replace this key, for it has left its place"
                ));
            }
            let set = match KeySet::parse_for(module, &set, algorithms) {
                Ok(set) => set,
                Err(reason) => return node.refuse(reason),
            };
            if set.keys.is_empty() {
                let reasons: Vec<String> = set
                    .unusable
                    .iter()
                    .map(|(position, reason)| format!("keys[{position}]: {reason}"))
                    .collect();
                return node.refuse(format!(
                    "has no usable key ({})",
                    if reasons.is_empty() { "it is empty".into() } else { reasons.join("; ") }
                ));
            }
            for (position, reason) in &set.unusable {
                node.warn(format!("keys[{position}] is left out: {reason}"));
            }
            Some(set.keys)
        }
        // Whatever its value is.
        KeySource::Secret(secret) if !module.verifies(Algorithm::Hs256) => {
            secret.node.refuse("is for HMAC, which hosts do not verify: use dist/vestibule.wasm")
        }
        KeySource::Secret(secret) => match secret::resolve(secret, secrets)? {
            Resolved::Unchecked => None,
            Resolved::Value(value) => {
                let key = VerifyingKey::hmac(&value).and_then(|key| Key::new(key, None, None, algorithms));
                key.map_or_else(|reason| secret.node.refuse(reason), |key| Some(vec![key]))
            }
        },
        KeySource::Pem { pem, kid, alg } => {
            let key = VerifyingKey::from_pem(pem.text()?).and_then(|public| {
                Key::new(public, kid.map(str::to_owned), alg.map(Algorithm::as_str), algorithms)
            });
            let key = key.and_then(|key| key.served_by(module));
            match key {
                Ok(key) => Some(vec![key]),
                Err(reason) => pem.refuse(format!("is not a usable key: {reason}")),
            }
        }
    }
}
