//! `docs/denials.md` is where the `type` of a problem, the log and the runbooks send people: it has an entry for each
//! code, under the code's own name.

use std::fs;

use serde_json::Value;
use vestibule::denial::{Code, Denial};
use vestibule::request::Request;

use super::page::{Page, Section};
use super::root;

fn page() -> Page {
    Page::read(&root().join("docs/denials.md"))
}

fn entries() -> Vec<Section> {
    let is_entry = |section: &Section| {
        section.title.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !section.title.is_empty()
    };
    page().sections.into_iter().filter(is_entry).collect()
}

#[test]
fn every_code_has_an_entry_under_its_name_and_every_entry_is_a_code() {
    let titles: Vec<String> = entries().into_iter().map(|entry| entry.title).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(titles, codes);
}

#[test]
fn the_type_of_every_problem_ends_in_a_fragment_of_the_page() {
    let anchors = page().anchors;
    for code in Code::ALL {
        let response = Denial::from(*code).response(&Request::new(Vec::new()));
        let problem: Value = serde_json::from_slice(&response.body).unwrap();
        let name = problem["type"].as_str().and_then(|name| name.strip_prefix("urn:problem-type:vestibule:"));
        assert!(name.is_some_and(|name| anchors.contains(name)), "{problem}");
    }
}

#[test]
fn every_entry_says_status_and_party_as_the_filter_does_and_a_cause_and_a_remedy() {
    for (entry, code) in entries().iter().zip(Code::ALL) {
        let parties: Vec<&str> = code.parties().iter().map(|party| party.as_str()).collect();
        let first = format!("{}, who must act: {}.\n", code.status().http(), parties.join(", "));
        let rest = entry.text.trim_start().strip_prefix(&first);
        let (cause, remedy) = rest
            .and_then(|rest| rest.trim_start().strip_prefix("Cause."))
            .and_then(|rest| rest.split_once("Remedy."))
            .unwrap_or_else(|| panic!("{code:?}: {}", entry.text));
        assert!(cause.trim().len() > 20 && remedy.trim().len() > 20, "{code:?}: {}", entry.text);
    }
}

/// The runbook of a status is where somebody begins who has only that.
#[test]
fn the_runbooks_of_403_and_503_have_every_code_of_their_status() {
    for status in [403, 503] {
        let path = root().join(format!("docs/runbooks/{status}.md"));
        let text = fs::read_to_string(path).unwrap();
        let codes = Code::ALL.iter().filter(|code| code.status().http() == status);
        let missing: Vec<&str> = codes
            .map(|code| code.as_str())
            .filter(|code| {
                !text.contains(&format!("`{code}`")) && !text.contains(&format!("`vestibule_{code}`"))
            })
            .collect();
        assert!(missing.is_empty(), "{status}: {missing:?}");
    }
}
