//! What is counted of decisions, as Envoy's own statistics show it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::mesh::{Door, good_token, now, outer_configuration};
use crate::support::http::{call, get};

/// How often each decision was made; the labels without the door, which is the outer one.
fn decisions(door: &Door) -> BTreeMap<String, u64> {
    let counters = door.envoy.stats("wasmcustom.door=.=outer;.;decision=.=");
    let labels = |name: &str| {
        let labels = name.strip_suffix(";.;vestibule_decisions_total");
        labels
            .and_then(|labels| labels.strip_prefix("wasmcustom.door=.=outer;.;decision=.="))
            .map(str::to_owned)
    };
    let made = counters.into_iter().filter(|(_, count)| *count > 0);
    made.filter_map(|(name, count)| Some((labels(&name)?, count))).collect()
}

fn configuration(more: &Value) -> Value {
    let mut configuration = outer_configuration();
    configuration["routes"] = json!({
        "orders": { "paths": ["/orders/{*rest}"], "access": { "permissions": ["orders:read"] } },
        "blog": { "paths": ["/blog/{*rest}"], "methods": ["GET"], "access": { "permissions": ["blog:read"] } },
    });
    let members = more.as_object().expect("members").clone();
    configuration.as_object_mut().expect("an object").extend(members);
    configuration
}

#[test]
fn every_decision_is_counted_by_its_code_route_and_issuer() {
    let door = Door::outer(&configuration(&json!({})));
    for _ in 0..3 {
        door.permitted(&get("/blog/1").bearer(&good_token()));
    }
    door.permitted(&get("/elsewhere").bearer(&good_token()));
    door.denied(&get("/orders/1").bearer(&good_token()), "permission_missing");
    door.denied(&get("/orders/1").bearer(&good_token()), "permission_missing");
    door.denied(&get("/blog/1"), "credential_missing");
    door.denied(&get("/blog/a;b"), "path_ambiguous");
    door.denied(&call("TRACE", "/"), "method_refused");
    let expected = [
        ("permit;.;code=.=_none;.;route=.=blog;.;issuer=.=main", 3),
        ("permit;.;code=.=_none;.;route=.=_none;.;issuer=.=main", 1),
        ("denial;.;code=.=permission_missing;.;route=.=orders;.;issuer=.=main", 2),
        ("denial;.;code=.=credential_missing;.;route=.=blog;.;issuer=.=_none", 1),
        ("denial;.;code=.=path_ambiguous;.;route=.=_none;.;issuer=.=_none", 1),
        ("denial;.;code=.=method_refused;.;route=.=_none;.;issuer=.=_none", 1),
    ];
    assert_eq!(decisions(&door), expected.map(|(labels, count)| (labels.to_owned(), count)).into());
}

#[test]
fn a_denial_that_is_only_reported_is_counted_as_a_report() {
    let until = rfc_3339(now() + 3600);
    let door = Door::outer(&configuration(&json!({ "report": { "until": until } })));
    door.permitted(&get("/orders/1").bearer(&good_token()));
    door.permitted(&get("/blog/1"));
    let expected = [
        ("report;.;code=.=permission_missing;.;route=.=orders;.;issuer=.=main", 1),
        ("report;.;code=.=credential_missing;.;route=.=blog;.;issuer=.=_none", 1),
    ];
    assert_eq!(decisions(&door), expected.map(|(labels, count)| (labels.to_owned(), count)).into());
}

/// RFC 3339.
fn rfc_3339(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).expect("a time");
    jiff::Timestamp::from_second(seconds).expect("a time").to_string()
}
