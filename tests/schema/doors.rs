//! Which field belongs to which door.

use std::collections::BTreeSet;

use serde_json::Value;

use super::place::Place;
use super::specimen::{SPECIMENS, errors};
use super::walk::visits;
use super::{SCHEMA, takes};

#[test]
fn a_field_of_one_door_is_refused_at_the_other() {
    let mut tried = BTreeSet::new();
    for from in SPECIMENS.iter() {
        let door = &from.document["door"];
        for visit in visits(&from.document).iter().filter(|visit| visit.field.get("x-door").is_some()) {
            assert_eq!(visit.field["x-door"], *door, "{}", visit.place);
            for to in SPECIMENS.iter().filter(|to| to.document["door"] != *door) {
                let Some(place) = same_place(&visit.place, &to.document) else { continue };
                let document = place.set(&to.document, visit.value.clone());
                assert!(!takes(&document), "{place} at {}", to.name);
                let place = place.to_string();
                let errors = errors(&document);
                assert!(errors.iter().any(|(path, _)| path.starts_with(&place)), "{place}: {errors:?}");
                tried.insert(visit.place.name().unwrap().to_owned());
            }
        }
    }
    let fields = ["audience", "entrance", "entrances", "gatewayKey", "mint", "require"];
    assert_eq!(Vec::from_iter(tried), fields);
}

/// The place in another specimen, whose route has another name; none where it has not what is around.
fn same_place(place: &Place, document: &Value) -> Option<Place> {
    let place = match place.to_string().split('.').collect::<Vec<_>>().as_slice() {
        ["routes", _, field] => {
            let route = document.get("routes")?.as_object()?.keys().next()?;
            Place::default().member("routes").member(route).member(field)
        }
        _ => place.clone(),
    };
    place.parent()?.find(document).map(|_| place)
}

#[test]
fn a_field_that_is_no_doors_own_stands_in_specimens_of_both() {
    for (name, field) in SCHEMA["properties"].as_object().unwrap() {
        for door in ["outer", "inner"].into_iter().filter(|_| field.get("x-door").is_none()) {
            let of_door = SPECIMENS.iter().filter(|specimen| specimen.document["door"] == door);
            assert!(
                of_door.into_iter().any(|it| it.document.get(name).is_some()),
                "{name} at an {door} door"
            );
        }
    }
}
