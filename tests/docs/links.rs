//! Links between pages, and from pages to files. What they lead to elsewhere is not asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::page::Page;
use super::{pages, root};

/// Where a relative link leads, and to which fragment there.
fn target(page: &Page, link: &str) -> (PathBuf, Option<String>) {
    let (path, fragment) = match link.split_once('#') {
        Some((path, fragment)) => (path, Some(fragment.to_owned())),
        None => (link, None),
    };
    let path = if path.is_empty() { page.path.clone() } else { page.path.parent().unwrap().join(path) };
    (without_dots(&path), fragment)
}

/// The path without `..`, which the file system would answer otherwise where a part is a link.
fn without_dots(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

fn is_elsewhere(link: &str) -> bool {
    ["http://", "https://", "mailto:"].iter().any(|scheme| link.starts_with(scheme))
}

#[test]
fn every_link_leads_to_a_file_of_the_repository_and_to_a_heading_that_is_there() {
    let pages = pages();
    let anchors: BTreeMap<&Path, &BTreeSet<String>> =
        pages.iter().map(|page| (page.path.as_path(), &page.anchors)).collect();
    let mut faults = Vec::new();
    let mut followed = 0;
    for page in &pages {
        let name = page.path.strip_prefix(root()).unwrap().display();
        for link in page.links.iter().filter(|link| !is_elsewhere(link)) {
            followed += 1;
            let (path, fragment) = target(page, link);
            // What is built or fetched is in no clone.
            let kept = path.strip_prefix(root()).is_ok_and(|path| {
                !["target", "dist", ".tools"].iter().any(|built| path.starts_with(built))
                    && root().join(path).exists()
            });
            let reached = fragment.is_none_or(|fragment| {
                anchors.get(path.as_path()).is_some_and(|anchors| anchors.contains(&fragment))
            });
            if !kept {
                faults.push(format!("{name}: {link}: there is no such file"));
            } else if !reached {
                faults.push(format!("{name}: {link}: the page has no such heading"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(pages.len() > 20 && followed > 150, "{followed} links of {} pages", pages.len());
}

#[test]
fn every_page_of_the_documentation_is_in_the_book_once() {
    let docs = root().join("docs");
    let summary = Page::read(&docs.join("SUMMARY.md"));
    let mut listed = BTreeSet::new();
    for link in &summary.links {
        let (path, fragment) = target(&summary, link);
        assert_eq!(fragment, None, "{link}: the book lists pages, not headings");
        assert!(listed.insert(path), "{link} is in docs/SUMMARY.md twice");
    }
    for page in pages() {
        let is_missing =
            page.path.starts_with(&docs) && page.path != summary.path && !listed.contains(&page.path);
        assert!(!is_missing, "{} is not in docs/SUMMARY.md", page.path.display());
    }
}
