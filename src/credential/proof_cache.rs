//! Tokens that were proved, so that one that comes again costs a lookup and no signature.
//!
//! It never says yes where a fresh check would say no. A policy has a cache of its own, so none outlives the
//! rules that it was filled by. An entry is found by the place and the whole token, byte by byte, holds for
//! as long as its token and its keys do, and goes with all others as soon as any remote key changes. Denials
//! are not kept, so nobody fills it without a key.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::mem;
use std::sync::Arc;

use crate::denial::Code;
use crate::jose::claims::Validity;
use crate::mutation::Assignment;
use crate::octets;
use crate::principal::Principal;
use crate::time::UnixTime;

/// What a token proved.
#[derive(Debug)]
pub struct Proof {
    /// Whom.
    pub(crate) principal: Arc<Principal>,
    /// What services are told of it, or why it cannot be told.
    pub(crate) injected: Result<Arc<[Assignment]>, Code>,
    /// The position of the issuer that vouched among those of the policy.
    pub(crate) issuer: usize,
    /// When a fresh check would say the same.
    pub(crate) validity: Validity,
}

/// Proofs, least recently used ones forgotten first.
///
/// There are two generations. What is kept or found again goes into the young one; when that has grown to
/// half of what may be held, it becomes the old one, and what the old one still held is forgotten.
pub struct ProofCache {
    /// The most that is held, in bytes; zero holds nothing.
    capacity: usize,
    /// Whose random keys no client knows.
    hasher: RandomState,
    halves: RefCell<Halves>,
    lookups: Cell<Lookups>,
}

/// How often tokens were looked up, and what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    /// What a token had proved was here.
    pub hits: u64,
    /// It was not, and was proved anew.
    pub misses: u64,
}

#[derive(Default)]
struct Halves {
    young: Half,
    old: Half,
    /// The [generation](crate::keyring::Keyring::generation) of the keys that everything here was proved by.
    keys: u64,
}

#[derive(Default)]
struct Half {
    /// By the hash of its [`Presented`]; of two with one hash the later one is held.
    entries: HashMap<u64, Entry>,
    /// What it holds, about, in bytes.
    bytes: usize,
}

struct Entry {
    place: usize,
    token: Box<[u8]>,
    proof: Arc<Proof>,
}

/// A token at its place, and their hash.
#[derive(Clone, Copy)]
struct Presented<'t> {
    place: usize,
    token: &'t [u8],
    hash: u64,
}

/// So much of a token's end is hashed, in bytes. It is of the signature, which differs where tokens do, and which
/// nobody chooses; what is found by it is compared whole.
const HASHED: usize = 64;

/// What a map and an entry cost besides what they hold, in bytes, about.
const OVERHEAD: usize = 512;

/// Neither tokens nor whom they prove.
impl fmt::Debug for ProofCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofCache").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

/// An empty one: a copy of a policy is another policy.
impl Clone for ProofCache {
    fn clone(&self) -> Self {
        Self::new(self.capacity)
    }
}

impl ProofCache {
    /// A cache of at most `capacity` bytes, about.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity, hasher: RandomState::new(), halves: RefCell::default(), lookups: Cell::default() }
    }

    /// What this token, found at this place, proved by keys of this generation, if it still does.
    #[must_use]
    pub fn recall(&self, place: usize, token: &[u8], keys: u64, now: UnixTime) -> Option<Arc<Proof>> {
        let found = self.look_up(place, token, keys, now);
        let Lookups { hits, misses } = self.lookups.get();
        self.lookups.set(match &found {
            Some(_) => Lookups { hits: hits.saturating_add(1), misses },
            None => Lookups { hits, misses: misses.saturating_add(1) },
        });
        found
    }

    /// How often tokens were looked up since this was asked last.
    #[must_use]
    pub fn take_lookups(&self) -> Lookups {
        self.lookups.take()
    }

    fn look_up(&self, place: usize, token: &[u8], keys: u64, now: UnixTime) -> Option<Arc<Proof>> {
        if self.capacity == 0 {
            return None;
        }
        // Nothing here runs while another borrow lives; if it did, the token would be checked afresh.
        let mut halves = self.halves.try_borrow_mut().ok()?;
        if halves.keys != keys {
            *halves = Halves { keys, ..Halves::default() };
            return None;
        }
        let presented = self.presented(place, token);
        if let Some(entry) = halves.young.of(presented) {
            return entry.proof.validity.holds(now).then(|| Arc::clone(&entry.proof));
        }
        let entry = halves.old.take(presented)?;
        // What has run out is not worth its place.
        let entry = Some(entry).filter(|entry| entry.proof.validity.holds(now))?;
        let proof = Arc::clone(&entry.proof);
        halves.put(self.capacity, presented.hash, entry);
        Some(proof)
    }

    /// Forgets everything.
    pub fn clear(&self) {
        if let Ok(mut halves) = self.halves.try_borrow_mut() {
            *halves = Halves::default();
        }
    }

    /// Keeps what a token proved by keys of this generation.
    pub fn keep(&self, place: usize, token: &[u8], keys: u64, proof: &Arc<Proof>) {
        if self.capacity == 0 {
            return;
        }
        let Ok(mut halves) = self.halves.try_borrow_mut() else { return };
        if halves.keys != keys {
            *halves = Halves { keys, ..Halves::default() };
        }
        let entry = Entry { place, token: token.into(), proof: Arc::clone(proof) };
        halves.put(self.capacity, self.presented(place, token).hash, entry);
    }

    fn presented<'t>(&self, place: usize, token: &'t [u8]) -> Presented<'t> {
        let end = token.get(token.len().saturating_sub(HASHED)..).unwrap_or_default();
        Presented { place, token, hash: self.hasher.hash_one((place, token.len(), end)) }
    }
}

impl Halves {
    fn put(&mut self, capacity: usize, hash: u64, entry: Entry) {
        let weight = entry.weight();
        if weight > capacity / 2 {
            return;
        }
        if self.young.bytes.saturating_add(weight) > capacity / 2 {
            self.old = mem::take(&mut self.young);
        }
        let before = self.young.entries.insert(hash, entry).map_or(0, |before| before.weight());
        self.young.bytes = self.young.bytes.saturating_add(weight).saturating_sub(before);
    }
}

impl Half {
    fn of(&self, presented: Presented<'_>) -> Option<&Entry> {
        self.entries.get(&presented.hash).filter(|entry| entry.is_of(presented))
    }

    fn take(&mut self, presented: Presented<'_>) -> Option<Entry> {
        self.of(presented)?;
        self.entries.remove(&presented.hash)
    }
}

impl Entry {
    fn is_of(&self, Presented { place, token, .. }: Presented<'_>) -> bool {
        self.place == place && octets::same(&self.token, token)
    }

    fn weight(&self) -> usize {
        self.token.len().saturating_add(self.proof.weight())
    }
}

impl Proof {
    /// What it holds, about, in bytes.
    fn weight(&self) -> usize {
        let Principal { issuer: _, subject, tenant, permissions, scopes, roles } = &*self.principal;
        let grants =
            permissions.as_slice().iter().chain(scopes).chain(roles).map(|grant| grant.as_str().len() + 32);
        // Their names are the policy's.
        let injected = self.injected.iter().flat_map(|injected| injected.iter());
        let injected = injected.map(|set| size_of::<Assignment>() + set.value.len() + 32);
        let tenant = tenant.as_ref().map_or(0, |tenant| tenant.as_str().len());
        OVERHEAD
            + subject.as_str().len()
            + tenant
            + grants.sum::<usize>()
            + permissions.index_bytes()
            + injected.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;
    use crate::principal::{Permissions, Subject};

    fn proof(until: u64) -> Arc<Proof> {
        let principal = Principal {
            issuer: None,
            subject: Subject::parse(b"alice").unwrap(),
            tenant: None,
            permissions: Permissions::indexed(Vec::new()),
            scopes: Vec::new(),
            roles: Vec::new(),
        };
        let validity = Validity { from: at(10), until: Some(at(until)), expires: None };
        Arc::new(Proof { principal: principal.into(), injected: Ok(Arc::default()), issuer: 0, validity })
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(seconds)
    }

    fn remembers(cache: &ProofCache, token: &[u8]) -> bool {
        cache.recall(0, token, 0, at(50)).is_some()
    }

    #[test]
    fn a_proof_is_found_by_its_place_and_its_whole_token() {
        let cache = ProofCache::new(1 << 20);
        cache.keep(1, b"token", 0, &proof(100));
        assert!(cache.recall(1, b"token", 0, at(50)).is_some());
        assert!(cache.recall(0, b"token", 0, at(50)).is_none());
        assert!(cache.recall(2, b"token", 0, at(50)).is_none());
        for other in [&b"Token"[..], b"toke", b"token ", b""] {
            assert!(cache.recall(1, other, 0, at(50)).is_none());
        }
    }

    #[test]
    fn tokens_with_one_end_are_told_apart() {
        let cache = ProofCache::new(1 << 20);
        let token = |first: &str| [first, &"x".repeat(2 * HASHED)].concat().into_bytes();
        cache.keep(0, &token("a"), 0, &proof(100));
        assert!(remembers(&cache, &token("a")) && !remembers(&cache, &token("b")));
        // They have one place, and one that is kept again has it once.
        cache.keep(0, &token("b"), 0, &proof(100));
        cache.keep(0, &token("b"), 0, &proof(100));
        assert!(remembers(&cache, &token("b")) && !remembers(&cache, &token("a")));
        assert_eq!(cache.halves.borrow().young.bytes, token("b").len() + proof(100).weight());
    }

    #[test]
    fn a_proof_holds_for_as_long_as_its_token_does() {
        let cache = ProofCache::new(1 << 20);
        cache.keep(0, b"token", 0, &proof(100));
        for (now, holds) in [(9, false), (10, true), (99, true), (100, false), (50, true)] {
            assert_eq!(cache.recall(0, b"token", 0, at(now)).is_some(), holds, "{now}");
        }
    }

    #[test]
    fn other_keys_forget_every_proof_and_do_not_bring_it_back() {
        let cache = ProofCache::new(1 << 20);
        cache.keep(0, b"token", 0, &proof(100));
        assert!(cache.recall(0, b"token", 1, at(50)).is_none());
        assert!(cache.recall(0, b"token", 0, at(50)).is_none());
        cache.keep(0, b"old", 0, &proof(100));
        cache.keep(0, b"new", 1, &proof(100));
        assert!(cache.recall(0, b"old", 1, at(50)).is_none() && cache.recall(0, b"new", 1, at(50)).is_some());
    }

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let weight = 5 + proof(100).weight();
        let cache = ProofCache::new(8 * weight);
        for number in 0..100 {
            cache.keep(0, format!("t{number:04}").as_bytes(), 0, &proof(100));
            assert!(number == 0 || remembers(&cache, b"t0000"), "{number}");
        }
        assert!(!remembers(&cache, b"t0050") && remembers(&cache, b"t0099"));
    }

    #[test]
    fn it_never_holds_more_than_it_may() {
        let weight = 5 + proof(100).weight();
        let cache = ProofCache::new(8 * weight);
        for number in 0..100 {
            cache.keep(0, format!("t{number:04}").as_bytes(), 0, &proof(100));
            let held = |half: &Half| half.entries.len();
            let halves = cache.halves.borrow();
            assert!(held(&halves.young) + held(&halves.old) <= 8, "{number}");
            assert_eq!(halves.young.bytes, held(&halves.young) * weight);
        }
    }

    #[test]
    fn what_is_too_large_for_half_of_it_is_not_kept_and_displaces_nothing() {
        let cache = ProofCache::new(8 * (5 + proof(100).weight()));
        cache.keep(0, b"small", 0, &proof(100));
        cache.keep(0, &[b'x'; 10_000], 0, &proof(100));
        assert!(remembers(&cache, b"small") && !remembers(&cache, &[b'x'; 10_000]));
    }

    #[test]
    fn a_cache_of_no_size_keeps_nothing() {
        let cache = ProofCache::new(0);
        cache.keep(0, b"token", 0, &proof(100));
        assert!(!remembers(&cache, b"token"));
    }
}
