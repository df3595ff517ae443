//! The schema as tables of Markdown, a section to a definition.

use std::fmt::{self, Display, Formatter, Write as _};

use serde_json::Value;

use super::definition::{Branch, Definition, Kind};

const HEAD: &str = "\
# Every field of a configuration

<!-- What `vestibule schema --format markdown` prints; change `docs/configuration.schema.json`. -->

Types, defaults and bounds; what the fields mean for requests is said in [Configuration](../configuration.md).
Nothing may be empty: a field, an entry or a name that is `null`, `{}`, `[]` or `\"\"` is an error. So is a field
that is not in its table.
";

/// All of it.
pub(super) struct Reference<'s>(pub(super) &'s Definition);

impl Display for Reference<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        let definitions = self.0.definitions.0.iter().map(|(_, definition)| definition);
        for definition in std::iter::once(self.0).chain(definitions) {
            write!(f, "\n## {}", definition.title())?;
            write!(f, "\n\n{}", Section { root: self.0, definition }.text())?;
        }
        Ok(())
    }
}

impl Definition {
    fn title(&self) -> &str {
        self.title.as_deref().unwrap_or_default()
    }

    fn description(&self) -> &str {
        self.description.as_deref().unwrap_or_default()
    }
}

struct Section<'s> {
    root: &'s Definition,
    definition: &'s Definition,
}

impl Section<'_> {
    fn text(&self) -> String {
        let definition = self.definition;
        let mut paragraphs =
            vec![[&[definition.description().to_owned()], &*rules(definition)].concat().join(" ")];
        if !definition.properties.0.is_empty() {
            paragraphs.push(self.table());
        } else if !definition.choices.is_empty() {
            paragraphs.push(format!("One of {}.", self.kind(definition)));
        } else if definition.kind == Some(Kind::String) {
            let bounds = bounds(definition);
            paragraphs.push(if bounds.is_empty() {
                "Text.".to_owned()
            } else {
                format!("Text of {bounds}.")
            });
        } else {
            let one = |it| format!("- {}: {}", self.kind(it), self.resolved(it).description());
            paragraphs.push(definition.one_of.iter().map(one).collect::<Vec<_>>().join("\n"));
        }
        paragraphs.join("\n\n") + "\n"
    }

    /// Every field, in the order of the schema.
    fn table(&self) -> String {
        let mut table =
            String::from("| field | type | default | bounds | meaning |\n| --- | --- | --- | --- | --- |");
        let fields = &self.definition.properties.0;
        for (name, field) in fields.iter().filter_map(|(name, field)| Some((name, field.definition()?))) {
            let required = self.definition.required.contains(name);
            let meaning = match &field.door {
                Some(door) => format!("At an {door} door only. {}", field.description()),
                None => field.description().to_owned(),
            };
            let cells = [
                format!("`{name}`"),
                self.kind(field),
                if required { "required".to_owned() } else { default(field) },
                bounds(field),
                meaning,
            ];
            let row = cells.map(|cell| cell.replace('|', "\\|")).join(" | ");
            // Writing to a String cannot fail.
            let _ = write!(table, "\n| {row} |");
        }
        table
    }

    /// What kind of value it is, with a link where that has a section.
    fn kind(&self, it: &Definition) -> String {
        if it.reference.is_some() {
            let title = self.resolved(it).title();
            return format!("[{title}](#{})", anchor(title));
        }
        if !it.choices.is_empty() {
            return quoted(&it.choices).join(", ");
        }
        if let Some(constant) = &it.constant {
            return format!("`{constant}`");
        }
        match it.kind {
            None => it.one_of.iter().map(|one| self.kind(one)).collect::<Vec<_>>().join(" or "),
            Some(Kind::Boolean) => "`true` or `false`".to_owned(),
            Some(Kind::Integer) => "whole number".to_owned(),
            Some(Kind::String) => "text".to_owned(),
            Some(Kind::Array) => {
                let items = it.items.as_ref().map(|items| self.kind(items)).unwrap_or_default();
                format!("list of {items}")
            }
            Some(Kind::Object) => match (&it.property_names, &it.additional_properties) {
                (Some(names), Some(Branch::Of(values))) => {
                    format!("{} → {}", self.kind(names), self.kind(values))
                }
                _ => "object".to_owned(),
            },
        }
    }

    /// The definition that a reference is to.
    fn resolved<'d>(&'d self, it: &'d Definition) -> &'d Definition {
        let name = it.reference.as_deref().and_then(|reference| reference.strip_prefix("#/$defs/"));
        let found = self.root.definitions.0.iter().find(|(defined, _)| Some(defined.as_str()) == name);
        found.map_or(it, |(_, definition)| definition)
    }
}

/// GitHub's anchor of a title.
fn anchor(title: &str) -> String {
    let kept =
        title.chars().filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-'));
    kept.map(|character| if character == ' ' { '-' } else { character.to_ascii_lowercase() }).collect()
}

fn quoted(words: &[String]) -> Vec<String> {
    words.iter().map(|word| format!("`{word}`")).collect()
}

/// What the fields of an object are to each other.
fn rules(definition: &Definition) -> Vec<String> {
    let mut rules = Vec::new();
    for (alternatives, how_many) in
        [(&definition.one_of, "Exactly one"), (&definition.any_of, "At least one")]
    {
        let names: Vec<String> = alternatives.iter().flat_map(|one| quoted(&one.required)).collect();
        if !names.is_empty() {
            rules.push(format!("{how_many} of {} is there.", names.join(", ")));
        }
    }
    for (name, others) in &definition.dependent_required.0 {
        rules.push(format!("`{name}` goes with {} only.", quoted(others).join(" and ")));
    }
    rules
}

fn default(field: &Definition) -> String {
    match (&field.default_in_words, &field.default) {
        (Some(words), _) => words.clone(),
        (None, Some(Value::String(text))) => format!("`{text}`"),
        (None, Some(value)) => format!("`{value}`"),
        (None, None) => "none".to_owned(),
    }
}

fn bounds(field: &Definition) -> String {
    let range = match (field.minimum.zip(field.maximum), field.shortest.as_ref().zip(field.longest.as_ref()))
    {
        (Some((least, most)), _) => Some(format!("{least} to {most}")),
        (None, Some((shortest, longest))) => Some(format!("{shortest} to {longest}")),
        (None, None) => None,
    };
    let entries = if field.unique_items { "entries, each once" } else { "entries" };
    let most = |most: Option<u64>, what| most.map(|most| format!("at most {most} {what}"));
    range
        .or_else(|| most(field.max_items.or(field.max_properties), entries))
        .or_else(|| most(field.max_length, "characters"))
        .or_else(|| field.one_of.iter().map(bounds).find(|bounds| !bounds.is_empty()))
        .unwrap_or_default()
}
