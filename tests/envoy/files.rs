//! The files in `envoy/` as they stand, which readers run.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::mesh::ENVIRONMENT;
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::{Envoy, validate};
use crate::support::http::get;
use crate::support::{certificates, token};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy");
    let paths = fs::read_dir(folder)
        .expect("envoy/ is there")
        .map(|entry| entry.expect("envoy/ can be listed").path());
    let files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    assert!(files.len() >= 3, "{files:?}");
    files
}

/// A folder with what the files in `envoy/` expect where they are run: the module under test, and the
/// certificates that `make certificates` makes.
fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("envoy-files");
    drop(fs::remove_dir_all(&root)); // of the run before, if there was one
    certificates::of_this_run().write(&root.join("dist/certificates")).expect("certificates can be written");
    let module = std::env::var("VESTIBULE_WASM").expect("VESTIBULE_WASM is not set: run `make test`");
    symlink(module, root.join("dist/vestibule.wasm")).expect("a link can be made");
    root
}

#[test]
fn every_bootstrap_passes_envoys_validation_which_also_configures_the_filter() {
    let root = root();
    for file in files() {
        let outcome = validate(&file, &root, &ENVIRONMENT);
        assert_eq!(outcome.exit_code, Some(0), "{}:\n{}", file.display(), outcome.complaints());
    }
}

#[test]
fn certificates_take_the_place_of_older_ones_and_are_for_their_owner_alone() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("envoy-certificates");
    drop(fs::remove_dir_all(&folder)); // of the run before, if there was one
    fs::create_dir_all(&folder).expect("a folder can be made");
    let set = certificates::of_this_run();
    for (name, _) in set.files() {
        for left in [name.to_owned(), format!("{name}.next")] {
            fs::write(folder.join(left), "older, and for everybody").expect("a file can be written");
        }
    }
    for _ in 0..2 {
        set.write(&folder).expect("certificates can be written");
    }
    for (name, pem) in set.files() {
        let path = folder.join(name);
        assert_eq!(fs::read_to_string(&path).expect("a certificate can be read"), pem);
        let mode = fs::metadata(&path).expect("a file has a mode").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(fs::read_dir(&folder).expect("a folder can be listed").count(), set.files().len());
}

#[test]
fn every_bootstrap_passes_vestibule_check_secrets_included() {
    for file in files() {
        let output = Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(["check", "--env"])
            .arg(&file)
            .env_clear()
            .envs(ENVIRONMENT)
            .output()
            .expect("the command starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", file.display());
    }
}

#[test]
fn every_door_in_a_bootstrap_fails_closed_normalises_paths_and_keeps_its_vm_to_itself() {
    for file in files() {
        let mut bootstrap =
            Bootstrap::as_it_stands(&file.file_name().expect("a file has a name").to_string_lossy());
        let mut vm_ids = Vec::new();
        for door in bootstrap.plugin_names() {
            let manager = bootstrap.connection_manager(&door).clone();
            let at = format!("{}: {door}", file.display());
            assert_eq!(manager["normalize_path"], true, "{at}");
            assert_eq!(manager["merge_slashes"], true, "{at}");
            assert_eq!(manager["path_with_escaped_slashes_action"], "REJECT_REQUEST", "{at}");
            let first = &manager["http_filters"][0]["typed_config"]["config"];
            assert_eq!(
                first["failure_policy"], "FAIL_RELOAD",
                "{at}: the filter comes first and fails closed"
            );
            assert_eq!(first["vm_config"]["code"]["local"]["filename"], "dist/vestibule.wasm", "{at}");
            vm_ids.push(first["vm_config"]["vm_id"].clone());
        }
        let count = vm_ids.len();
        vm_ids.sort_by_key(ToString::to_string);
        vm_ids.dedup();
        assert!(count > 0 && vm_ids.len() == count, "{}: {vm_ids:?}", file.display());
    }
}

#[test]
fn nobody_gets_through_a_door_as_it_stands_in_its_file() {
    let inner = Envoy::start(&Bootstrap::of("inner.yaml"), &[]);
    let outer =
        Envoy::start(&Bootstrap::of("outer.yaml").cluster("upstream", inner.port("inner")), &ENVIRONMENT);
    assert_eq!(get("/").send(outer.port("outer")).code().as_deref(), Some("credential_missing"));
    let keyless = get("/").header("x-gateway-key", ENVIRONMENT[0].1).send(inner.port("inner"));
    assert_eq!(keyless.code().as_deref(), Some("gateway_key_invalid"));
    let spec = serde_json::json!({ "key": "rsa-1", "header": { "alg": "RS256", "kid": "example" }, "payload": super::mesh::good_payload() });
    let stranger = get("/").bearer(&token::mint(&spec, super::mesh::now())).send(outer.port("outer"));
    assert_eq!(stranger.code().as_deref(), Some("signature_invalid"));
}

#[test]
fn the_service_in_the_mesh_shows_every_header_that_reached_it_and_every_copy() {
    let mut mesh = Bootstrap::of("mesh.yaml").on_free_ports();
    let mut outer = mesh.configuration("outer");
    outer["issuers"]["main"] = super::mesh::issuer();
    let envoy = Envoy::start(&mesh.configure("outer", &outer), &ENVIRONMENT);
    let request =
        get("/").bearer(&super::mesh::good_token()).header("x-seen", "a\"b\\c").header("x-copies", "1");
    let response = request.header("X-Copies", "2").header("x-bytes", b"\xff\t~").send(envoy.port("outer"));
    assert_eq!(response.status, 200, "{}", response.text());
    let seen = response.json();
    assert_eq!(seen["x-tenant-id"], serde_json::json!(["acme"]), "{seen}");
    assert_eq!(seen["x-seen"], serde_json::json!(["a\"b\\c"]), "{seen}");
    assert_eq!(seen["x-copies"], serde_json::json!(["1", "2"]), "{seen}");
    assert_eq!(seen["x-bytes"], serde_json::json!(["\u{ff}\t~"]), "{seen}");
    assert_eq!(seen["authorization"], serde_json::Value::Null, "{seen}");
}
