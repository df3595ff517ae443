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
