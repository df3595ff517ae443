//! What passes between two doors, as one of them is configured: what an outer door hands over, and what an inner
//! one asks for. Whether two of them fit is for whoever has both.

use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::config::issuer::Issues;
use crate::credential::entrance::Trust;
use crate::credential::source::Forward;
use crate::header::HeaderName;
use crate::jose::jwk::Key;
use crate::jose::thumbprint::thumbprint;
use crate::policy::inject::Source;
use crate::policy::{Door, Policy};
use crate::spiffe::SpiffeId;

/// One door's part of it.
#[derive(Clone, Debug)]
pub enum Handover {
    /// What an outer door hands over.
    Gives(Gives),
    /// What an inner door asks for.
    Asks(Asks),
}

/// What an outer door hands over.
#[derive(Clone, Debug)]
pub struct Gives {
    /// The gateway key.
    pub gateway_key: Option<GivenKey>,
    /// The context.
    pub context: Option<GivenContext>,
    /// The headers that it writes, and of what.
    pub injected: Vec<(HeaderName, Source)>,
    /// The `iss` of each issuer whose tokens it takes off the requests.
    pub taken_off: Vec<String>,
}

/// The gateway key that an outer door attaches.
#[derive(Clone, Debug)]
pub struct GivenKey {
    /// The header that carries it.
    pub header: HeaderName,
    /// Its SHA-256; none where its value is not known.
    pub sha256: Option<[u8; 32]>,
}

/// The contexts that an outer door mints.
#[derive(Clone, Debug)]
pub struct GivenContext {
    /// The header that carries them.
    pub header: HeaderName,
    /// Their `iss`.
    pub issuer: String,
    /// Every `aud` that they may have: the door's, and those of its routes.
    pub audiences: Vec<String>,
    /// Who mints them, most often the gateway's SPIFFE id.
    pub workload: String,
    /// The key that signs them, by its thumbprint (RFC 7638); none where its value is not known.
    pub kid: Option<String>,
    /// The thumbprints of the keys that are announced.
    pub announced: Vec<String>,
}

/// What an inner door asks for.
#[derive(Clone, Debug)]
pub struct Asks {
    /// Its entrances.
    pub entrances: Vec<AskedEntrance>,
    /// The context that it requires.
    pub context: Option<AskedContext>,
    /// The `iss` of each issuer whose tokens it asks for, with its path.
    pub tokens: Vec<(String, String)>,
}

/// An entrance of an inner door.
#[derive(Clone, Debug)]
pub struct AskedEntrance {
    /// Where it stands.
    pub path: String,
    /// The header in which it reads a key; none where it has no keys.
    pub header: Option<HeaderName>,
    /// The SHA-256 of each key that opens it; none where one of them is not known.
    pub sha256: Option<Vec<[u8; 32]>>,
    /// Whom it lets in; none where it asks for a key alone.
    pub peers: Option<Vec<SpiffeId>>,
    /// The headers that it believes.
    pub trust: Option<Trust>,
}

/// The context that an inner door requires.
#[derive(Clone, Debug)]
pub struct AskedContext {
    /// Where it stands.
    pub path: String,
    /// The header in which it is read.
    pub header: HeaderName,
    /// The `iss`.
    pub issuer: String,
    /// The `aud`.
    pub audience: String,
    /// The thumbprints of the keys that may sign it; none where they are fetched, or not known.
    pub kids: Option<Vec<String>>,
}

/// What this configuration says of it. What depends on secrets is in the policy, if there is one.
pub(super) fn of(config: &Config<'_>, policy: Option<&Policy>) -> Option<Handover> {
    Some(match config.door? {
        Door::Outer => Handover::Gives(gives(config, policy)?),
        Door::Inner => Handover::Asks(asks(config, policy)?),
    })
}

fn gives(config: &Config<'_>, policy: Option<&Policy>) -> Option<Gives> {
    let attachment = policy.and_then(|policy| policy.attachment.as_ref());
    let gateway_key = config.gateway_key.as_ref().map(|(_, key)| GivenKey {
        header: key.header.clone(),
        sha256: attachment.map(|attachment| Sha256::digest(attachment.key.as_bytes()).into()),
    });
    let context = match &config.mint {
        None => None,
        Some(mint) => {
            let of_routes = config.routes.iter().filter_map(|route| Some(route.entry.audience.as_ref()?.1));
            let signs = policy.and_then(|policy| policy.mint.as_ref());
            let announced = mint.announce.iter().filter_map(|node| Key::from_jwk(node.value(), None).ok());
            Some(GivenContext {
                header: mint.header.clone()?,
                issuer: mint.issuer?.to_owned(),
                audiences: mint.audience.into_iter().chain(of_routes).map(str::to_owned).collect(),
                workload: mint.workload?.to_owned(),
                kid: signs.map(|mint| mint.key().kid().to_owned()),
                announced: announced.filter_map(|key| thumbprint(key.material())).collect(),
            })
        }
    };
    let injections = super::owned::injections(config).into_iter();
    let removes = |issuer: &crate::config::issuer::Issuer<'_>| {
        issuer.sources.iter().all(|source| source.forward == Forward::Nothing)
    };
    let taken_off = config.issuers.iter().filter(|named| removes(&named.entry));
    Some(Gives {
        gateway_key,
        context,
        injected: injections.map(|injection| (injection.header, injection.source)).collect(),
        taken_off: taken_off.filter_map(|named| named.entry.issuer.map(str::to_owned)).collect(),
    })
}

fn asks(config: &Config<'_>, policy: Option<&Policy>) -> Option<Asks> {
    let entrances = config.entrances.iter().map(|named| {
        let entry = &named.entry;
        let compiled =
            policy.and_then(|policy| policy.entrances.iter().find(|one| one.name() == &*named.name));
        let keys = compiled.and_then(|entrance| entrance.keys());
        Some(AskedEntrance {
            path: named.node.path().to_owned(),
            header: entry.keys.as_ref().and(entry.header.clone()),
            sha256: keys.map(|keys| keys.accepted.iter().map(|key| key.sha256).collect()),
            peers: entry.peers.as_ref().map(|peers| peers.iter().map(|(_, id)| id.clone()).collect()),
            trust: config.trust_of(entry)?,
        })
    });
    let entrances = entrances.collect::<Option<_>>()?;
    let mut context = None;
    let mut tokens = Vec::new();
    for named in &config.issuers {
        let issuer = named.entry.issuer?.to_owned();
        match named.entry.issues {
            Issues::Tokens => tokens.push((named.node.path().to_owned(), issuer)),
            Issues::Contexts => {
                let compiled = policy.and_then(|policy| policy.issuers.each().next());
                let fixed = compiled.filter(|issuer| issuer.remote.is_empty());
                let kids = fixed.and_then(|issuer| {
                    issuer.keys.iter().map(|key| thumbprint(key.material())).collect::<Option<_>>()
                });
                context = Some(AskedContext {
                    path: named.node.path().to_owned(),
                    header: config.context_header()?.0.clone(),
                    issuer,
                    audience: (*named.entry.audiences.as_ref()?.first()?).to_owned(),
                    kids,
                });
            }
        }
    }
    Some(Asks { entrances, context, tokens })
}

impl Asks {
    /// Whether a request is let in for a key.
    #[must_use]
    pub fn asks_for_a_key(&self) -> bool {
        self.entrances.iter().any(|entrance| entrance.header.is_some())
    }
}
