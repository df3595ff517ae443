//! Why each of the other routes is not the one that a request is on.

use std::sync::Arc;

use vestibule::route::Target;
use vestibule::route::rule::{Differs, Nearness, Rule};

/// A route that did not win.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Other {
    pub(crate) name: Arc<str>,
    pub(crate) reason: Reason,
}

/// Why it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// It matches, and the winner is nearer by this.
    Outdone(By),
    /// It would match but for this.
    But(By),
    /// It does not match by this, whatever else.
    Differs(By),
}

/// As [`Differs`], in the order in which it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum By {
    Host,
    Path,
    Method,
}

impl By {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Path => "path",
            Self::Method => "method",
        }
    }
}

impl From<Differs> for By {
    fn from(differs: Differs) -> Self {
        match differs {
            Differs::Host => Self::Host,
            Differs::Path => Self::Path,
            Differs::Method => Self::Method,
        }
    }
}

impl Reason {
    /// Whether it matched, or nearly did.
    pub(crate) fn is_near(self) -> bool {
        match self {
            Self::Outdone(_) | Self::But(_) => true,
            Self::Differs(_) => false,
        }
    }
}

/// Every route but the one that won, those that came nearest first.
pub(crate) fn others(rules: &[Rule], target: &Target<'_>, won: Option<&str>) -> Vec<Other> {
    let is_winner = |rule: &&Rule| won == Some(&*rule.name);
    let winner = rules.iter().find(is_winner).and_then(|rule| rule.nearness(target).ok());
    let others = rules.iter().filter(|rule| !is_winner(rule));
    let mut others: Vec<Other> = others
        .map(|rule| Other { name: Arc::clone(&rule.name), reason: reason(rule, target, winner.as_ref()) })
        .collect();
    others.sort_by_key(|other| other.reason);
    others
}

fn reason(rule: &Rule, target: &Target<'_>, winner: Option<&Nearness>) -> Reason {
    match rule.nearness(target) {
        // The winner is nearer than every other that matches: the table and the rules agree.
        Ok(nearness) => {
            let by = winner.and_then(|winner| nearness.outdone_by(winner));
            Reason::Outdone(by.map_or(By::Method, By::from))
        }
        // The method is compared last.
        Err(Differs::Method) => Reason::But(By::Method),
        Err(Differs::Host) => {
            let anywhere = Rule { hosts: None, ..rule.clone() };
            if anywhere.nearness(target).is_ok() { Reason::But(By::Host) } else { Reason::Differs(By::Host) }
        }
        Err(Differs::Path) => Reason::Differs(By::Path),
    }
}
