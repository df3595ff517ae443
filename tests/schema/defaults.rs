//! What holds where a field is not written.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::SCHEMA;
use super::place::Place;
use super::specimen::{SPECIMENS, outcome, specimen};
use super::walk::visits;

/// How many fields of the schema have a default.
fn count(schema: &Value) -> usize {
    let own = |definition: &Value| {
        let fields = definition.get("properties").and_then(Value::as_object).into_iter().flatten();
        fields.filter(|(_, field)| field.get("default").is_some()).count()
    };
    own(schema) + schema["$defs"].as_object().unwrap().values().map(own).sum::<usize>()
}

/// The very policy comes of a document with the default written as without; and another one of the specimen,
/// which has another value.
#[test]
fn a_default_of_the_schema_is_that_of_the_parser() {
    let mut tried = BTreeSet::new();
    for specimen in SPECIMENS.iter() {
        for visit in visits(&specimen.document) {
            let Some(default) = visit.field.get("default") else { continue };
            let place = &visit.place;
            let without = outcome(&place.removed(&specimen.document));
            assert_eq!(outcome(&place.set(&specimen.document, default.clone())), without, "{place}");
            assert_ne!(visit.value, default, "{place} of {}", specimen.name);
            // How a secret was encoded no policy says: what is read otherwise is another key.
            if visit.place.name() != Some("encoding") {
                assert_ne!(outcome(&specimen.document), without, "{place}");
            }
            let parent = place.parent().map(|parent| parent_at(&specimen.document, &parent));
            tried.insert((parent, place.name().map(str::to_owned)));
        }
    }
    assert_eq!(tried.len(), count(&SCHEMA));
}

/// Where the schema knows an object from.
fn parent_at(document: &Value, place: &Place) -> String {
    visits(document).into_iter().find(|visit| visit.place == *place).expect("a parent").at
}

/// What follows from something else stands in the schema in words.
#[test]
fn a_default_that_is_told_in_words_is_that_of_the_parser() {
    let trust =
        json!({ "subject": "x-user-id", "tenant": "x-tenant-id", "permissions": "x-user-permissions" });
    let gateway_alone = {
        let mut document = specimen("inner-key").clone();
        document["entrances"].as_object_mut().unwrap().remove("mesh");
        document
    };
    for (document, path, default) in [
        (specimen("outer-key"), &["default"][..], json!("authenticated")),
        (
            specimen("outer-mint"),
            &["inject"],
            json!({ "x-user-id": "subject", "x-tenant-id": "tenant",
            "x-user-permissions": "permissions" }),
        ),
        (specimen("inner-context"), &["default"], json!("authenticated")),
        (&gateway_alone, &["default"], json!("authenticated")),
        (&gateway_alone, &["entrances", "gateway", "trust"], trust),
        (specimen("inner-context"), &["entrances", "mesh", "trust"], json!("none")),
        (specimen("outer-mint"), &["issuers", "main", "tenants"], json!("*")),
    ] {
        let place = path.iter().fold(Place::default(), |place, name| place.member(name));
        let without = if place.find(document).is_some() { place.removed(document) } else { document.clone() };
        let field = visits(&place.set(&without, default.clone()))
            .into_iter()
            .find(|visit| visit.place == place)
            .and_then(|visit| visit.field.get("x-default"))
            .and_then(Value::as_str);
        assert!(field.is_some(), "{place}");
        assert_eq!(outcome(&place.set(&without, default)), outcome(&without), "{place}");
    }
    let remote = specimen("outer-key");
    let mut written = remote.clone();
    let cluster = "/issuers/main/keys/3/remote/cluster";
    *written.pointer_mut(cluster).unwrap() = json!("outbound|443||issuer.test");
    let mut without = remote.clone();
    without.pointer_mut("/issuers/main/keys/3/remote").unwrap().as_object_mut().unwrap().remove("cluster");
    assert_eq!(outcome(&written), outcome(&without));
}
