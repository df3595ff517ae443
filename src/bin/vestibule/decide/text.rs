//! An explanation for people: one line for each step, in the order in which they are taken, and the decision.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use vestibule::access::Access;
use vestibule::access::requirements::{Requirement, Requirements};
use vestibule::credential::entrance::Entrance;
use vestibule::denial::{Code, Denial};
use vestibule::policy::trace::{Claimed, Kind, Passed, Presented};
use vestibule::principal::{Grant, Principal};
use vestibule::spiffe::SpiffeId;

use super::change::Change;
use super::demand::Demand;
use super::explanation::{Caller, Explanation, Outcome, Stage};
use super::routes::{Other, Reason};

/// The lines of an explanation, and what marks the step at which the request was stopped.
struct Lines(Vec<String>, &'static str);

impl Lines {
    /// A step: that it was passed, or that the request was denied at it.
    fn step(&mut self, is_passed: bool, name: &str, text: impl Into<String>) {
        let mark = if is_passed { "ok" } else { self.1 };
        self.0.push(format!("  {mark:<6}  {name:<11} {}", text.into()));
    }

    /// More about the step before.
    fn more(&mut self, text: impl AsRef<str>) {
        self.0.push(format!("{:22}{}", "", text.as_ref()));
    }
}

/// The whole text, a line each. `others` are the routes to tell of, and `left_out` how many more there are.
pub(crate) fn lines(it: &Explanation<'_>, others: &[Other], left_out: usize, now: Timestamp) -> Vec<String> {
    let is_denied = matches!(it.outcome, Outcome::Denied(_));
    let mut lines = Lines(Vec::new(), if is_denied { "DENIED" } else { "report" });
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "(none)".into());
    let asked = &it.asked;
    let host = asked.host.as_ref().map(|host| format!(" of {host}")).unwrap_or_default();
    let about =
        asked.asks_about.as_ref().map(|method| format!(", which asks about {method}")).unwrap_or_default();
    let request = format!("{} {}{host}{about}", known(&asked.method), known(&asked.path));
    lines.0.push(format!("{} door, {now}", it.policy.door().as_str()));
    lines.0.push(String::new());
    lines.step(it.stopped != Some(Stage::Request), "request", request);
    route(&mut lines, it, others, left_out);
    entrance(&mut lines, it);
    credential(&mut lines, it, now);
    caller(&mut lines, it);
    if it.stopped == Some(Stage::Headers) {
        let text = match it.outcome.denial().map(Denial::code) {
            Some(Code::HostFailed) => "a context cannot be signed",
            _ if it.policy.mints() => "a claim that is injected, or the context, cannot stand in a header",
            _ => "a claim that is injected cannot stand in a header",
        };
        lines.step(false, "headers", text);
    }
    if let Some((audience, expires)) = &it.context {
        let date = i64::try_from(expires.as_secs()).ok().and_then(|end| Timestamp::from_second(end).ok());
        let until = date.map_or("the end of time".to_owned(), |end| format!("{end} ({})", beside(now, end)));
        lines.step(true, "context", format!("minted for {audience}, until {until}"));
    }
    lines.0.push(String::new());
    decision(&mut lines, it);
    lines.0.extend(it.notes.iter().map(|note| format!("note: {note}")));
    lines.0
}

fn route(lines: &mut Lines, it: &Explanation<'_>, others: &[Other], left_out: usize) {
    if let Outcome::Answered(publication) = &it.outcome {
        let path = publication.path();
        lines.step(
            true,
            "published",
            format!("{path} is answered here, on every host: no route is looked for"),
        );
    }
    if let Some(route) = &it.route {
        let name = route.name.as_deref().map_or("on no route, so by `default`", |name| name);
        let access = match (&route.access, route.is_preflight) {
            (Access::Deny, _) => "deny: nobody passes".to_owned(),
            (_, true) => "a CORS preflight, of which nothing is asked".to_owned(),
            (Access::Public, _) => "public".to_owned(),
            (Access::Optional, _) => "optional: a credential that is there must be good".to_owned(),
            (Access::Authenticated, _) => "authenticated".to_owned(),
            (Access::Requires(all), _) => format!("requires {}", requirements(all)),
        };
        lines.step(it.stopped != Some(Stage::Route), "route", format!("{name}: {access}"));
    }
    for other in others {
        let name = &other.name;
        lines.more(match other.reason {
            Reason::Outdone(by) => {
                format!("not {name}: it matches, but by the {} this one is nearer", by.as_str())
            }
            Reason::But(by) => format!("not {name}: it would match, but for the {}", by.as_str()),
            Reason::Differs(by) => format!("not {name}: another {}", by.as_str()),
        });
    }
    if left_out > 0 {
        let more = if left_out == 1 { "1 more does" } else { &format!("{left_out} more do") };
        lines.more(format!("{more} not match: --routes all tells of each"));
    }
}

fn requirements(all: &Requirements) -> String {
    let any = |kind: &str, names: Vec<&str>| match names.as_slice() {
        [name] => format!("{kind} {name}"),
        names => format!("a {kind} of {}", names.join(", ")),
    };
    let each = all.each().map(|requirement| match requirement {
        Requirement::Issuers(issuers) => any("issuer", issuers.iter().map(|issuer| &**issuer).collect()),
        Requirement::Permission(permission) => any("permission", vec![permission.name().as_str()]),
        Requirement::AnyPermission(of) => {
            any("permission", of.iter().map(|permission| permission.name().as_str()).collect())
        }
        Requirement::Scope(scope) => any("scope", vec![scope.as_str()]),
        Requirement::Roles(roles) => any("role", roles.iter().map(Grant::as_str).collect()),
    });
    let each: Vec<String> = each.collect();
    if each.is_empty() { "a principal".to_owned() } else { each.join(" and ") }
}

fn entrance(lines: &mut Lines, it: &Explanation<'_>) {
    match (&it.passed, it.stopped) {
        (None, Some(Stage::Entrance)) => {
            lines.step(false, "entrance", closed(it));
            for entrance in it.policy.entrances() {
                let key = entrance.keys().map(|keys| format!("a key in the header {}", keys.header()));
                let peer = entrance.peers().map(|peers| {
                    let ids: Vec<_> = peers.ids().map(SpiffeId::as_str).collect();
                    format!("the peer {}", ids.join(" or "))
                });
                let wanted: Vec<String> = key.into_iter().chain(peer).collect();
                lines.more(format!("{} wants {}", entrance.name(), wanted.join(", and ")));
            }
        }
        (None, _) => {}
        (Some(Passed::NoneThere), _) if it.policy.entrances().is_empty() => {}
        (Some(Passed::NoneThere), _) => lines.step(true, "entrance", "none there"),
        (Some(Passed::Exempt), _) => lines.step(true, "entrance", "the route is exempt"),
        (Some(Passed::By(admission)), _) => {
            let with = admission.key().map(|key| format!(", with the key {key}")).unwrap_or_default();
            lines.step(true, "entrance", format!("came in by {}{with}", admission.entrance()));
            let mut entrances = it.policy.entrances().iter();
            let entrance = entrances.find(|entrance| entrance.name() == admission.entrance());
            if let (Some(peer), Some(_)) = (&it.peer, entrance.and_then(Entrance::peers)) {
                lines.more(format!("as the peer {peer}"));
            }
        }
    }
}

/// Why no entrance is open.
fn closed(it: &Explanation<'_>) -> String {
    match (it.outcome.denial().map(Denial::code), &it.peer) {
        (Some(Code::PeerNotAllowed), Some(peer)) => format!("the peer {peer} may not come in"),
        (Some(Code::PeerNotAllowed), None) => "the connection has no peer".to_owned(),
        (Some(Code::GatewayKeyMissing), _) => "no gateway key".to_owned(),
        _ => "no gateway key that is accepted".to_owned(),
    }
}

fn credential(lines: &mut Lines, it: &Explanation<'_>, now: Timestamp) {
    let looked_in = || {
        let places: Vec<String> = it.policy.places().each().map(ToString::to_string).collect();
        let headers = if it.policy.entrances().is_empty() {
            None
        } else {
            Some("the entrance's trusted headers".to_owned())
        };
        format!("looked for in: {}", places.into_iter().chain(headers).collect::<Vec<_>>().join("; "))
    };
    match (&it.presented, it.stopped) {
        (None, Some(Stage::Credential)) => {
            let reason = match it.outcome.denial().map(Denial::code) {
                Some(Code::CredentialMultiple) => "more than one",
                Some(Code::TenantMalformed) => "the trusted tenant cannot be one",
                _ => "cannot be read in one way only",
            };
            lines.step(false, "credential", reason);
            lines.more(looked_in());
        }
        (None, _) => {}
        (Some(Presented::Unread), _) => lines.step(true, "credential", "not looked for"),
        (Some(Presented::Nothing), Some(Stage::Credential)) => {
            lines.step(false, "credential", "none, and the route needs one");
            lines.more(looked_in());
        }
        (Some(Presented::Nothing), _) => {
            lines.step(true, "credential", "none");
            lines.more(looked_in());
        }
        (Some(Presented::Trusted), _) => lines.step(true, "credential", "the entrance's trusted headers"),
        (Some(Presented::Token { place, claimed }), stopped) => {
            lines.step(true, "credential", format!("a token in the {place}"));
            if let Some(claimed) = claimed {
                lines.more(format!("it says, unverified: {}", says(claimed)));
                for time in times(claimed, now) {
                    lines.more(time);
                }
            }
            let judge = claimed.as_ref().and_then(|claimed| claimed.judge.as_deref());
            let text = match (judge, claimed) {
                (Some(judge), _) => format!("judged by the issuer {judge}"),
                (None, Some(_)) => "no issuer here that reads this place has its `iss`".to_owned(),
                (None, None) => "cannot be read".to_owned(),
            };
            lines.step(stopped != Some(Stage::Token), "token", text);
        }
    }
}

fn says(claimed: &Claimed) -> String {
    let header = &claimed.header;
    let alg = header.algorithm.map_or("(none that is verified here)", |algorithm| algorithm.as_str());
    let mut says = vec![format!("alg {alg}")];
    says.extend(header.kid.iter().map(|kid| format!("kid {kid}")));
    says.extend(header.typ.iter().map(|typ| format!("typ {typ}")));
    let names = claimed.claims.iter().filter(|(name, _)| matches!(*name, "iss" | "aud"));
    says.extend(names.map(|(name, value)| match value {
        Value::String(text) => format!("{name} {text}"),
        other => format!("{name} {other}"),
    }));
    says.join(", ")
}

/// `exp`, `nbf` and `iat` as dates, beside now.
fn times<'c>(claimed: &'c Claimed, now: Timestamp) -> impl Iterator<Item = String> + 'c {
    let times = claimed.claims.iter().filter(|(name, _)| matches!(*name, "exp" | "nbf" | "iat"));
    times.map(move |(name, value)| {
        let date = value.as_f64().and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok());
        match date.and_then(|date| Timestamp::from_duration(date).ok()) {
            Some(time) => {
                format!("{name} {time} ({})", beside(now, time))
            }
            None => format!("{name} {value}, which is no date"),
        }
    })
}

/// A time as it is seen from now.
fn beside(now: Timestamp, time: Timestamp) -> String {
    let since = now.duration_since(time);
    match (since.is_zero(), since.is_negative()) {
        (true, _) => "now".to_owned(),
        (_, true) => format!("in {:#}", -since),
        (_, false) => format!("{since:#} ago"),
    }
}

fn caller(lines: &mut Lines, it: &Explanation<'_>) {
    let Some(Caller { principal: Some(principal), origins }) = &it.caller else { return };
    let tenant = principal.tenant().map_or("no tenant".to_owned(), |tenant| format!("tenant {tenant}"));
    let issuer = principal.issuer().map(|issuer| format!(", issuer {issuer}")).unwrap_or_default();
    lines.step(true, "principal", format!("{}, {tenant}{issuer}", principal.subject()));
    for (kind, name, names) in grants(principal) {
        let mut froms: Vec<&str> = Vec::new();
        for origin in origins.iter().filter(|origin| origin.kind == kind) {
            if !froms.contains(&origin.from.as_str()) {
                froms.push(&origin.from);
            }
        }
        let names: Vec<&str> = names.iter().map(Grant::as_str).collect();
        if !names.is_empty() {
            lines.more(format!("{name} {} ({})", names.join(" "), froms.join(", ")));
        }
    }
    if it.stopped == Some(Stage::Tenant) {
        lines.step(false, "tenant", "the caller has none, and needs one");
        return;
    }
    let mut is_reached = true;
    for demand in &it.demands {
        if is_reached {
            lines.step(demand.is_met, demand.kind, describe(demand));
        } else {
            // Not looked at any more; but whoever mends the first wants to know of the next.
            let has = if demand.is_met { "has" } else { "and lacks" };
            lines.more(format!("{has} the {} {}", demand.kind, demand.names.join(" or ")));
        }
        is_reached &= demand.is_met;
    }
}

fn grants(principal: &Principal) -> [(Kind, &'static str, &[Grant]); 3] {
    [
        (Kind::Permission, "permissions", principal.permissions()),
        (Kind::Scope, "scopes", principal.scopes()),
        (Kind::Role, "roles", principal.roles()),
    ]
}

fn describe(demand: &Demand) -> String {
    let names = demand.names.join(" or ");
    let Some(by) = &demand.by else { return format!("{names}: lacking") };
    let way = by.way.join(", which gives ");
    match &by.from {
        Some(from) => format!("{names}: {from} has {way}"),
        None => way,
    }
}

fn decision(lines: &mut Lines, it: &Explanation<'_>) {
    if let Some(denial) = it.outcome.denial() {
        let code = denial.code();
        let (status, is_carried_out) = (code.status().http(), matches!(it.outcome, Outcome::Denied(_)));
        lines.0.push(match is_carried_out {
            true => format!("denied: {status} {}", code.as_str()),
            false => format!(
                "ALLOWED, for denials are only reported: it would be denied, {status} {}",
                code.as_str()
            ),
        });
        lines.0.push(format!("  {}", code.detail()));
        let challenge = denial.challenge().filter(|_| is_carried_out);
        lines.0.extend(challenge.map(|challenge| format!("  www-authenticate: {challenge}")));
    }
    match &it.outcome {
        Outcome::Denied(_) | Outcome::Allowed { reported: Some(_), .. } => {}
        Outcome::Allowed { reported: None, .. } => lines.0.push("allowed".to_owned()),
        Outcome::Answered(publication) => {
            lines.0.push("answered: 200 with the published keys".to_owned());
            lines.0.push(format!("  {}", publication.jwks()));
        }
    }
    if let Outcome::Allowed { mutations, .. } = &it.outcome {
        let changes = mutations.iter().map(Change::of).map(|change| match change.value {
            None => format!("  remove  {}", change.name),
            Some(value) => format!("  set     {}: {value}", change.name),
        });
        lines.0.extend(changes);
        if mutations.is_empty() {
            lines.0.push("  forwarded as it came".to_owned());
        }
    }
}
