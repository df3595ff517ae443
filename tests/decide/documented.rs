//! The worked example of `docs/decide.md` is what the command says.

use serde_json::json;

use super::run::{decide, directory, file};
use super::support::keys;
use super::support::token::mint;
use super::support::vector::NOW;

const PAGE: &str = include_str!("../../docs/decide.md");

/// The blocks of the page in this language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    let start = format!("```{language}\n");
    PAGE.split(&start).skip(1).map(|block| block.split("```").next().unwrap()).collect()
}

#[test]
fn the_example_comes_out_as_the_page_says() {
    let directory = directory("documented");
    let configuration = file(&directory, "outer.yaml", blocks("yaml")[0]);
    let keys = file(&directory, "jwks.json", keys::jwks(&["ec-256"]).to_string());
    let [command, request] = blocks("sh")[..] else { panic!("the page has a command and a request") };
    let payload = json!({
        "iss": "https://issuer.example.com", "aud": "https://api.example.com", "sub": "alice", "tenant_id": "acme",
        "exp": NOW + 120, "realm_access": { "roles": ["staff:clerk"] },
    });
    let token = mint(&json!({ "key": "ec-256", "payload": payload }), NOW);
    let arguments = command.trim().strip_prefix("vestibule decide outer.yaml ").unwrap();
    let arguments = arguments.replace("jwks.json", keys.to_str().unwrap());
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let run = decide(&configuration, &arguments).input(request.replace("$TOKEN", &token));
    assert_eq!((run.code, run.err.as_str()), (2, ""));
    assert_eq!(blocks("text"), [run.out.as_str()], "{}", run.out);
    assert!(!run.out.contains(&token));
}

#[test]
fn every_member_of_the_json_is_on_the_page() {
    let directory = directory("members");
    let configuration = file(&directory, "outer.json", r#"{"door":"outer","default":"deny"}"#);
    let answer = decide(&configuration, &["--json"]).run().json();
    for object in [&answer, &answer["denial"], &answer["request"], &answer["route"]] {
        for name in object.as_object().unwrap().keys() {
            assert!(PAGE.contains(&format!("`{name}`")), "{name}");
        }
    }
}
