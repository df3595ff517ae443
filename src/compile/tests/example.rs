//! Examples: they stand for what no route names.

use serde_json::json;

use super::*;

/// What is said of two routes that tie, where there is this third one.
fn told_beside(third: Value) -> Vec<String> {
    let tied = json!({ "paths": ["/a/{x}"], "access": "public" });
    let mut third = third;
    third.as_object_mut().unwrap().insert("access".into(), json!("public"));
    errors(&with(outer(), "/routes", json!({ "alpha": tied, "beta": tied, "third": third })))
}

#[test]
fn an_example_of_a_tie_has_no_name_that_a_route_has() {
    let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
    let more = [&methods[..], &["ANY"]].concat();
    for (third, example) in [
        (json!({ "paths": ["/z"] }), "`GET any.example/a/x`"),
        (json!({ "hosts": ["any.test"], "paths": ["/z"] }), "`GET anyany.example/a/x`"),
        (json!({ "hosts": ["*.Example"], "paths": ["/z"] }), "`GET any.exampleexample/a/x`"),
        (json!({ "hosts": ["any.a", "anyany.a"], "paths": ["/z"] }), "`GET anyanyany.example/a/x`"),
        (json!({ "paths": ["/z", "/z/x"] }), "`GET any.example/a/xx`"),
        (json!({ "methods": ["GET"], "paths": ["/z"] }), "`POST any.example/a/x`"),
        (json!({ "methods": ["HEAD", "POST"], "paths": ["/z"] }), "`GET any.example/a/x`"),
        (json!({ "methods": methods, "paths": ["/z"] }), "`ANY any.example/a/x`"),
        (json!({ "methods": more, "paths": ["/z"] }), "`ANYANY any.example/a/x`"),
    ] {
        let errors = told_beside(third);
        assert!(errors.len() == 1 && errors[0].contains(example), "{example}: {errors:?}");
    }
}
