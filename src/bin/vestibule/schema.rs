//! `vestibule schema`: what a configuration may hold, for editors and for readers.
//!
//! The schema is a file that is written by hand and held against the parser by `tests/schema/`. It refuses
//! nothing that a door would take; what one field means beside another, and whether keys are any good,
//! `vestibule check` knows alone.

mod definition;
mod reference;

use crate::{Exit, Failure, print};
use definition::Definition;

/// The schema, in JSON Schema's 2020-12 form.
const SCHEMA: &str = include_str!("../../../docs/configuration.schema.json");

/// Print the JSON Schema of configurations, or a reference of all their fields.
///
/// The schema describes the document itself: in Istio, what stands under `pluginConfig`. An editor that knows it
/// completes fields and marks most mistakes; `vestibule check` finds all of them.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  vestibule schema > configuration.schema.json\n  \
    vestibule schema --format markdown | less")]
pub(crate) struct Args {
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// The JSON Schema, 2020-12.
    Json,
    /// Every field with its type, default, bounds and meaning, as tables of Markdown.
    Markdown,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    match args.format {
        Format::Json => print(SCHEMA.trim_end())?,
        Format::Markdown => {
            let schema: Definition = serde_json::from_str(SCHEMA)
                .map_err(|error| Failure(format!("the schema of this build: {error}")))?;
            print(reference::Reference(&schema))?;
        }
    }
    Ok(Exit::Fine)
}
