//! What a request had to be found among, so that no kind of meeting is missing from the tables.

use std::collections::BTreeMap;

use crate::nearest::{ByHost, ByMethod, Step, Target};
use crate::{Borrowed, Way};

/// How often each kind occurred.
#[derive(Debug, Default)]
pub(crate) struct Kinds(BTreeMap<&'static str, usize>);

const ALL: [&str; 13] = [
    "no route matches",
    "one route matches",
    "four routes or more match",
    "a nearer host beats a nearer path",
    "a nearer path beats a named method",
    "a named method beats any",
    "an exact host is there, and the nearest match is farther",
    "a suffix that is almost one",
    "the longer of two suffixes",
    "a literal leads nowhere and the search comes back",
    "rest of no segments",
    "rest of several segments",
    "HEAD by GET",
];

/// Of each.
const AT_LEAST: usize = 5_000;

impl Kinds {
    pub(crate) fn add(&mut self, other: Self) {
        other.0.into_iter().for_each(|(kind, count)| *self.0.entry(kind).or_default() += count);
    }

    pub(crate) fn assert_all_occurred(&self) {
        for kind in ALL {
            let count = self.0.get(kind).copied().unwrap_or_default();
            assert!(count >= AT_LEAST, "{kind}: {count} times only");
        }
    }

    /// Counts a request, by everything that matches it.
    pub(crate) fn count(
        &mut self,
        target: Target<'_>,
        ways: &[Way],
        nearest: Option<&Way>,
        matching: &[(Borrowed<'_>, &Way)],
    ) {
        let mut is = |kind: &'static str, occurred: bool| {
            debug_assert!(ALL.contains(&kind));
            if occurred {
                *self.0.entry(kind).or_default() += 1;
            }
        };
        is("no route matches", matching.is_empty());
        is("one route matches", matching.len() == 1);
        is("four routes or more match", matching.len() >= 4);
        let has = |pattern: &str| ways.iter().any(|way| way.pattern.as_deref() == Some(pattern));
        is("a suffix that is almost one", target.host == "ca.t" && has("*.a.t"));

        let Some(nearest) = nearest else { return };
        let Some(((host, path, method), _)) = matching.iter().find(|(_, way)| std::ptr::eq(*way, nearest))
        else {
            return;
        };
        let loses = |loses: &dyn Fn(&Borrowed<'_>) -> bool| matching.iter().any(|(other, _)| loses(other));
        is("a nearer host beats a nearer path", loses(&|other| other.0 > *host && other.1 < *path));
        is(
            "a nearer path beats a named method",
            loses(&|other| other.0 == *host && other.1 > *path && other.2 < *method),
        );
        is(
            "a named method beats any",
            loses(&|other| (other.0, other.1) == (*host, *path) && other.2 > *method),
        );
        let is_exact =
            |way: &Way| way.pattern.as_deref().is_some_and(|host| host.eq_ignore_ascii_case(target.host));
        is(
            "an exact host is there, and the nearest match is farther",
            *host != ByHost::Exact && ways.iter().any(is_exact),
        );
        let shorter = |other: &Borrowed<'_>| matches!(other.0, ByHost::Suffix(_)) && other.0 > *host;
        is("the longer of two suffixes", matches!(host, ByHost::Suffix(_)) && loses(&shorter));

        let mut segments = target.path.split('/').skip(1).filter(|segment| !segment.is_empty());
        let count = segments.clone().count();
        let first = segments.next().unwrap_or("none");
        let tempts = |way: &Way| {
            way.pattern == nearest.pattern && way.template.split('/').nth(1).is_some_and(|text| text == first)
        };
        is(
            "a literal leads nowhere and the search comes back",
            path.first().is_some_and(|step| *step != Step::Literal) && ways.iter().any(tempts),
        );
        let has_rest = path.last() == Some(&Step::Rest);
        is("rest of no segments", has_rest && path.len() == count + 1);
        is("rest of several segments", has_rest && path.len() < count);
        let by_get = target.method == "HEAD" && *method == ByMethod::Named;
        is("HEAD by GET", by_get && !nearest.names_head);
    }
}
