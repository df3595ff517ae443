//! The commands of `docs/quick-start.md` that need no cluster, as a reader pastes them.

use std::fs;
use std::path::Path;
use std::process::Command;

const PAGE: &str = include_str!("../../docs/quick-start.md");

/// The first block of this language that begins so.
fn block<'p>(language: &str, beginning: &str) -> &'p str {
    let opening = format!("```{language}\n");
    let blocks = PAGE.split(opening.as_str()).skip(1).filter_map(|rest| rest.split("```").next());
    blocks.into_iter().find(|block| block.starts_with(beginning)).unwrap_or_else(|| panic!("no {beginning}"))
}

#[test]
fn the_door_of_the_quick_start_lets_pass_and_refuses_what_it_says() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("the_door_of_the_quick_start");
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("outer.yaml"), block("yaml", "door: outer")).unwrap();

    let command = Path::new(env!("CARGO_BIN_EXE_vestibule")).parent().unwrap().to_str().unwrap();
    let path = format!("{command}:{}", std::env::var("PATH").unwrap());
    // The last command ends with 2, as it denies.
    let script = format!("set -e\n{}", block("sh", "vestibule check"));
    let mut shell = Command::new("sh");
    let run = shell.args(["-c", &script]).current_dir(&directory).env("PATH", path).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert_eq!(run.status.code(), Some(2), "{out}{err}");
    let decisions = ["outer.yaml: ok (outer door)\n", "\nallowed\n", "\ndenied: 403 permission_missing\n"];
    let places: Vec<_> = decisions.iter().map(|decision| out.find(decision)).collect();
    assert!(places.is_sorted() && places[0].is_some(), "{places:?}\n{out}{err}");
}
