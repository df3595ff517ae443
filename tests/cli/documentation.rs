//! What `docs/scenarios.md` says holds.

use std::fs;

use serde_json::json;

use super::scenarios::changed;
use super::test::test;
use super::{directory, text, vestibule};

const DOCUMENT: &str = include_str!("../../docs/scenarios.md");

/// The files and commands of `docs/scenarios.md`, as a reader would take them over.
#[test]
fn the_example_of_the_documentation_does_what_it_says() {
    let directory = directory("the_example_of_the_documentation");
    let blocks: Vec<&str> = DOCUMENT.split("```").collect();
    let block = |position: usize| blocks[position].split_once('\n').unwrap();
    let mut files = 0;
    let mut out = String::new();
    for position in (1..blocks.len()).step_by(2) {
        match block(position) {
            ("yaml", content) => {
                let name = blocks[position - 1].trim_end().rsplit("\n\n").next().unwrap();
                let file = directory.join(name.split('`').nth(1).unwrap());
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(&file, content).unwrap();
                files += 1;
            }
            ("sh", content) => {
                for line in content.lines() {
                    let words: Vec<&str> = line.split(' ').collect();
                    match words.as_slice() {
                        ["mkdir", "-p", path] => fs::create_dir_all(directory.join(path)).unwrap(),
                        ["vestibule", arguments @ ..] => {
                            let mut command = vestibule(arguments);
                            command.0.current_dir(&directory);
                            out = command.run().succeeded();
                        }
                        _ => panic!("{line}"),
                    }
                }
                assert_eq!(block(position + 2), ("text", out.as_str()));
            }
            _ => {}
        }
    }
    assert_eq!(files, 2);

    // And a failing case is the line that is shown.
    let path = directory.join("scenarios/outer.yaml");
    let strict = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        strict
            .replace("config: ../outer.yaml", "config: {door: outer, default: public}")
            .replace("published: {main: {$jwks: [issuer]}}\n", "")
            .replace("    published: {main: null}\n", ""),
    )
    .unwrap();
    let mut command = vestibule(&["test", "scenarios/outer.yaml"]);
    command.0.current_dir(&directory);
    let run = command.run();
    let line = "a request without a token is refused: expected credential_missing, got a permit\n";
    assert!(DOCUMENT.contains(line) && run.out.contains(line), "{}", run.out);
}

/// The door of `docs/migration.md`, of which its comment says what it is in Istio's words.
#[test]
fn the_door_of_the_migration_lets_pass_what_the_policies_did() {
    let page = include_str!("../../docs/migration.md");
    let door = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let file = directory("the_door_of_the_migration").join("door.yaml");
    fs::write(&file, door).unwrap();
    let out = vestibule(&["check", text(&file)]).run().succeeded();
    assert!(out.ends_with("ok (outer door)\n"), "{out}");
    for (path, decision) in
        [("blog/1", "allowed"), ("admin/1", "credential_missing"), ("", "credential_missing")]
    {
        let url = format!("https://api.example.com/{path}");
        let run = vestibule(&["decide", text(&file), &url]).run();
        assert!(run.out.contains(decision), "{path}: {}{}", run.out, run.err);
    }
}

/// What an unknown member is told there can be, the tables of the documentation have.
#[test]
fn the_documentation_has_every_member() {
    let mut count = 0;
    let key = json!({ "alg": "HS256", "secret": "x" });
    for changes in [
        json!({ "nothing": 1 }),
        json!({ "case": { "nothing": 1 } }),
        json!({ "case": { "request": { "nothing": 1 } } }),
        json!({ "case": { "expect": { "nothing": 1 } } }),
        json!({ "tokens": { "good": { "nothing": 1 } } }),
        json!({ "tokens": { "good": { "sign": { "nothing": key } } } }),
    ] {
        let run = test(&changed(&changes));
        let (_, members) = run.err.trim_end().split_once("there can be ").unwrap();
        for member in members.split(", ") {
            let shown = [format!("`{member}`"), format!("\"{member}\": ")];
            assert!(shown.iter().any(|shown| DOCUMENT.contains(shown.as_str())), "{member}");
            count += 1;
        }
    }
    assert!(count > 35, "{count}");
}
