//! A faulty configuration does not start, and says everything that is wrong with it at once.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::mesh::{ENVIRONMENT, outer_configuration};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::{Envoy, Refusal};

/// Five faults, and the path of each.
fn with_five_faults() -> (Value, [&'static str; 5]) {
    let mut configuration = outer_configuration();
    configuration["tenants"] = json!("required");
    configuration["issuers"]["main"]["audiences"] = json!([]);
    configuration["issuers"]["main"]["leeway"] = json!("1 day");
    configuration["gatewayKey"]["to"] = json!(["upstream", ""]);
    configuration["default"] = json!("everybody");
    (
        configuration,
        ["tenants", "issuers.main.audiences", "issuers.main.leeway", "gatewayKey.to[1]", "default"],
    )
}

pub fn refusal(bootstrap: &Bootstrap, environment: &[(&str, &str)]) -> Refusal {
    match Envoy::try_start(bootstrap, environment) {
        Ok(_) => panic!("Envoy started"),
        Err(refusal) => refusal,
    }
}

/// Whether a line of the text reports an error at this path.
fn reports(text: &str, path: &str) -> bool {
    text.lines().any(|line| {
        line.trim_start().starts_with(&format!("{path}: ")) || line.contains(&format!(" {path}: "))
    })
}

#[test]
fn envoy_refuses_to_start_with_five_faults_and_its_log_shows_each_with_its_path() {
    let (configuration, paths) = with_five_faults();
    let refusal = refusal(&Bootstrap::of("outer.yaml").configure("outer", &configuration), &ENVIRONMENT);
    assert!(refusal.exit_code.is_some_and(|code| code != 0), "{refusal:?}");
    for path in paths {
        assert!(reports(&refusal.faults(), path), "no line about {path} in:\n{}", refusal.complaints());
    }
}

#[test]
fn the_command_finds_the_same_five_faults_before_envoy_does() {
    let (configuration, paths) = with_five_faults();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .args(["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    command
        .stdin
        .take()
        .expect("it has an input")
        .write_all(configuration.to_string().as_bytes())
        .expect("it reads its input");
    let output = command.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for path in paths {
        assert!(reports(&said, path), "no line about {path} in:\n{said}");
    }
}

#[test]
fn envoy_refuses_to_start_with_what_is_no_configuration() {
    for text in ["", "not json", "[]", "{\"door\": \"outer\", \"door\": \"outer\"}"] {
        let refusal = refusal(&Bootstrap::of("outer.yaml").configure_text("outer", text), &ENVIRONMENT);
        assert!(refusal.exit_code.is_some_and(|code| code != 0), "{text:?}: {refusal:?}");
    }
}

#[test]
fn envoy_refuses_to_start_without_the_gateway_key_or_with_a_weak_one() {
    let bootstrap = Bootstrap::of("outer.yaml").configure("outer", &outer_configuration());
    let weak = [("VESTIBULE_GATEWAY_KEY", "only-twenty-two-bytes!")];
    let empty = [("VESTIBULE_GATEWAY_KEY", "")];
    let spaced = [("VESTIBULE_GATEWAY_KEY", " the-gateway-key-of-the-tests-0123456789")];
    for environment in [&[][..], &weak, &empty, &spaced] {
        let refusal = refusal(&bootstrap, environment);
        assert!(refusal.exit_code.is_some_and(|code| code != 0), "{environment:?}: {refusal:?}");
        assert!(
            ["gatewayKey.key", "gatewayKey.key.env"].iter().any(|path| reports(&refusal.faults(), path)),
            "{}",
            refusal.complaints()
        );
        let leak =
            environment.iter().find(|(_, value)| !value.is_empty() && refusal.log.contains(value.trim()));
        assert_eq!(leak, None, "the log shows the key");
    }
}
