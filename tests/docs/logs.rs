//! The lines of `docs/logs.md` by which a reader learns who must act: as the filter writes them.

use serde_json::{Value, json};
use vestibule::denial::{Code, Denial};
use vestibule::record::{Denied, Record};
use vestibule::request::Request;

const PAGE: &str = include_str!("../../docs/logs.md");

/// The members of a denial's line, in their order.
fn members() -> Vec<String> {
    let (denial, request) = (Denial::from(Code::TokenExpired), Request::new(Vec::new()));
    let line = Record::Denial(Denied::of(&denial, None, &request, false, 0)).line().unwrap();
    let members: serde_json::Map<String, Value> = serde_json::from_str(&line).unwrap();
    let mut names: Vec<String> = members.keys().cloned().collect();
    names.sort_by_key(|name| line.find(&format!("\"{name}\":")));
    names
}

#[test]
fn a_denial_that_the_page_shows_says_status_and_party_as_the_filter_does() {
    let mut shown = 0;
    for line in PAGE.lines().filter(|line| line.starts_with(r#"{"vestibule":"denial""#)) {
        // One is shortened.
        let whole =
            line.replace(",…,", r#","entrance":null,"key":null,"peer":null,"host":"…","instance":"…","#);
        let denial: Value = serde_json::from_str(&whole).unwrap_or_else(|error| panic!("{error}: {line}"));
        let code = Code::ALL.iter().find(|code| denial["code"] == code.as_str());
        let code = code.unwrap_or_else(|| panic!("no such code: {line}"));
        let parties: Vec<&str> = code.parties().iter().map(|party| party.as_str()).collect();
        assert_eq!(denial["status"], code.status().http(), "{line}");
        assert_eq!(denial["act"], json!(parties), "{line}");
        let places: Vec<_> = members().iter().map(|name| whole.find(&format!("\"{name}\":"))).collect();
        assert!(places.is_sorted() && places[0].is_some(), "{line}");
        assert_eq!(denial.as_object().map(|shown| shown.len()), Some(places.len()), "{line}");
        shown += 1;
    }
    // The form of a line, and three at three in the morning.
    assert_eq!(shown, 4);
}
