//! A page of Markdown: where it links to, and what can be linked to in it.
//!
//! It knows nothing of other pages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

pub(crate) struct Page {
    pub(crate) path: PathBuf,
    /// As they are written, pictures among them.
    pub(crate) links: Vec<String>,
    /// The fragments that lead to a heading.
    pub(crate) anchors: BTreeSet<String>,
    /// Each heading with what stands under it, up to the next one of any level.
    pub(crate) sections: Vec<Section>,
}

pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn read(path: &Path) -> Self {
        let source = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut page = Self {
            path: path.to_path_buf(),
            links: Vec::new(),
            anchors: BTreeSet::new(),
            sections: vec![Section { title: String::new(), text: String::new() }],
        };
        let mut taken = BTreeMap::new();
        let mut in_heading = false;
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
        for event in Parser::new_ext(&source, options) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Start(Tag::Heading { .. }) => {
                    in_heading = true;
                    page.sections.push(Section { title: String::new(), text: String::new() });
                }
                Event::End(TagEnd::Heading(_)) => {
                    in_heading = false;
                    let anchor = slug(&page.section().title);
                    let earlier = taken.entry(anchor.clone()).or_insert(0);
                    let anchor = if *earlier == 0 { anchor } else { format!("{anchor}-{earlier}") };
                    *earlier += 1;
                    page.anchors.insert(anchor);
                }
                Event::Text(text) | Event::Code(text) => {
                    let section = page.section();
                    let place = if in_heading { &mut section.title } else { &mut section.text };
                    place.push_str(&text);
                }
                Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::Paragraph | TagEnd::TableCell) => {
                    page.section().text.push('\n');
                }
                _ => {}
            }
        }
        page
    }

    fn section(&mut self) -> &mut Section {
        self.sections.last_mut().unwrap()
    }
}

/// The fragment that GitHub and mdbook make of a heading.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}
