//! Days in the life of an issuer.

use super::*;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

#[test]
fn an_issuer_that_is_down_at_the_start_serves_within_a_second_of_coming_back() {
    let mut ring = Ring::new(at(0));
    let back = at(20 * MINUTE);
    let fetches =
        ring.live(at(0), at(21 * MINUTE), |now| if now < back { Reply::Down } else { Reply::Keys("a") });
    let healed = fetches.iter().find(|time| **time >= back).unwrap();
    assert!(healed.since(back) <= Duration::from_secs(1), "{healed:?}");
    assert_eq!(ring.kids(at(21 * MINUTE)), "a");
}

#[test]
fn a_quiet_day_has_one_fetch_each_refresh() {
    let mut ring = Ring::new(at(0));
    let fetches = ring.live(at(0), at(DAY), |_| Reply::Keys("a"));
    assert!((144..=166).contains(&fetches.len()), "{}", fetches.len());
    assert_eq!(ring.ring.generation(), 1);
}

#[test]
fn an_issuer_that_flaps_all_day_never_takes_the_keys_away() {
    let mut ring = Ring::holding("a", at(0));
    let mut count = 0;
    ring.live(at(1), at(DAY), |_| {
        count += 1;
        if count % 3 == 0 { Reply::Keys("a") } else { Reply::Down }
    });
    assert!(count > 144, "{count}");
    assert_eq!((ring.kids(at(DAY)).as_str(), ring.ring.generation()), ("a", 1));
}

#[test]
fn an_issuer_that_never_answers_costs_a_fetch_each_timeout_and_no_more() {
    let mut ring = Ring::new(at(0));
    let fetches = ring.live(at(0), at(HOUR), |_| Reply::Silent);
    assert!((514..=601).contains(&fetches.len()), "one in 6 to 7 seconds: {}", fetches.len());
    assert_eq!(ring.kids(at(HOUR)), "");
}

#[test]
fn a_rotation_with_overlap_denies_nobody() {
    let mut ring = Ring::new(at(0));
    // The new key is published an hour before it signs, and the old one is withdrawn an hour after.
    let published = |now: UnixTime| match now.since(at(0)).as_secs() / 3_600 {
        0..6 => "a",
        6..8 => "ab",
        _ => "b",
    };
    let mut now = at(0);
    while now < at(12 * HOUR) {
        let next = now.later_by(Duration::from_secs(60));
        ring.live(now, next, |now| Reply::Keys(published(now)));
        now = next;
        let signer = if now < at(7 * HOUR) { "a" } else { "b" };
        assert!(ring.kids(now).contains(signer), "{now:?}");
    }
    assert_eq!((ring.kids(now).as_str(), ring.ring.generation()), ("b", 3));
}

#[test]
fn a_rotation_without_overlap_is_noticed_by_the_first_token_of_the_new_key() {
    let mut ring = Ring::holding("a", at(0));
    let rotated = at(5 * MINUTE);
    assert_eq!(ring.outlook(rotated), Outlook::Wait);
    ring.ring.want(&ring.source, rotated);
    let fetch = ring.fetch(rotated);
    ring.ring.answer(fetch, ok(&set("b")), rotated.later_by(Duration::from_millis(50))).unwrap();
    assert_eq!(ring.kids(rotated), "b", "and no token of the old one passes any more");
}

#[test]
fn a_flood_of_unknown_kids_during_a_rotation_costs_a_fetch_in_thirty_seconds() {
    let mut ring = Ring::holding("a", at(0));
    let mut fetches = Vec::new();
    // Every ten milliseconds for an hour somebody comes with a kid that is nobody's, while the issuer goes
    // from one key to the next.
    for tick in 0..HOUR / 10 {
        let now = at(tick * 10);
        if ring.outlook(now) == Outlook::Wait {
            ring.ring.want(&ring.source, now);
        }
        for fetch in ring.due(now) {
            fetches.push(now);
            let kids = if now < at(30 * MINUTE) { "a" } else { "b" };
            ring.ring.answer(fetch, ok(&set(kids)), now).unwrap();
        }
    }
    assert!((100..=120).contains(&fetches.len()), "{}", fetches.len());
    assert!(fetches.windows(2).all(|pair| pair[1].since(pair[0]) >= Duration::from_secs(30)));
    assert_eq!(ring.kids(at(HOUR)), "b");
}

#[test]
fn a_flood_of_unknown_kids_while_the_issuer_is_down_costs_what_the_backoff_costs() {
    let mut ring = Ring::holding("a", at(0));
    let mut fetches = 0;
    for tick in 0..HOUR / 10 {
        let now = at(tick * 10);
        if ring.outlook(now) == Outlook::Wait {
            ring.ring.want(&ring.source, now);
        }
        for fetch in ring.due(now) {
            fetches += 1;
            ring.ring.answer(fetch, Answer::Reset, now).unwrap();
        }
    }
    assert!((60..=76).contains(&fetches), "{fetches}");
    assert_eq!(ring.kids(at(HOUR)), "a", "tokens of known keys pass all the while");
}

#[test]
fn an_outage_of_two_days_ends_the_keys_after_one_and_heals_within_a_second() {
    let mut ring = Ring::holding("a", at(0));
    ring.live(at(1), at(DAY - MINUTE), |_| Reply::Down);
    assert_eq!(ring.kids(at(DAY - MINUTE)), "a");
    ring.live(at(DAY - MINUTE), at(2 * DAY), |_| Reply::Down);
    assert_eq!(ring.kids(at(2 * DAY)), "");
    ring.live(at(2 * DAY), at(2 * DAY + 1_000), |_| Reply::Keys("b"));
    assert_eq!(ring.kids(at(2 * DAY + 1_000)), "b");
}
