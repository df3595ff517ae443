//! The table of [`crate::keyring`], row by row.

use super::*;
use crate::jose::algorithm::Algorithm;

#[test]
fn a_source_that_a_policy_names_is_due_at_once() {
    let mut ring = Keyring::new(7);
    assert_eq!(ring.due(), None);
    let source = source("issuer");
    ring.watch(&source, at(0));
    assert_eq!(ring.due(), Some(at(0)));
    assert!(matches!(*ring.poll(at(0)), [Action::Fetch(ref fetch)] if fetch.source == source));
}

#[test]
fn one_fetch_is_under_way_at_a_time() {
    let mut ring = Ring::new(at(0));
    ring.fetch(at(0));
    for now in (0..6_000).step_by(100) {
        ring.ring.want(&ring.source, at(now));
        assert_eq!(ring.due(at(now)), [], "{now}");
    }
}

#[test]
fn an_answer_with_keys_replaces_those_before_and_the_next_fetch_is_a_refresh_away() {
    let mut ring = Ring::holding("ab", at(0));
    assert_eq!(ring.kids(at(0)), "ab");
    let due = ring.ring.due().unwrap();
    assert!((525_000..=600_000).contains(&due.since(at(0)).as_millis()), "{due:?}");
    let fetch = ring.fetch(due);
    let settled = ring.ring.answer(fetch, ok(&set("bc")), due).unwrap();
    assert_eq!(settled.outcome, Ok(Arrived { keys: 2, changed: true }));
    assert_eq!(ring.kids(due), "bc");
}

#[test]
fn the_generation_changes_with_the_keys_and_with_nothing_else() {
    let mut ring = Ring::holding("ab", at(0));
    for (answer, changes) in [
        (ok(&set("ab")), false),
        (Answer::Reset, false),
        (ok(b"{}"), false),
        (ok(&set("a")), true),
        (ok(&set("ab")), true),
    ] {
        let before = ring.ring.generation();
        let due = ring.ring.due().unwrap();
        let fetch = ring.fetch(due);
        ring.ring.answer(fetch, answer, due).unwrap();
        assert_eq!(ring.ring.generation() != before, changes);
    }
}

#[test]
fn an_answer_that_brings_no_keys_leaves_those_before() {
    let large = vec![b' '; MAX_BODY + 1];
    let other = set("b");
    let response = |status, body| Answer::Response { status, body };
    for (answer, failure) in [
        (Answer::Reset, Failure::Reset),
        (response(b"302", Some(b"")), Failure::Status(302)),
        (response(b"404", Some(b"{}")), Failure::Status(404)),
        (response(b"500", Some(&other)), Failure::Status(500)),
        (response(b"204", Some(b"")), Failure::Status(204)),
        (response(b"201", Some(&other)), Failure::Status(201)),
        (response(b"", Some(&other)), Failure::Status(0)),
        (response(b"\xff", Some(&other)), Failure::Status(0)),
        (response(b"200", None), Failure::TooLarge),
        (ok(&large), Failure::TooLarge),
        (ok(b""), Failure::NotJson),
        (ok(b"<html>Sign in</html>"), Failure::NotJson),
        (ok(b"{\"keys\": [], \"keys\": []}"), Failure::NotJson),
        (ok(&other[..100]), Failure::NotJson),
        (ok(b"{\"keys\": []}"), Failure::NoUsableKey),
        (ok(b"{\"keys\": [{\"kty\": \"oct\", \"k\": \"AAAA\"}]}"), Failure::NoUsableKey),
    ] {
        let mut ring = Ring::holding("a", at(0));
        let due = ring.ring.due().unwrap();
        let fetch = ring.fetch(due);
        let settled = ring.ring.answer(fetch, answer, due).unwrap();
        assert_eq!((settled.outcome, ring.kids(due).as_str()), (Err(failure), "a"));
    }
    for no_set in [&b"{}"[..], b"[]", b"null", b"7", b"\"keys\"", b"{\"keys\": {}}", b"{\"Keys\": []}"] {
        let mut ring = Ring::new(at(0));
        let fetch = ring.fetch(at(0));
        let settled = ring.ring.answer(fetch, ok(no_set), at(0)).unwrap();
        assert!(matches!(settled.outcome, Err(Failure::NotASet(_))), "{}", no_set.escape_ascii());
    }
}

#[test]
fn a_fetch_that_the_host_dropped_is_made_again_at_once_and_counts_as_no_failure() {
    let mut ring = Ring::new(at(0));
    let dropped = ring.fetch(at(0));
    ring.ring.abandon(dropped, at(10));
    assert_eq!((ring.ring.due(), ring.outlook(at(10))), (Some(at(10)), Outlook::Wait));
    let next = ring.fetch(at(10));
    ring.ring.abandon(dropped, at(20));
    assert_eq!(ring.due(at(20)), [], "it is not the one under way");
    assert!(ring.ring.answer(dropped, ok(&set("b")), at(20)).is_none());
    assert!(ring.ring.answer(next, ok(&set("a")), at(20)).unwrap().outcome.is_ok());
    // With keys, an unknown `kid` is still a reason to ask.
    let again = ring.ring.due().unwrap();
    let dropped = ring.fetch(again);
    ring.ring.abandon(dropped, again);
    assert_eq!(ring.outlook(again), Outlook::Wait);
}

#[test]
fn a_source_is_pending_until_it_was_asked_and_has_answered_or_failed_to() {
    let mut ring = Ring::new(at(0));
    let is_pending = |ring: &Ring| ring.ring.is_pending(&ring.source);
    assert!(is_pending(&ring), "it is due");
    let fetch = ring.fetch(at(0));
    ring.ring.not_sent(fetch, at(0)).unwrap();
    assert!(is_pending(&ring), "nobody was asked");
    let fetch = ring.fetch(at(250));
    assert!(is_pending(&ring));
    ring.ring.answer(fetch, Answer::Reset, at(250)).unwrap();
    assert!(!is_pending(&ring));
    let fetch = ring.fetch(at(1_250));
    ring.ring.answer(fetch, ok(&set("a")), at(1_250)).unwrap();
    assert!(!is_pending(&ring));
    assert!(!ring.ring.is_pending(&source("other")));
}

#[test]
fn a_key_that_gives_away_its_private_part_is_not_believed() {
    let mut exposed: Value = serde_json::from_slice(&set("ab")).unwrap();
    exposed.pointer_mut("/keys/0").unwrap().as_object_mut().unwrap().insert("d".into(), json!("AAAA"));
    let mut ring = Ring::new(at(0));
    let fetch = ring.fetch(at(0));
    ring.ring.answer(fetch, ok(exposed.to_string().as_bytes()), at(0)).unwrap();
    assert_eq!(ring.kids(at(0)), "b");
}

#[test]
fn a_body_of_just_the_most_bytes_is_read() {
    let mut body = set("a");
    body.resize(MAX_BODY, b' ');
    let mut ring = Ring::new(at(0));
    let fetch = ring.fetch(at(0));
    assert!(ring.ring.answer(fetch, ok(&body), at(0)).unwrap().outcome.is_ok());
}

#[test]
fn after_a_failure_without_usable_keys_the_next_fetch_is_at_most_a_second_away() {
    let mut ring = Ring::new(at(0));
    let waits = waits(&ring.live(at(0), at(60_000), |_| Reply::Down));
    assert!(waits.iter().all(|wait| (875..=1_000).contains(wait)), "{waits:?}");
}

#[test]
fn after_failures_with_usable_keys_the_waits_double_up_to_a_minute() {
    let mut ring = Ring::holding("a", at(0));
    let start = ring.ring.due().unwrap();
    let waits = waits(&ring.live(start, start.later_by(Duration::from_secs(400)), |_| Reply::Down));
    for (wait, most) in waits.iter().zip([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
    {
        assert!((most * 7 / 8..=most).contains(wait), "{waits:?}");
    }
    assert!(waits.len() >= 9, "{waits:?}");
}

#[test]
fn a_success_ends_the_backoff() {
    let mut ring = Ring::holding("a", at(0));
    let mut now = ring.ring.due().unwrap();
    for answer in [Answer::Reset, Answer::Reset, Answer::Reset, ok(&set("a"))] {
        let fetch = ring.fetch(now);
        ring.ring.answer(fetch, answer, now).unwrap();
        now = ring.ring.due().unwrap();
    }
    let fetch = ring.fetch(now);
    ring.ring.answer(fetch, Answer::Reset, now).unwrap();
    assert!(ring.ring.due().unwrap().since(now) <= Duration::from_secs(1));
}

#[test]
fn a_fetch_that_was_not_sent_is_tried_again_within_a_quarter_of_a_second() {
    for mut ring in [Ring::new(at(0)), Ring::holding("a", at(0))] {
        let start = ring.ring.due().unwrap();
        let waits = waits(&ring.live(start, start.later_by(Duration::from_secs(5)), |_| Reply::NotSent));
        assert!(waits.iter().all(|wait| (218..=250).contains(wait)), "{waits:?}");
    }
}

#[test]
fn a_fetch_without_answer_is_given_up_a_second_after_its_timeout() {
    let mut ring = Ring::new(at(0));
    let fetch = ring.fetch(at(0));
    assert_eq!(ring.ring.due(), Some(at(6_000)));
    assert!(ring.ring.poll(at(5_999)).is_empty());
    let actions = ring.ring.poll(at(6_000));
    let [Action::Settled(ref settled)] = *actions else { panic!("{actions:?}") };
    assert_eq!(settled.outcome.as_ref().unwrap_err(), &Failure::TimedOut);
    assert!(ring.ring.answer(fetch, ok(&set("a")), at(6_001)).is_none(), "nobody waits for it");
}

#[test]
fn a_late_answer_replaces_nothing() {
    let mut ring = Ring::new(at(0));
    let early = ring.fetch(at(0));
    ring.ring.poll(at(6_000));
    let later = ring.fetch(at(7_000));
    assert!(ring.ring.answer(early, ok(&set("a")), at(7_001)).is_none(), "another fetch is under way");
    ring.ring.answer(later, ok(&set("b")), at(7_002)).unwrap();
    assert!(ring.ring.answer(early, ok(&set("a")), at(7_003)).is_none());
    assert!(ring.ring.answer(later, ok(&set("a")), at(7_004)).is_none(), "it was answered");
    assert!(ring.ring.not_sent(later, at(7_004)).is_none());
    assert_eq!(ring.kids(at(7_005)), "b");
}

#[test]
fn a_token_waits_for_the_first_keys_where_they_may_come_in_time() {
    let mut ring = Ring::new(at(0));
    assert_eq!(ring.outlook(at(0)), Outlook::Wait, "it is due");
    let fetch = ring.fetch(at(0));
    assert_eq!(ring.outlook(at(4_000)), Outlook::Wait, "it is under way");
    ring.ring.answer(fetch, Answer::Reset, at(4_000)).unwrap();
    assert_eq!(ring.outlook(at(4_000)), Outlook::Wait, "it is due within the pause");
    let short = Duration::from_millis(500);
    assert_eq!(ring.ring.outlook(&ring.source, at(4_000), short), Outlook::Unavailable);
}

#[test]
fn a_source_that_nobody_names_has_nothing_to_wait_for() {
    assert_eq!(Keyring::new(7).outlook(&source("issuer"), at(0), PAUSE), Outlook::Unavailable);
}

#[test]
fn an_unknown_kid_is_unknown_while_the_keys_are_new() {
    let mut ring = Ring::holding("a", at(0));
    for now in [0, 29_999] {
        assert_eq!(ring.outlook(at(now)), Outlook::Unknown);
        ring.ring.want(&ring.source, at(now));
        assert_eq!(ring.due(at(now)), []);
    }
}

#[test]
fn an_unknown_kid_has_older_keys_fetched_at_once_and_only_once() {
    let mut ring = Ring::holding("a", at(0));
    assert_eq!(ring.outlook(at(30_000)), Outlook::Wait);
    assert_eq!(ring.due(at(30_000)), [], "not before a request wants it");
    ring.ring.want(&ring.source, at(30_000));
    let fetch = ring.fetch(at(30_000));
    assert_eq!(ring.outlook(at(30_100)), Outlook::Wait, "it joins the one under way");
    ring.ring.want(&ring.source, at(30_100));
    assert_eq!(ring.due(at(30_100)), []);
    ring.ring.answer(fetch, ok(&set("a")), at(30_200)).unwrap();
    assert_eq!(ring.outlook(at(30_200)), Outlook::Unknown);
}

#[test]
fn after_a_failure_an_unknown_kid_is_no_reason_to_ask_sooner() {
    let mut ring = Ring::holding("a", at(0));
    ring.ring.want(&ring.source, at(30_000));
    let mut now = at(30_000);
    for _ in 0..3 {
        let fetch = ring.fetch(now);
        ring.ring.answer(fetch, Answer::Reset, now).unwrap();
        let due = ring.ring.due().unwrap();
        ring.ring.want(&ring.source, now);
        assert_eq!(ring.ring.due(), Some(due));
        now = due;
    }
    assert_eq!(ring.outlook(now.earlier_by(Duration::from_millis(1_001))), Outlook::Unavailable);
    assert_eq!(ring.outlook(now.earlier_by(Duration::from_millis(999))), Outlook::Wait);
}

#[test]
fn keys_serve_until_they_are_stale() {
    let mut ring = Ring::holding("a", at(0));
    let day = 86_400_000;
    assert_eq!(ring.ring.keys(&ring.source, at(0)).unwrap().1, at(day));
    ring.live(at(1), at(day - 1), |_| Reply::Down);
    assert_eq!((ring.kids(at(day - 1)).as_str(), ring.kids(at(day)).as_str()), ("a", ""));
    let waits = waits(&ring.live(at(day + 60_000), at(day + 130_000), |_| Reply::Down));
    assert!(waits.len() > 60 && waits.iter().all(|wait| *wait <= 1_000), "{waits:?}");
}

#[test]
fn an_issuer_that_is_back_when_the_keys_end_is_asked_within_a_second() {
    let mut ring = Ring::holding("a", at(0));
    let day = 86_400_000;
    let fetches =
        ring.live(at(1), at(day + 5_000), |now| if now < at(day) { Reply::Down } else { Reply::Keys("b") });
    let healed = fetches.iter().find(|time| **time >= at(day)).unwrap();
    assert!(*healed <= at(day + 1_000), "{healed:?}");
}

#[test]
fn fetches_that_were_not_sent_do_not_slow_down_those_that_are() {
    let mut ring = Ring::holding("a", at(0));
    let start = ring.ring.due().unwrap();
    ring.live(start, start.later_by(Duration::from_secs(10)), |_| Reply::NotSent);
    let start = ring.ring.due().unwrap();
    let waits = waits(&ring.live(start, start.later_by(Duration::from_secs(10)), |_| Reply::Down));
    assert!(waits[0] <= 1_000, "{waits:?}");
}

#[test]
fn a_clock_that_was_set_back_forgets_what_the_keys_proved() {
    let mut ring = Ring::holding("a", at(86_400_000));
    let generation = ring.ring.generation();
    ring.ring.poll(at(86_400_001));
    assert_eq!(ring.ring.generation(), generation);
    ring.ring.poll(at(0));
    assert_ne!(ring.ring.generation(), generation, "they end sooner than was said");
}

#[test]
fn a_clock_that_was_set_back_delays_nothing() {
    let day = 86_400_000;
    let mut ring = Ring::holding("a", at(day));
    ring.ring.poll(at(0));
    assert!(ring.ring.due().unwrap() <= at(600_000));
    assert_eq!((ring.kids(at(day - 1)).as_str(), ring.kids(at(day)).as_str()), ("a", ""));
    let mut ring = Ring::new(at(day));
    ring.fetch(at(day));
    ring.ring.poll(at(0));
    assert!(ring.ring.due().unwrap() <= at(6_000), "nobody waits a day for an answer");
    let mut ring = Ring::new(at(day));
    ring.source = source("issuer");
    ring.ring.poll(at(0));
    assert_eq!(ring.ring.due(), Some(at(60_000)), "and nobody keeps a day what no policy names");
}

#[test]
fn keys_outlive_a_change_of_the_policy_around_an_equal_source() {
    let mut ring = Ring::holding("a", at(0));
    let generation = ring.ring.generation();
    let equal = source("issuer");
    ring.ring.watch(&equal, at(1_000));
    drop(std::mem::replace(&mut ring.source, equal));
    assert_eq!(ring.due(at(2_000)), []);
    assert_eq!((ring.kids(at(2_000)).as_str(), ring.ring.generation()), ("a", generation));
}

#[test]
fn a_source_that_differs_in_anything_is_another() {
    let changes: [fn(&mut RemoteSource); 6] = [
        |source| source.url = Url::parse("https://issuer.example/other").unwrap(),
        |source| source.cluster = "other".into(),
        |source| source.refresh = Duration::from_secs(1),
        |source| source.timeout = Duration::from_secs(1),
        |source| source.max_stale = Duration::from_secs(1_000),
        |source| source.algorithms = Some(vec![Algorithm::Es256]),
    ];
    for change in changes {
        let mut ring = Ring::holding("a", at(0));
        let mut other = RemoteSource::clone(&ring.source);
        change(&mut other);
        let other = Arc::new(other);
        ring.ring.watch(&other, at(1));
        assert!(ring.ring.keys(&other, at(1)).is_none());
    }
}

#[test]
fn keys_that_no_policy_names_are_kept_for_a_minute_and_not_refreshed() {
    let mut ring = Ring::holding("a", at(0));
    ring.ring.poll(at(520_000));
    ring.source = source("issuer");
    assert_eq!(ring.due(at(560_000)), []);
    let due = ring.ring.due().unwrap();
    assert_eq!((due, ring.kids(due).as_str()), (at(580_000), "a"));
    let generation = ring.ring.generation();
    assert_eq!(ring.due(due), [], "nobody wants it refreshed");
    assert_eq!((ring.kids(due).as_str(), ring.ring.due()), ("", None));
    assert_ne!(ring.ring.generation(), generation, "what was proved by them is forgotten");
}

#[test]
fn one_source_that_fails_disables_no_other() {
    let mut ring = Ring::new(at(0));
    let good = source("good");
    ring.ring.watch(&good, at(0));
    for action in ring.ring.poll(at(0)) {
        let Action::Fetch(fetch) = action else { panic!("{action:?}") };
        let body = set("a");
        let answer = if fetch.source == good { ok(&body) } else { Answer::Reset };
        ring.ring.answer(fetch.id, answer, at(1)).unwrap();
    }
    assert!(ring.ring.keys(&good, at(1)).is_some() && ring.ring.keys(&ring.source, at(1)).is_none());
}

#[test]
fn an_operator_is_told_of_what_is_new_and_not_of_what_goes_on() {
    let mut ring = Ring::new(at(0));
    for (answer, is_news) in [
        (Answer::Reset, true),
        (Answer::Reset, false),
        (ok(b"{}"), true),
        (ok(b"{}"), false),
        (ok(&set("a")), true),
        (ok(&set("a")), false),
        (ok(&set("b")), true),
        (Answer::Reset, true),
        (ok(&set("b")), true),
    ] {
        let due = ring.ring.due().unwrap();
        let fetch = ring.fetch(due);
        assert_eq!(ring.ring.answer(fetch, answer, due).unwrap().is_news, is_news);
    }
}

#[test]
fn proxies_of_different_seeds_do_not_ask_at_the_same_time() {
    let due = |seed| {
        let (mut ring, source) = (Keyring::new(seed), source("issuer"));
        ring.watch(&source, at(0));
        let mut ring = Ring { ring, source };
        let fetch = ring.fetch(at(0));
        ring.ring.answer(fetch, ok(&set("a")), at(0)).unwrap();
        ring.ring.due().unwrap()
    };
    let times: std::collections::BTreeSet<UnixTime> =
        (1..=100u64).map(|seed| due(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    assert!(times.len() > 50, "{}", times.len());
}

/// Between each time and the next, in milliseconds.
fn waits(times: &[UnixTime]) -> Vec<u128> {
    times.windows(2).map(|pair| pair[1].since(pair[0]).as_millis()).collect()
}
