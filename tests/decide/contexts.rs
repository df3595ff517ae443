//! What is said of a context that a door requires.

use serde_json::json;

use super::run::{decide, directory, file};
use super::support::keys;

#[test]
fn a_context_that_is_missing_is_told_as_the_credential_that_it_is() {
    let configuration = json!({ "door": "inner", "context": { "require": {
        "issuer": "https://gateway.test", "audience": "mesh.test",
        "keys": [{ "jwks": { "keys": [keys::context_jwk("ec-256")] } }],
    } } });
    let door = file(&directory("missing-context"), "inner.json", configuration.to_string());
    let run = decide(&door, &["/"]).run();
    let expected = "  DENIED  credential  none, and the route needs one\n";
    assert!(run.code == 2 && run.out.contains(expected), "{}", run.out);
    assert!(run.out.contains("looked for in: header txn-token"), "{}", run.out);
    assert!(
        run.out.ends_with("denied: 403 context_missing\n  The signed context is missing.\n"),
        "{}",
        run.out
    );
    let run = decide(&door, &["--json", "/"]).run().json();
    assert_eq!(run["stoppedAt"], "credential", "{run}");
}
