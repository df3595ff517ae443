//! Whether somebody has what a route requires: by the compiled policy, which turns grants round once, and by
//! the rule itself (`fuzz/src/holding.rs`), which expands what each principal holds. Random grants, principals
//! and requirements of a few names.

#![allow(unreachable_pub, reason = "what is included here is also a part of the fuzz targets")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails where it stands"
)]

#[path = "../fuzz/src/holding.rs"]
mod holding;
mod support;

use std::collections::{BTreeMap, BTreeSet};

use holding::{Holder, has_cycle};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use support::token;
use vestibule::compile::{self, Secrets};
use vestibule::decision::Decision;
use vestibule::keyring::Keys;
use vestibule::policy;
use vestibule::request::Request;
use vestibule::time::UnixTime;

const NOW: u64 = 1_800_000_000;
const KEY: &str = "a-gateway-key-that-stands-in-this-file-and-guards-nothing";
const SECRET: &str = "a-secret-that-stands-in-this-file-and-guards-nothing";

/// Permissions and roles: some begin others, and some are both.
const NAMES: [&str; 7] = ["a:read", "a:write", "a:", "a:reader", "b", "admin", "owner"];
const STARS: [&str; 4] = ["*", "a:*", "a:r*", "b*"];

thread_local! {
    static KEYS: Keys = Keys::in_module();
}

#[derive(Clone, Debug)]
struct Case {
    grants: Value,
    holder: Holder,
    requirements: Value,
}

fn names(most: usize) -> impl Strategy<Value = Vec<String>> {
    subsequence(NAMES.to_vec(), 0..=most).prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

/// What may be granted: mostly names, at times with a star.
fn granted(most: usize) -> impl Strategy<Value = Vec<String>> {
    vec(prop_oneof![5 => select(&NAMES[..]), 1 => select(&STARS[..])], 0..=most).prop_map(|mut names| {
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(str::to_owned).collect()
    })
}

/// Grants that mostly lead from a name to one shortly before it, so that few close a cycle and many go on.
fn grants() -> impl Strategy<Value = Value> {
    let step = (
        1..NAMES.len(),
        1..3_usize,
        prop::bool::weighted(0.03),
        prop::option::weighted(0.1, select(&STARS[..])),
    );
    vec(step, 0..12).prop_map(|steps| {
        let mut grants: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (from, far, is_backward, star) in steps {
            let to = from.saturating_sub(far);
            let (from, to) = if is_backward { (to, from) } else { (from, to) };
            grants.entry(NAMES[from]).or_default().insert(star.unwrap_or(NAMES[to]));
        }
        json!(grants)
    })
}

fn holder() -> impl Strategy<Value = Holder> {
    let issuer = prop_oneof![3 => Just(Some("main")), 2 => Just(Some("other")), 1 => Just(None)];
    // So many that they get an index.
    let others = prop_oneof![Just(0), Just(12)];
    (issuer, granted(3), others, names(3), names(3)).prop_map(
        |(issuer, mut permissions, others, scopes, roles)| {
            permissions.extend((0..others).map(|number| format!("other-{number}")));
            match issuer {
                Some(issuer) => Holder { issuer: Some(issuer.into()), permissions, scopes, roles },
                // An entrance speaks of permissions only.
                None => Holder { permissions, ..Holder::default() },
            }
        },
    )
}

fn requirements() -> impl Strategy<Value = Value> {
    let list = |most: usize| {
        names(most).prop_map(move |list| Some(list).filter(|list| !list.is_empty()).map(|list| json!(list)))
    };
    let issuers = prop_oneof![4 => Just(None), 1 => Just(Some(json!(["main"]))), 1 => Just(Some(json!(["main", "other"])))];
    let fields = (
        prop::option::of(list(2)),
        prop::option::of(list(3)),
        prop::option::weighted(0.3, list(2)),
        prop::option::weighted(0.3, list(3)),
        issuers,
    );
    fields.prop_filter_map(
        "something is required",
        |(permissions, any_permission, scopes, roles, issuers)| {
            let fields = [
                ("permissions", permissions.flatten()),
                ("anyPermission", any_permission.flatten()),
                ("scopes", scopes.flatten()),
                ("roles", roles.flatten()),
                ("issuers", issuers),
            ];
            let fields = fields.into_iter().filter_map(|(name, list)| Some((name.to_owned(), list?)));
            let fields: Map<String, Value> = fields.collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        },
    )
}

fn cases() -> impl Strategy<Value = Case> {
    (grants(), holder(), requirements()).prop_map(|(grants, holder, requirements)| Case {
        grants,
        holder,
        requirements,
    })
}

impl Case {
    fn config(&self) -> Value {
        let issuer = |name: &str| {
            json!({
                "issuer": format!("https://{name}.test"), "audiences": ["*"], "keys": [{ "secret": { "env": "SECRET" } }],
                "tenants": "*", "subjectPrefix": format!("{name}:"),
            })
        };
        let mut config = json!({
            "door": "inner", "tenant": "optional", "default": "deny",
            "entrances": { "gateway": {
                "keys": { "current": { "env": "KEY" } },
                "trust": { "subject": "x-user-id", "permissions": "x-user-permissions" },
            } },
            "issuers": { "main": issuer("main"), "other": issuer("other") },
            "routes": { "all": { "paths": ["/{*rest}"], "access": self.requirements } },
        });
        if self.grants.as_object().is_some_and(|grants| !grants.is_empty()) {
            config["grants"] = self.grants.clone();
        }
        config
    }

    /// A request of the holder.
    fn headers(&self) -> Vec<(String, String)> {
        let Holder { issuer, permissions, scopes, roles } = &self.holder;
        let mut headers =
            vec![(":method", "GET".to_owned()), (":path", "/x".into()), ("x-gateway-key", KEY.into())];
        match issuer {
            Some(issuer) => {
                let spec = json!({
                    "header": { "alg": "HS256" }, "sign": { "alg": "HS256", "secret": SECRET },
                    "payload": {
                        "iss": format!("https://{issuer}.test"), "sub": "alice", "exp": NOW + 60,
                        "permissions": permissions, "scope": scopes.join(" "), "roles": roles,
                    },
                });
                headers.push(("authorization", format!("Bearer {}", token::mint(&spec, NOW))));
            }
            None => {
                headers.push(("x-user-id", "alice".into()));
                if !permissions.is_empty() {
                    headers.push(("x-user-permissions", permissions.join(",")));
                }
            }
        }
        headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// What becomes of it: the code of the denial, `ok`, or `cycle` where the configuration is refused.
    fn outcome(&self) -> String {
        let variable = |name: &str| Some(if name == "KEY" { KEY } else { SECRET }.to_owned());
        let compiled = compile::compile(&self.config(), &Secrets::From(&variable), UnixTime::from_secs(NOW));
        let policy = match compiled {
            Ok(compiled) => compiled.value,
            Err(errors) if errors.iter().all(|error| error.message().starts_with("implies itself")) => {
                return "cycle".into();
            }
            Err(errors) => panic!("{errors}"),
        };
        let headers = self.headers();
        let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let decide =
            |keys: &Keys| policy::decide(&policy, keys, &Request::new(headers), UnixTime::from_secs(NOW));
        match KEYS.with(decide) {
            Decision::Permit(_) => "ok".into(),
            Decision::Denial(denial) => denial.code().as_str().into(),
            Decision::AwaitKeys(issuer) => panic!("{issuer} has no remote keys"),
            Decision::Publish(_) => panic!("nothing is published here"),
        }
    }

    fn expected(&self) -> String {
        if has_cycle(&self.grants) {
            return "cycle".into();
        }
        self.holder.lacks(&self.requirements, &self.grants).unwrap_or("ok").into()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn somebody_passes_who_has_what_is_required_by_the_rule_itself(case in cases()) {
        prop_assert_eq!(case.outcome(), case.expected(), "{:?}", case);
    }
}

#[test]
fn every_outcome_is_frequent_in_cases_like_those_above() {
    let mut runner = TestRunner::deterministic();
    let strategy = cases();
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..2_000 {
        let case = strategy.new_tree(&mut runner).expect("a case").current();
        let outcome = case.expected();
        let Case { grants, holder, requirements } = case;
        if outcome == "ok" {
            let without = Holder { roles: Vec::new(), ..holder.clone() };
            let mut tally = |kind: &str, counts: bool| {
                *outcomes.entry(kind.into()).or_default() += usize::from(counts);
            };
            let is_lacking = |holder: &Holder, grants: &Value| holder.lacks(&requirements, grants);
            let lacks = Some("permission_missing");
            tally("ok by grants", is_lacking(&holder, &Value::Null) == lacks);
            let step = |name: &String| grants[name].as_array().cloned().unwrap_or_default();
            let one_step = holder.permissions.iter().chain(&holder.roles).flat_map(step);
            let one_step = one_step.filter_map(|name| name.as_str().map(str::to_owned));
            let one_step = holder.permissions.iter().cloned().chain(one_step).collect();
            let one_step = Holder { permissions: one_step, ..holder.clone() };
            tally("ok by several steps", is_lacking(&one_step, &Value::Null) == lacks);
            tally("ok by what a role implies", is_lacking(&without, &grants) == lacks);
            let exact = |name: &String| !name.contains('*');
            let exact = holder.permissions.iter().filter(|name| exact(name)).cloned().collect();
            tally(
                "ok by a star",
                is_lacking(&Holder { permissions: exact, ..holder.clone() }, &grants) == lacks,
            );
        }
        *outcomes.entry(outcome).or_default() += 1;
    }
    println!("{outcomes:?}");
    assert_eq!(outcomes.len(), 10, "{outcomes:?}");
    assert!(outcomes.values().all(|count| *count >= 20), "{outcomes:?}");
}
