//! `vestibule schema`.

use super::TEXT;
use super::command::vestibule;

#[test]
fn the_command_prints_the_schema() {
    assert_eq!(vestibule(&["schema"]).run().succeeded(), TEXT);
    assert_eq!(vestibule(&["schema", "--format", "json"]).run().succeeded(), TEXT);
    vestibule(&["schema", "--format", "yaml"]).run().failed(1, "markdown");
}

/// `vestibule schema --format markdown > docs/configuration/reference.md` mends it.
#[test]
fn the_reference_of_the_documentation_is_what_the_command_prints() {
    let printed = vestibule(&["schema", "--format", "markdown"]).run().succeeded();
    assert_eq!(printed, include_str!("../../docs/configuration/reference.md"));
}

/// A link of the reference is to a section of it, and each section has its own name.
#[test]
fn a_link_of_the_reference_leads_to_a_section() {
    let page = include_str!("../../docs/configuration/reference.md");
    let anchor = |title: &str| title.to_lowercase().replace([':', ','], "").replace(' ', "-");
    let mut anchors: Vec<String> =
        page.lines().filter_map(|line| line.strip_prefix("## ")).map(anchor).collect();
    let links: Vec<&str> = page.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    assert!(links.len() > 50, "{}", links.len());
    for link in links {
        assert!(anchors.iter().any(|anchor| anchor == link), "{link}");
    }
    let count = anchors.len();
    anchors.sort();
    anchors.dedup();
    assert_eq!(anchors.len(), count);
}
