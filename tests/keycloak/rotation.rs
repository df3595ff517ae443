//! Keycloak changes its keys under load: whoever has a good token gets in, at a door that asks for the keys
//! often and at one that asks for them seldom, and a key that is gone opens nothing once the door has asked.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::door::{Door, request};
use super::key_provider::{KeyProvider, ec, kid, rsa};
use super::server::{Keycloak, Tokens, keycloak};
use crate::support::http::Response;

/// How often the first door asks for keys; the other keeps to the documented ten minutes.
const REFRESH: Duration = Duration::from_secs(1);

/// How long keys count as new, so that an unknown one is no reason to ask again (`docs/configuration.md`).
const NEW: Duration = Duration::from_secs(30);

/// What fetches and a loaded machine may take.
const SLACK: Duration = Duration::from_secs(5);

/// How long what must happen may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many requests of each kind are proof of anything.
const ENOUGH: usize = 20;

/// What became of a request.
struct Outcome {
    door: &'static str,
    kid: String,
    sent: Instant,
    answered: Instant,
    response: Response,
}

fn eager(keycloak: &Keycloak) -> Door {
    Door::configured(keycloak, |issuer| issuer["keys"][0]["remote"]["refresh"] = json!("1s"))
}

/// Sends a token.
fn send(door: &Door, tokens: &Tokens) -> Response {
    request().bearer(tokens.access()).send(door.port())
}

#[track_caller]
fn assert_permitted(door: &Door, tokens: &Tokens) {
    door.permitted(&request(), tokens.access());
}

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Instant {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
    Instant::now()
}

/// Gets tokens and sends them, and the first of all again and again, until it is told to stop.
fn load(
    keycloak: &Keycloak,
    doors: [(&'static str, &Door); 2],
    first: &Tokens,
    stop: &AtomicBool,
    count: &AtomicUsize,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let fresh = keycloak.by_client_credentials("billing-job", "");
        for (name, door) in doors {
            for tokens in [&fresh, first] {
                let sent = Instant::now();
                let response = send(door, tokens);
                let answered = Instant::now();
                outcomes.push(Outcome { door: name, kid: kid(tokens), sent, answered, response });
            }
        }
        count.fetch_add(1, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(20));
    }
    outcomes
}

#[test]
fn a_rotation_under_load_denies_no_good_token_and_a_removed_key_opens_nothing_after_the_next_refresh() {
    let keycloak = &*keycloak();
    let (often, seldom) = (eager(keycloak), Door::start(keycloak));
    let doors = [("often", &often), ("seldom", &seldom)];
    let first = keycloak.by_client_credentials("billing-job", "");
    let mut old = KeyProvider::that_signed(keycloak, &first);
    until("both doors have keys", || doors.iter().all(|(_, door)| send(door, &first).status == 200));
    let served = Instant::now();
    let fetches_before = seldom.fetches();
    let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(0));

    let (outcomes, new, removed, gone) = thread::scope(|scope| {
        let clients = [(); 2].map(|()| scope.spawn(|| load(keycloak, doors, &first, &stop, &count)));
        // Whatever fails here ends the load too.
        let stop = StopOnDrop(&stop);
        let phase = |what: &str| {
            // Some of the first were under way already, and belong to the phase before.
            let end = count.load(Ordering::Relaxed) + 2 * ENOUGH;
            until(what, || count.load(Ordering::Relaxed) >= end);
        };
        phase("the load begins");
        let mut new = KeyProvider::add(keycloak, "next", &rsa(), 50);
        let fetched = often.fetches();
        // Twice in each of its VMs, of which one may have been fetching already.
        until("one door has the new key", || often.fetches() >= fetched + 6);
        // The other then has it fetched by the first token that it has signed.
        thread::sleep((served + NEW + SLACK).saturating_duration_since(Instant::now()));
        phase("the load goes on before");
        new.set("priority", "300");
        until("Keycloak signs with the new key", || {
            kid(&keycloak.by_client_credentials("billing-job", "")) == new.kid
        });
        phase("the load goes on with both keys");
        let removed = Instant::now();
        old.set("enabled", "false");
        assert!(!keycloak.published_kids().contains(&old.kid));
        let gone = until("the old key opens nothing", || send(&often, &first).status != 200);
        phase("the load goes on after");
        drop(stop);
        let outcomes = clients.into_iter().flat_map(|client| client.join().expect("the load goes on"));
        (outcomes.collect::<Vec<_>>(), new, removed, gone)
    });
    println!("{} requests; the old key opened nothing after {:?}", outcomes.len(), gone - removed);
    assert!(gone - removed < REFRESH + SLACK, "a removed key opened the door for {:?}", gone - removed);

    let counted = |name: &str, kid: &str, when: &dyn Fn(&Outcome) -> bool, expected: Option<&str>| {
        let chosen = outcomes.iter().filter(|it| it.door == name && it.kid == kid && when(it));
        let mut count = 0;
        for outcome in chosen {
            let answer = outcome.response.code();
            assert_eq!(answer.as_deref(), expected, "{name} {kid}: {:?}", outcome.response);
            assert_eq!(outcome.response.status, if expected.is_some() { 401 } else { 200 });
            count += 1;
        }
        assert!(count >= ENOUGH, "{name} {kid}: {count} requests, which shows little");
    };
    counted("often", &new.kid, &|_| true, None);
    counted("often", &old.kid, &|it| it.answered < removed, None);
    counted("often", &old.kid, &|it| it.sent > gone, Some("key_unknown"));
    // It has asked for keys once, when it met the new one: for ten minutes it believes both.
    counted("seldom", &new.kid, &|_| true, None);
    counted("seldom", &old.kid, &|_| true, None);
    assert_eq!(seldom.fetches(), fetches_before + 1);
    assert_eq!(kid(&first), old.kid);
}

/// What a rotation in one step costs.
#[test]
fn a_key_that_signs_as_soon_as_it_is_published_is_unknown_for_as_long_as_the_door_s_keys_are_new() {
    let keycloak = &*keycloak();
    let door = Door::start(keycloak);
    let user = || keycloak.by_password("shop-app", "alice", "");
    let before = user();
    until("the door has keys", || send(&door, &before).status == 200);
    let new = KeyProvider::add(keycloak, "hasty", &ec(), 300);
    let tokens = user();
    assert_eq!(kid(&tokens), new.kid);
    door.denied(&request(), tokens.access(), 401, "key_unknown");
    assert_permitted(&door, &before);
    let denied = Instant::now();
    until("the door has the new key", || send(&door, &tokens).status == 200);
    println!("known {:?} after it was denied", denied.elapsed());
    assert!(denied.elapsed() < NEW + SLACK);
    assert_permitted(&door, &before);
    // Whoever signs in from now on gets tokens of the key before.
    new.remove();
    let restored = user();
    assert_eq!(kid(&restored), kid(&before));
    assert_permitted(&door, &restored);
}

/// Ends a load, however the test ends.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
