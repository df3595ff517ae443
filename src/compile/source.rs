//! The places where the issuers' tokens may stand: each once, and each read in one way.

use crate::config::Config;
use crate::config::source::Source;
use crate::credential::places::Places;
use crate::credential::source::Place;

/// The most places at a door: each is looked at on every request.
const MAX: usize = 16;

/// Every place that some issuer reads.
pub(super) fn places(config: &Config<'_>) -> Places {
    let mut places = Places::default();
    for source in sources(config) {
        places.add(&source.place, source.forward);
    }
    places
}

/// Places that are there twice, that contradict each other, or are too many.
#[inline(never)]
pub(super) fn check(config: &Config<'_>) {
    for named in &config.issuers {
        for (position, source) in named.entry.sources.iter().enumerate() {
            if named.entry.sources.iter().take(position).any(|other| other.place == source.place) {
                source.node.error("is there twice: remove one");
            }
        }
    }
    let all: Vec<&Source<'_>> = sources(config).collect();
    for (position, source) in all.iter().enumerate() {
        let earlier = all.iter().take(position);
        let contradicts = |other: &&&Source<'_>| match (&source.place, &other.place) {
            (Place::Bearer(bearer), Place::Header(whole)) | (Place::Header(whole), Place::Bearer(bearer)) => {
                bearer.header == whole.header
            }
            (Place::Bearer(_) | Place::Header(_) | Place::Cookie(_) | Place::Query(_), _) => false,
        };
        if earlier.clone().find(contradicts).is_some() {
            source.node.error(
                "is a header that is read with a scheme and without one: give all of its sources a scheme, or none",
            );
        }
    }
    let count = places(config).count();
    if count > MAX {
        config.node.below("issuers").error(format!(
            "read {count} different places, and at most {MAX} are accepted: let them share `sources`"
        ));
    }
}

pub(super) fn sources<'c, 'v>(config: &'c Config<'v>) -> impl Iterator<Item = &'c Source<'v>> {
    config.issuers.iter().flat_map(|named| &named.entry.sources)
}
