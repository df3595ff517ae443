//! `vestibule hash`.

use super::{KEY, KEY_SHA256, vestibule};

#[test]
fn hash_is_the_sha_256_of_the_key_without_its_line_end() {
    for end in ["", "\n", "\r\n"] {
        let out = vestibule(&["hash"]).input(format!("{KEY}{end}")).succeeded();
        assert_eq!(out, format!("{KEY_SHA256}\n"));
    }
}

#[test]
fn hash_refuses_what_cannot_be_a_gateway_key_and_does_not_repeat_it() {
    for key in [
        "",
        "hunter2",
        "hunter2 hunter2 hunter2 hunter2 hunter2",
        "hunter2,hunter2,hunter2,hunter2,hunter2",
        "hunter2hunter2hunter2hunter2hunter2\n\n",
        "hunter2hunter2hunter2hunter2hunter2\u{e9}",
    ] {
        let run = vestibule(&["hash"]).input(key);
        assert!(!run.err.contains("hunter2"), "{}", run.err);
        run.failed(1, "key");
    }
    for argument in ["hunter2", "--hunter2", "-hunter2"] {
        let run = vestibule(&["hash", argument]).input(KEY);
        assert!(!run.err.contains("unter2"), "{}", run.err);
        run.failed(1, "standard input");
    }
}
