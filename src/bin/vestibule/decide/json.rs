//! An explanation as one JSON object. `docs/decide.md` has its members; their names stand.

use serde_json::{Map, Value, json};
use vestibule::access::Access;
use vestibule::admission::Admission;
use vestibule::denial::Denial;
use vestibule::policy::trace::{Kind, Passed, Presented};
use vestibule::principal::{Grant, Principal};

use super::change::Change;
use super::explanation::{Caller, Explanation, Outcome, Stage, Taken};
use super::routes::{Other, Reason};

/// The object. `others` are the routes to tell of.
pub(crate) fn object(explanation: &Explanation<'_>, others: &[Other], now: &str) -> Value {
    let it = explanation;
    let (decision, headers, answer) = match &it.outcome {
        Outcome::Denied(_) => ("denied", Value::Null, Value::Null),
        Outcome::Allowed { mutations, reported } => {
            let decision = if reported.is_some() { "reported" } else { "allowed" };
            (decision, changes(mutations.iter().map(Change::of)), Value::Null)
        }
        Outcome::Answered(publication) => {
            ("answered", Value::Null, serde_json::from_str(publication.jwks()).unwrap_or_default())
        }
    };
    json!({
        "decision": decision,
        "denial": it.outcome.denial().map(denial),
        "stoppedAt": it.stopped.map(Stage::as_str),
        "door": it.policy.door().as_str(),
        "now": now,
        "request": { "method": it.asked.method, "asksAbout": it.asked.asks_about, "host": it.asked.host, "path": it.asked.path },
        "route": it.route.as_ref().map(route),
        "otherRoutes": others.iter().map(other).collect::<Vec<_>>(),
        "entrance": it.passed.as_ref().map(entrance),
        "peer": it.peer,
        "credential": it.presented.as_ref().map(credential),
        "principal": it.caller.as_ref().and_then(principal),
        "requirements": it.demands.iter().map(|demand| json!({
            "kind": demand.kind,
            "anyOf": demand.names,
            "met": demand.is_met,
            "from": demand.by.as_ref().and_then(|by| by.from.clone()),
            "way": demand.by.as_ref().map(|by| &by.way),
        })).collect::<Vec<_>>(),
        "context": it.context.as_ref().map(|(audience, expires)| {
            json!({ "audience": **audience, "expires": expires.as_secs() })
        }),
        "headers": headers,
        "answer": answer,
        "notes": it.notes,
    })
}

impl Stage {
    /// As the JSON has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Route => "route",
            Self::Entrance => "entrance",
            Self::Credential => "credential",
            Self::Token => "token",
            Self::Tenant => "tenant",
            Self::Requirement => "requirement",
            Self::Headers => "headers",
        }
    }
}

fn denial(denial: &Denial) -> Value {
    let code = denial.code();
    json!({
        "code": code.as_str(),
        "status": code.status().http(),
        "grpcStatus": code.status().grpc(),
        "detail": code.detail(),
        "responseCodeDetails": code.response_detail(),
        "wwwAuthenticate": denial.challenge(),
        "issuer": denial.issuer(),
        "route": denial.route(),
    })
}

fn entrance(passed: &Passed) -> Value {
    let (how, by) = match passed {
        Passed::NoneThere => ("none there", None),
        Passed::Exempt => ("exempt", None),
        Passed::By(admission) => ("by", Some(admission)),
    };
    json!({ "passed": how, "name": by.map(Admission::entrance), "key": by.and_then(Admission::key) })
}

fn route(route: &Taken) -> Value {
    let access = match &route.access {
        Access::Public => "public",
        Access::Optional => "optional",
        Access::Authenticated => "authenticated",
        Access::Requires(_) => "requirements",
        Access::Deny => "deny",
    };
    json!({ "name": route.name.as_deref(), "access": access, "preflight": route.is_preflight })
}

fn other(other: &Other) -> Value {
    let (reason, by) = match other.reason {
        Reason::Outdone(by) => ("outdone", by),
        Reason::But(by) => ("nearly", by),
        Reason::Differs(by) => ("differs", by),
    };
    json!({ "name": *other.name, "reason": reason, "by": by.as_str() })
}

fn credential(presented: &Presented) -> Value {
    let Presented::Token { place, claimed } = presented else {
        let found = match presented {
            Presented::Unread => "not looked for",
            Presented::Trusted => "trusted headers",
            Presented::Nothing | Presented::Token { .. } => "nothing",
        };
        return json!({ "found": found, "place": null, "issuer": null, "unverified": null });
    };
    let unverified = claimed.as_ref().map(|claimed| {
        let mut says = Map::new();
        says.insert("alg".into(), claimed.header.algorithm.map(|algorithm| algorithm.as_str()).into());
        says.insert("kid".into(), claimed.header.kid.clone().into());
        says.insert("typ".into(), claimed.header.typ.clone().into());
        says.extend(claimed.claims.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        says
    });
    json!({
        "found": "token",
        "place": place.to_string(),
        "issuer": claimed.as_ref().and_then(|claimed| claimed.judge.as_deref()),
        "unverified": unverified,
    })
}

fn principal(caller: &Caller) -> Option<Value> {
    let principal: &Principal = caller.principal.as_deref()?;
    let grants = |kind: Kind, names: &[Grant]| -> Vec<Value> {
        let from = |name: &Grant| {
            let origin = caller.origins.iter().find(|origin| origin.kind == kind && origin.name == *name);
            json!({ "name": name.as_str(), "from": origin.map(|origin| &origin.from) })
        };
        names.iter().map(from).collect()
    };
    Some(json!({
        "subject": principal.subject(),
        "tenant": principal.tenant(),
        "issuer": principal.issuer(),
        "permissions": grants(Kind::Permission, principal.permissions()),
        "scopes": grants(Kind::Scope, principal.scopes()),
        "roles": grants(Kind::Role, principal.roles()),
    }))
}

fn changes(changes: impl Iterator<Item = Change>) -> Value {
    let (set, removed): (Vec<_>, Vec<_>) = changes.partition(|change| change.value.is_some());
    json!({
        "removed": removed.into_iter().map(|change| change.name).collect::<Vec<_>>(),
        "set": set.into_iter().map(|change| json!({ "name": change.name, "value": change.value })).collect::<Vec<_>>(),
    })
}
